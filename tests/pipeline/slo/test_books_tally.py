"""What a tally says is what its slices say, however it came by them: a restart changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.history.sqlite import SqliteHistory
from pipeline.docket import Correction, CorrectionKind
from pipeline.model import BudgetRules, Host, JudgeRules, Pool, Rules, Service
from pipeline.ports import Changes
from pipeline.slo.rebuilt import rebuilt
from pipeline.slo.rings import HOUR_S, Counts, Ring, width
from pipeline.slo.rules import Count, Kind, Objective, PaybackRules
from pipeline.slo.slices import Slice
from pipeline.slo.tally import Tally
from tests.pipeline.memory_books import MemoryBooks

START = datetime(2026, 1, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def shop(slice_s: int = 60, target: str = "0.999", window_s: float = 30 * 86_400.0, **more: object) -> Service:
    budget = BudgetRules(Decimal(target), window_s, slice_s=slice_s)
    quick = Objective("quick", Kind.LATENCY, Decimal("0.95"), Count.SLICES, window_s, slice_s, of="latency", over_s=0.3)
    payback = PaybackRules(timezone="Asia/Kolkata")
    rules = replace(Rules(), budget=budget, slos=(quick,), payback=payback, judge=JudgeRules(stale_s=30), **more)  # type: ignore[arg-type]
    return Service("shop", (Host("web-1", "10.0.0.1:80", Pool.PRODUCTION, "fra1"),), "r1", rules=rules)


def piece(at: datetime, bad: int = 0, total: int = 100, length_s: int = 60, slo: str = "availability") -> Slice:
    return Slice("shop", at, total, bad, slo, False, length_s, 2 * bad > total)


def run_through(service: Service, slices: Sequence[Slice]) -> Tally:
    tally = Tally(service)
    for one in slices:
        assert tally.add(one)
    return tally


def kept(slices: Sequence[Slice]) -> MemoryBooks:
    books = MemoryBooks()
    books.keep_books(Changes(slices=tuple(slices)))
    return books


def correction(
    start: datetime, end: datetime, kind: CorrectionKind = CorrectionKind.EXCLUDE, number: int = 1
) -> Correction:
    when = end + timedelta(hours=1)
    return Correction(
        f"fix-{number}", "shop", start, end, kind, "ana", 1, when, "the provider's", "ticket", "ben", when
    )


def test_every_window_is_the_sum_of_its_slices() -> None:
    service, rng = shop(), Random(1)
    slices = [piece(START + timedelta(minutes=at), rng.choice((0, 0, 0, 1, 60))) for at in range(3 * 1_440)]
    now = slices[-1].start + timedelta(seconds=63)
    report = run_through(service, slices).report(now)
    slo = report.slos[0]
    assert (slo.rolling.total, slo.rolling.bad) == (sum(s.total for s in slices), sum(s.bad for s in slices))
    assert (slo.rolling.good_s + slo.rolling.bad_s, slo.rolling.bad_s) == (3 * 86_400, 60 * sum(s.down for s in slices))
    assert slo.rolling.unknown_s == slo.month.unknown_s == 0
    assert (slo.month.label, slo.month.start) == (
        "month 2026-01 Asia/Kolkata",
        datetime(2025, 12, 31, 18, 30, tzinfo=UTC),
    )
    hour = [one for one in slices if one.start >= now - timedelta(seconds=3_603)]
    assert slo.burn_1h == pytest.approx(sum(s.bad for s in hour) / sum(s.total for s in hour) / 0.001)
    for pair in slo.burn:
        for span_s, told in ((pair.long_s, pair.long), (pair.short_s, pair.short)):
            # From the bucket that the window begins in: a 24th of it more, at most.
            most = max(span_s / 24, 60) + 63
            exact = [s.bad for s in slices if s.start >= now - timedelta(seconds=span_s)]
            more = [s.bad for s in slices if s.start >= now - timedelta(seconds=span_s + most)]
            assert told is not None
            assert sum(exact) <= told * 0.001 * 100 * len(more) * 1.0001
            assert told * 0.001 * 100 * len(exact) <= sum(more) * 1.0001
    assert (slo.coverage, slo.silent_s) == (1.0, 3.0)
    assert report.slos[1].rolling.why == "nothing is known of this time"
    assert report.slos[1].coverage is None
    assert report.slos[1].silent_s is None


def test_gaps_are_unknown_and_the_time_before_the_first_slice_is_none() -> None:
    minutes = [at for at in range(600) if not 100 <= at < 160]
    tally = run_through(shop(), [piece(START + timedelta(minutes=at)) for at in minutes])
    slo = tally.report(START + timedelta(minutes=600, seconds=1)).slos[0]
    assert slo.rolling.unknown_s == slo.month.unknown_s == 3_600
    assert slo.coverage == 0.9
    assert [pair.known_s for pair in slo.burn][:3] == [3_600, 21_600, 32_400]
    assert (slo.slice_s, slo.bad_of(slo.rolling)) == (60, (0, slo.rolling.total, "requests"))
    # Nothing comes any more: after a slice and what makes a reading stale, time goes by unknown.
    slo = tally.report(START + timedelta(minutes=610, seconds=1)).slos[0]
    assert slo.rolling.unknown_s == 3_600 + 8 * 60
    assert slo.silent_s == 601


def test_a_new_month_begins_empty_at_its_local_midnight_and_the_rolling_window_goes_on() -> None:
    midnight = datetime(2026, 1, 31, 18, 30, tzinfo=UTC)
    slices = [piece(midnight + timedelta(minutes=at), 1) for at in range(-120, 120)]
    tally = run_through(shop(), slices[:125])
    assert tally.report(midnight + timedelta(minutes=5)).slos[0].month.total == 500
    tally = run_through(shop(), slices)
    report = tally.report(midnight + timedelta(minutes=120)).slos[0]
    assert (report.month.total, report.rolling.total) == (12_000, 24_000)
    # Nobody has closed a slice of the next one yet.
    assert tally.report(midnight + timedelta(days=28)).slos[0].month.total == 0


def test_twelve_minutes_down_at_four_nines_block_for_three_months_and_survive_a_restart() -> None:
    service = replace(shop(target="0.9999"), rules=replace(shop(target="0.9999").rules, payback=PaybackRules()))
    nine = datetime(2025, 1, 15, 9, tzinfo=UTC)
    slices = [piece(nine + timedelta(minutes=at), 100 if 0 <= at < 12 else 0) for at in range(-60, 60)]
    later = nine + timedelta(days=80)
    for tally in (run_through(service, slices), rebuilt(service, kept(slices), (), {}, later)):
        paid = tally.report(later).payback
        assert paid is not None
        assert paid.block is not None
        assert (paid.block.months, f"{paid.block.until:%Y-%m-%d %H:%M:%S}") == (3, "2025-04-15 09:04:22")
        assert tally.report(datetime(2025, 4, 15, 9, 4, 22, tzinfo=UTC)).payback.block is not None  # type: ignore[union-attr]
        assert tally.report(datetime(2025, 4, 15, 9, 4, 23, tzinfo=UTC)).payback.block is None  # type: ignore[union-attr]


def test_an_outage_that_goes_on_is_open_and_newest_first() -> None:
    bad = (5, 6, 20, 21)
    tally = run_through(shop(), [piece(START + timedelta(minutes=at), 100 if at in bad else 0) for at in range(22)])
    newest, oldest = tally.report(START + timedelta(minutes=22)).outages
    assert (newest.open, newest.seconds, oldest.open, oldest.seconds) == (True, 120, False, 120)
    assert tally.add(piece(START + timedelta(minutes=22)))
    assert [one.open for one in tally.report(START + timedelta(minutes=23)).outages] == [False, False]


def test_a_burn_down_begins_full_and_ends_with_what_is_left() -> None:
    slices = [piece(START + timedelta(minutes=at), 1 if at % 10 == 0 else 0) for at in range(2 * 1_440)]
    report = run_through(shop(), slices).report(START + 2 * DAY, whole=True).slos[0]
    points = report.burn_down
    assert len(points) == 61
    assert points[0][1] is None
    left = [left for _, left in points if left is not None]
    assert left == sorted(left, reverse=True)
    assert left[-1] == report.rolling.left
    assert points[-1][0] == report.rolling.end


def test_a_trend_is_the_burn_down_in_ten_points_and_there_without_it() -> None:
    slices = [piece(START + timedelta(minutes=at), 1 if at % 10 == 0 else 0) for at in range(2 * 1_440)]
    report = run_through(shop(), slices).report(START + 2 * DAY).slos[0]
    assert report.burn_down == ()
    assert len(report.trend) == 10
    assert report.trend[0] is None
    assert report.trend[-1] == report.rolling.left


def test_a_slice_of_a_time_that_has_passed_is_refused_and_changes_nothing() -> None:
    tally = run_through(shop(), [piece(START + timedelta(minutes=at)) for at in (0, 1, 5)])
    before = tally.report(START + timedelta(minutes=7))
    assert not tally.add(piece(START + timedelta(minutes=3), 100))
    assert tally.report(START + timedelta(minutes=7)) == before
    assert tally.add(piece(START, slo="gone from the configuration"))


@given(
    seed=st.integers(0, 10**6),
    slice_s=st.sampled_from([60, 300]),
    window_d=st.sampled_from([0.5, 7, 30]),
    fixes=st.lists(st.tuples(st.floats(0, 2.9), st.floats(0.0001, 0.4), st.sampled_from(CorrectionKind)), max_size=3),
    later_s=st.integers(0, 40 * 86_400),
)
@settings(max_examples=12, deadline=None)
def test_run_through_or_rebuilt_at_any_instant_it_says_the_same(
    seed: int, slice_s: int, window_d: float, fixes: list[tuple[float, float, CorrectionKind]], later_s: int
) -> None:
    service, rng = shop(slice_s, window_s=window_d * 86_400), Random(seed)
    slices, at = [], START
    while at < START + 3 * DAY:
        draw = rng.random()
        if draw < 0.01:
            at += timedelta(seconds=slice_s * rng.randrange(1, 200))
        bad = 100 if draw > 0.99 else rng.randrange(3)
        slices += [piece(at, bad, 100, slice_s), piece(at, rng.randrange(60), 100, slice_s, "quick")]
        at += timedelta(seconds=slice_s)
    books = kept(slices)
    running = run_through(service, slices)
    now = at + timedelta(seconds=1 + later_s if later_s > 86_400 else 1)
    assert rebuilt(service, books, (), {}, now).report(now, whole=True) == running.report(now, whole=True)
    # With corrections: as one that was made at once, and went on counting after that.
    papers = tuple(
        correction(START + begin * DAY, START + (begin + long) * DAY, kind, number)
        for number, (begin, long, kind) in enumerate(fixes)
    )
    middle = len(slices) // 4 * 2
    cut = slices[middle].start
    told = tuple(one for one in papers if one.end <= cut)
    early = rebuilt(service, kept(slices[:middle]), told, {}, cut)
    for one in slices[middle:]:
        assert early.add(one)
    assert early.report(now, whole=True) == rebuilt(service, books, told, {}, now).report(now, whole=True)


def test_an_exclusion_takes_time_and_requests_out_and_the_report_still_adds_up() -> None:
    service = shop()
    slices = [piece(START + timedelta(minutes=at), 100 if 60 <= at < 75 else 0) for at in range(180)]
    now = START + timedelta(minutes=180)
    bad = (START + timedelta(minutes=60), START + timedelta(minutes=75))
    plain = rebuilt(service, kept(slices), (), {}, now).report(now)
    assert plain.payback is not None
    assert plain.payback.used_s == 900
    fixed = rebuilt(service, kept(slices), (correction(*bad),), {}, now).report(now)
    slo = fixed.slos[0]
    assert (slo.rolling.total, slo.rolling.bad, slo.rolling.idle_s, slo.rolling.bad_s) == (16_500, 0, 900, 0)
    assert (slo.month.total, slo.month.bad, slo.coverage) == (16_500, 0, 1.0)
    assert fixed.payback is not None
    assert fixed.payback.used_s == 0
    assert [one.excluded for one in fixed.outages] == ["excluded, ana with ben: the provider's"]
    up = rebuilt(service, kept(slices), (correction(*bad, CorrectionKind.GOOD),), {}, now).report(now)
    assert (up.slos[0].rolling.total, up.slos[0].rolling.bad, up.slos[0].rolling.bad_s) == (18_000, 0, 0)


def test_what_nobody_measured_can_be_said_to_have_been_down() -> None:
    service = shop()
    slices = [piece(START + timedelta(minutes=at)) for at in range(120) if not 50 <= at < 60]
    now = START + timedelta(minutes=120)
    gap = correction(START + timedelta(minutes=50), START + timedelta(minutes=60), CorrectionKind.BAD)
    report = rebuilt(service, kept(slices), (gap,), {}, now).report(now)
    assert (report.slos[0].rolling.bad_s, report.slos[0].rolling.unknown_s) == (600, 0)
    assert report.payback is not None
    assert report.payback.used_s == 600


def test_a_changed_target_counts_from_when_it_was_changed() -> None:
    service = shop(target="0.99")
    since = [(START - 10 * DAY, Decimal("0.9999")), (START + timedelta(hours=2), Decimal("0.99"))]
    slices = [piece(START + timedelta(minutes=at), 100 if 60 <= at < 75 else 0) for at in range(180)]
    now = START + timedelta(minutes=180)
    loosened = rebuilt(service, kept(slices), (), {"availability": since}, now).report(now).payback
    assert loosened is not None
    # An open debt keeps the quota that it passed.
    assert loosened.block is not None
    assert loosened.block.quota_s == pytest.approx(262.8)
    always = rebuilt(service, kept(slices), (), {}, now).report(now).payback
    assert always is not None
    assert always.block is None


def test_half_a_year_read_back_from_a_real_history_says_what_the_running_one_does(tmp_path: Path) -> None:
    """Outages, gaps, months of another zone: at every instant that is looked at, both reports are one."""
    service, rng = shop(slice_s=1_200, target="0.9995"), Random(11)
    clock = _Clock(START)
    history = SqliteHistory(tmp_path / "history.db", clock)
    history.start()
    running, at = Tally(service), START
    looked = blocks = 0
    while at < START + 200 * DAY:
        batch = []
        for _ in range(72 * 7):
            draw = rng.random()
            if draw < 0.002:
                at += timedelta(seconds=1_200 * rng.randrange(1, 30))
            for slo in ("availability", "quick"):
                batch.append(piece(at, 90 if 0.5 < draw < 0.501 else rng.randrange(2), 100, 1_200, slo))
                assert running.add(batch[-1])
            at += timedelta(seconds=1_200)
        clock.wall = now = at + timedelta(seconds=rng.randrange(1_200))
        history.record(Changes(slices=tuple(batch)))
        again = rebuilt(service, history, (), {}, now).report(now, whole=True)
        assert again == running.report(now, whole=True)
        looked += 1
        blocks += again.payback is not None and again.payback.block is not None
    history.close()
    assert looked > 25
    assert 0 < blocks < looked


class _Clock:
    def __init__(self, wall: datetime) -> None:
        self.wall = wall

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.wall.timestamp()

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


@given(
    st.sampled_from([1, 60, 3_600]),
    st.lists(st.tuples(st.integers(0, 10**5), st.integers(0, 9)), max_size=60),
    st.integers(1, 20),
)
def test_a_ring_is_the_sum_of_the_buckets_that_it_still_has(
    width_s: int, added: list[tuple[int, int]], buckets: int
) -> None:
    ring = Ring(width_s, width_s * buckets)
    for start_s, count in sorted(added):
        ring.add(start_s, Counts(count, 0, 1))
    newest = max((start_s for start_s, _ in added), default=0)
    from_s = max(newest - width_s * buckets, 0)
    mine = [count for start_s, count in added if start_s >= ring.begins_s(from_s)]
    assert ring.since(from_s) == Counts(sum(mine), 0, len(mine), 0, 0)


def test_buckets_are_whole_slices_and_hours_for_long_windows() -> None:
    assert [width(60, span_s, 24) for span_s in (300, 1_800, 3_600, 21_600, 86_400, 259_200)] == [
        60,
        60,
        120,
        600,
        3_600,
        3_600,
    ]
    assert width(60, 60, 24) == 60
    assert width(7, 3_600, 24) == 7
    assert width(1, 3_600, 240) == 15
    assert width(60, 30 * 86_400, 240) == HOUR_S
