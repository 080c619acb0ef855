"""A look by columns: one array a signal, one place a host, so that a hundred hosts cost little more than one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.judge.look import Look

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
"""One number a host, (hosts,) unless said otherwise; NaN where the host gave none that can be true."""


LARGEST = 1e15
"""No host does, or holds, more than this in one look; a number beyond it is a fault, and would overflow."""
SMALLEST = 1e-12
SHORTEST_S = 1e-3


@dataclass(frozen=True, slots=True)
class Buckets:
    """A histogram's increase, by host; NaN rows for hosts that gave none, or one with other edges."""

    edges: tuple[float, ...]
    counts: Floats
    """(hosts, edges), not cumulative over edges."""


@dataclass(frozen=True, slots=True)
class Columns:
    """One look at a fixed order of hosts (`Trial.canary`, then `baseline`, then `production`)."""

    seconds: float
    """Since the look before."""
    host_s: Floats
    """Seconds that each host's counts are of; NaN for a host without fresh data."""
    age_s: Floats
    """Since each process began; infinite where nobody saw it begin."""
    restarts: Floats
    counters: Mapping[str, Floats] = field(default_factory=dict)
    gauges: Mapping[str, Floats] = field(default_factory=dict)
    histograms: Mapping[str, tuple[Buckets, ...]] = field(default_factory=dict)
    """By signal, one entry for each set of edges that some host has."""
    expected: int = 0
    down: tuple[str, ...] = ()


def columns(look: Look, hosts: Sequence[str], groups: Sequence[str]) -> Columns:
    """`look` in the order of `hosts`; a host that is in another group than it should be counts as absent.

    Impossible numbers (negative or NaN counts or seconds; any beyond `LARGEST`) are left out, as NaN.
    """
    size = len(hosts)
    host_s, age_s, restarts = np.full(size, np.nan), np.full(size, np.inf), np.zeros(size)
    counters: dict[str, Floats] = {}
    gauges: dict[str, Floats] = {}
    found: dict[str, dict[tuple[float, ...], Floats]] = {}
    for at, (name, group) in enumerate(zip(hosts, groups, strict=True)):
        host = look.hosts.get(name)
        if host is None or host.group.value != group:
            continue
        sample = host.sample
        host_s[at] = sample.host_s
        age_s[at] = np.inf if host.age_s is None else host.age_s
        restarts[at] = sample.restarts
        for signal, count in sample.counters.items():
            _column(counters, signal, size)[at] = count
        for signal, level in sample.gauges.items():
            _column(gauges, signal, size)[at] = level
        for signal, histogram in sample.histograms.items():
            kinds = found.setdefault(signal, {})
            table = kinds.get(histogram.edges)
            if table is None:
                table = kinds[histogram.edges] = np.full((size, len(histogram.edges)), np.nan)
            table[at] = histogram.counts
    host_s[~((host_s >= SHORTEST_S) & (host_s <= LARGEST))] = np.nan
    age_s[~(age_s >= 0)] = np.inf
    restarts[~((restarts >= 0) & (restarts <= LARGEST))] = 0.0
    absent = np.isnan(host_s)
    for column in counters.values():
        column[absent | ~((column >= 0) & (column <= LARGEST))] = np.nan
        column[column < SMALLEST] = 0.0
    for column in gauges.values():
        column[absent | ~(np.abs(column) <= LARGEST)] = np.nan
        column[np.abs(column) < SMALLEST] = 0.0
    for kinds in found.values():
        for table in kinds.values():
            table[absent | ~((table >= 0) & (table <= LARGEST)).all(axis=1)] = np.nan
            table[table < SMALLEST] = 0.0
    histograms = {
        signal: tuple(Buckets(edges, table) for edges, table in kinds.items()) for signal, kinds in found.items()
    }
    return Columns(look.seconds, host_s, age_s, restarts, counters, gauges, histograms, look.expected, look.down)


def _column(columns: dict[str, Floats], name: str, size: int) -> Floats:
    column = columns.get(name)
    if column is None:
        column = columns[name] = np.full(size, np.nan)
    return column
