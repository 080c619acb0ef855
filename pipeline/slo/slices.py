"""Slices: a service's requests in aligned stretches of time, and what each of them was."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class SliceState(StrEnum):
    GOOD = "good"
    IDLE = "idle"
    """Known, and nobody asked: counts as good time."""
    BAD = "bad"
    UNKNOWN = "unknown"
    """No data: never silently good or bad."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Requests of one objective of one service in one slice; a slice that is not there is unknown."""

    service: str
    start: datetime
    total: int
    bad: int
    slo: str = "availability"
    backfill: bool = False
    """Read from the metrics server afterwards."""
    length_s: int = 60
    down: bool = False
    """Bad by the threshold that the objective had then."""

    @property
    def state(self) -> SliceState:
        return SliceState.BAD if self.down else SliceState.GOOD if self.total > 0 else SliceState.IDLE


@dataclass(frozen=True, slots=True)
class Hour:
    """One objective's slices of an aligned hour, summed."""

    service: str
    slo: str
    start: datetime
    total: int
    bad: int
    good_s: int
    idle_s: int
    bad_s: int
    """Seconds of known slices by what they were; the rest of the hour is unknown."""


@dataclass(frozen=True, slots=True)
class Target:
    """An objective's target from an instant on: what was promised then is held to then."""

    service: str
    slo: str
    since: datetime
    target: Decimal


@dataclass(frozen=True, slots=True)
class Zone:
    """The timezone of a service's calendar months from an instant on: a debt keeps the one that it began in."""

    service: str
    since: datetime
    timezone: str


@dataclass(frozen=True, slots=True)
class Balance:
    """A service's sums as they were at an instant (`pipeline.slo.balance`): they can be made again of its slices."""

    service: str
    until: datetime
    """No slice that is summed here begins at or after it."""
    basis: str
    """What they were summed by; worth nothing to whom would sum by anything else."""
    body: bytes


def state_of(total: int, bad: int, bad_slice: Decimal) -> SliceState:
    """Of a slice that is known: bad only above the threshold, not at it."""
    if total <= 0:
        return SliceState.IDLE
    return SliceState.BAD if bad > bad_slice * total else SliceState.GOOD
