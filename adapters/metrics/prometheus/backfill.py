"""A service's past requests, slice by slice: what budgets are summed from, for the time without Pithead.

Raw counts of each host are asked for at aligned instants and differenced here, so that a restart is seen. A span
whose both ends are not known gives nothing: unknown is neither good nor bad.
"""

import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.metrics.prometheus.answers import Series, number
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.queries import Labels, Signal, ask
from pipeline.slo.rules import Kind, Objective
from pipeline.slo.slices import Slice, SliceState, state_of

POINTS = 20_000
"""Of one answer: a larger one would hold up the event loop while it is decoded."""
BUCKETS = 20
"""That a histogram is reckoned with."""
MOST_STEPS = 10_000
"""Of one series: a server gives no more than 11,000."""
CHUNK = 500
"""Hosts that one query names."""
PACE_S = 0.5
LOOKBACK_S = 300
"""For how long a server gives the last count of a series that it hears no more of, unless it is set otherwise."""

Counts = Mapping[float, float]
"""By unix seconds."""


@dataclass(frozen=True, slots=True)
class BackfillQueries:
    """What is asked for, and for whom."""

    objective: Objective
    signals: tuple[Signal, ...]
    """Of an availability the two counters, all and bad; of a latency the histogram."""
    labels: Labels
    services: Mapping[str, str]
    """By value of the host's label: the service that it belongs to."""


async def backfill(
    client: PrometheusClient,
    queries: BackfillQueries,
    start: datetime,
    end: datetime,
    *,
    pace_s: float = PACE_S,
    deadline_s: float = 30.0,
) -> AsyncIterator[tuple[Slice, ...]]:
    """The objective's slices from `start` (rounded up) to `end` (rounded down), a stretch of time after the other.

    One entry for each service and slice in which at least one of its hosts is known at both ends; a host that is
    not known there adds nothing. Yields after each group of questions, and waits `pace_s` before the next.
    Raises `MetricsUnavailable`, after which it may be begun anew at the start of what was not yielded.
    """
    of, step_s = queries.objective, queries.objective.slice_s
    values = sorted(queries.services)
    first_s = math.ceil(start.timestamp() / step_s) * step_s
    last_s = math.floor(end.timestamp() / step_s) * step_s
    groups = [values[at : at + CHUNK] for at in range(0, len(values), CHUNK)]
    rows = min(len(values), CHUNK) * (BUCKETS if of.kind is Kind.LATENCY else 1)
    for from_s, to_s in _stretches(first_s, last_s, step_s, rows):
        sums: dict[tuple[str, float], tuple[float, float]] = {}
        for group in groups:
            if sums or from_s > first_s:
                await client.clock.sleep(pace_s)
            answers = [
                await client.range(ask(signal, queries.labels, group), from_s, to_s, step_s, deadline_s)
                for signal in queries.signals
            ]
            for host, (total, bad) in _told(of, answers, queries.labels.host).items():
                service = queries.services.get(host)
                if service is None:
                    continue
                for at_s, all_, wrong in _increases(total, bad, step_s, to_s, of.kind):
                    was = sums.get((service, at_s), (0.0, 0.0))
                    sums[service, at_s] = was[0] + all_, was[1] + wrong
        yield tuple(
            _slice(of, service, at_s, round(total), round(bad))
            for (service, at_s), (total, bad) in sorted(sums.items(), key=lambda item: (item[0][1], item[0][0]))
        )


def _slice(of: Objective, service: str, at_s: float, total: int, bad: int) -> Slice:
    bad = min(bad, total)
    down = state_of(total, bad, of.bad_slice) is SliceState.BAD
    return Slice(service, datetime.fromtimestamp(at_s, UTC), total, bad, of.name, True, of.slice_s, down)


def _stretches(first_s: int, last_s: int, step_s: int, rows: int) -> Iterator[tuple[int, int]]:
    """Both ends belong to a stretch, and each begins where the one before ended."""
    steps = max(min(POINTS // max(rows, 1), MOST_STEPS) - 1, 1)
    for from_s in range(first_s, last_s, steps * step_s):
        yield from_s, min(from_s + steps * step_s, last_s)


def _told(of: Objective, answers: Sequence[Sequence[Series]], label: str) -> dict[str, tuple[Counts, Counts]]:
    """By host: all requests, and the bad ones (of a latency the quick ones)."""
    if of.kind is Kind.AVAILABILITY:
        total, bad = (_by_host(series, label) for series in answers)
        return {host: (total[host], bad[host]) for host in total.keys() & bad.keys()}
    by_edge: dict[float, list[Series]] = {}
    for row in answers[0]:
        by_edge.setdefault(number(row.metric.get("le", "")), []).append(row)
    edges = sorted(edge for edge in by_edge if of.over_s <= edge < math.inf)
    found: dict[str, tuple[Counts, Counts]] = {}
    every = _by_host(by_edge.get(math.inf, ()), label)
    # Hosts may differ in their edges; each is counted from the first of its own.
    for edge in reversed(edges):
        quick = _by_host(by_edge[edge], label)
        found.update({host: (every[host], quick[host]) for host in every.keys() & quick.keys()})
    return found


def _by_host(series: Sequence[Series], label: str) -> dict[str, Counts]:
    """Hosts of which there are several series are left out: which one is right?"""
    hosts: dict[str, Counts | None] = {}
    for row in series:
        host = row.metric.get(label, "")
        numbers = ((at_s, number(text)) for at_s, text in row.values)
        known = {at_s: count for at_s, count in numbers if math.isfinite(count) and count >= 0}
        hosts[host] = None if host in hosts else known
    return {host: counts for host, counts in hosts.items() if counts is not None}


def _increases(
    total: Counts, other: Counts, step_s: int, to_s: int, kind: Kind
) -> Iterator[tuple[float, float, float]]:
    """(start, total, bad) of each step known at both ends, by both counts."""
    still: list[float] = []
    """Steps on end in which nothing was counted."""
    for at_s in sorted(total):
        ends = [counts.get(at_s + step_s) for counts in (total, other)]
        if at_s not in other or ends[0] is None or ends[1] is None:
            # The server repeats the last count for minutes after it has lost sight of the host.
            yield from ((idle_s, 0.0, 0.0) for idle_s in still if at_s >= to_s or idle_s < at_s - LOOKBACK_S)
            still = []
            continue
        all_, its = _increase(total[at_s], ends[0]), _increase(other[at_s], ends[1])
        if all_ == 0:
            still.append(at_s)
            continue
        yield from ((idle_s, 0.0, 0.0) for idle_s in still)
        still = []
        yield at_s, all_, its if kind is Kind.AVAILABILITY else max(all_ - its, 0.0)


def _increase(before: float, after: float) -> float:
    """A counter that fell began anew: what it shows is its increase since then."""
    return after - before if after >= before else after
