"""Exact bounds of a rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rehearsal.binomial import at_most, bound, interval, tries_for


@pytest.mark.parametrize(
    ("found", "of", "low", "high"),
    [(0, 150, 0.0, 0.02429), (2, 450, 0.000539, 0.015962), (5, 10, 0.187086, 0.812914), (10, 10, 0.691503, 1.0)],
)
def test_known_intervals_come_out(found: int, of: int, low: float, high: float) -> None:
    assert interval(found, of) == pytest.approx((low, high), abs=1e-5)


def test_nothing_tried_says_nothing() -> None:
    assert interval(0, 0) == (0.0, 1.0)


@given(st.integers(1, 300), st.data())
def test_at_the_ends_what_was_seen_is_just_as_unlikely_as_asked(of: int, data: st.DataObject) -> None:
    found = data.draw(st.integers(0, of))
    low, high = interval(found, of, 0.9)
    assert low <= found / of <= high
    if found < of:
        assert at_most(found, of, high) == pytest.approx(0.05, abs=1e-6)
    if found > 0:
        assert 1 - at_most(found - 1, of, low) == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(("found", "of"), [(-1, 3), (4, 3), (0, -1)])
def test_more_than_all_or_fewer_than_none_is_refused(found: int, of: int) -> None:
    with pytest.raises(ValueError, match=f"{found} of {of}"):
        interval(found, of)


@given(st.floats(0.002, 0.5), st.integers(0, 5))
def test_the_tries_asked_for_are_enough_and_one_fewer_is_not(rate: float, found: int) -> None:
    tries = tries_for(rate, found)
    assert bound(found, tries) <= rate
    assert tries - 1 <= found or bound(found, tries - 1) > rate
