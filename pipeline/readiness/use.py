"""What hosts have used of CPU and memory over weeks: counts of levels, which add up over hosts, hours and restarts.

A level is put into one of a fixed row of steps, each `STEP` above the one before, so that a day of a service is a
few small whole numbers, and a quantile read from them is true to half a step.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import accumulate

STEP = 1.025
LEAST, MOST = 1e-4, 1e15
"""Cores or bytes; what lies outside counts as the end that it is beyond."""
DAY_MIN = 1_440


class Resource(StrEnum):
    CPU = "cpu"
    """Cores."""
    MEMORY = "memory"
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Use:
    """What production hosts of a service used in one day, as far as it was seen."""

    service: str
    resource: Resource
    day: datetime
    """Its start, UTC."""
    minutes: int
    """In which most hosts told of it; of two of the same day the sum."""
    counts: Mapping[int, int]
    """By step: one a host and minute."""


@dataclass(frozen=True, slots=True)
class Used:
    """Of many days together."""

    p95: float
    """Cores or bytes, of hosts and minutes."""
    minutes: int

    @property
    def days(self) -> float:
        return self.minutes / DAY_MIN


def step(level: float) -> int:
    """The step of a level; a level that is no number is the least."""
    bounded = min(max(level, LEAST), MOST) if not math.isnan(level) else LEAST
    return math.ceil(math.log(bounded) / math.log(STEP) - 1e-9)


def level(step: int) -> float:
    """The middle of a step."""
    return math.pow(STEP, step - 0.5)


def day_of(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def used(uses: Iterable[Use]) -> Used | None:
    """Of one resource of one service; None where nothing was seen."""
    counts: dict[int, int] = {}
    minutes = 0
    for one in uses:
        minutes += min(one.minutes, DAY_MIN)
        for at, count in one.counts.items():
            counts[at] = counts.get(at, 0) + count
    total = sum(counts.values())
    if total <= 0 or minutes <= 0:
        return None
    rank = math.ceil(0.95 * total)
    steps = sorted(counts)
    below = accumulate(counts[at] for at in steps)
    return Used(level(next(at for at, seen in zip(steps, below, strict=True) if seen >= rank)), minutes)
