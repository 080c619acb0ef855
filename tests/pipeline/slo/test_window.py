"""Windows of a budget: what is left, as a ratio and as time, in requests and in slices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.slo.calendar import month_of
from pipeline.slo.report import WindowReport
from pipeline.slo.rules import Count, Objective
from pipeline.slo.window import Sums, gone_in_s, month_label, remaining, rolling_label, window_report

NOW = datetime(2025, 1, 31, tzinfo=UTC)
DAY = 86_400
D30 = 30 * DAY


def objective(target: str = "99.9", count: Count = Count.REQUESTS) -> Objective:
    return Objective(target=Decimal(target) / 100, count=count)


def rolling(slo: Objective, **sums: int) -> WindowReport:
    start = NOW - timedelta(seconds=slo.window_s)
    return window_report(slo, rolling_label(slo.window_s), start, NOW, Sums(**sums))


def test_250_bad_of_a_million_leave_three_quarters_which_is_32_4_minutes() -> None:
    made = rolling(objective(), total=1_000_000, bad=250, good_s=D30)
    assert (made.left, made.left_s) == (0.75, 32.4 * 60)
    assert (made.achieved, made.worst, made.best) == ("99.975", "99.975", "99.975")
    assert made.label == "rolling 30d"
    assert made.why == ""


def test_spent_to_the_last_is_nought_and_one_more_is_overdrawn() -> None:
    assert rolling(objective(), total=1_000_000, bad=1_000, good_s=D30).left == 0
    over = rolling(objective(), total=1_000_000, bad=1_001, good_s=D30)
    assert over.left == -0.001
    assert over.left_s == pytest.approx(-2.592)


def test_twelve_minutes_down_at_four_nines_leave_minus_7_m_41_s() -> None:
    made = rolling(objective("99.99", Count.SLICES), good_s=D30 - 720, bad_s=720)
    assert made.left_s == pytest.approx(-460.8)
    assert made.left == pytest.approx(-1.78, abs=0.005)
    assert made.achieved == "99.972"


def test_four_minutes_on_either_side_of_a_months_edge_spend_185_per_cent_of_the_rolling_budget() -> None:
    made = rolling(objective("99.99", Count.SLICES), good_s=D30 - 480, bad_s=480)
    assert made.left == pytest.approx(-0.85, abs=0.005)


def test_the_way_of_counting_can_differ_45_fold() -> None:
    """Ten slices: nine with 1,000 good requests, one with 20 bad ones."""
    sums = Sums(total=9_020, bad=20, good_s=540, bad_s=60)
    requests = remaining(objective(), sums, 600)
    slices = remaining(objective(count=Count.SLICES), sums, 600)
    assert requests is not None
    assert slices is not None
    assert round(float(1 - requests), 1) == 2.2
    assert 1 - slices == 100
    mean_of_ratios = Fraction(sum([Fraction(0)] * 9, Fraction(20, 20)), 10) / Fraction("0.001")
    assert mean_of_ratios == 100


def test_a_month_is_measured_by_its_own_length() -> None:
    month = month_of(NOW, "UTC")
    made = window_report(objective("99.99", Count.SLICES), month_label(month), month.start, month.end, Sums(good_s=600))
    assert made.left_s == pytest.approx(4.464 * 60)
    assert made.label == "month 2025-01 UTC"
    assert made.end > NOW


def test_a_changed_target_counts_piece_by_piece() -> None:
    middle = NOW - timedelta(days=15)
    targets = [(NOW - timedelta(days=99), Decimal("0.999")), (middle, Decimal("0.9999"))]
    slo = objective("99.99", Count.SLICES)
    start = NOW - timedelta(days=30)
    made = window_report(slo, "rolling 30d", start, NOW, Sums(good_s=D30), targets)
    assert made.left_s == pytest.approx(23.76 * 60)


def test_too_few_events_and_nothing_known_say_so() -> None:
    few = rolling(objective(), total=900, bad=3, good_s=600)
    assert (few.left, few.left_s) == (None, None)
    assert few.why == "too few events: 900 requests allow 0.90 bad ones at 99.9 %"
    assert few.achieved == "99.666"
    idle = rolling(objective(), idle_s=600)
    assert idle.why == "too few events: 0 requests allow 0.00 bad ones at 99.9 %"
    assert idle.achieved == ""
    for count in Count:
        dark = rolling(objective(count=count), unknown_s=600)
        assert (dark.left, dark.why) == (None, "nothing is known of this time")
        assert (dark.achieved, dark.worst, dark.best) == ("", "", "")


def test_idle_time_is_good_time() -> None:
    made = rolling(objective("99.9", Count.SLICES), idle_s=999_000, bad_s=1_000)
    assert made.achieved == "99.900"


def test_exactly_at_the_target_reads_as_the_target_and_just_below_never_does() -> None:
    at = rolling(objective("99.95"), total=10_000_000, bad=5_000, good_s=D30)
    below = rolling(objective("99.95"), total=10_000_000, bad=5_010, good_s=D30)
    assert (at.achieved, below.achieved) == ("99.950", "99.949")
    assert rolling(objective("99.999"), total=10**9, bad=1, good_s=D30).achieved == "99.9999"


def test_unknown_time_spreads_what_was_achieved() -> None:
    slices = rolling(objective("99.9", Count.SLICES), good_s=900, bad_s=0, unknown_s=100)
    assert (slices.worst, slices.achieved, slices.best) == ("90.000", "100.000", "100.000")
    requests = rolling(objective(), total=9_000, bad=900, good_s=900, unknown_s=100)
    assert (requests.worst, requests.achieved, requests.best) == ("81.000", "90.000", "91.000")
    assert requests.left is not None


@given(
    st.builds(Sums, *(st.integers(0, 10**6) for _ in range(2)), *(st.integers(0, 10**6) for _ in range(4))),
    st.sampled_from(Count),
    st.sampled_from(["99", "99.9", "99.95", "99.999"]),
)
def test_what_was_achieved_lies_between_worst_and_best(sums: Sums, count: Count, target: str) -> None:
    sums = sums._replace(total=sums.total + sums.bad if sums.known_s else 0, bad=sums.bad if sums.known_s else 0)
    made = window_report(objective(target, count), "w", NOW - timedelta(days=30), NOW, sums)
    if made.achieved:
        assert Fraction(made.worst) <= Fraction(made.achieved) <= Fraction(made.best) <= 100
    if not sums.unknown_s:
        assert made.worst == made.achieved == made.best
    assert (made.left is None) == bool(made.why) == (made.left_s is None)


@given(st.integers(1, 10**7), st.data(), st.sampled_from(Count))
def test_one_more_bad_one_never_leaves_more(total: int, data: st.DataObject, count: Count) -> None:
    bad = data.draw(st.integers(0, total - 1))
    slo = objective(count=count)
    left = remaining(slo, Sums(total, bad, total - bad, 0, bad), D30)
    less = remaining(slo, Sums(total, bad + 1, total - bad - 1, 0, bad + 1), D30)
    assert (left is None) == (less is None)
    assert left is None or less is None or less < left


def test_a_budget_is_gone_at_the_burn_of_the_last_hour() -> None:
    full = Sums(total=10**6, bad=0, good_s=D30)
    assert gone_in_s(objective(), full, (10_000, 144)) == 50 * 3_600
    assert gone_in_s(objective(), full._replace(bad=500), (10_000, 144)) == 25 * 3_600
    assert gone_in_s(objective(), full, (10_000, 0)) is None
    assert gone_in_s(objective(), full, (0, 0)) is None
    assert gone_in_s(objective(), full._replace(bad=1_000), (10_000, 144)) is None


def test_a_budget_that_outlasts_its_window_is_never_gone() -> None:
    full = Sums(total=10**6, bad=0, good_s=D30)
    assert gone_in_s(objective(), full, (10_000, 10)) == D30, "a burn of 1 spends a whole budget in a window"
    assert gone_in_s(objective(), full, (10_000, 9)) is None
    assert gone_in_s(objective(), full._replace(bad=500), (10_000, 5)) == D30
    assert gone_in_s(objective(), full._replace(bad=500), (10_000, 4)) is None


@pytest.mark.parametrize(
    ("seconds", "shown"), [(30 * 86_400, "30d"), (3_600, "1h"), (90 * 60, "90m"), (45, "45s"), (7 * 86_400, "7d")]
)
def test_windows_are_labelled(seconds: float, shown: str) -> None:
    assert rolling_label(seconds) == f"rolling {shown}"
