"""Multi-window burn alarms: factors scaled to the window, strict, silent without traffic."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.slo import burn
from pipeline.slo.report import Alarm
from pipeline.slo.rules import Objective

HOUR, DAY = 3_600, 86_400


def objective(target: str = "99.9", days: float = 30) -> Objective:
    return Objective(target=Decimal(target) / 100, window_s=days * DAY)


def always(total: int, bad: int) -> Callable[[float], tuple[int, int]]:
    return lambda _: (total, bad)


@pytest.mark.parametrize(
    ("days", "factors"),
    [
        (30, ["14.4", "6", "3", "1"]),
        (28, ["13.44", "5.6", "2.8", Fraction(14, 15)]),
        (31, ["14.88", "6.2", "3.1", Fraction(31, 30)]),
        (90, ["43.2", "18", "9", "3"]),
    ],
)
def test_the_factors_of_a_window(days: int, factors: list[str | Fraction]) -> None:
    made = burn.pairs(days * DAY)
    assert [pair.factor for pair in made] == [Fraction(factor) for factor in factors]
    assert [pair.long_s for pair in made] == [HOUR, 6 * HOUR, DAY, 3 * DAY]
    assert [pair.short_s for pair in made] == [300, 1_800, 7_200, 21_600]
    assert [pair.alarm for pair in made] == [Alarm.PAGE, Alarm.PAGE, Alarm.TICKET, Alarm.TICKET]


@pytest.mark.parametrize(
    ("share", "long_s", "factor"),
    [("0.08", HOUR, "13.44"), ("0.125", 6 * HOUR, "3.5"), ("0.2", DAY, "1.4"), ("0.42", 3 * DAY, "0.98")],
)
def test_any_share_of_a_week_has_its_factor(share: str, long_s: int, factor: str) -> None:
    assert burn.factor_of(Fraction(share), 7 * DAY, long_s) == Fraction(factor)


def test_a_short_window_keeps_the_factors_and_shrinks_what_it_looks_at() -> None:
    made = burn.pairs(7.0 * DAY)
    assert [pair.factor for pair in made] == [Fraction("14.4"), 6, 3, 1]
    assert [pair.long_s for pair in made] == [840, 5_040, 20_160, 60_480]
    assert [pair.short_s for pair in made] == [70, 420, 1_680, 5_040]


@given(st.integers(1, 400 * DAY))
def test_a_pair_spends_the_same_part_of_every_budget(window_s: int) -> None:
    spent = [pair.factor * pair.long_s / window_s for pair in burn.pairs(window_s)]
    assert spent == [Fraction(2, 100), Fraction(5, 100), Fraction(10, 100), Fraction(10, 100)]


def test_at_the_threshold_nothing_fires_and_just_above_it_does() -> None:
    at = burn.burn_pairs(objective(), always(1_000_000, 14_400))
    above = burn.burn_pairs(objective(), always(1_000_000, 14_401))
    assert [pair.fires for pair in at] == [False, True, True, True]
    assert [pair.fires for pair in above] == [True] * 4
    assert at[0].long == at[0].short == at[0].factor == 14.4
    for still_long in (True, False):
        one = burn.burn_pairs(
            objective(), lambda span, still=still_long: (10_000, 144 if (span >= HOUR) == still else 145)
        )
        assert not one[0].fires, "each of the two must be above"


def test_both_windows_must_burn() -> None:
    over = burn.burn_pairs(objective(), lambda span: (1_000, 500 if span >= HOUR else 0))
    assert [pair.fires for pair in over] == [False, False, True, True], "the trouble is over: 5 and 30 minutes are calm"
    new = burn.burn_pairs(objective(), lambda span: (1_000, 0 if span >= HOUR else 500))
    assert [pair.fires for pair in new] == [False] * 4


def test_without_traffic_nothing_fires_and_nothing_is_nought() -> None:
    silent = burn.burn_pairs(objective(), always(0, 0))
    assert [(pair.long, pair.short, pair.fires) for pair in silent] == [(None, None, False)] * 4
    assert burn.alarm(silent) is None
    assert burn.burn(0, 0, objective()) is None
    assert burn.burn(1_000, 1, objective()) == 1.0


def test_the_most_urgent_alarm_is_told() -> None:
    assert burn.alarm(burn.burn_pairs(objective(), always(1_000, 7))) is Alarm.PAGE
    assert burn.alarm(burn.burn_pairs(objective(), always(1_000, 4))) is Alarm.TICKET
    assert burn.alarm(burn.burn_pairs(objective(), always(1_000, 1))) is None


def test_less_than_one_slice_is_never_asked_for() -> None:
    asked: list[float] = []
    burn.burn_pairs(Objective(window_s=3_600.0, slice_s=5), lambda span: (asked.append(span), (0, 0))[1])
    assert asked == [5.0, 5, 30.0, 5, 120.0, 10.0, 360.0, 30.0]


def test_a_target_of_93_05_or_less_can_never_fire_14_4() -> None:
    assert [pair.factor for pair in burn.never_fire(Decimal("0.9305"), 30 * DAY)] == [Fraction("14.4")]
    assert burn.never_fire(Decimal("0.9306"), 30 * DAY) == ()
    assert len(burn.never_fire(Decimal("0.90"), 30 * DAY)) == 1, "it burns 10 times too fast at most"
    assert [pair.factor for pair in burn.never_fire(Decimal("0.90"), 50 * DAY)] == [24, 10], "at is not above"
    assert len(burn.never_fire(Decimal("0.50"), 30 * DAY)) == 3


@given(st.integers(1, 9_999), st.integers(0, 10_000))
def test_what_can_never_fire_does_not(per_myriad: int, bad: int) -> None:
    slo = Objective(target=Decimal(per_myriad) / 10_000)
    silent = {pair.factor for pair in burn.never_fire(slo.target, slo.window_s)}
    all_bad = burn.burn_pairs(slo, always(10_000, 10_000))
    usual = burn.pairs(slo.window_s)
    assert [pair.fires for pair in all_bad] == [pair.factor not in silent for pair in usual]
    some = burn.burn_pairs(slo, always(10_000, bad))
    assert all(full.fires for full, part in zip(all_bad, some, strict=True) if part.fires)


def outage(seconds: Fraction | int, errors: Fraction | int = 1, ago: int = 0) -> list[bool]:
    """Which pairs fire of a service with a request a millisecond that failed for so long, and was well `ago` since."""

    def sums(span: float) -> tuple[int, int]:
        bad = max(min(Fraction(span) - ago, Fraction(seconds)), Fraction(0)) * errors
        return round(span * 1_000), round(bad * 1_000)

    return [pair.fires for pair in burn.burn_pairs(objective(), sums)]


@pytest.mark.parametrize(("errors", "seconds"), [(Fraction(1), "51.84"), (Fraction(1, 10), "518.4")])
def test_how_long_errors_last_until_the_page(errors: Fraction, seconds: str) -> None:
    assert not outage(Fraction(seconds), errors)[0]
    assert outage(Fraction(seconds) + Fraction(1, 10), errors)[0]


def test_one_per_cent_of_errors_never_pages_at_14_4() -> None:
    assert not outage(10 * DAY, Fraction(1, 100))[0]


def test_at_four_nines_a_full_outage_pages_after_5_184_seconds() -> None:
    four = Objective(target=Decimal("0.9999"), window_s=30.0 * DAY)

    def sums(bad_ms: int) -> bool:
        return burn.burn_pairs(four, lambda span: (round(span * 1_000), bad_ms))[0].fires

    assert (sums(5_184), sums(5_185)) == (False, True)


def test_the_page_of_a_full_outage_clears_295_68_s_after_its_end() -> None:
    assert outage(HOUR, ago=295)[0]
    assert not outage(HOUR, ago=296)[0]
