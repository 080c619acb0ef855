"""What a judge reads off histograms."""

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.judge.quantities import read_off
from pipeline.signals import Histogram, quantile

EDGES = (0.05, 0.1, 0.25, 1.0, math.inf)


@given(st.lists(st.integers(0, 500), min_size=5, max_size=5), st.floats(0.001, 0.999))
def test_a_quantile_read_off_cumulative_counts_is_that_of_the_counts(counts: list[int], q: float) -> None:
    each = tuple(map(float, counts))
    found, wanted = read_off(q, EDGES, tuple(accumulate(each))), quantile(Histogram(EDGES, each), q)
    assert found == (wanted if wanted is None else pytest.approx(wanted, rel=1e-12))


def test_nothing_counted_has_no_quantile() -> None:
    assert read_off(0.5, (), ()) is None
    assert read_off(0.5, EDGES, (0.0,) * 5) is None
