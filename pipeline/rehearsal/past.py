"""A service's recorded production as columns: a day of a hundred hosts in a few megabytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import numpy as np

from pipeline.judge.columns import Buckets, Columns, columns
from pipeline.judge.look import Group, Recorded
from pipeline.model import Host
from pipeline.rehearsal.reshape import coarser

BROKEN = 1.5
"""A stretch that ended later than this many steps after the one before is no continuation of it."""


@dataclass(frozen=True, eq=False, slots=True)
class Past:
    hosts: tuple[Host, ...]
    """In the columns' order."""
    ends: tuple[datetime, ...] = ()
    looks: tuple[Columns, ...] = ()
    """Oldest first, one for each of `ends`."""

    def then(self, recorded: Iterable[Recorded]) -> "Past":
        """This and later stretches."""
        names, groups = [host.name for host in self.hosts], (Group.PRODUCTION.value,) * len(self.hosts)
        later = [(each.at, columns(each.look, names, groups)) for each in recorded]
        ends, looks = (*self.ends, *(at for at, _ in later)), (*self.looks, *(look for _, look in later))
        return replace(self, ends=ends, looks=looks)

    @property
    def seconds(self) -> float:
        return sum(look.seconds for look in self.looks)


def unbroken(past: Past) -> list[tuple[int, int]]:
    """(first, end) places of each stretch without a gap; none of nothing."""
    if not past.looks:
        return []
    step_s = float(np.median([look.seconds for look in past.looks]))
    breaks = [
        at
        for at, (before, end) in enumerate(pairwise(past.ends), start=1)
        if (end - before).total_seconds() > BROKEN * max(step_s, past.looks[at].seconds)
    ]
    return list(pairwise([0, *breaks, len(past.looks)]))


def in_longer_steps(past: Past, times: int) -> Past:
    """`past` with `times` looks made one; what is left over before a gap is dropped."""
    if times <= 1:
        return past
    spans = unbroken(past)
    ends = [past.ends[at] for first, end in spans for at in range(first + times - 1, end, times)]
    looks = [look for first, end in spans for look in coarser(past.looks[first:end], times)]
    return replace(past, ends=tuple(ends), looks=tuple(looks))


def in_order(look: Columns, order: Sequence[int]) -> Columns:
    """`look` of the hosts at these places, in this order."""
    at = np.asarray(order, dtype=np.intp)
    return replace(
        look,
        host_s=look.host_s[at],
        age_s=look.age_s[at],
        restarts=look.restarts[at],
        counters={name: column[at] for name, column in look.counters.items()},
        gauges={name: column[at] for name, column in look.gauges.items()},
        histograms={
            name: tuple(Buckets(kind.edges, kind.counts[at]) for kind in kinds)
            for name, kinds in look.histograms.items()
        },
    )
