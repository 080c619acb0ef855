"""What the hourly books tell of a service's last weeks, for its readiness."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.readiness.callers import Caller
from pipeline.readiness.use import Resource, Use, Used, used
from pipeline.slo.slices import Hour

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Past:
    peak_rps: float | None = None
    """The busiest hour's rate over the time that is known of it; None where no hour is."""
    peak_days: float = 0.0
    """So much of the last 30 days is known of that."""
    coverage_7d: float | None = None
    """Known part of the last 7 days' whole hours; None before a day of them is measured."""
    cpu: Used | None = None
    memory: Used | None = None
    callers: Mapping[str, datetime] = field(default_factory=dict)
    """By name, when they were last seen."""


def past(
    hours: Iterable[Hour],
    since: datetime | None,
    now: datetime,
    uses: Sequence[Use] = (),
    callers: Iterable[Caller] = (),
) -> Past:
    """All of the last 30 days: `hours` of the availability; `since`: when the oldest slice that is kept began."""
    of = {resource: used(one for one in uses if one.resource is resource) for resource in Resource}
    called = {one.name: one.at for one in callers}
    peak, days, coverage = _traffic(list(hours), since, now)
    return Past(peak, days, coverage, of[Resource.CPU], of[Resource.MEMORY], called)


def _traffic(hours: Sequence[Hour], since: datetime | None, now: datetime) -> tuple[float | None, float, float | None]:
    """The busiest rate, days of which it is known, coverage of 7 days."""
    rates = [hour.total / _known_s(hour) for hour in hours if _known_s(hour) > 0]
    peak, days = max(rates, default=None), sum(map(_known_s, hours)) / DAY.total_seconds()
    end = now.replace(minute=0, second=0, microsecond=0)
    if since is None:
        return peak, days, None
    begun = since.replace(minute=0, second=0, microsecond=0)
    # The hour in which it began to be measured is not whole.
    start = max(end - WEEK, begun if begun == since else begun + HOUR)
    if end - start < DAY:
        return peak, days, None
    known_s = sum(_known_s(hour) for hour in hours if start <= hour.start < end)
    return peak, days, known_s / (end - start).total_seconds()


def _known_s(hour: Hour) -> int:
    return hour.good_s + hour.idle_s + hour.bad_s
