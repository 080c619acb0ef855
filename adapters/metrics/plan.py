"""From the samples of one page to the signals that are wanted of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from adapters.metrics.exposition import Page, PageReader
from adapters.metrics.source import SignalKind, SignalSource
from pipeline.signals import Histogram

_BUCKET = "_bucket"
_TOTAL = "_total"


@dataclass(slots=True)
class Signals:
    """By signal name; a signal that cannot be had is in none of them."""

    counters: dict[str, float] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)
    histograms: dict[str, Histogram] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.counters or self.gauges or self.histograms)

    def add(self, other: "Signals") -> None:
        self.counters |= other.counters
        self.gauges |= other.gauges
        self.histograms |= other.histograms


@dataclass(frozen=True, slots=True)
class _Use:
    """One series is part of one signal."""

    signal: str
    edge: float = math.inf
    """Of a histogram's bucket."""


_Uses = tuple[_Use, ...]


class PagePlan:
    """What is wanted of the pages at one path; series are worked out once and remembered."""

    def __init__(self, sources: Sequence[SignalSource]) -> None:
        self._by_sample: dict[str, list[SignalSource]] = {}
        for source in sources:
            self._by_sample.setdefault(_sample_name(source), []).append(source)
        self._sources = tuple(sources)
        # OpenMetrics declares a counter without the ending of its samples.
        bases = {source.family.removesuffix(_TOTAL) for source in sources if source.kind is SignalKind.COUNTER}
        self._reader = PageReader(self._by_sample.keys() | bases, self._uses)

    def signals(self, text: str) -> Signals:
        """Raises `PageError` for a page that cannot be trusted as a whole."""
        page = self._reader.read(text)
        parts: dict[str, list[tuple[float, float]]] = {}
        for uses, value in page.samples:
            for use in uses:
                parts.setdefault(use.signal, []).append((use.edge, value))
        found = Signals()
        for source in self._sources:
            if _sample_name(source) not in page.bad:
                _fill(found, source, parts.get(source.name, []), page)
        return found

    def _uses(self, name: str, labels: Mapping[str, str]) -> _Uses | None:
        uses = [
            _Use(source.name, _edge(labels) if source.kind is SignalKind.HISTOGRAM else math.inf)
            for source in self._by_sample.get(name, ())
            if source.matches(labels)
        ]
        return tuple(uses) or None


def _sample_name(source: SignalSource) -> str:
    return source.family + _BUCKET if source.kind is SignalKind.HISTOGRAM else source.family


def _edge(labels: Mapping[str, str]) -> float:
    """A bucket's upper bound; NaN where it has none, which spoils its histogram."""
    try:
        return float(labels["le"])
    except (KeyError, ValueError):
        return math.nan


def _fill(found: Signals, source: SignalSource, parts: list[tuple[float, float]], page: Page[_Uses]) -> None:
    if source.kind is SignalKind.HISTOGRAM:
        histogram = _histogram(parts)
        if histogram is not None:
            found.histograms[source.name] = histogram
        return
    total = sum(value for _, value in parts)
    if source.kind is SignalKind.GAUGE:
        if parts and math.isfinite(total):
            found.gauges[source.name] = total
    elif _exists(source, page) and math.isfinite(total) and all(value >= 0 for _, value in parts):
        found.counters[source.name] = float(total)


def _exists(source: SignalSource, page: Page[_Uses]) -> bool:
    """Whether the page has the counter at all: then no series that matches is a count of nought."""
    family = source.family
    return (
        family in page.sampled or family in page.declared or page.declared.get(family.removesuffix(_TOTAL)) == "counter"
    )


def _histogram(parts: list[tuple[float, float]]) -> Histogram | None:
    """Buckets summed over series; None unless every series has the same edges, +Inf among them."""
    columns: dict[float, list[float]] = {}
    for edge, count in parts:
        columns.setdefault(edge, []).append(count)
    edges = sorted(columns)
    if not edges or edges[-1] != math.inf or any(math.isnan(edge) for edge in edges):
        return None
    if len({len(column) for column in columns.values()}) > 1:
        return None
    counts = [sum(columns[edge]) for edge in edges]
    if not all(math.isfinite(count) for count in counts) or any(count < 0 for _, count in parts):
        return None
    if any(after < before for before, after in pairwise(counts)):
        return None
    return Histogram(tuple(edges), tuple(counts))
