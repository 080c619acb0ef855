import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import MetricKind, MetricRule
from pipeline.signals import Histogram, Reading, Sample, above, between, pool, quantile, value

INF = float("inf")
counts = st.lists(st.integers(0, 10_000), min_size=3, max_size=3)


def reading(at_s: float, requests: float, buckets: tuple[float, ...] = (0.0, 0.0, 0.0)) -> Reading:
    return Reading(at_s, {"requests": requests}, {}, {"latency": Histogram((0.1, 1.0, INF), buckets)})


def test_a_counter_that_fell_was_reset_and_its_new_value_is_the_increase() -> None:
    values = [100.0, 160.0, 20.0, 80.0]
    increases = [
        sample.counters["requests"]
        for at, (a, b) in enumerate(pairwise(values))
        if (sample := between(reading(at, a), reading(at + 1, b))) is not None
    ]
    assert sum(increases) == 140


def test_a_counter_seen_for_the_first_time_has_no_known_increase() -> None:
    sample = between(Reading(1.0, {}), Reading(2.0, {"requests": 50.0}))
    assert sample is not None
    assert "requests" not in sample.counters


def test_no_time_between_two_readings_is_no_sample() -> None:
    assert between(reading(1, 5), reading(1, 9)) is None


@given(counts, counts)
def test_histogram_increases_are_never_negative_resets_or_not(was: list[int], now: list[int]) -> None:
    old = tuple(float(sum(was[: at + 1])) for at in range(3))
    new = tuple(float(sum(now[: at + 1])) for at in range(3))
    sample = between(reading(0, 0, old), reading(1, 0, new))
    assert sample is not None
    increase = sample.histograms["latency"].counts
    assert all(count >= 0 for count in increase) or any(n < w for n, w in zip(new, old, strict=True)) is False
    if any(n < w for n, w in zip(new, old, strict=True)):
        assert sum(increase) == new[-1]


def test_changed_edges_count_as_a_reset() -> None:
    before = Reading(0, {}, {}, {"latency": Histogram((0.5, INF), (5.0, 9.0))})
    sample = between(before, reading(1, 0, (1.0, 2.0, 3.0)))
    assert sample is not None
    assert sample.histograms["latency"].counts == (1.0, 1.0, 1.0)


def test_pooled_counts_add_up_and_gauges_are_means() -> None:
    one = Sample(10.0, {"requests": 5.0}, {"memory": 1.0}, {"latency": Histogram((1.0, INF), (4.0, 1.0))})
    two = Sample(10.0, {"requests": 7.0}, {"memory": 3.0}, {"latency": Histogram((1.0, INF), (6.0, 1.0))})
    both = pool([one, two])
    assert both.host_s == 20
    assert both.counters["requests"] == 12
    assert both.gauges["memory"] == 2
    assert both.histograms["latency"].counts == (10.0, 2.0)


@given(st.lists(st.floats(0.001, 5), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99]))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(times: list[float], q: float) -> None:
    edges = (0.05, 0.1, 0.5, 1.0, 5.0, INF)
    buckets = [0.0] * len(edges)
    for time in times:
        buckets[next(at for at, edge in enumerate(edges) if time <= edge)] += 1
    found = quantile(Histogram(edges, tuple(buckets)), q)
    true = sorted(times)[max(math.ceil(q * len(times)) - 1, 0)]
    at = next(at for at, edge in enumerate(edges) if true <= edge)
    assert found is not None
    assert (edges[at - 1] if at else 0.0) <= found <= edges[at]


def test_an_empty_histogram_has_no_quantile_and_nothing_served_has_no_ratio() -> None:
    assert quantile(Histogram((1.0, INF), (0.0, 0.0)), 0.99) is None
    ratio = MetricRule("errors", "errors", MetricKind.RATIO, bad="errors", total="requests")
    assert value(ratio, Sample(10.0, {"requests": 0.0, "errors": 0.0})) is None
    assert value(ratio, Sample()) is None


@pytest.mark.parametrize(("edge", "slow", "at"), [(0.1, 3.0, 0.1), (0.2, 1.0, 1.0), (9.0, 0.0, INF)])
def test_what_is_above_an_edge_is_counted_from_the_next_bucket_bound(edge: float, slow: float, at: float) -> None:
    assert above(Histogram((0.1, 1.0, INF), (5.0, 2.0, 1.0)), edge) == (slow, at)
