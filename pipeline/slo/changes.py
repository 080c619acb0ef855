"""Targets and zones that changed: each stretch of time counts by what was in force in it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from pipeline.slo.calendar import Month, following, month_of
from pipeline.slo.quota import NOMINAL_MONTH_S, error_ratio

Targets = Decimal | Sequence[tuple[datetime, Decimal]]
"""One target, or (since, target) of each that was in force, in any order; the oldest holds before itself too."""

Zones = str | Sequence[tuple[datetime, str]]
"""One timezone of the months, or (since, timezone) of each that was in force, likewise."""

_ALWAYS = datetime.min.replace(tzinfo=UTC)
US = timedelta(microseconds=1)
MICRO = 1_000_000


def in_order(targets: Targets) -> tuple[tuple[datetime, Decimal], ...]:
    """Oldest first, the oldest from ever on. ValueError where there is none."""
    if isinstance(targets, Decimal):
        return ((_ALWAYS, targets),)
    known = sorted(targets, key=lambda change: change[0])
    if not known:
        raise ValueError("no target: give at least one, such as 0.999")
    return ((_ALWAYS, known[0][1]), *known[1:])


def target_at(targets: Targets, at: datetime) -> Decimal:
    return next(target for since, target in reversed(in_order(targets)) if since <= at)


def exact_s(span: timedelta) -> Fraction:
    return Fraction(span // US, MICRO)


def budget_over_s(targets: Targets, start: datetime, end: datetime) -> Fraction:
    """Seconds of [start, end) that may be bad: 15 days at 99.9 % and 15 at 99.99 % are 23.76 minutes."""
    known = in_order(targets)
    whole = Fraction(0)
    for index, (since, target) in enumerate(known):
        until = known[index + 1][0] if index + 1 < len(known) else end
        span = min(until, end) - max(since, start)
        if span > timedelta(0):
            whole += Fraction(error_ratio(target)) * exact_s(span)
    return whole


def error_ratio_over(targets: Targets, start: datetime, end: datetime) -> Fraction:
    """The mean of what was allowed in [start, end), by time."""
    if isinstance(targets, Decimal) or end <= start:
        return Fraction(error_ratio(target_at(targets, start)))
    return budget_over_s(targets, start, end) / exact_s(end - start)


def quota_over_s(targets: Targets, month: Month, at: datetime) -> Fraction:
    """The quota of `month` as it stood at `at`: a change weighs by the part of the month that is left to it.

    Later changes are not known yet; without one it is the quota of the nominal month.
    """
    if isinstance(targets, Decimal):
        return Fraction(error_ratio(targets)) * NOMINAL_MONTH_S
    first, *later = in_order(targets)
    known = (first, *(change for change in later if change[0] <= at))
    return error_ratio_over(known, month.start, month.end) * NOMINAL_MONTH_S


def zones_in_order(zones: Zones) -> tuple[tuple[datetime, str], ...]:
    """Oldest first, the oldest from ever on. ValueError where there is none."""
    if isinstance(zones, str):
        return ((_ALWAYS, zones),)
    known = sorted(zones, key=lambda change: change[0])
    if not known:
        raise ValueError("no timezone: give at least one, such as UTC")
    return ((_ALWAYS, known[0][1]), *known[1:])


def zone_at(zones: Zones, at: datetime) -> str:
    return next(timezone for since, timezone in reversed(zones_in_order(zones)) if since <= at)


def month_at(zones: Zones, at: datetime) -> Month:
    """The month that `at` is in. One that was begun runs to its end in the zone that it began in, and the next, the
    first in the new zone, begins there: no instant is in two months, or in none.
    """
    *before, (since, timezone) = (change for change in zones_in_order(zones) if change[0] <= at)
    if not before:
        return month_of(at, timezone)
    begun = month_at(before, since)
    if at < begun.end:
        return begun
    # In the middle of a month it is the same month in every zone.
    first = following(begun.start + (begun.end - begun.start) / 2, timezone)
    return replace(first, start=begun.end) if at < first.end else month_of(at, timezone)
