"""From the answers of one refresh to each host's signals, or to why there are none."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from adapters.metrics.plan import Signals
from adapters.metrics.prometheus.answers import Series, number
from adapters.metrics.prometheus.queries import Labels, Signal
from adapters.metrics.source import SignalKind
from pipeline.signals import Histogram
from pipeline.text import PlainText, plain

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Answers:
    """All as of one instant."""

    at_s: float
    """The instant, unix seconds of the server."""
    scraped: Sequence[Series]
    signals: Sequence[tuple[Signal, Sequence[Series]]]
    scraped_well: Sequence[Series]
    """Asked for last: another time than in `scraped` is a scrape that came in between."""


@dataclass(frozen=True, slots=True)
class Found:
    """One host's signals."""

    scraped_s: float
    """Unix seconds of the server."""
    signals: Signals


@dataclass(frozen=True, slots=True)
class Missing:
    why: PlainText
    torn: bool = False
    """A scrape came in while the host was asked for: what was known before is still good."""


def fold(answers: Answers, labels: Labels, wanted: Collection[str], stale_s: float) -> dict[str, Found | Missing]:
    """By value of the host's label: one entry for each that is `wanted`.

    Args:
        answers: as the server gave them; rows of other hosts are passed over.
        labels: how hosts are told apart.
        wanted: values of the host's label.
        stale_s: a host whose newest scrape is older has no data.
    """
    wanted = frozenset(wanted)
    first, last = _rows(answers.scraped, labels, wanted), _rows(answers.scraped_well, labels, wanted)
    found: dict[str, Found | Missing] = {}
    for value in wanted:
        why = _unfit(first.get(value, ()), last.get(value, ()), answers.at_s, stale_s, labels, value)
        scraped_s = first[value][0].number if why is None else 0.0
        found[value] = Found(scraped_s, Signals()) if why is None else why
    given: dict[str, str] = {}
    """By value: the first signal of which there is anything."""
    for signal, series in answers.signals:
        rows = _rows(series, labels, wanted)
        given = dict.fromkeys(rows, signal.name) | given
        _fill(found, signal, rows, labels)
    for value, entry in found.items():
        if isinstance(entry, Found) and not entry.signals:
            said = f"no usable number of {given[value]}" if value in given else "none of the wanted metrics"
            found[value] = Missing(plain(f"{said} where {labels.host}={_shown(value)}"))
    return found


def _rows(series: Sequence[Series], labels: Labels, wanted: Collection[str]) -> dict[str, list[Series]]:
    rows: dict[str, list[Series]] = {}
    label = labels.host
    for row in series:
        value = row.metric.get(label, "")
        if value in wanted:
            rows.setdefault(value, []).append(row)
    return rows


def _unfit(
    first: Sequence[Series], last: Sequence[Series], at_s: float, stale_s: float, labels: Labels, value: str
) -> Missing | None:
    """Why the host's scrape cannot be used."""
    who = f"{labels.host}={_shown(value)}"
    if not first:
        return Missing(plain(f"no scrape target with {who} in the last minutes"))
    if len(first) > 1:
        return Missing(plain(f"{len(first)} scrape targets with {who}: {_difference(first)}"))
    age_s = at_s - first[0].number
    if not age_s <= stale_s:
        return Missing(plain(f"last scraped {age_s:.0f} s ago where {who}, the limit is {stale_s:g} s"))
    if len(last) != 1 or last[0].number not in (0.0, first[0].number):
        return Missing(plain(f"a scrape came in while {who} was asked for"), torn=True)
    if last[0].number == 0.0:
        return Missing(plain(f"{labels.up} is 0 where {who}: down, or it cannot be scraped"))
    return None


def _difference(rows: Sequence[Series]) -> str:
    """Which label tells two series apart, and how."""
    one, other = rows[0].metric, rows[1].metric
    for label in sorted(one.keys() | other.keys()):
        if one.get(label) != other.get(label):
            values = f"{label} is {_shown(one.get(label, ''))} and {_shown(other.get(label, ''))}"
            return f"{values}: name one of them among the labels"
    return "the server gave them twice"


def _fill(
    found: dict[str, Found | Missing], signal: Signal, rows: Mapping[str, Sequence[Series]], labels: Labels
) -> None:
    edges: dict[tuple[float, ...], tuple[float, ...]] = {}
    for value, series in rows.items():
        entry = found[value]
        if not isinstance(entry, Found):
            continue
        if signal.kind is SignalKind.HISTOGRAM:
            histogram = _histogram(series)
            if isinstance(histogram, Histogram):
                # One tuple of edges for all hosts: there are ten thousand.
                same = edges.setdefault(histogram.edges, histogram.edges)
                entry.signals.histograms[signal.name] = Histogram(same, histogram.counts)
            elif histogram:
                found[value] = _twice(signal, value, labels, histogram)
        elif len(series) > 1:
            found[value] = _twice(signal, value, labels, _difference(series))
        else:
            count = series[0].number
            if not math.isfinite(count):
                continue
            if signal.kind is SignalKind.GAUGE:
                entry.signals.gauges[signal.name] = count
            elif count >= 0:
                entry.signals.counters[signal.name] = count


def _twice(signal: Signal, value: str, labels: Labels, how: str) -> Missing:
    return Missing(plain(f"several series of {signal.name} where {labels.host}={_shown(value)}: {how}"))


def _histogram(series: Sequence[Series]) -> Histogram | str | None:
    """The buckets in order; why they are several histograms; None where they are none."""
    buckets: dict[float, float] = {}
    for row in series:
        edge = number(row.metric.get("le", ""))
        if edge in buckets:
            return f"two buckets end at {edge:g}"
        buckets[edge] = row.number
    edges = sorted(buckets)
    if not edges or edges[-1] != math.inf or any(map(math.isnan, edges)):
        return None
    counts = tuple(buckets[edge] for edge in edges)
    if not all(map(math.isfinite, counts)) or counts[0] < 0:
        return None
    if any(after < before for before, after in pairwise(counts)):
        return None
    return Histogram(tuple(edges), counts)


def _shown(text: str) -> str:
    return f'"{plain(text, _SHOWN)}"'
