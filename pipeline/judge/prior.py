"""What recorded history says of a service's hosts before a release: how they differ, and how much that varies.

Host effects are shrunk as in empirical Bayes with a gamma prior (Robbins, 1956; Clayton & Kaldor, 1987).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.judge.columns import Columns, Floats, columns
from pipeline.judge.look import Group, Recorded
from pipeline.judge.plan import TAILS, Metric, Plan, plan
from pipeline.judge.quantities import Tail, counted, level, tail_of
from pipeline.judge.trial import MetricPrior, Prior, Trial

LEAST_STEPS = 10
SMALLEST_VARIANCE = 1e-4
LARGEST_FREEDOM = 20.0


def prior(trial: Trial, past: Sequence[Recorded]) -> Prior:
    """Empty where too little is recorded; a canary host without history leaves every host without effects."""
    if len(past) < LEAST_STEPS:
        return Prior()
    the = plan(trial, Prior())
    groups = (Group.PRODUCTION.value,) * len(the.hosts)
    return from_columns(the, [columns(one.look, the.hosts, groups) for one in past])


def from_columns(the: Plan, steps: Sequence[Columns]) -> Prior:
    """The same of columns in the order of the plan's hosts, oldest first."""
    if len(steps) < LEAST_STEPS:
        return Prior()
    seconds = np.array([step.seconds for step in steps])
    found = {metric.rule.key: _of_counts(the, metric, steps, seconds) for metric in the.counts}
    found |= {metric.rule.key: _of_level(the, metric, steps) for metric in the.levels}
    return Prior(found, float(seconds.sum()))


def _of_counts(the: Plan, metric: Metric, steps: Sequence[Columns], seconds: Floats) -> MetricPrior:
    tail = _tail(metric, steps) if metric.rule.kind in TAILS else None
    if metric.rule.kind in TAILS and tail is None:
        return MetricPrior()
    pairs = [counted(metric, tail, step) for step in steps]
    x, e = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    known = np.isfinite(x) & np.isfinite(e) & (e > 0)
    x, e = np.where(known, x, 0.0), np.where(known, e, 0.0)
    found = MetricPrior(edge=tail.edge if tail else None, allowance=tail.allowance if tail else 0.0)
    effects = _effects(the, x, e)
    half = len(steps) // 2
    first = _effects(the, x[:half], e[:half])
    lengths, dispersion, freedom = _dispersion(the, x[half:], e[half:] * first, seconds[half:])
    mine = x[:, : the.canaries].sum(axis=0), e[:, : the.canaries].sum(axis=0)
    if (mine[1] > 0).all():
        found = replace(found, effects=dict(zip(the.hosts, effects.tolist(), strict=True)))
    return replace(found, lengths_s=lengths, dispersion=dispersion, freedom=freedom)


def _tail(metric: Metric, steps: Sequence[Columns]) -> Tail | None:
    total: dict[tuple[float, ...], Floats] = {}
    for step in steps:
        for buckets in step.histograms.get(metric.rule.of, ()):
            there = ~np.isnan(buckets.counts[:, 0])
            total[buckets.edges] = total.get(buckets.edges, np.zeros(len(buckets.edges))) + buckets.counts[there].sum(
                axis=0
            )
    if not total:
        return None
    edges, each = max(total.items(), key=lambda pair: float(pair[1].sum()))
    if each.sum() <= 0:
        return None
    return tail_of(metric.rule.q, metric.rule.tolerance, edges, np.cumsum(each).tolist())


def _expected(the: Plan, x: Floats, e: Floats) -> Floats:
    """(steps, hosts): events that each host would have had as an average one of its stratum at that moment."""
    places = the.in_stratum
    events, exposure = x @ places, e @ places
    rate = np.divide(events, exposure, out=np.zeros_like(events), where=exposure > 0)
    expected: Floats = e * (rate @ places.T)
    return expected


def _effects(the: Plan, x: Floats, e: Floats) -> Floats:
    mean = _expected(the, x, e).sum(axis=0)
    events = x.sum(axis=0)
    there = mean > 0
    if not there.any():
        return np.ones(len(the.hosts))
    variance = max(
        float(((events - mean)[there] ** 2 - mean[there]).sum() / (mean[there] ** 2).sum()), SMALLEST_VARIANCE
    )
    shrunk: Floats = (events + 1 / variance) / (mean + 1 / variance)
    return np.where(there, shrunk, 1.0)


def _dispersion(
    the: Plan, x: Floats, e: Floats, seconds: Floats
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Of windows of 1, 2, 4 ... steps: their lengths, dispersion at each, and its degrees of freedom."""
    expected = _expected(the, x, e)
    live = int((expected.sum(axis=0) > 0).sum())
    spare = live - len({place for place, mean in zip(the.stratum, expected.sum(axis=0), strict=True) if mean > 0})
    if spare < 1:
        return (), (), ()
    lengths, dispersion, freedom = [], [], []
    length = 1
    while length * 2 <= len(x):
        number = len(x) // length
        use = number * length
        events = x[:use].reshape(number, length, -1).sum(axis=1)
        mean = expected[:use].reshape(number, length, -1).sum(axis=1)
        total = mean.sum(axis=1)
        each = (
            np.divide(((events - mean) ** 2).sum(axis=1), total, out=np.zeros(number), where=total > 0) * live / spare
        )
        per_host = total / live
        weight = per_host / (per_host + 3)
        if weight.sum() > 0:
            lengths.append(float(seconds.mean() * length))
            dispersion.append(max(float((each * weight).sum() / weight.sum()), 1.0))
            freedom.append(min(LARGEST_FREEDOM, 0.5 * number * spare))
        length *= 2
    return tuple(lengths), tuple(dispersion), tuple(freedom)


def _of_level(the: Plan, metric: Metric, steps: Sequence[Columns]) -> MetricPrior:
    """Each host's lasting distance from its stratum's mean, shrunk by how well the two halves of history agree."""
    raw = np.array([level(metric, step) for step in steps])
    known = np.isfinite(raw) & (raw > 0)
    y = np.where(known, np.log(np.where(known, raw, 1.0)), 0.0)
    places = the.in_stratum
    hosts = known.astype(np.float64) @ places
    mean = np.divide((y * known) @ places, hosts, out=np.zeros_like(hosts), where=hosts > 0)
    off = np.where(known, y - mean @ places.T, 0.0)
    half = len(steps) // 2
    first, second = _means(off[:half], known[:half]), _means(off[half:], known[half:])
    both = known[:half].any(axis=0) & known[half:].any(axis=0)
    if both.sum() < 3 or not both[: the.canaries].all():
        return MetricPrior()
    spread = first[both].std() * second[both].std()
    agreement = float(np.corrcoef(first[both], second[both])[0, 1]) if spread > 0 else 0.0
    reliable = 2 * max(agreement, 0.0) / (1 + max(agreement, 0.0))
    effects = np.where(both, reliable * _means(off, known), 0.0)
    return MetricPrior(effects=dict(zip(the.hosts, effects.tolist(), strict=True)))


def _means(off: Floats, known: Floats) -> Floats:
    number = known.sum(axis=0)
    means: Floats = np.divide(off.sum(axis=0), number, out=np.zeros(number.shape), where=number > 0)
    return means
