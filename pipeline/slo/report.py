"""Everything that is worked out about a service's budgets, once: gates decide by it, screens and verbs lay it out.

Ratios are 0 to 1; nothing is clamped: what is left of a budget may be negative. None is unknown, shown as "?".
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.slo.rules import Count, Kind


class Alarm(StrEnum):
    """How soon someone must look."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class BurnPair:
    """One multi-window alarm: it fires only where both windows burn strictly faster than `factor`."""

    alarm: Alarm
    factor: float
    long_s: float
    short_s: float
    long: float | None
    """How many times faster than the objective allows; None without traffic."""
    short: float | None
    fires: bool
    known_s: float | None = None
    """Of the long window; None where nobody has counted."""


@dataclass(frozen=True, slots=True)
class WindowReport:
    """A budget over one window."""

    label: str
    """"rolling 30d" or "month 2025-01 UTC": stands at every number."""
    start: datetime
    end: datetime
    """Of the whole window; a month's end lies ahead."""
    total: int
    bad: int
    good_s: int
    """Seconds of good slices; so for the others."""
    idle_s: int
    bad_s: int
    unknown_s: int
    """Since the service is measured: time before that is no gap."""
    left: float | None
    """Ratio of the budget; negative when overdrawn; None where too little is known (or too few events)."""
    left_s: float | None
    """The same as time: how long everything may still be broken. Negative when overdrawn."""
    achieved: str
    """"99.949": truncated, in per cent; "" where unknown."""
    worst: str
    """If every unknown slice was bad, and if none was; equal where all is known."""
    best: str
    why: str = ""
    """Why `left` is None."""


@dataclass(frozen=True, slots=True)
class SloReport:
    name: str
    kind: Kind
    count: Count
    target: str
    """In per cent, as configured: "99.95"."""
    rolling: WindowReport
    month: WindowReport
    burn: tuple[BurnPair, ...]
    burn_1h: float | None
    burn_6h: float | None
    gone_in_s: float | None
    """Until the rolling budget is spent at the burn of the last hour; None where it is not being spent, or is."""
    coverage: float | None
    """Known part of the last 24 h (or since the service is measured); None before the first slice."""
    silent_s: float | None
    """Since the newest known slice ended; None before the first."""
    burn_down: tuple[tuple[datetime, float | None], ...] = ()
    """What was left of the rolling budget, oldest first; about 60 points."""
    slice_s: int = 0
    """Length of its slices; 0 where that is not told."""
    trend: tuple[float | None, ...] = ()
    """The burn-down in few points: for a line among many."""
    spent_since: datetime | None = None
    """Since when nothing is left of the rolling budget; None where something is, or that is not known."""
    back_at: datetime | None = None
    """When something is left of it again if nothing more is bad, and requests come as they did in the window."""

    def bad_of(self, window: WindowReport) -> tuple[int, int, str]:
        """(bad, all, what is counted) of one of its windows, by what the objective counts."""
        if self.count is Count.REQUESTS or not self.slice_s:
            return window.bad, window.total, "requests"
        known_s = window.good_s + window.idle_s + window.bad_s
        return round(window.bad_s / self.slice_s), round(known_s / self.slice_s), "slices"


@dataclass(frozen=True, slots=True)
class Outage:
    """Bad slices on end; excluded ones are shown and not charged."""

    start: datetime
    end: datetime
    """Half-open."""
    open: bool = False
    """Goes on."""
    excluded: str = ""
    """By whom and why, where it is not charged."""
    backfill: bool = False

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Debt:
    """Downtime beyond the quota, and the block that pays it back."""

    since: datetime
    """From where it was added up: the start of the calendar month, or the end of the block before."""
    breach: datetime
    """The instant at which the quota was passed."""
    downtime_s: float
    quota_s: float
    months: int
    until: datetime
    capped: bool = False
    """`most_months` made it shorter than the sum says."""

    def in_force(self, now: datetime) -> bool:
        return self.breach <= now < self.until


@dataclass(frozen=True, slots=True)
class PaybackReport:
    quota_s: float
    used_s: float
    """Downtime of the period that is added up now."""
    since: datetime
    """Where that period began."""
    debts: tuple[Debt, ...] = ()
    """Oldest first."""
    block: Debt | None = None
    """The one in force."""
    held_open: bool = False
    """Its time is over, and the service is down just now: it ends when that does."""


@dataclass(frozen=True, slots=True)
class BudgetReport:
    """Of one service, at one instant."""

    service: str
    at: datetime
    slos: tuple[SloReport, ...]
    """The availability first."""
    payback: PaybackReport | None
    """None where it is switched off."""
    outages: tuple[Outage, ...] = ()
    """Newest first; at most 50."""
