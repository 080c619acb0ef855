"""What the hourly books tell of a service's last weeks, for its readiness."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.slo.slices import Hour

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Past:
    peak_rps: float | None = None
    """The busiest hour's rate over the time that is known of it; None where no hour is."""
    coverage_7d: float | None = None
    """Known part of the last 7 days' whole hours; None before a day of them is measured."""


def past(hours: Iterable[Hour], since: datetime | None, now: datetime) -> Past:
    """`hours` of the availability in the last 30 days; `since`: when the oldest slice that is kept began."""
    hours = list(hours)
    rates = [hour.total / _known_s(hour) for hour in hours if _known_s(hour) > 0]
    peak = max(rates, default=None)
    end = now.replace(minute=0, second=0, microsecond=0)
    if since is None:
        return Past(peak)
    begun = since.replace(minute=0, second=0, microsecond=0)
    # The hour in which it began to be measured is not whole.
    start = max(end - WEEK, begun if begun == since else begun + HOUR)
    if end - start < DAY:
        return Past(peak)
    known_s = sum(_known_s(hour) for hour in hours if start <= hour.start < end)
    return Past(peak, known_s / (end - start).total_seconds())


def _known_s(hour: Hour) -> int:
    return hour.good_s + hour.idle_s + hour.bad_s
