"""Since when a budget is spent and when it is back: what its window says then, and after a restart the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.controller.spent import Spent
from pipeline.model import BudgetRules, Rules
from pipeline.ports import Changes
from pipeline.slo.overspent import Bucket, back_s, since_s
from pipeline.slo.rebuilt import rebuilt, spent_since
from pipeline.slo.report import SloReport
from pipeline.slo.rings import HOUR_S, Counts
from pipeline.slo.rules import Count, Objective
from pipeline.slo.slices import Hour, Slice
from pipeline.slo.tally import Tally
from tests.pipeline.memory_books import MemoryBooks
from tests.pipeline.slo.test_books_kept import NINE, Company
from tests.pipeline.slo.test_books_tally import correction, piece, shop

START = datetime(2026, 1, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SLICES = Objective(target=Decimal("0.9"), count=Count.SLICES, window_s=10 * 3_600.0)
"""An hour of ten may be bad."""


def hours(*bad_s: int) -> list[Bucket]:
    return [Bucket(at * HOUR_S, (at + 1) * HOUR_S, Counts(0, 0, HOUR_S - bad, 0, bad)) for at, bad in enumerate(bad_s)]


def tenth(_: float) -> Fraction:
    return Fraction(1, 10)


def test_a_budget_is_spent_since_the_bucket_that_spent_it_and_back_when_enough_has_left_the_window() -> None:
    buckets = hours(0, 1_800, 0, 1_800, 600, 0)
    now_s = 6.0 * HOUR_S
    assert since_s(SLICES, buckets, now_s, tenth) == 3 * HOUR_S
    # Without the 1,800 s of the second hour 2,400 are bad: less than 3,600.
    assert back_s(SLICES, buckets, now_s, tenth) == 12 * HOUR_S
    assert since_s(SLICES, hours(0, 1_800, 0, 1_799), now_s, tenth) is None


def test_more_requests_give_a_budget_back_before_what_was_bad_has_left() -> None:
    of = Objective(target=Decimal("0.9"), window_s=10 * 3_600.0)
    buckets = [Bucket(0, HOUR_S, Counts(1_000, 100)), Bucket(HOUR_S, 2 * HOUR_S, Counts(1_000, 150))]
    assert since_s(of, buckets, 2.0 * HOUR_S, tenth) == 0
    # The first hour leaves at 11:00, and 1,000 requests an hour have come by then.
    assert back_s(of, buckets, 2.0 * HOUR_S, tenth) == 11 * HOUR_S
    # In the hour that is under way nobody knows yet how many there will be.
    assert back_s(of, buckets[:1], 0.5 * HOUR_S, tenth) == 11 * HOUR_S


spent_hours = st.lists(st.sampled_from((0, 0, 0, 600, 1_800, 3_600)), min_size=1, max_size=30)


@given(spent_hours)
def test_both_are_what_the_window_says_at_every_hour(bad_s: list[int]) -> None:
    buckets = hours(*bad_s)

    def spent(hour: int) -> bool:
        """At its beginning."""
        return sum(bad_s[max(hour - 10, 0) : hour]) >= HOUR_S

    now = len(bad_s)
    streak = now
    while streak and spent(streak):
        streak -= 1
    since = since_s(SLICES, buckets, now * HOUR_S, tenth)
    assert since == (streak * HOUR_S if streak < now else None)
    if since is not None:
        back = back_s(SLICES, buckets, now * HOUR_S, tenth)
        assert back is not None
        hour = int(back) // HOUR_S
        assert spent(hour - 1)
        assert not spent(hour)


def slo(tally: Tally, now: datetime) -> SloReport:
    return tally.report(now).slos[0]


def kept(slices: list[Slice]) -> MemoryBooks:
    books = MemoryBooks()
    books.keep_books(Changes(slices=tuple(slices)))
    return books


def day_of(at: datetime, bad: int = 0) -> list[Slice]:
    return [piece(at + hour * HOUR, bad if hour == 1 else 0, total=1_000) for hour in range(24)]


def test_what_is_spent_for_longer_than_its_window_is_found_in_the_history() -> None:
    # Of 24,000 requests a day 1,000 are bad, where 24 may be: from the second hour on, for ever.
    slices = [one for day in range(40) for one in day_of(START + day * DAY, 1_000)]
    books, now = kept(slices), START + 40 * DAY
    again = rebuilt(shop(), books, (), {}, now)
    assert spent_since(again, again.lines[0], books, now) == START + HOUR
    told = again.report(now).slos[0]
    assert told.spent_since is not None
    assert told.spent_since > START + HOUR
    # Once the last bad hour leaves the window, at the latest.
    assert told.back_at is not None
    assert now < told.back_at <= START + 39 * DAY + 2 * HOUR + 30 * DAY


def test_an_hour_that_is_excluded_is_no_part_of_since_when() -> None:
    slices = [one for day in range(40) for one in day_of(START + day * DAY, 1_000)]
    books, now = kept(slices), START + 40 * DAY
    gone = correction(START, START + 2 * HOUR)
    again = rebuilt(shop(), books, (gone,), {}, now)
    assert spent_since(again, again.lines[0], books, now) == START + DAY + HOUR


def test_the_controller_keeps_since_when_and_so_does_a_restart(tmp_path: Path) -> None:
    budget = BudgetRules(Decimal("0.9"), 7_200.0, count=Count.SLICES)
    company = Company(tmp_path / "history.db", rules=replace(Rules(), budget=budget))
    told = []
    for _ in range(3):
        company.tick(13 * 12, bad=True)
        company.tick(47 * 12)
        told.append(slo_of(company).spent_since)
    company.start()
    company.tick()
    told.append(slo_of(company).spent_since)
    # Twelve minutes of two hours may be bad; after a restart, what is older than those is known by the hour.
    for since in told:
        assert since is not None
        assert NINE <= since <= NINE + timedelta(minutes=12)
    assert told[0] == told[1] == told[2]


def test_the_history_is_read_once_for_as_long_as_a_budget_is_spent_and_only_where_there_is_time_for_it() -> None:
    slices = [one for day in range(40) for one in day_of(START + day * DAY, 1_000)]
    books, now = Counted(slices), START + 40 * DAY
    tally = rebuilt(shop(), books, (), {}, now)
    spent, books.reads = Spent(books), 0
    hurried = spent.report(tally, now, read=False).slos[0].spent_since
    assert (books.reads, spent.unread) == (0, True)
    assert hurried is not None
    assert hurried > START + HOUR
    reads = []
    for minute in range(5):
        at = now + timedelta(minutes=minute)
        assert tally.add(piece(at, 500))
        assert spent.report(tally, at + timedelta(minutes=1)).slos[0].spent_since == START + HOUR
        reads.append(books.reads)
    assert reads[0] > 0
    assert (set(reads), spent.unread) == ({reads[0]}, False)
    spent.forget()
    spent.report(tally, at + timedelta(minutes=1))
    assert books.reads > reads[-1]


class Counted(MemoryBooks):
    def __init__(self, slices: list[Slice]) -> None:
        super().__init__()
        self.keep_books(Changes(slices=tuple(slices)))
        self.reads = 0

    def hours(self, since: datetime, service: str = "") -> tuple[Hour, ...]:
        self.reads += 1
        return super().hours(since, service)


def slo_of(company: Company) -> SloReport:
    assert company.station.report is not None
    return company.station.report.slos[0]


def test_a_budget_that_is_well_again_forgets_since_when_it_was_spent() -> None:
    tally, seen = Tally(shop()), START + timedelta(seconds=61)
    assert tally.add(piece(START, 500, total=10_000))
    assert slo(tally, seen).spent_since == START
    assert tally.add(piece(START + HOUR, 0, total=1_000_000))
    well = slo(tally, START + HOUR + timedelta(seconds=61))
    assert (well.spent_since, well.back_at) == (None, None)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=40, unique=True))
def test_if_nothing_more_is_bad_it_is_back_when_it_was_told_to_be(bad_at: list[int]) -> None:
    service = shop(window_s=4 * 3_600.0)
    service = replace(service, rules=replace(service.rules, budget=replace(service.rules.budget, count=Count.SLICES)))
    tally = Tally(service)
    for at in range(201):
        assert tally.add(piece(START + timedelta(minutes=at), 100 if at in bad_at else 0))
    told = slo(tally, START + timedelta(minutes=201)).back_at
    assert told is not None
    assert slo(tally, told).spent_since is None
    assert slo(tally, told - timedelta(seconds=1)).spent_since is not None
