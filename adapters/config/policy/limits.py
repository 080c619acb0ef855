"""PAR-05: limits on a partial staging that can never act, or act on too little."""

from collections.abc import Iterator

from adapters.config.durations import written
from adapters.config.policy.case import Case, Found
from pipeline.model import MetricKind, MetricRule, Worse
from pipeline.staging import Level, StagingLimit, StagingMode

MOST_SAMPLES = 1_000_000
MOST_RPS = 10_000
"""As fast as a replay may be."""
LOOKS = 2
"""In a window, at least: one bad reading is no trend."""
RATIOS = (MetricKind.RATIO, MetricKind.SHARE)


def never_acting(case: Case) -> Iterator[Found]:
    its = case.service.rules.staging
    if case.in_mode(StagingMode.FULL):
        yield from _idle(case)
    if not case.in_mode(StagingMode.PARTIAL):
        return
    metrics = {metric.key: metric for metric in case.service.rules.judge.metrics}
    for limit in its.limits:
        if limit.metric in metrics:
            yield from _limit(case, limit, metrics[limit.metric])


def _idle(case: Case) -> Iterator[Found]:
    """The organisation's are for its services that are partial."""
    if not case.service.rules.staging.limits:
        return
    own = case.company.said["service"][case.service.name].get("staging", {}).get("limits")
    if own or all(each.rules.staging.mode is StagingMode.FULL for each in case.company.services.values()):
        yield Found(
            "limits do nothing in a full staging: only a partial one is taken back by them",
            "leave them out, or test for it by a check",
            case.at("staging", "limits"),
            Level.WARNING,
        )


def _limit(case: Case, limit: StagingLimit, metric: MetricRule) -> Iterator[Found]:
    if metric.kind in RATIOS and metric.worse is Worse.HIGHER and limit.limit >= 1:
        yield Found(
            f"the limit of {limit.metric} never acts: a ratio is never above {limit.limit:.0%}",
            'say a limit below "100%"',
            case.at("staging", "limits", limit.metric, "limit"),
        )
    if metric.worse is Worse.LOWER and limit.limit <= 0:
        yield Found(
            f"the limit of {limit.metric} never acts: it is never below {limit.limit:g}",
            "say a limit above 0",
            case.at("staging", "limits", limit.metric, "limit"),
        )
    most = min(MOST_SAMPLES, int(limit.window_s * MOST_RPS))
    if limit.min_samples > most:
        yield Found(
            f"the limit of {limit.metric} never acts: {limit.min_samples:,} requests within {written(limit.window_s)} "
            "are more than a staging has",
            f"say min_samples = {most} at most: 20 is the default",
            case.at("staging", "limits", limit.metric, "min_samples"),
        )
    if limit.window_s < LOOKS * case.company.apart_s:
        least = written(LOOKS * case.company.apart_s)
        yield Found(
            f"the limit of {limit.metric} looks at the last {written(limit.window_s)}, and hosts are read every "
            f"{written(case.company.apart_s)}: one reading decides",
            f'say window = "{least}" or more',
            case.at("staging", "limits", limit.metric, "window"),
            Level.WARNING,
        )
