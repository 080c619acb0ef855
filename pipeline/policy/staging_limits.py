"""Limits on a partial staging: a build that is worse than one goes back by itself, before it costs anybody anything."""

from pipeline.lifecycle import STAGING, Rollout
from pipeline.measured.staging_window import StagingWindow
from pipeline.model import MetricKind, MetricRule, Service, Worse
from pipeline.signals import Sample, value
from pipeline.staging import StagingLimit, StagingMode
from pipeline.words import amount, duration


def failing(service: Service, rollout: Rollout, window: StagingWindow, now_s: float) -> str:
    """Why the build must leave staging; "" if it need not, or too little was asked of it to tell."""
    rules = service.rules.staging
    if rules.mode is not StagingMode.PARTIAL or rollout.phase not in STAGING:
        return ""
    metrics = {metric.key: metric for metric in service.rules.judge.metrics}
    for limit in rules.limits:
        metric = metrics.get(limit.metric)
        if metric is None:
            continue
        said = _over(metric, limit, window.of(rollout.revision, now_s, limit.window_s), service.rules.budget.total)
        if said:
            return said
    return ""


def _over(metric: MetricRule, limit: StagingLimit, seen: Sample, total: str) -> str:
    requests, found = _requests(metric, seen, total), value(metric, seen)
    if found is None or requests < limit.min_samples:
        return ""
    worse = found > limit.limit if metric.worse is Worse.HIGHER else found < limit.limit
    if not worse:
        return ""
    side = "above" if metric.worse is Worse.HIGHER else "below"
    return (
        f"staging limit: {metric.title} {amount(found, metric.unit)} is {side} {amount(limit.limit, metric.unit)} "
        f"over {duration(limit.window_s)}, {int(requests):,} requests"
    )


def _requests(metric: MetricRule, seen: Sample, total: str) -> float:
    """Of the window, by what the metric is made of."""
    if metric.kind is MetricKind.RATIO:
        return seen.counters.get(metric.total, 0.0)
    if metric.kind in {MetricKind.QUANTILE, MetricKind.SHARE}:
        histogram = seen.histograms.get(metric.of)
        return sum(histogram.counts) if histogram is not None else 0.0
    return seen.counters.get(total, 0.0)
