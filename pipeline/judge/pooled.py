"""The first judge: pooled counts of the canary against production's, one-sided, with a tolerance.

For a share of requests (errors; requests slower than production's quantile) the question is how
improbable the canary's count would be if its true share were no worse than production's upper bound plus the
tolerance: an exact binomial tail. A rate is held against production's at the same moments, with the
dispersion that production's own hosts show; a gauge against the spread over production's hosts.

All looks are judged, and the last ones by themselves, so that a fault that begins late is not drowned.
It looks at every tick without paying for it: the false-rollback rate over a whole canary is kept low by
`FAIL_P`, the tolerance and `fail_looks`, not bounded. Missing data are never a pass.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from pipeline.judge.evidence import Evidence, Look, Window
from pipeline.judge.verdict import Judgement, MetricVerdict, Verdict
from pipeline.model import JudgeRules, MetricKind, MetricRule, Worse
from pipeline.signals import Histogram, Sample, above, quantile, value
from pipeline.words import amount, percent, points, relative

FAIL_P = 0.001
WATCH_P = 0.05
CONTROL_Z = 1.0
"""Standard errors above production's observed share that are taken for its true one."""
LEAST_CONTROLS = 3
"""Hosts below which a spread over hosts says nothing."""
LEAST_SPREAD = 0.02
"""Relative spread over hosts that is assumed at the least."""
UNPAIRED_SPREAD = 0.10
"""The same where fewer hosts, or only an earlier phase's production, are left to compare with."""


class PooledJudge:
    """`Judge` that pools all hosts and looks of a phase."""

    def look(
        self, rules: JudgeRules, evidence: Evidence, look: Look, reference: Evidence
    ) -> tuple[Evidence, Judgement]:
        grown = evidence.with_look(look)
        if not look.candidate:
            return grown, Judgement(Verdict.NO_DATA, "no host of the new revision gives fresh data", missing=True)
        if 2 * len(look.candidate) < look.expected:
            why = f"only {len(look.candidate)} of {look.expected} hosts of the new revision give fresh data"
            return grown, Judgement(Verdict.NO_DATA, why, missing=True)
        judged = _judged(rules, grown.whole, look, reference)
        recent = grown.recent
        if recent.looks < grown.looks:
            judged = [_worse(*pair) for pair in zip(judged, _judged(rules, recent, look, reference), strict=True)]
        return grown, overall(judged)


def _judged(rules: JudgeRules, window: Window, look: Look, reference: Evidence) -> list[MetricVerdict]:
    # A few hosts left beside a wave are themselves, not production: then it is as it was while the canary baked.
    few = len(look.control) < LEAST_CONTROLS and reference.whole.control.host_s > 0
    control = reference.whole.control if few or not window.control.host_s else window.control
    return [_METHODS[rule.kind](rule, window, look, control) for rule in rules.metrics if rule.judged]


def _worse(whole: MetricVerdict, recent: MetricVerdict) -> MetricVerdict:
    """Of all looks and of the last ones: few data in the last ones are no reason to hold."""
    if recent.verdict is Verdict.FAIL or (recent.verdict is Verdict.WATCH and whole.verdict is Verdict.PASS):
        return replace(recent, why=f"{recent.why}, in the last looks") if whole.verdict is not Verdict.FAIL else whole
    return whole


def overall(metrics: Sequence[MetricVerdict]) -> Judgement:
    """The worst metric decides; one that cannot be judged for want of data keeps it from being a pass."""
    for verdict in (Verdict.FAIL, Verdict.WATCH, Verdict.NO_DATA):
        worst = next((metric for metric in metrics if metric.verdict is verdict and metric.counts), None)
        if worst is not None:
            missing = any(metric.missing and metric.counts for metric in metrics)
            return Judgement(verdict, worst.why, tuple(metrics), missing and verdict is Verdict.NO_DATA)
    if not metrics:
        return Judgement(Verdict.NO_DATA, "no metric is judged", missing=True)
    return Judgement(Verdict.PASS, f"{len(metrics)} of {len(metrics)} metrics inside limits", tuple(metrics))


def tail(count: float, trials: float, chance: float) -> float:
    """P(X >= count) for X binomial(trials, chance), exactly; counts are taken to whole ones.

    Sums at most until terms no longer matter; for chances at or beyond 0 and 1 the obvious answer.
    """
    n, k = round(trials), round(count)
    if k <= 0 or chance >= 1:
        return 1.0
    if k > n or chance <= 0:
        return 0.0
    if k <= n * chance:
        return min(1.0, 1.0 - _terms(range(k - 1, -1, -1), n, chance))
    return min(1.0, _terms(range(k, n + 1), n, chance))


def _terms(counts: Iterable[int], n: int, chance: float) -> float:
    total = 0.0
    for k in counts:
        log = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        term = math.exp(log + k * math.log(chance) + (n - k) * math.log1p(-chance))
        total += term
        if term < 1e-12 * max(total, 1e-30):
            break
    return total


def normal_tail(z: float) -> float:
    """P(Z >= z) of a standard normal."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def _by_chance(p: float) -> Verdict:
    return Verdict.FAIL if p < FAIL_P else Verdict.WATCH if p < WATCH_P else Verdict.PASS


def _missing(rule: MetricRule, why: str) -> MetricVerdict:
    return MetricVerdict(rule.key, Verdict.NO_DATA, None, None, 0, f"{rule.title}: {why}", missing=True)


def _too_few(rule: MetricRule, trials: float) -> MetricVerdict:
    why = f"{rule.title}: {trials:,.0f} of {rule.min_samples:,} requests that a verdict needs"
    return MetricVerdict(rule.key, Verdict.NO_DATA, None, None, trials, why)


def _ratio(rule: MetricRule, window: Window, look: Look, control: Sample) -> MetricVerdict:
    trials, count = window.candidate.counters.get(rule.total), window.candidate.counters.get(rule.bad)
    others, bad = control.counters.get(rule.total), control.counters.get(rule.bad)
    if trials is None or count is None:
        return _missing(rule, f"the canary gives no {rule.total} or {rule.bad}")
    if not others or bad is None:
        return _missing(rule, "production has served nothing to compare with")
    if min(trials, others) < rule.min_samples:
        return _too_few(rule, min(trials, others))
    mine, theirs = count / trials, bad / others
    upper = theirs + CONTROL_Z * math.sqrt(max(theirs, 1 / others) * (1 - min(theirs, 1.0)) / others)
    p = tail(count, trials, upper + rule.tolerance)
    why = (
        f"{rule.title}: canary {percent(mine)} of {trials:,.0f}, production {percent(theirs)} of {others:,.0f}, "
        f"limit {points(rule.tolerance)}"
    )
    return MetricVerdict(
        rule.key, _by_chance(p), mine, theirs, trials, why, points(mine - theirs), f"{100 * rule.tolerance:.2f}pp"
    )


def _quantile(rule: MetricRule, window: Window, look: Look, control: Sample) -> MetricVerdict:
    mine, theirs = window.candidate.histograms.get(rule.of), control.histograms.get(rule.of)
    if mine is None:
        return _missing(rule, f"the canary gives no {rule.of}")
    if theirs is None or sum(theirs.counts) <= 0:
        return _missing(rule, "production has served nothing to compare with")
    trials = sum(mine.counts)
    fewest = min(trials, sum(theirs.counts))
    if fewest < rule.min_samples:
        return _too_few(rule, fewest)
    return _slower(rule, mine, theirs, trials)


def _slower(rule: MetricRule, mine: Histogram, theirs: Histogram, trials: float) -> MetricVerdict:
    """Against: no more than 1 - q of the canary's requests take longer than production's quantile.

    Both quantiles are read off buckets, so the count is taken at a bucket's edge, and the tolerance is asked of
    the quantiles themselves.
    """
    here, there = quantile(mine, rule.q) or 0.0, quantile(theirs, rule.q) or 0.0
    slow, edge = above(mine, there)
    p = tail(slow, trials, 1 - rule.q) if here > there * (1 + rule.tolerance) else 1.0
    why = (
        f"{rule.title}: canary {amount(here, rule.unit)}, production {amount(there, rule.unit)}; "
        f"{percent(slow / trials)} of {trials:,.0f} above {amount(edge, rule.unit)}, "
        f"{percent(1 - rule.q)} allowed"
    )
    difference = relative(here / there - 1) if there else ""
    return MetricVerdict(rule.key, _by_chance(p), here, there, trials, why, difference, f"{rule.tolerance:.0%}")


def _rate(rule: MetricRule, window: Window, look: Look, control: Sample) -> MetricVerdict:
    if not look.control:
        return replace(_missing(rule, "not judged, no production host is left beside it"), counts=False)
    mine, theirs = value(rule, window.candidate), value(rule, window.control)
    if mine is None or theirs is None:
        return _missing(rule, f"no {rule.of} of {'the canary' if mine is None else 'production'}")
    bound = theirs * (1 + _sign(rule) * rule.tolerance)
    host_s = window.candidate.host_s
    each = _per_host(rule, look)
    # With too few hosts to see how they differ: counts as of a Poisson process, and the wide spread.
    spread = UNPAIRED_SPREAD if each is None else LEAST_SPREAD
    noise = math.sqrt((theirs if each is None else each) * host_s + (spread * bound * host_s) ** 2)
    excess = _sign(rule) * (mine - bound) * host_s
    p = normal_tail(excess / noise) if noise > 0 else 0.5
    return _compared(rule, p, mine, theirs, len(look.candidate))


def _per_host(rule: MetricRule, look: Look) -> float | None:
    """Variance of the counter's increase per host and second, as production's hosts show it in this look."""
    increases = [
        (sample.counters[rule.of], sample.host_s) for sample in look.control.values() if rule.of in sample.counters
    ]
    if len(increases) < LEAST_CONTROLS:
        return None
    seconds = statistics.fmean(span for _, span in increases)
    return statistics.variance(count for count, _ in increases) / seconds if seconds > 0 else None


def _gauge(rule: MetricRule, window: Window, look: Look, control: Sample) -> MetricVerdict:
    mine, theirs = window.candidate.gauges.get(rule.of), control.gauges.get(rule.of)
    if mine is None or theirs is None:
        return _missing(rule, f"no {rule.of} of {'the canary' if mine is None else 'production'}")
    levels = [sample.gauges[rule.of] for sample in look.control.values() if rule.of in sample.gauges]
    enough = len(levels) >= LEAST_CONTROLS
    spread = max(statistics.stdev(levels), LEAST_SPREAD * abs(theirs)) if enough else UNPAIRED_SPREAD * abs(theirs)
    noise = spread * math.sqrt(1 / len(look.candidate) + 1 / max(len(levels), 1))
    excess = _sign(rule) * (mine - theirs * (1 + _sign(rule) * rule.tolerance))
    p = normal_tail(excess / noise) if noise > 0 else float(excess <= 0)
    return _compared(rule, p, mine, theirs, len(look.candidate))


def _sign(rule: MetricRule) -> int:
    return 1 if rule.worse is Worse.HIGHER else -1


def _compared(rule: MetricRule, p: float, mine: float, theirs: float, hosts: int) -> MetricVerdict:
    difference = relative(mine / theirs - 1) if theirs else ""
    limit = f"{rule.tolerance:.0%}"
    why = (
        f"{rule.title}: canary {amount(mine, rule.unit)}, production {amount(theirs, rule.unit)} a host, "
        f"limit {'+' if rule.worse is Worse.HIGHER else '-'}{limit}"
    )
    return MetricVerdict(rule.key, _by_chance(p), mine, theirs, hosts, why, difference, limit)


_METHODS: dict[MetricKind, Callable[[MetricRule, Window, Look, Sample], MetricVerdict]] = {
    MetricKind.RATIO: _ratio,
    MetricKind.QUANTILE: _quantile,
    MetricKind.RATE: _rate,
    MetricKind.GAUGE: _gauge,
}
