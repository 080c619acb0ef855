"""Calendar months in timezones: month ends, leap years, changes of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.slo.calendar import add_months, following, instant, month_of, zone


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def wall(*parts: int) -> datetime:
    """What a clock on the wall shows, wherever it hangs."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


BERLIN, LORD_HOWE, ST_JOHNS = "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"
ZONES = ["UTC", BERLIN, LORD_HOWE, ST_JOHNS, "America/Havana", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu"]
TIMES = st.datetimes(wall(1990, 1, 1), wall(2100, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("day", "timezone", "seconds"),
    [
        (utc(2025, 3, 15), BERLIN, 2_674_800),
        (utc(2025, 10, 15), BERLIN, 2_682_000),
        (utc(2025, 4, 15), LORD_HOWE, 30 * 86_400 + 1_800),
        (utc(2025, 10, 15), LORD_HOWE, 31 * 86_400 - 1_800),
        (utc(2024, 2, 10), "UTC", 29 * 86_400),
        (utc(2025, 2, 10), "UTC", 28 * 86_400),
        (utc(2100, 2, 10), "UTC", 28 * 86_400),
        (utc(2000, 2, 10), "UTC", 29 * 86_400),
    ],
)
def test_a_month_is_as_long_as_it_really_was(day: datetime, timezone: str, seconds: int) -> None:
    assert month_of(day, timezone).seconds == seconds


def test_a_month_begins_at_the_policys_midnight() -> None:
    month = month_of(utc(2025, 1, 31, 23, 30), BERLIN)
    assert (month.start, month.end) == (utc(2025, 1, 31, 23), utc(2025, 2, 28, 23))
    assert month.label == "2025-02 Europe/Berlin"
    assert month_of(utc(2025, 1, 31, 22, 59), BERLIN).label == "2025-01 Europe/Berlin"


def test_a_time_that_comes_twice_is_an_hour_apart_from_itself() -> None:
    night = wall(2025, 10, 26, 2, 30)
    assert instant(night, BERLIN, 1) - instant(night, BERLIN) == timedelta(seconds=3_600)
    twice = wall(2025, 4, 6, 1, 45)
    assert instant(twice, LORD_HOWE, 1) - instant(twice, LORD_HOWE) == timedelta(minutes=30)


def test_a_time_that_is_skipped_takes_the_offset_from_before_the_jump() -> None:
    assert instant(wall(2025, 3, 30, 2, 30), BERLIN) == utc(2025, 3, 30, 1, 30)
    assert add_months(utc(2025, 2, 28, 1, 30), 1, BERLIN) == utc(2025, 3, 28, 1, 30)
    assert add_months(utc(2025, 1, 30, 1, 30), 2, BERLIN) == utc(2025, 3, 30, 1, 30), "02:30 is skipped that night"
    assert add_months(utc(2025, 1, 30, 0, 30), 2, BERLIN) == utc(2025, 3, 30, 0, 30)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (utc(2024, 11, 30, 12), 3, utc(2025, 2, 28, 12)),
        (utc(2023, 11, 30, 12), 3, utc(2024, 2, 29, 12)),
        (utc(2024, 2, 29), 12, utc(2025, 2, 28)),
        (utc(2024, 2, 29), 48, utc(2028, 2, 29)),
        (utc(2025, 12, 31, 23, 59, 59), 2, utc(2026, 2, 28, 23, 59, 59)),
        (utc(2025, 1, 31), 0, utc(2025, 1, 31)),
        (utc(2025, 3, 31), -1, utc(2025, 2, 28)),
        (utc(2099, 11, 30), 3, utc(2100, 2, 28)),
    ],
)
def test_months_later_is_the_same_day_or_the_last_one(start: datetime, months: int, end: datetime) -> None:
    assert add_months(start, months, "UTC") == end


def test_months_later_keeps_the_local_time_across_a_change_of_the_clocks() -> None:
    assert add_months(utc(2025, 1, 15, 8), 3, BERLIN) == utc(2025, 4, 15, 7)


def test_beyond_the_last_year_is_the_end_of_time() -> None:
    assert add_months(utc(2025, 1, 1), 10**7, "UTC").year == 9999
    assert following(utc(2025, 1, 1), "UTC", 10**7).start.year == 9999


@pytest.mark.parametrize("name", ["Mars/Base", "", "../../etc/passwd", "Europe", "UTC\0", "x" * 500])
def test_an_unknown_timezone_is_refused_with_words(name: str) -> None:
    with pytest.raises(ValueError, match=r"timezone .* is unknown: give a name"):
        zone(name)


def test_a_time_without_a_timezone_is_refused() -> None:
    with pytest.raises(ValueError, match="give an aware time"):
        month_of(wall(2025, 1, 1), "UTC")


def test_where_clocks_go_back_over_the_first_midnight_time_still_lies_in_its_month() -> None:
    # St John's, 2009: at 00:01 on 1 November it became 23:01 on 31 October.
    again = instant(wall(2009, 10, 31, 23, 30), ST_JOHNS, 1)
    month = month_of(again, ST_JOHNS)
    assert month.label.startswith("2009-11")
    assert month.start <= again < month.end


@given(TIMES, st.sampled_from(ZONES))
def test_every_instant_lies_in_exactly_one_month(at: datetime, timezone: str) -> None:
    month = month_of(at, timezone)
    assert month.start <= at < month.end
    assert month_of(month.start, timezone) == month
    after = following(at, timezone)
    assert after.start == month.end
    assert following(after.start, timezone, -1) == month


@given(TIMES, st.integers(0, 40), st.integers(0, 40), st.sampled_from(ZONES))
def test_more_months_are_never_sooner_and_land_in_the_month_meant(
    at: datetime, few: int, more: int, zone_: str
) -> None:
    few, more = sorted((few, more))
    assert add_months(at, few, zone_) <= add_months(at, more, zone_)
    wanted = at.astimezone(ZoneInfo(zone_))
    got = add_months(at, few, zone_).astimezone(ZoneInfo(zone_))
    assert (got.year * 12 + got.month) - (wanted.year * 12 + wanted.month) == few
    assert got.day <= wanted.day + 1


@given(TIMES, TIMES, st.integers(1, 30), st.sampled_from(["UTC", "Asia/Kathmandu"]))
def test_later_starts_never_end_sooner(one: datetime, other: datetime, months: int, timezone: str) -> None:
    first, second = sorted((one, other))
    day = timedelta(days=1)
    if second - first > 4 * day:
        assert add_months(first, months, timezone) < add_months(second, months, timezone)
