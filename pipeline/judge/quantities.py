"""From a look's columns to what each metric counts: events, and what they are counted against, by host."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.judge.columns import Bools, Buckets, Columns, Floats
from pipeline.judge.plan import Metric
from pipeline.model import MetricKind

ENOUGH_FOR_EDGE = 300.0
"""Control requests after which a quantile's bucket bound is settled, where no history has settled it."""
ENOUGH_FOR_ANOTHER = 1_000.0
HARDLY = 0.1
"""Of a quantile's tail: less of production's requests beyond the bound, and it is settled anew."""
TAIL_SLACK = (0.20, 0.15)
"""Of a tail beyond p95, and of one before: this much more of it, relatively, is no regression in any case."""
SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class Tail:
    """A quantile's tail, settled once: requests beyond `edge`."""

    edge: float
    allowance: float
    """The share of requests by which it may be larger."""


@dataclass(frozen=True, eq=False)
class Measured:
    """A look by metric; NaN where a host gave nothing usable."""

    events: Floats
    """(counted metrics, hosts)"""
    slower: Floats
    """Of a quantile: what the events would be if every request took as much longer as is tolerated; else the events."""
    exposure: Floats
    levels: Floats
    """(levels, hosts)"""

    def given(self, canaries: Bools) -> list[bool]:
        """By metric, counted ones first: whether at least half of these hosts, a mask over all, gave it."""
        needed = max(int(canaries.sum()), 1)
        return [bool(2 * number >= needed) for number in (self._known() & canaries).sum(axis=1)]

    def beside(self, canaries: Bools, others: Bools, in_stratum: Floats) -> list[bool]:
        """By metric: whether a host of `others` gave it in a stratum where one of `canaries` did."""
        known = self._known()
        mine, theirs = (known & canaries) @ in_stratum > 0, (known & others) @ in_stratum > 0
        return [bool(both.any()) for both in mine & theirs]

    def _known(self) -> Bools:
        counts = np.isfinite(self.events) & np.isfinite(self.exposure)
        return np.concatenate([counts, np.isfinite(self.levels)])


def measured(
    counts: Sequence[Metric], levels: Sequence[Metric], tails: Sequence[Tail | None], look: Columns
) -> Measured:
    hosts = look.host_s.shape[0]
    pairs = [counted(metric, tail, look) for metric, tail in zip(counts, tails, strict=True)]
    events = np.array([events for events, _ in pairs]).reshape(len(counts), hosts)
    slower = events.copy()
    for at, (metric, tail) in enumerate(zip(counts, tails, strict=True)):
        if tail is not None and metric.rule.tolerance > 0:
            slower[at] = beyond(metric, tail.edge / (1 + metric.rule.tolerance), look)
    return Measured(
        events,
        slower,
        np.array([exposure for _, exposure in pairs]).reshape(len(counts), hosts),
        np.array([level(metric, look) for metric in levels]).reshape(len(levels), hosts),
    )


@dataclass(frozen=True, slots=True)
class Pooled:
    """A histogram's requests so far at bounds that both groups have; (bounds,) each, cumulative over bounds."""

    edges: tuple[float, ...]
    canary: tuple[float, ...]
    control: tuple[float, ...]

    @property
    def canary_total(self) -> float:
        return self.canary[-1] if self.canary else 0.0

    @property
    def control_total(self) -> float:
        return self.control[-1] if self.control else 0.0


def counted(metric: Metric, tail: Tail | None, look: Columns) -> tuple[Floats, Floats]:
    """(events, exposure) by host; NaN where the host gave none. Exposure is requests, or seconds."""
    rule, missing = metric.rule, np.full(look.host_s.shape, np.nan)
    if rule.kind is MetricKind.RATIO:
        return look.counters.get(rule.bad, missing), look.counters.get(rule.total, missing)
    if rule.kind is MetricKind.RATE:
        return look.counters.get(rule.of, missing), look.host_s
    if rule.kind is MetricKind.RESTARTS:
        return np.where(np.isnan(look.host_s), np.nan, look.restarts), look.host_s
    kinds = look.histograms.get(rule.of, ())
    edge = tail.edge if tail is not None else math.nan
    if rule.kind is MetricKind.SHARE:
        # The next bound that all have: what is beyond it is then the same for canary and production.
        shared = set.intersection(*(set(kind.edges) for kind in kinds)) if kinds else set()
        edge = min((bound for bound in shared if bound >= rule.over), default=math.nan)
    events, exposure = missing.copy(), missing.copy()
    for buckets in kinds:
        if edge in buckets.edges and edge < math.inf:
            beyond = buckets.edges.index(edge)
            there = ~np.isnan(buckets.counts[:, 0])
            events[there] = buckets.counts[there, beyond + 1 :].sum(axis=1)
            exposure[there] = buckets.counts[there].sum(axis=1)
    return events, exposure


def beyond(metric: Metric, latency: float, look: Columns) -> Floats:
    """Requests by host that took longer than `latency`, linear within a bucket; NaN where the host gave none."""
    found = np.full(look.host_s.shape, np.nan)
    for buckets in look.histograms.get(metric.rule.of, ()):
        there = ~np.isnan(buckets.counts[:, 0])
        found[there] = buckets.counts[there] @ above(latency, buckets.edges)
    return found


def above(latency: float, edges: Sequence[float]) -> Floats:
    """(edges,): the part of each bucket that lies above `latency`; all of the last one, which has no end."""
    parts, lower = np.zeros(len(edges)), 0.0
    for at, edge in enumerate(edges):
        if edge == math.inf or lower >= latency:
            parts[at] = 1.0
        elif edge > latency:
            parts[at] = (edge - latency) / (edge - lower)
        lower = edge
    return parts


def level(metric: Metric, look: Columns) -> Floats:
    """The metric's level by host, in its own unit; NaN where the host gave none."""
    rule, missing = metric.rule, np.full(look.host_s.shape, np.nan)
    if rule.kind is MetricKind.EXPRESSION and metric.expression is not None:
        signals = {name: _signal(name, look) for name in metric.expression.names}
        if any(column is None for column in signals.values()):
            return missing
        with np.errstate(all="ignore"):
            found = np.asarray(metric.expression.values(signals.__getitem__), dtype=np.float64)
        return np.where(np.isfinite(found + 0 * look.host_s), found, np.nan)
    column = _signal(rule.of, look)
    return missing if column is None else column


def _signal(name: str, look: Columns) -> Floats | None:
    """A gauge's level, or a counter's increase per second."""
    if name in look.counters:
        rate: Floats = look.counters[name] / look.host_s
        return rate
    return look.gauges.get(name)


def pooled(
    before: Pooled | None, signal: str, look: Columns, canary: Floats, control: Floats
) -> tuple[Pooled | None, str]:
    """`before` with this look in it, and why there is nothing to pool; `canary` and `control` are masks of hosts.

    Bounds are those that every host of both groups has; fewer once a host comes with others.
    """
    kinds = look.histograms.get(signal, ())
    mine = [kind for kind in kinds if _any(kind, canary)]
    theirs = [kind for kind in kinds if _any(kind, control)]
    if not mine or not theirs:
        return before, ""
    shared = set(mine[0].edges).intersection(*(kind.edges for kind in (*mine, *theirs)))
    if before is not None:
        shared &= set(before.edges)
    edges = tuple(sorted(shared))
    if len(edges) < 2 or edges[-1] != math.inf:
        return before, "its buckets share no bound with production's"
    grown = (_at(edges, mine, canary), _at(edges, theirs, control))
    if before is None:
        return Pooled(edges, *grown), ""
    keep = [before.edges.index(edge) for edge in edges]
    return (
        Pooled(
            edges,
            tuple(before.canary[at] + new for at, new in zip(keep, grown[0], strict=True)),
            tuple(before.control[at] + new for at, new in zip(keep, grown[1], strict=True)),
        ),
        "",
    )


def _any(kind: Buckets, hosts: Floats) -> bool:
    return bool((~np.isnan(kind.counts[:, 0]) & (hosts > 0)).any())


def _at(edges: Sequence[float], kinds: Sequence[Buckets], hosts: Floats) -> tuple[float, ...]:
    total = np.zeros(len(edges))
    for kind in kinds:
        there = ~np.isnan(kind.counts[:, 0]) & (hosts > 0)
        cumulative = np.cumsum(kind.counts[there].sum(axis=0))
        total += cumulative[[kind.edges.index(edge) for edge in edges]]
    return tuple(total.tolist())


def settled(metric: Metric, before: Tail | None, so_far: Pooled | None) -> Tail | None:
    """The tail to judge a quantile by, or None while production has not shown enough to tell.

    A bound that production hardly reaches any more, as after a slow day, hides what is slower below it: it is settled
    anew. Only the control group says so, so that no canary moves its own bound.
    """
    known = before
    if known is None and metric.prior.edge is not None and (so_far is None or metric.prior.edge in so_far.edges):
        known = Tail(metric.prior.edge, metric.prior.allowance)
    if so_far is None or so_far.control_total < (ENOUGH_FOR_EDGE if known is None else ENOUGH_FOR_ANOTHER):
        return known
    if known is not None and (known.edge not in so_far.edges or _reached(metric.rule.q, known.edge, so_far)):
        return known
    return tail_of(metric.rule.q, metric.rule.tolerance, so_far.edges, so_far.control)


def _reached(q: float, edge: float, so_far: Pooled) -> bool:
    beyond = so_far.control_total - so_far.control[so_far.edges.index(edge)]
    return beyond >= HARDLY * (1 - q) * so_far.control_total


def tail_of(q: float, tolerance: float, edges: Sequence[float], cumulative: Sequence[float]) -> Tail:
    """The first bound with at most twice the quantile's tail above it, and how much more there may be.

    With a tolerance it is the first bound beyond the quantile that is tolerated. What there would be above it if all
    of production's requests took that much longer is allowed, though not more than makes it the quantile itself.
    """
    total = max(cumulative[-1], SMALLEST)
    finite = [edge for edge in edges if edge < math.inf]
    above = [1 - count / total for count in cumulative[: len(finite)]]
    least = (read_off(q, edges, cumulative) or 0.0) * (1 + tolerance) if tolerance > 0 else 0.0
    places = (at for at, share in enumerate(above) if share <= 2 * (1 - q) and finite[at] >= least)
    at = next(places, len(finite) - 1)
    if tolerance <= 0:
        return Tail(finite[at], 0.0)
    slower = 1 - at_most(finite[at] / (1 + tolerance), edges, cumulative) / total
    return Tail(finite[at], max(min(slower, 1 - q) - tail_factor(q) * above[at], 0.0))


def tail_factor(q: float) -> float:
    """So many times more of the tail is no regression whatever the tolerance."""
    return 1 + TAIL_SLACK[0 if q >= 0.95 else 1]


def read_off(q: float, edges: Sequence[float], cumulative: Sequence[float]) -> float | None:
    """The quantile, as `signals.quantile` has it, for 0 < q < 1; None where nothing was counted."""
    if not cumulative or cumulative[-1] <= 0:
        return None
    rank = q * cumulative[-1]
    at = bisect_left(cumulative, rank)
    lower, before = (edges[at - 1], cumulative[at - 1]) if at else (0.0, 0.0)
    if edges[at] == math.inf:
        return lower
    return min(lower + (edges[at] - lower) * (rank - before) / (cumulative[at] - before), edges[at])


def at_most(value: float, edges: Sequence[float], cumulative: Sequence[float]) -> float:
    """Requests that took at most `value`: linear within a bucket."""
    lower, seen = 0.0, 0.0
    for edge, count in zip(edges, cumulative, strict=True):
        if value <= edge:
            if edge == math.inf or edge <= lower:
                return seen
            return seen + (count - seen) * (value - lower) / (edge - lower)
        lower, seen = edge, count
    return seen
