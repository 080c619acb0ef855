"""From a host's raw numbers to a metric's value.

A `Reading` is what a host's counters say at one instant. Two of them make a `Sample`: what the host
did in between, counter resets handled. Samples of many hosts are pooled, and a metric's value
is worked out of a sample, of one host or of a pool, in one place: `value`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import lt, sub

from pipeline.expression import parsed
from pipeline.model import MetricKind, MetricRule


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts at or below each edge, as Prometheus keeps them.

    edges: (n,) ascending upper bounds in seconds, the last one +inf; counts: (n,) cumulative.
    """

    edges: tuple[float, ...]
    counts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One host's signals at one instant; a signal that the host does not give is not in the maps."""

    at_s: float
    """On the controller's monotonic clock."""
    counters: Mapping[str, float]
    gauges: Mapping[str, float] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """What one host, or a pool of hosts, did in a span of time.

    Counters and histogram counts (not cumulative over edges) are sums over hosts; gauges are means
    over hosts; `host_s` is the seconds of every host together.
    """

    host_s: float = 0.0
    counters: Mapping[str, float] = field(default_factory=dict)
    gauges: Mapping[str, float] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    restarts: float = 0.0
    """Processes that began anew in the span, as falling counters tell."""


def between(before: Reading, after: Reading) -> Sample | None:
    """What happened from `before` to `after`; None where no time has passed.

    A counter that fell was reset in between: what it shows now is its increase since the restart.
    """
    span = after.at_s - before.at_s
    if span <= 0:
        return None
    counters, restarts = {}, 0.0
    for name, now in after.counters.items():
        was = before.counters.get(name)
        if was is not None:
            counters[name] = now - was if now >= was else now
            if now < was:
                restarts = 1.0
    histograms = {}
    for name, latest in after.histograms.items():
        earlier = before.histograms.get(name)
        if earlier is not None:
            histograms[name] = _increase(earlier, latest)
    return Sample(span, counters, after.gauges, histograms, restarts)


def _increase(was: Histogram, now: Histogram) -> Histogram:
    reset = now.edges != was.edges or any(map(lt, now.counts, was.counts))
    at_most = now.counts if reset else tuple(map(sub, now.counts, was.counts))
    each = tuple(map(sub, at_most, (0.0, *at_most)))
    return Histogram(now.edges, each if min(each) >= 0 else tuple(max(count, 0.0) for count in each))


def pool(samples: Sequence[Sample]) -> Sample:
    """Samples of many hosts as one; histograms of other edges than the first's are left out."""
    if len(samples) == 1:
        return samples[0]
    counters: dict[str, float] = {}
    gauges: dict[str, list[float]] = {}
    columns: dict[str, list[Histogram]] = {}
    for sample in samples:
        for name, count in sample.counters.items():
            counters[name] = counters.get(name, 0.0) + count
        for name, level in sample.gauges.items():
            gauges.setdefault(name, []).append(level)
        for name, histogram in sample.histograms.items():
            columns.setdefault(name, []).append(histogram)
    return Sample(
        sum(sample.host_s for sample in samples),
        counters,
        {name: sum(levels) / len(levels) for name, levels in gauges.items()},
        {name: _total(histograms) for name, histograms in columns.items()},
        sum(sample.restarts for sample in samples),
    )


def _total(histograms: Sequence[Histogram]) -> Histogram:
    edges = histograms[0].edges
    alike = [histogram.counts for histogram in histograms if histogram.edges == edges]
    return Histogram(edges, tuple(map(sum, zip(*alike, strict=True))))


def decayed(total: Sample, now: Sample, keep: float) -> Sample:
    """`keep` of `total` and all of `now`, so that old moments fade; gauges are the newest."""
    if not total.host_s:
        return now
    counters = {name: count * keep for name, count in total.counters.items()}
    for name, count in now.counters.items():
        counters[name] = counters.get(name, 0.0) + count
    histograms = dict(now.histograms)
    for name, histogram in now.histograms.items():
        was = total.histograms.get(name)
        if was is not None and was.edges == histogram.edges:
            counts = tuple(old * keep + new for old, new in zip(was.counts, histogram.counts, strict=True))
            histograms[name] = Histogram(histogram.edges, counts)
    return Sample(
        total.host_s * keep + now.host_s, counters, now.gauges, histograms, total.restarts * keep + now.restarts
    )


def value(metric: MetricRule, sample: Sample) -> float | None:
    """The metric in its own unit (ratio, seconds, per second and host, the gauge's); None without data."""
    if metric.kind is MetricKind.RATIO:
        total = sample.counters.get(metric.total, 0.0)
        bad = sample.counters.get(metric.bad)
        return bad / total if bad is not None and total > 0 else None
    if metric.kind is MetricKind.QUANTILE:
        histogram = sample.histograms.get(metric.of)
        return None if histogram is None else quantile(histogram, metric.q)
    if metric.kind is MetricKind.RATE:
        count = sample.counters.get(metric.of)
        return None if count is None or sample.host_s <= 0 else count / sample.host_s
    if metric.kind is MetricKind.SHARE:
        histogram = sample.histograms.get(metric.of)
        total = sum(histogram.counts) if histogram is not None else 0.0
        return above(histogram, metric.over)[0] / total if histogram is not None and total > 0 else None
    if metric.kind is MetricKind.RESTARTS:
        return 3_600 * sample.restarts / sample.host_s if sample.host_s > 0 else None
    if metric.kind is MetricKind.EXPRESSION:
        return parsed(metric.expression).value(sample)
    if metric.of in sample.counters:
        return sample.counters[metric.of] / sample.host_s if sample.host_s > 0 else None
    return sample.gauges.get(metric.of)


def quantile(histogram: Histogram, q: float) -> float | None:
    """The `q` quantile of a histogram of counts per bucket, in the edges' unit; None if it is empty.

    Linear within the bucket, as Prometheus' `histogram_quantile` does; in the last bucket, which has
    no end, its lower edge.
    """
    total = sum(histogram.counts)
    if total <= 0:
        return None
    rank = q * total
    seen = 0.0
    lower = 0.0
    for edge, count in zip(histogram.edges, histogram.counts, strict=True):
        if seen + count >= rank and count > 0:
            if edge == float("inf"):
                return lower
            return min(lower + (edge - lower) * max(rank - seen, 0.0) / count, edge)
        seen += count
        if edge != float("inf"):
            lower = edge
    return lower


def above(histogram: Histogram, edge: float) -> tuple[float, float]:
    """(count above the first edge at or beyond `edge`, that edge)."""
    at = min(bisect_left(histogram.edges, edge), len(histogram.edges) - 1)
    return sum(histogram.counts[at + 1 :]), histogram.edges[at]


def spread(values: Iterable[float], low: float = 0.1, high: float = 0.9) -> tuple[float, float] | None:
    """The `low` and `high` quantiles over hosts, nearest rank; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    last = len(ordered) - 1
    return ordered[round(low * last)], ordered[round(high * last)]
