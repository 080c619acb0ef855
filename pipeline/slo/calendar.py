"""Calendar months in a policy's timezone, as instants in UTC.

A month begins at its first local midnight. Differences are taken in UTC, so a month with a change of the clocks is
as long as it really was, and a change of the clocks moves no day.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """ValueError says what is wrong with an unknown name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        said = f"timezone {name[:60]!r} is unknown: give a name of the tz database, such as UTC or Europe/Berlin"
        raise ValueError(said) from None


def instant(wall: datetime, timezone: str, fold: int = 0) -> datetime:
    """When clocks there show `wall`: of a time that comes twice the first (`fold` 1: the second).

    A time that is skipped takes the offset from before the jump: 02:30 is half an hour after 02:00 would have been.
    """
    try:
        return wall.replace(tzinfo=zone(timezone), fold=fold).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Month:
    """[start, end) in UTC."""

    start: datetime
    end: datetime
    label: str
    """"2025-01 UTC"."""

    @property
    def seconds(self) -> int:
        return round((self.end - self.start).total_seconds())


def month_of(at: datetime, timezone: str) -> Month:
    """The month that `at` is in."""
    return following(at, timezone, 0)


def following(at: datetime, timezone: str, months: int = 1) -> Month:
    """The month that begins so many months after that of `at`."""
    local = _local(at, timezone)
    month = _month(local.year, local.month, timezone)
    # Where clocks go back over the first midnight, an instant can lie after it and yet show the day before.
    ahead = 1 if at >= month.end else 0
    year, index = divmod(local.year * 12 + local.month - 1 + ahead + months, 12)
    return _month(year, index + 1, timezone)


def add_months(at: datetime, months: int, timezone: str) -> datetime:
    """The same local time so many months later, on the month's last day where it has no such day."""
    local = _local(at, timezone)
    year, index = divmod(local.year * 12 + local.month - 1 + months, 12)
    if year > MAXYEAR:
        return datetime.max.replace(tzinfo=UTC)
    day = min(local.day, monthrange(year, index + 1)[1])
    return instant(local.replace(year=year, month=index + 1, day=day, tzinfo=None), timezone)


def _local(at: datetime, timezone: str) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} says no timezone: give an aware time")
    return at.astimezone(zone(timezone))


@lru_cache(maxsize=4096)
def _month(year: int, month: int, timezone: str) -> Month:
    if year > MAXYEAR:
        last = datetime.max.replace(tzinfo=UTC)
        return Month(last, last, f"after {MAXYEAR} {timezone}")
    after = (year + month // 12, month % 12 + 1)
    start = instant(datetime(year, month, 1), timezone)  # noqa: DTZ001 - a wall clock's
    end = instant(datetime(*after, 1), timezone) if after[0] <= MAXYEAR else datetime.max.replace(tzinfo=UTC)  # noqa: DTZ001
    return Month(start, end, f"{year}-{month:02} {timezone}")
