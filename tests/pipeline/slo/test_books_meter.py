"""Ticks become slices: whole, aligned, none counted twice or lost, none made up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.measured.telemetry import Telemetry
from pipeline.model import BudgetRules, Host, Pool, Rules, Service
from pipeline.observed import HostFault
from pipeline.signals import Histogram, Reading, Sample
from pipeline.slo.meter import Meter, counted
from pipeline.slo.rules import Kind, Objective
from pipeline.slo.slices import Slice

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SLOW = Objective("quick", Kind.LATENCY, Decimal("0.9"), slice_s=60, of="latency", over_s=0.3)


class Shop:
    """A service's hosts as a controller reads them, its clocks moved by hand."""

    def __init__(self, slice_s: int = 60, production: int = 2, **rules: object) -> None:
        hosts = [Host(f"web-{n}", f"10.0.0.{n}:80", Pool.PRODUCTION, "fra1") for n in range(production)]
        hosts.append(Host("stg-0", "10.0.1.0:80", Pool.STAGING, "fra1"))
        # Readings are not judged here: they may be a minute apart.
        budget = BudgetRules(slice_s=slice_s)
        its = replace(Rules(), budget=budget, **rules)  # type: ignore[arg-type]
        self.service = Service("shop", tuple(hosts), "r1", rules=its)
        self.telemetry = Telemetry(self.service, 5.0)
        self.meter = Meter(self.service)
        self.now, self.now_s = START, 1_000.0
        self.total = dict.fromkeys((host.name for host in hosts), 0.0)
        self.bad = dict(self.total)
        self.buckets: tuple[float, ...] | None = None

    def tick(self, seconds: float = 5.0, total: float = 0.0, bad: float = 0.0, *, lost: tuple[str, ...] = ()) -> None:
        """A tick later: each host has had so many requests more; `lost` ones do not answer."""
        self.now += timedelta(seconds=seconds)
        self.now_s += seconds
        readings: dict[str, Reading | HostFault] = {}
        for name in self.total:
            self.total[name] += total
            self.bad[name] += bad
            histograms = {} if self.buckets is None else {"latency": Histogram((0.25, 0.5, float("inf")), self.buckets)}
            counters = {"requests": self.total[name], "errors": self.bad[name]}
            answer: Reading | HostFault = Reading(self.now_s, counters, histograms=histograms)
            readings[name] = HostFault(name, "no answer") if name in lost or "all" in lost else answer
        self.telemetry.observe(self.now_s, {}, readings)
        self.meter.take(self.telemetry, self.now)

    def closed(self, slo: str = "availability") -> list[tuple[float, int, int]]:
        """(seconds from the start, total, bad)."""
        found = [one for one in self.meter.closed if one.slo == slo]
        return [((one.start - START).total_seconds(), one.total, one.bad) for one in found]


def test_a_slice_is_closed_with_the_tick_that_sees_its_end_and_staging_is_not_in_it() -> None:
    shop = Shop()
    shop.tick()
    for _ in range(11):
        shop.tick(5.0, 10, 1)
    # Two production hosts, eleven ticks; the first five seconds were not seen.
    assert shop.closed() == [(0, 220, 22)]
    assert not shop.meter.closed[0].down


def test_a_tick_over_an_edge_is_shared_by_time_and_no_request_is_lost_to_rounding() -> None:
    shop = Shop(slice_s=10, production=1)
    shop.tick(0.0)
    for _ in range(8):
        shop.tick(7.5, 1)
    assert [total for _, total, _ in shop.closed()] == [1, 2, 1, 1, 2, 1]
    assert sum(total for _, total, _ in shop.closed()) == 8


def test_a_slice_of_which_less_than_half_was_seen_is_none_at_all() -> None:
    shop = Shop()
    shop.tick(0.0)
    shop.tick(25.0, 100)
    for _ in range(20):
        shop.tick(5.0, 100, lost=("all",))
    assert shop.closed() == []
    shop.tick(5.0, 0)
    for _ in range(12):
        shop.tick(5.0, 1)
    # It goes on where it is seen again.
    assert [begin for begin, _, _ in shop.closed()] == [120]


def test_one_host_that_does_not_answer_hides_nothing_of_the_others() -> None:
    shop = Shop()
    shop.tick(0.0)
    for _ in range(12):
        shop.tick(5.0, 10, lost=("web-1",))
    assert shop.closed() == [(0, 120, 0)]


def test_down_is_more_than_half_and_idle_is_known() -> None:
    shop = Shop()
    shop.tick(0.0)
    for bad in (5, 6, 0):
        for _ in range(12):
            shop.tick(5.0, 10 if bad else 0, bad)
    assert [(one.total, one.bad, one.down) for one in shop.meter.closed] == [
        (240, 120, False),
        (240, 144, True),
        (0, 0, False),
    ]


def test_what_the_history_refuses_is_told_again_and_what_it_took_is_not() -> None:
    shop = Shop()
    shop.tick(0.0)
    for _ in range(24):
        shop.tick(5.0, 10)
    first, second = shop.meter.closed
    shop.meter.kept([first])
    assert shop.meter.closed == [second]
    # Equal is not the same: each is taken off once.
    shop.meter.kept([replace(second)])
    assert shop.meter.closed == [second]


def test_while_a_clock_that_went_back_catches_up_what_is_seen_goes_to_the_newest_slice() -> None:
    shop = Shop()
    shop.tick(0.0)
    for _ in range(10):
        shop.tick(5.0, 10)
    shop.now -= timedelta(hours=1)
    for _ in range(14):
        shop.tick(5.0, 10)
    # A minute's worth at a time: the history adds them up.
    assert shop.closed() == [(0, 240, 0), (0, 240, 0)]
    shop.meter.closed.clear()
    for _ in range(12 * 60):
        shop.tick(5.0, 10)
    assert {begin for begin, _, _ in shop.closed()} == {0, 60}
    assert sum(total for _, total, _ in shop.closed()) == 12 * 60 * 20


def test_a_clock_that_was_wrong_by_days_is_followed_back() -> None:
    shop = Shop()
    shop.tick(0.0)
    for _ in range(10):
        shop.tick(5.0, 10)
    shop.now -= timedelta(days=2)
    for _ in range(14):
        shop.tick(5.0, 10)
    # Of the minute that it came back into too little was seen.
    assert shop.closed() == [(0, 200, 0), (60 - 2 * 86_400, 240, 0)]


def test_a_clock_that_leaps_leaves_unknown_time_behind() -> None:
    shop = Shop()
    shop.tick(0.0)
    for _ in range(12):
        shop.tick(5.0, 10)
    shop.now += timedelta(hours=1)
    for _ in range(13):
        shop.tick(5.0, 10)
    assert [begin for begin, _, _ in shop.closed()] == [0, 3_660]


def test_latency_is_counted_beside_availability_where_the_histogram_says_so() -> None:
    shop = Shop(slos=(SLOW,))
    shop.buckets = (0.0, 0.0, 0.0)
    shop.tick(0.0)
    for at in range(12):
        # At most 0.25 s, 0.5 s, all: cumulative.
        shop.buckets = (5.0 * (at + 1), 8.0 * (at + 1), 10.0 * (at + 1))
        shop.tick(5.0, 10)
    assert shop.closed("quick") == [(0, 240, 48)]
    assert shop.closed() == [(0, 240, 0)]
    shop.buckets = None
    for _ in range(12):
        shop.tick(5.0, 10)
    assert len(shop.closed("quick")) == 1
    assert len(shop.closed()) == 2


@pytest.mark.parametrize(("over_s", "bad"), [(0.05, 8), (0.1, 8), (0.11, 5), (0.5, 5), (0.51, None), (9.0, None)])
def test_slow_is_beyond_the_first_bound_at_or_above_the_threshold_and_unknown_without_one(
    over_s: float, bad: int | None
) -> None:
    sample = Sample(1.0, histograms={"latency": Histogram((0.1, 0.5, float("inf")), (2.0, 3.0, 5.0))})
    told = counted(replace(SLOW, over_s=over_s), sample)
    assert told == (None if bad is None else (10, bad))


@given(
    st.lists(st.tuples(st.floats(0.5, 25.0), st.integers(0, 50), st.integers(0, 60)), min_size=5, max_size=80),
    st.sampled_from([1, 5, 10, 60]),
)
def test_whatever_the_ticks_every_request_is_in_one_aligned_slice(
    ticks: list[tuple[float, int, int]], slice_s: int
) -> None:
    shop = Shop(slice_s=slice_s, production=1)
    shop.tick(0.0)
    for seconds, total, bad in ticks:
        shop.tick(seconds, total, min(bad, total))
    end = shop.now
    # Until every slice that was begun is over.
    while shop.now <= end + timedelta(seconds=slice_s):
        shop.tick(0.5)
    closed: list[Slice] = shop.meter.closed
    assert sum(one.total for one in closed) == shop.total["web-0"]
    assert sum(one.bad for one in closed) <= shop.bad["web-0"]
    assert sum(one.bad for one in closed) >= shop.bad["web-0"] - 1
    starts = [int(one.start.timestamp()) for one in closed]
    assert starts == list(range(starts[0], starts[0] + slice_s * len(starts), slice_s))
    assert starts[0] % slice_s == 0
    assert all(0 <= one.bad <= one.total for one in closed)
