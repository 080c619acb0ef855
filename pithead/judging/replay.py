"""`pithead judge replay`: a recorded canary or wave judged again, by its own settings or by others."""

import math
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import Reference, TrialRecord
from pipeline.judge.verdict import Judgement, MetricVerdict
from pipeline.judge.wording import evidence as told_evidence
from pipeline.model import JudgeRules
from pipeline.ports import ControlRoom
from pipeline.rehearsal.replay import Replay, Step, again, changed
from pipeline.text import plain
from pipeline.words import duration
from pithead.exits import Exit, Failure
from pithead.judging.charts import binned, heights
from pithead.judging.ending import ends_at_once
from pithead.judging.fetch import looks, meant
from pithead.judging.means import Means
from pithead.out import Out

WIDTH = 60
HEAD = ("METRIC", "THEN", "EVIDENCE", "NOW", "EVIDENCE", "WHY NOW")


async def run(args: Namespace, room: ControlRoom, out: Out, means: Means | None = None) -> int:
    means = means if means is not None else Means()
    wishes = _wishes(args.set)
    kept = await room.trial(*await meant(room, args.release), args.wave)
    trial = kept.trial
    try:
        rules = changed(trial.rules, wishes)
    except ValueError as wrong:
        raise Failure("judge replay --set", str(wrong), "see pithead judge replay --help", Exit.USAGE) from None
    with ends_at_once(), means.progress.at_work():
        shown, points = await _judged_again(room, with_rules(kept, rules), means)
    if shown.last is None:
        why = "the history holds none of its looks"
        raise Failure(f"judge replay {plain(trial.release)}", why, "replay a newer release", Exit.UNKNOWN)
    if args.json:
        out.json(_as_dict(kept, shown, wishes, points))
    else:
        for line in told(kept, shown, wishes):
            out.line(line)
        out.table(table(shown.last))
        for line in chart(points, blocks=means.blocks):
            out.line(line)
    return Exit.DONE if wishes or not shown.different else Exit.REFUSED


def with_rules(kept: TrialRecord, rules: JudgeRules) -> TrialRecord:
    """The trial by other settings, less the tails that were settled by a tolerance which is another now."""
    tolerated = {rule.key: rule.tolerance for rule in kept.trial.rules.metrics}
    other = {rule.key for rule in rules.metrics if tolerated.get(rule.key) != rule.tolerance}
    metrics = {
        key: replace(prior, edge=None, allowance=0.0) if key in other else prior
        for key, prior in kept.prior.metrics.items()
    }
    # A rate beyond an edge that holds no longer is no rate of this metric.
    reference = {
        key: Reference(math.nan) if key in other and before.edge is not None else before
        for key, before in kept.trial.reference.items()
    }
    trial = replace(kept.trial, rules=rules, reference=reference)
    return TrialRecord(trial, replace(kept.prior, metrics=metrics))


def _wishes(typed: Sequence[str]) -> Mapping[str, str]:
    wishes = {}
    for each in typed:
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise Failure(
                "judge replay --set", f"expected KEY=VALUE, got {plain(each, 60)}", "name a value", Exit.USAGE
            )
        wishes[key.strip()] = value.strip()
    return wishes


async def _judged_again(room: ControlRoom, kept: TrialRecord, means: Means) -> tuple[Replay, list[tuple[float, float]]]:
    """What the replay shows, and at each look the evidence then and now."""
    judge = SequentialJudge()
    evidence = judge.begin(kept.trial, kept.prior)
    shown, points = Replay(), []
    try:
        async for page in looks(room, kept.trial.release, kept.trial.wave):
            for record in page:
                evidence, step = again(judge, evidence, record)
                shown = shown.after(step)
                points.append((step.recorded.evidence, step.replayed.evidence))
                means.progress.tell("looks judged again", shown.looks)
    finally:
        means.progress.over()
    return shown, points


def told(kept: TrialRecord, shown: Replay, wishes: Mapping[str, str]) -> Iterator[str]:
    """The result in sentences."""
    trial = kept.trial
    where = f"wave {trial.wave}" if trial.wave else "canary"
    yield (
        f"{trial.release} {where}: {shown.looks:,} looks over {duration(shown.seconds)}, "
        f"hosts on the new revision {len(trial.canary)}, baseline {len(trial.baseline)}, others {len(trial.production)}"
    )
    if shown.missing:
        yield f"  the history has lost {shown.missing:,} looks in between: what follows them may differ"
    if wishes:
        yield f"  now with {', '.join(f'{key} = {value}' for key, value in wishes.items())}"
    yield f"  then  {_ended(shown.recorded_fail, shown.last, then=True)}"
    yield f"  now   {_ended(shown.replayed_fail, shown.last, then=False)}"
    if not shown.different:
        yield "  the same at every look"
    elif shown.first_different is not None:
        first = shown.first_different
        yield f"  different at {shown.different:,} of {shown.looks:,} looks, first at look {first.number:,}"
        if not wishes:
            yield "  the settings are the same: another version of the judge has judged then, or looks are missing"
    if wishes and shown.recorded_fail is not None and shown.replayed_fail is None:
        yield "  it would not have been rolled back within these looks; what came later nobody has seen"


def _ended(fail: Step | None, last: Step | None, *, then: bool) -> str:
    if last is None:
        return "?"
    step = fail or last
    judgement = step.recorded if then else step.replayed
    at = f"at look {step.number:,}, {step.at:%Y-%m-%d %H:%M:%S}Z"
    return f"{judgement.verdict.upper()} {at}, evidence {told_evidence(judgement.evidence)}: {judgement.why}"


def table(last: Step) -> list[tuple[str, ...]]:
    """Metric by metric at the last look, then and now."""
    then, now = _by_key(last.recorded), _by_key(last.replayed)
    return [HEAD, *(_row(key, then.get(key), now.get(key)) for key in {**then, **now})]


def _by_key(judgement: Judgement) -> Mapping[str, MetricVerdict]:
    return {metric.key: metric for metric in judgement.metrics}


def _row(key: str, then: MetricVerdict | None, now: MetricVerdict | None) -> tuple[str, ...]:
    return (key, *_cells(then), *_cells(now), now.why if now is not None else "")


def _cells(metric: MetricVerdict | None) -> tuple[str, str]:
    return (metric.verdict.upper(), told_evidence(metric.evidence)) if metric is not None else ("-", "-")


def chart(points: Sequence[tuple[float, float]], *, blocks: bool) -> Iterator[str]:
    """The evidence over all looks, then above now; full height is a rollback."""
    yield "evidence over looks, full height rolls back"
    for name, values in (("then", [then for then, _ in points]), ("now", [now for _, now in points])):
        cells = heights(binned(values, WIDTH), blocks=blocks)
        yield f"  {name:4} |{cells}| highest {told_evidence(max(values))}"
    width = min(len(points), WIDTH)
    yield f"       {'1':<{width}} {len(points):,}"


def _as_dict(
    kept: TrialRecord, shown: Replay, wishes: Mapping[str, str], points: Sequence[tuple[float, float]]
) -> dict[str, object]:
    return {
        "release": kept.trial.release,
        "wave": kept.trial.wave,
        "set": dict(wishes),
        "looks": shown.looks,
        "missing": shown.missing,
        "different": shown.different,
        "first_different": shown.first_different,
        "then": shown.recorded_fail or shown.last,
        "now": shown.replayed_fail or shown.last,
        "last": shown.last,
        "evidence": [{"then": then, "now": now} for then, now in points],
    }
