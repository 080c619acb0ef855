"""A service's past requests, minute by minute: what budgets are summed from, for the time before Pithead.

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
from pipeline.ports import Slice

POINTS = 20_000
"""Of one answer: a larger one would hold up the event loop while it is decoded."""
CHUNK = 500
"""Hosts that one query names."""
PACE_S = 0.5

Counts = dict[float, float]
"""By unix seconds."""


@dataclass(frozen=True, slots=True)
class BackfillQueries:
    """What is asked for, and for whom."""

    total: Signal
    bad: Signal
    """Both counters."""
    labels: Labels
    services: Mapping[str, str]
    """By value of the host's label: the service that it belongs to."""


async def backfill(
    client: PrometheusClient,
    queries: BackfillQueries,
    start: datetime,
    end: datetime,
    *,
    step_s: int = 60,
    pace_s: float = PACE_S,
    deadline_s: float = 30.0,
) -> AsyncIterator[tuple[Slice, ...]]:
    """Slices of `step_s` from `start` (rounded up) to `end` (rounded down), a stretch of time after the other.

    One entry for each service and step in which at least one of its hosts is known at both ends; a host that is
    not known there adds nothing. Yields after each pair of questions, and waits `pace_s` before the next.
    Raises `MetricsUnavailable`, after which it may be begun anew at the start of what was not yielded.
    """
    values = sorted(queries.services)
    first_s = math.ceil(start.timestamp() / step_s) * step_s
    last_s = math.floor(end.timestamp() / step_s) * step_s
    groups = [values[at : at + CHUNK] for at in range(0, len(values), CHUNK)]
    for from_s, to_s in _stretches(first_s, last_s, step_s, min(len(values), CHUNK)):
        sums: dict[tuple[str, float], tuple[float, float]] = {}
        for group in groups:
            if sums or from_s > first_s:
                await client.clock.sleep(pace_s)
            answers = [
                await client.range(ask(signal, queries.labels, group), from_s, to_s, step_s, deadline_s)
                for signal in (queries.total, queries.bad)
            ]
            total, bad = (_by_host(series, queries.labels.host) for series in answers)
            for host in total.keys() & bad.keys() & queries.services.keys():
                service = queries.services[host]
                for at_s, one, other in _increases(total[host], bad[host], step_s):
                    was = sums.get((service, at_s), (0.0, 0.0))
                    sums[service, at_s] = was[0] + one, was[1] + other
        yield tuple(
            Slice(service, datetime.fromtimestamp(at_s, UTC), round(total), min(round(bad), round(total)))
            for (service, at_s), (total, bad) in sorted(sums.items(), key=lambda item: (item[0][1], item[0][0]))
        )


def _stretches(first_s: int, last_s: int, step_s: int, hosts: int) -> Iterator[tuple[int, int]]:
    """Both ends belong to a stretch, and each begins where the one before ended."""
    steps = max(POINTS // max(hosts, 1) - 1, 1)
    for from_s in range(first_s, last_s, steps * step_s):
        yield from_s, min(from_s + steps * step_s, last_s)


def _by_host(series: Sequence[Series], label: str) -> dict[str, Counts]:
    """Hosts of which there are several series are left out: which one is right?"""
    hosts: dict[str, Counts | None] = {}
    for row in series:
        host = row.metric.get(label, "")
        numbers = ((at_s, number(text)) for at_s, text in row.values)
        known = {at_s: count for at_s, count in numbers if math.isfinite(count) and count >= 0}
        hosts[host] = None if host in hosts else known
    return {host: counts for host, counts in hosts.items() if counts is not None}


def _increases(total: Counts, bad: Counts, step_s: int) -> Iterator[tuple[float, float, float]]:
    """(start, total, bad) of each step known at both ends, by both counters."""
    for at_s in sorted(total):
        ends = [counts.get(at_s + step_s) for counts in (total, bad)]
        if at_s in bad and ends[0] is not None and ends[1] is not None:
            yield at_s, _increase(total[at_s], ends[0]), _increase(bad[at_s], ends[1])


def _increase(before: float, after: float) -> float:
    """A counter that fell began anew: what it shows is its increase since then."""
    return after - before if after >= before else after
