"""The day's shape, and arrivals that follow it."""

from collections import Counter
from itertools import pairwise, takewhile
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.demo.day import arrivals, shape

DAY_S = 60.0


@given(st.floats(0.0, 3 * DAY_S))
def test_the_rate_never_leaves_nought_to_one(at_s: float) -> None:
    assert 0.2 < shape(at_s, DAY_S) <= 1.0 + 1e-12


def test_each_day_reaches_its_peak_twice_and_is_quietest_at_midnight() -> None:
    rates = [shape(at / 100 * DAY_S, DAY_S) for at in range(100)]
    peaks = [at for at in range(1, 99) if rates[at - 1] < rates[at] >= rates[at + 1]]
    assert len(peaks) == 2
    assert max(rates) == pytest.approx(1.0, abs=1e-3)
    assert min(rates) == rates[0] == pytest.approx(0.24, abs=0.01)


def test_arrivals_come_in_order_as_many_as_the_day_says_and_each_service_gets_its_share() -> None:
    peak_rps = {"cart": 60.0, "search": 20.0}
    day = list(takewhile(lambda arrival: arrival[0] < DAY_S, arrivals(peak_rps, DAY_S, 0.0, Random(3))))
    assert all(before[0] <= after[0] for before, after in pairwise(day))
    expected = 80.0 * sum(shape(at + 0.5, DAY_S) for at in range(round(DAY_S)))
    assert len(day) == pytest.approx(expected, abs=4 * expected**0.5)
    counts = Counter(service for _, service in day)
    assert counts["cart"] / counts["search"] == pytest.approx(3.0, rel=0.15)
    night = sum(1 for at, _ in day if at < DAY_S / 10)
    evening = sum(1 for at, _ in day if 0.6 * DAY_S <= at < 0.7 * DAY_S)
    assert evening > 2 * night


def test_the_same_seed_brings_the_same_day() -> None:
    first, second = (arrivals({"cart": 10.0}, DAY_S, 5.0, Random(9)) for _ in range(2))
    assert [next(first) for _ in range(50)] == [next(second) for _ in range(50)]
