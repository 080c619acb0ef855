"""Zones that changed: no block moves with them, and no downtime is counted in two months, or in none."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.slo.calendar import month_of
from pipeline.slo.changes import month_at, zone_at
from pipeline.slo.payback import payback
from pipeline.slo.report import Outage
from pipeline.slo.rules import CountFrom, PaybackRules

START = datetime(2023, 10, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YEARS = 24 * 900
TARGET = Decimal("0.99")
NAMES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Apia",
    "Pacific/Pago_Pago",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Havana",
)
ZONES = st.lists(st.tuples(st.integers(0, YEARS), st.sampled_from(NAMES)), max_size=5)


def changes(first: str, later: Sequence[tuple[int, str]]) -> list[tuple[datetime, str]]:
    return [(START - 900 * DAY, first), *((START + hours * HOUR, name) for hours, name in later)]


def test_the_zone_of_an_instant_is_the_newest_until_then() -> None:
    zones = changes("UTC", [(24, "Europe/Berlin")])
    assert zone_at(zones, START - 9_999 * DAY) == "UTC"
    assert zone_at(list(reversed(zones)), START + DAY) == "Europe/Berlin"
    assert zone_at("Asia/Kathmandu", START) == "Asia/Kathmandu"
    with pytest.raises(ValueError, match="no timezone: give at least one"):
        zone_at([], START)


def test_a_month_that_was_begun_ends_where_it_would_have_and_the_next_begins_there() -> None:
    west = changes("UTC", [(15 * 24, "America/New_York")])
    october = month_at(west, START + 20 * DAY)
    assert (october.start, october.end) == (START, START + 31 * DAY)
    november = month_at(west, START + 31 * DAY)
    assert (november.start, november.label) == (START + 31 * DAY, "2023-11 America/New_York")
    assert november.end == datetime(2023, 12, 1, 5, tzinfo=UTC)
    east = changes("UTC", [(15 * 24, "Pacific/Apia")])
    assert month_at(east, START + 31 * DAY - HOUR) == october
    assert month_at(east, START + 31 * DAY).label == "2023-11 Pacific/Apia"


@given(st.sampled_from(NAMES), ZONES)
def test_whatever_the_changes_each_instant_is_in_one_month(first: str, later: list[tuple[int, str]]) -> None:
    zones, at = changes(first, later), START
    months = []
    while at < START + YEARS * HOUR + 62 * DAY:
        months.append(month_at(zones, at))
        assert months[-1].start <= at < months[-1].end
        at = months[-1].end
    assert all(one.end == following.start for one, following in pairwise(months))
    assert all(26 * DAY < one.end - one.start < 33 * DAY for one in months)
    # In the end it is as if it had never been another.
    assert months[-1] == month_of(months[-1].start, zone_at(zones, at))


@given(
    st.lists(st.tuples(st.integers(0, YEARS), st.integers(1, 40)), min_size=1, max_size=10),
    st.sampled_from(NAMES),
    ZONES,
    st.integers(0, YEARS),
    st.sampled_from(NAMES),
    st.sampled_from(CountFrom),
    st.sampled_from([None, 1, 3, 12]),
    st.booleans(),
)
def test_no_change_of_zone_moves_a_block_that_began_before_it(
    runs: list[tuple[int, int]],
    first: str,
    earlier: list[tuple[int, str]],
    changed: int,
    into: str,
    count_from: CountFrom,
    most_months: int | None,
    excluded: bool,
) -> None:
    outages = [Outage(START + start * HOUR, START + (start + hours) * HOUR) for start, hours in runs]
    if excluded:
        outages[0] = Outage(outages[0].start, outages[0].end, excluded="fix-1")
    rules = PaybackRules(count_from=count_from, most_months=most_months)
    at, now = START + changed * HOUR, START + YEARS * HOUR + 400 * DAY
    before = changes(first, [change for change in earlier if change[0] < changed])
    after = [*before, (at, into)]
    # Tightened meanwhile: the month's quota weighs by the parts of the month.
    targets = [(START - DAY, TARGET), (START + 300 * DAY, Decimal("0.999"))]
    kept = payback(outages, targets, rules, month_at(before, START).start, now, before).debts
    moved = payback(outages, targets, rules, month_at(after, START).start, now, after).debts
    began = [debt for debt in kept if debt.breach < at]
    assert list(moved[: len(began)]) == began
    assert all(debt.breach >= at for debt in moved[len(began) :])
