"""Targets that changed: each stretch counts by its own."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.slo.calendar import month_of
from pipeline.slo.changes import budget_over_s, error_ratio_over, quota_over_s, target_at

THREE, FOUR = Decimal("0.999"), Decimal("0.9999")
START = datetime(2025, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TIGHTENED = [(START - 90 * DAY, THREE), (START + 15 * DAY, FOUR)]


def test_half_a_window_at_each_of_two_targets_allows_23_76_minutes() -> None:
    assert budget_over_s(TIGHTENED, START, START + 30 * DAY) == Fraction("23.76") * 60
    assert error_ratio_over(TIGHTENED, START, START + 30 * DAY) == Fraction("0.00055")


def test_one_target_allows_what_it_always_does() -> None:
    for targets in (FOUR, [(START, FOUR)], [(START + 40 * DAY, FOUR)], [(START, FOUR), (START + 3 * DAY, FOUR)]):
        assert budget_over_s(targets, START, START + 30 * DAY) == Fraction("259.2")


def test_the_target_of_an_instant_is_the_newest_until_then() -> None:
    assert target_at(TIGHTENED, START) == THREE
    assert target_at(TIGHTENED, START + 15 * DAY) == FOUR
    assert target_at(TIGHTENED, START - 900 * DAY) == THREE
    assert target_at(list(reversed(TIGHTENED)), START + 16 * DAY) == FOUR
    with pytest.raises(ValueError, match="no target"):
        target_at([], START)


def test_the_quota_of_a_month_does_not_know_a_later_change() -> None:
    month = month_of(START, "UTC")
    assert quota_over_s(TIGHTENED, month, START + 14 * DAY) == 2_628
    assert quota_over_s(TIGHTENED, month, START + 15 * DAY) == Fraction("0.00055") * 2_628_000
    assert quota_over_s(TIGHTENED, month_of(START + 31 * DAY, "UTC"), START + 31 * DAY) == Fraction("262.8")
    assert quota_over_s(FOUR, month, START) == Fraction("262.8")


@given(
    st.lists(st.integers(-10, 40), max_size=4),
    st.integers(0, 30),
    st.lists(st.integers(1, 9_999), min_size=5, max_size=5),
)
def test_the_budget_of_two_parts_is_that_of_the_whole(changes: list[int], cut: int, ratios: list[int]) -> None:
    days = sorted({-50, *changes})
    targets = [(START + day * DAY, Decimal(ratio) / 10_000) for day, ratio in zip(days, ratios, strict=False)]
    end, middle = START + 30 * DAY, START + cut * DAY
    whole = budget_over_s(targets, START, end)
    assert budget_over_s(targets, START, middle) + budget_over_s(targets, middle, end) == whole
    brute = sum((1 - Fraction(target_at(targets, START + day * DAY))) * 86_400 for day in range(30))
    assert whole == brute
