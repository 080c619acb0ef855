"""What targets allow: every number is exact, and none of them is a float."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.slo import quota

DAY = 86_400
D30 = 30 * DAY
MINUTES = {
    "99": "403.2 417.6 432 446.4 438 100.8 1296",
    "99.5": "201.6 208.8 216 223.2 219 50.4 648",
    "99.9": "40.32 41.76 43.2 44.64 43.8 10.08 129.6",
    "99.95": "20.16 20.88 21.6 22.32 21.9 5.04 64.8",
    "99.99": "4.032 4.176 4.32 4.464 4.38 1.008 12.96",
    "99.999": "0.4032 0.4176 0.432 0.4464 0.438 0.1008 1.296",
}
WINDOWS_S = (28 * DAY, 29 * DAY, 30 * DAY, 31 * DAY, quota.NOMINAL_MONTH_S, 7 * DAY, 90 * DAY)
TABLE = [
    (target, window_s, minutes)
    for target, row in MINUTES.items()
    for window_s, minutes in zip(WINDOWS_S, row.split(), strict=True)
]


@pytest.mark.parametrize(("target", "window_s", "minutes"), TABLE)
def test_a_window_allows_exactly_so_many_minutes(target: str, window_s: int, minutes: str) -> None:
    assert quota.budget_s(Decimal(target) / 100, window_s) == Decimal(minutes) * 60
    assert quota.budget_s(Decimal(target) / 100, float(window_s)) == Decimal(minutes) * 60


def test_the_nominal_month_is_a_twelfth_of_365_days_and_its_quota_has_no_dust() -> None:
    assert quota.NOMINAL_MONTH_S == Fraction(365 * DAY, 12) == 2_628_000
    assert quota.quota_s(Decimal("0.9999")) == Decimal("262.8")
    assert (1 - 0.9999) * quota.NOMINAL_MONTH_S != 262.8, "why there are no floats here"
    assert quota.quota_s(Decimal("0.99999")) == Decimal("26.28")
    assert quota.budget_s(Decimal("0.9999"), Decimal("30.44") * DAY) / 60 == Decimal("4.38336")
    assert quota.budget_s(Decimal("0.9999"), Decimal("30.4375") * DAY) / 60 == Decimal("4.383")
    assert quota.budget_s(Decimal("0.9999"), D30) == Decimal("259.2"), "4 min 19.2 s"


@pytest.mark.parametrize("said", ["99.99", "99.95", "90", "99.90", "99.999"])
def test_a_target_is_shown_with_the_digits_that_it_has(said: str) -> None:
    assert quota.show_target(Decimal(said).scaleb(-2)) == said


@pytest.mark.parametrize("ratio", ["0", "1", "1.5", "-0.1", "NaN"])
def test_a_ratio_outside_of_nought_to_one_has_no_budget(ratio: str) -> None:
    with pytest.raises(ValueError, match="give a ratio"):
        quota.error_ratio(Decimal(ratio))


@pytest.mark.parametrize(
    ("target", "places"), [("99", 3), ("99.9", 3), ("99.95", 3), ("99.990", 3), ("99.999", 4), ("99.9995", 5)]
)
def test_one_digit_more_is_shown_than_the_target_has(target: str, places: int) -> None:
    assert quota.decimals(Decimal(target) / 100) == places


@pytest.mark.parametrize(
    ("part", "whole", "places", "shown"),
    [
        (Fraction("99.9499"), 100, 3, "99.949"),
        (Fraction("99.9999999"), 100, 3, "99.999"),
        (999_990, 1_000_000, 4, "99.9990"),
        (1, 1, 3, "100.000"),
        (0, 5, 3, "0.000"),
        (1, 3, 0, "33"),
        (-1, 3, 2, "-33.33"),
        (-1, 300_000, 2, "0.00"),
        (0, 0, 3, ""),
    ],
)
def test_what_is_shown_is_cut_off(part: int | Fraction, whole: int, places: int, shown: str) -> None:
    assert quota.truncated(part, whole, places) == shown


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(1, 6))
def test_what_is_shown_never_reads_better_than_it_is(part: int, whole: int, places: int) -> None:
    shown = Fraction(quota.truncated(part, whole, places))
    assert 0 <= Fraction(part, whole) * 100 - shown < Fraction(1, 10**places)


def test_burn_is_the_error_ratio_over_what_is_allowed_and_unknown_without_traffic() -> None:
    assert quota.burn(10_000, 144, Decimal("0.999")) == Fraction("14.4")
    assert quota.burn(100, 0, Decimal("0.999")) == 0
    assert quota.burn(0, 0, Decimal("0.999")) is None
    assert quota.burn(7, 7, Decimal("0.9")) == 10, "1 / e is the fastest there is"


@pytest.mark.parametrize(
    ("left", "factor", "hours"),
    [("1", "14.4", 50), ("1", "6", 5 * 24), ("1", "3", 10 * 24), ("1", "1", 30 * 24), ("0.5", "14.4", 25)],
)
def test_a_30_day_budget_is_gone_in(left: str, factor: str, hours: int) -> None:
    assert quota.exhaustion_s(Fraction(left), D30, Fraction(factor)) == hours * 3_600


@pytest.mark.parametrize(("left", "rate"), [("1", "0"), ("0", "5"), ("-1.78", "5"), (None, "1"), ("1", None)])
def test_nothing_is_gone_in_where_it_is_not_spent_or_is_or_is_unknown(left: str | None, rate: str | None) -> None:
    remaining = None if left is None else Fraction(left)
    assert quota.exhaustion_s(remaining, D30, None if rate is None else Fraction(rate)) is None


@pytest.mark.parametrize(("target", "ratio"), [("0.999", "0.0144"), ("0.9999", "0.00144")])
def test_the_error_ratio_of_a_burn_of_14_4(target: str, ratio: str) -> None:
    assert quota.threshold_ratio(Decimal("14.4"), Decimal(target)) == Fraction(ratio)


def test_a_human_cannot_save_a_month_of_four_nines() -> None:
    assert divmod(quota.quota_s(Decimal("0.9999")), 60) == (4, Decimal("22.8"))


@pytest.mark.parametrize(
    ("share", "errors", "seconds", "target", "per_cent"),
    [("0.05", "0.2", 1_800, "0.999", "0.69"), ("0.1", "1", 300, "0.9999", "11.57")],
)
def test_what_a_canary_costs_of_30_days(share: str, errors: str, seconds: int, target: str, per_cent: str) -> None:
    spent = Fraction(share) * Fraction(errors) * seconds / Fraction(quota.budget_s(Decimal(target), D30))
    assert quota.truncated(spent, 1, 2) == per_cent


def test_twelve_minutes_at_99_99_are_what_83_days_and_8_hours_allow() -> None:
    allowed = quota.error_ratio(Decimal("0.9999"))
    span = Fraction(720) / Fraction(allowed)
    assert span == 120_000 * 60 == (83 * 24 + 8) * 3_600
    assert quota.truncated(span / quota.NOMINAL_MONTH_S, 100, 4) == "2.7397"
    assert quota.budget_s(Decimal("0.9999"), span) == 720


def test_one_minute_is_a_large_part_of_the_quota_of_four_nines() -> None:
    assert quota.truncated(60, Fraction(quota.quota_s(Decimal("0.9999"))), 0) == "22", "of 262.8 s"
