"""The same looks in another shape: host by host as the controller makes them, or fewer and longer ones."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from pipeline.judge.columns import Buckets, Columns, Floats
from pipeline.judge.look import Group, HostLook, Look
from pipeline.judge.trial import Trial
from pipeline.signals import Histogram, Sample


def look_of(columns: Columns, trial: Trial) -> Look:
    """Host by host, in the order of the trial's canary, baseline and production hosts."""
    groups = {Group.CANARY: trial.canary, Group.BASELINE: trial.baseline, Group.PRODUCTION: trial.production}
    hosts = {}
    for at, (name, group) in enumerate((name, group) for group, names in groups.items() for name in names):
        if np.isnan(columns.host_s[at]):
            continue
        histograms = {
            signal: Histogram(kind.edges, tuple(kind.counts[at].tolist()))
            for signal, kinds in columns.histograms.items()
            for kind in kinds
            if not np.isnan(kind.counts[at, 0])
        }
        counters, gauges = _of_host(columns.counters, at), _of_host(columns.gauges, at)
        sample = Sample(float(columns.host_s[at]), counters, gauges, histograms, float(columns.restarts[at]))
        age = float(columns.age_s[at])
        hosts[name] = HostLook(group, sample, None if np.isinf(age) else age)
    return Look(columns.seconds, hosts, columns.expected, columns.down)


def _of_host(signals: Mapping[str, Floats], at: int) -> dict[str, float]:
    return {name: float(values[at]) for name, values in signals.items() if not np.isnan(values[at])}


def coarser(looks: Iterable[Columns], by: int) -> Iterator[Columns]:
    """Every `by` looks as one: what a tick of that many times the length would have seen. A rest is dropped."""
    held: dict[object, Floats] = {}
    seconds = 0.0
    for number, look in enumerate(looks, 1):
        parts = _counts(look)
        anew = look.restarts > 0
        for total in held.values():
            total[anew] = 0.0
        for key, counts in parts.items():
            total = held.setdefault(key, np.zeros_like(counts))
            total += np.nan_to_num(counts)
        seconds += look.seconds
        if number % by == 0:
            totals = {key: np.where(np.isnan(counts), np.nan, held[key]) for key, counts in parts.items()}
            yield _joined(look, seconds, totals)
            fresh = ~np.isnan(look.host_s)
            for total in held.values():
                total[fresh] = 0.0
            seconds = 0.0


def _counts(look: Columns) -> dict[object, Floats]:
    """All that adds up from look to look, under keys that `_joined` knows."""
    parts: dict[object, Floats] = {
        ("restarts",): np.where(np.isnan(look.host_s), np.nan, look.restarts),
        ("host_s",): look.host_s,
    }
    parts |= {("counter", name): counts for name, counts in look.counters.items()}
    for signal, kinds in look.histograms.items():
        parts |= {("histogram", signal, kind.edges): kind.counts for kind in kinds}
    return parts


def _joined(last: Columns, seconds: float, totals: Mapping[object, Floats]) -> Columns:
    return replace(
        last,
        seconds=seconds,
        host_s=totals[("host_s",)],
        restarts=np.nan_to_num(totals[("restarts",)]).clip(0, 1),
        counters={name: totals["counter", name] for name in last.counters},
        histograms={
            signal: tuple(Buckets(kind.edges, totals["histogram", signal, kind.edges]) for kind in kinds)
            for signal, kinds in last.histograms.items()
        },
    )
