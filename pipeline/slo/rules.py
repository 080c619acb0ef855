"""What a service promises, and what follows when it does not keep it; from the configuration."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    AVAILABILITY = "availability"
    """`bad` of `total` requests fail."""
    LATENCY = "latency"
    """Requests of the histogram `of` that take longer than `over_s` are bad."""


class Count(StrEnum):
    """What the budget is counted in; the two can differ many-fold on uneven traffic, so every number says which."""

    REQUESTS = "requests"
    SLICES = "slices"


@dataclass(frozen=True, slots=True)
class Objective:
    """One SLO of a service; the first of a service is its availability, which downtime is read from."""

    name: str = "availability"
    kind: Kind = Kind.AVAILABILITY
    target: Decimal = Decimal("0.999")
    """Ratio of good, exactly as configured: 0 < target < 1."""
    count: Count = Count.REQUESTS
    window_s: float = 30 * 86_400.0
    """Of the rolling budget."""
    slice_s: int = 60
    """Slices of time, aligned to the epoch; the same for all objectives of a service."""
    bad_slice: Decimal = Decimal("0.5")
    """A slice is bad (down) when more than this ratio of its requests was."""
    total: str = "requests"
    bad: str = "errors"
    """Counters; for availability."""
    of: str = ""
    over_s: float = 0.0
    """Histogram and threshold; for latency."""


class CountFrom(StrEnum):
    """Where the months of a deploy block are counted from."""

    BREACH = "breach"
    """The instant at which the quota was passed: an outage on the 31st costs what one on the 1st costs."""
    NEXT_MONTH = "next-month"
    INCLUSIVE_MONTH = "inclusive-month"
    """The month of the breach is the first."""


@dataclass(frozen=True, slots=True)
class PaybackRules:
    """Downtime beyond a calendar month's quota is paid back with months without deploys."""

    on: bool = True
    count_from: CountFrom = CountFrom.BREACH
    most_months: int | None = 12
    """No block is longer, counted from its newest outage; None is no limit."""
    timezone: str = "UTC"
    """Of the calendar months."""


@dataclass(frozen=True, slots=True)
class CoverageRules:
    """How much must be known of a service before its budget may open a door."""

    least: float = 0.95
    """Ratio of the last 24 h, or of the time since the service is measured, that is known."""
    silent_s: float = 300.0
    """No slice known for so long: nobody knows."""
