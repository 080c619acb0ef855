"""From numbers to a verdict and its reasons: the last step of a look."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.judge import sentences
from pipeline.judge.bounds import Effect
from pipeline.judge.caveats import caveats
from pipeline.judge.columns import Columns, Floats
from pipeline.judge.evidence import Evidence
from pipeline.judge.levels import LEAST_READINGS
from pipeline.judge.plan import REQUESTS, TAILS, Metric, Plan
from pipeline.judge.quantities import ENOUGH_FOR_EDGE
from pipeline.judge.strength import Term, progress
from pipeline.judge.verdict import Judgement, MetricVerdict, Verdict
from pipeline.judge.windows import Window, spent
from pipeline.model import MetricKind, MetricRule, Worse
from pipeline.words import duration, some

WATCH_PART = 0.2
"""Of the evidence that fails a release: from there on it is watched, and goes no further."""


@dataclass(frozen=True, slots=True)
class Seen:
    """All that one look has worked out."""

    evidence: Evidence
    look: Columns
    windows: Sequence[Window]
    terms: Sequence[Term]
    """Counted metrics, then levels."""
    effects: Sequence[Effect]
    reasons: Sequence[str]
    """By term: why its data are of no use; "" if they are."""
    given: Sequence[bool]
    """By term: whether most canary hosts gave it in this very look."""
    beside: Sequence[bool]
    """By term: whether a control host beside a canary host gave it too."""
    warm: Sequence[bool]
    """By term: whether anything of it was compared once the canary was warm."""
    levels: Floats
    """(levels, hosts) of this look."""
    silent: str
    cold: bool
    down: str
    missing: str
    burn: str


def judgement(seen: Seen) -> Judgement:
    evidence, the = seen.evidence, seen.evidence.plan
    looks, trial = evidence.now.looks, the.trial
    total = sum(term.value for term in seen.terms)
    failed = total * the.alpha >= 1
    metrics = tuple(_metric(seen, at, failed=failed) for at in range(len(seen.terms)))
    verdict, why, missing, guard = _overall(seen, metrics, failed=failed)
    return Judgement(
        verdict=verdict,
        why=why,
        metrics=metrics,
        missing=missing,
        guard=guard,
        control=_control(the, seen.look),
        caveats=caveats(evidence),
        alerts=(
            *(_alert(seen, term) for term in seen.terms if term.alone and not failed),
            *([seen.silent] if seen.silent else []),
        ),
        warmup=_warmup(seen),
        looks=looks,
        evidence=progress(total, the.alpha),
        alpha=trial.rules.false_rollback * trial.share,
        alpha_spent=trial.rules.false_rollback * trial.share * spent(looks, trial.looks),
    )


def _overall(seen: Seen, metrics: Sequence[MetricVerdict], *, failed: bool) -> tuple[Verdict, str, bool, str]:
    """(verdict, why, whether data are missing, the guard that failed it)."""
    for guard, said in (("down", seen.down), ("burn", seen.burn)):
        if said:
            return Verdict.FAIL, said, False, guard
    if failed:
        worst = [metric.why for metric in metrics if metric.verdict is Verdict.FAIL]
        return Verdict.FAIL, "; ".join(worst[:2]), False, ""
    if seen.missing:
        return Verdict.NO_DATA, seen.missing, True, ""
    counted = [metric for metric in metrics if metric.counts]
    if not counted:
        return Verdict.NO_DATA, "no metric is judged", True, ""
    for verdict in (Verdict.WATCH, Verdict.NO_DATA):
        found = [metric for metric in counted if metric.verdict is verdict]
        if found:
            gone = next((metric for metric in found if metric.missing), None)
            return verdict, (gone or found[0]).why, gone is not None, ""
    return Verdict.PASS, _inside(seen, metrics), False, ""


def _inside(seen: Seen, metrics: Sequence[MetricVerdict]) -> str:
    """What passes, and which of it does only since its difference may be chance."""
    counted = [at for at, metric in enumerate(metrics) if metric.counts]
    beyond = [seen.terms[at].metric.rule.title for at in counted if _over(seen.terms[at].metric.rule, seen.effects[at])]
    inside = f"{len(counted) - len(beyond)} of {len(counted)} metrics inside limits"
    return f"{inside}; {some(beyond)} beyond, which may be chance" if beyond else inside


def _metric(seen: Seen, at: int, *, failed: bool) -> MetricVerdict:
    evidence, the = seen.evidence, seen.evidence.plan
    term, window = seen.terms[at], seen.windows[seen.terms[at].window]
    rule, samples = term.metric.rule, _samples(evidence, at)
    so_far = evidence.pooled[at] if at < len(the.counts) else None
    effect = seen.effects[at]
    beside = "baseline" if the.baselines and (effect.cold or (rule.with_age and the.baselines)) else "production"
    control = "production before" if the.unpaired else beside
    tail = evidence.tails[at] if at < len(the.counts) else None
    # What stands for production as it was is no number of requests that anybody made.
    told = replace(effect, control_exposure=0.0) if the.unpaired else effect
    numbers = sentences.told(rule, told, so_far, control, tail.edge if tail is not None else None)
    stretch = f"all {duration(window.seconds)}" if term.window == 0 else f"the last {duration(window.seconds)}"
    gap, missing, counts = _gap(seen, at, samples)
    verdict = Verdict.NO_DATA if gap else Verdict.PASS
    if failed and (term.value * the.alpha >= 1 or _largest(seen, at)):
        verdict = Verdict.FAIL
    elif term.value * the.alpha >= WATCH_PART or (counts and _beyond(rule, effect)):
        verdict = Verdict.WATCH
    lately = _lately(seen, at, stretch) if verdict is not Verdict.PASS and term.window != 0 else ""
    why = f"{rule.title}: {gap}" if verdict is Verdict.NO_DATA else sentences.sentence(rule, numbers, lately)
    rate = the.trial.rules.false_rollback * the.trial.share
    return MetricVerdict(
        key=rule.key,
        verdict=verdict,
        candidate=numbers.candidate,
        control=numbers.control,
        samples=samples[0],
        why=why,
        difference=numbers.difference,
        limit=numbers.limit,
        missing=missing and verdict is Verdict.NO_DATA,
        counts=counts,
        effect=numbers.effect,
        low=numbers.low,
        high=numbers.high,
        limit_at=numbers.limit_at,
        evidence=progress(term.value, the.alpha),
        alpha_spent=rate * term.metric.share * spent(evidence.now.looks, the.trial.looks),
        window=stretch,
    )


def _over(rule: MetricRule, effect: Effect) -> bool:
    """Whether what was seen is more than is tolerated, be it by chance."""
    if effect.limit is None or effect.canary is None:
        return False
    return effect.canary > effect.limit if rule.worse is Worse.HIGHER else effect.canary < effect.limit


def _beyond(rule: MetricRule, effect: Effect) -> bool:
    """Whether the bounds leave no doubt that the difference is more than is tolerated."""
    if effect.limit is None:
        return False
    if rule.worse is Worse.HIGHER:
        return effect.low is not None and effect.low > effect.limit
    return effect.high is not None and effect.high < effect.limit


def _largest(seen: Seen, at: int) -> bool:
    return at == max(range(len(seen.terms)), key=lambda place: seen.terms[place].value)


def _samples(evidence: Evidence, at: int) -> tuple[float, float]:
    """(canary's, control's): requests, or hosts."""
    the, lay, sums = evidence.plan, evidence.layout, evidence.now.sums
    if at < len(the.counts) and the.counts[at].rule.kind in REQUESTS:
        seen = lay.read(sums, "seen")
        return float(seen[0, at]), float(seen[1, at])
    return float(the.canaries), float(len(the.hosts) - the.canaries)


def _gap(seen: Seen, at: int, samples: tuple[float, float]) -> tuple[str, bool, bool]:
    """(why there is no verdict or "", whether data are missing, whether the whole verdict rests on it)."""
    evidence, the = seen.evidence, seen.evidence.plan
    term, effect = seen.terms[at], seen.effects[at]
    rule = term.metric.rule
    if the.unpaired and rule.kind not in REQUESTS:
        return f"not judged, {the.few}", False, False
    if seen.reasons[at]:
        return seen.reasons[at], True, True
    if not seen.given[at]:
        return f"the canary gives no {_of(term.metric)}", True, True
    if not the.unpaired and not seen.beside[at]:
        return "production beside the canary gives nothing to compare with now", True, True
    if rule.kind in TAILS and evidence.tails[at] is None:
        shown = evidence.pooled[at]
        total = shown.control_total if shown is not None else 0.0
        return f"{total:,.0f} of {ENOUGH_FOR_EDGE:,.0f} production requests that show its tail", False, True
    fewest = samples[0] if the.unpaired else min(samples)
    if rule.kind in REQUESTS and fewest < rule.min_samples:
        return f"{fewest:,.0f} of {rule.min_samples:,} requests that a verdict needs", False, True
    if effect.canary is None:
        if (
            at >= len(the.counts)
            and not np.isfinite(np.where(seen.levels[at - len(the.counts)] >= 0, 1.0, np.nan)).any()
        ):
            return "it is below 0, which is not judged", False, False
        if rule.kind in REQUESTS and samples[1] > 0:
            return "nothing to compare at the same moment and place yet", False, True
        if at >= len(the.counts) and _levels_of_control(seen, at - len(the.counts)) > 0:
            return f"fewer than {LEAST_READINGS} readings beside production's yet", False, True
        return "production gives nothing to compare with", True, True
    if at >= len(the.counts) and seen.effects[at].low is None and not seen.effects[at].cold and seen.warm[at]:
        return "too few control hosts to know how hosts differ: not judged", False, False
    if not seen.warm[at]:
        return "the canary is warming up, only gross faults are judged", False, True
    return "", False, True


def _levels_of_control(seen: Seen, place: int) -> float:
    """Readings of control hosts so far."""
    evidence = seen.evidence
    return float(evidence.layout.read(evidence.now.sums, "spread_readings")[place].sum())


def _of(metric: Metric) -> str:
    rule = metric.rule
    if rule.kind is MetricKind.RATIO:
        return f"{rule.total} or {rule.bad}"
    if metric.expression is not None:
        return ", ".join(sorted(metric.expression.names))
    return rule.of or rule.title


def _lately(seen: Seen, at: int, stretch: str) -> str:
    """The stretch that speaks loudest, in numbers."""
    evidence, the = seen.evidence, seen.evidence.plan
    term = seen.terms[at]
    if at >= len(the.counts):
        return f"most in {stretch}"
    lay, sums = evidence.layout, evidence.now.sums - seen.windows[term.window].start.sums
    parts = (lay.read(sums, name)[:, at] for name in ("events", "exposure", "expected"))
    events, exposure, expected = (float(part.sum()) for part in parts)
    if exposure <= 0:
        return f"most in {stretch}"
    return f"in {stretch} {events:,.0f} where {expected:,.1f} were to be expected"


def _alert(seen: Seen, term: Term) -> str:
    host = seen.evidence.plan.hosts[term.worst]
    return f"{host} alone is bad at {term.metric.rule.title}: look at that machine; one of several rolls nothing back"


def _warmup(seen: Seen) -> str:
    if not seen.cold:
        return ""
    age_s: Floats = seen.look.age_s[: seen.evidence.plan.canaries]
    youngest = float(np.min(age_s[~np.isnan(seen.look.host_s[: len(age_s)])], initial=np.inf))
    of_s = seen.evidence.plan.trial.rules.cold_s
    return f"{duration(min(youngest, of_s))} of {duration(of_s)}"


def _control(the: Plan, look: Columns) -> str:
    there = ~np.isnan(look.host_s)
    beside = int(there[the.canaries : the.canaries + the.baselines].sum())
    rest = int(there[the.canaries + the.baselines :].sum())
    if the.unpaired:
        before = "production before" if not the.trial.wave else "production as it was while the canary baked"
        return f"{the.few}: held against {before}"
    if the.baselines:
        return f"{beside} baseline {'host' if beside == 1 else 'hosts'} restarted beside it, {rest} production hosts"
    return f"{rest} production hosts as they run"
