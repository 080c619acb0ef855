"""The books as the controller's ledger drives them, over a real history."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.history.sqlite import SqliteHistory
from pipeline.controller.ledger import Ledger
from pipeline.docket import Correction, CorrectionKind, Docket
from pipeline.events import Event
from pipeline.model import BudgetRules, Fleet, Host, Pool, Rules, Service
from pipeline.ports import Changes, HistoryError
from pipeline.service.station import Station
from pipeline.signals import Reading
from pipeline.slo.rules import PaybackRules
from pipeline.slo.slices import Slice
from pipeline.view import HistoryQuery

NINE = datetime(2025, 1, 15, 9, tzinfo=UTC)
RULES = replace(Rules(), budget=BudgetRules(Decimal("0.9999"), slice_s=60))


class Clock:
    def __init__(self) -> None:
        self.wall, self.s = NINE, 500.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.s

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class History(SqliteHistory):
    """A real one, that refuses slices while it is told to."""

    broken = ""

    def record(self, changes: Changes, *, safe: bool = False) -> tuple[Event, ...]:
        if self.broken and changes.slices:
            raise HistoryError(self.broken)
        return super().record(changes, safe=safe)


class Company:
    """Services of one host each, whose metrics are read every five seconds."""

    def __init__(self, path: Path, services: int = 1, rules: Rules = RULES) -> None:
        self.clock, self.path = Clock(), path
        self.counts = [0.0, 0.0]
        self.names = [f"s{number}" for number in range(services)]
        self.rules = dict.fromkeys(self.names, rules)
        self.history: History | None = None
        self.start()

    def start(self) -> None:
        """A controller that knows nothing but the history."""
        if self.history is not None:
            self.history.close()
        self.history = History(self.path, self.clock)
        host = Host("web", "10.0.0.1:80", Pool.PRODUCTION, "fra1")
        services = {name: Service(name, (host,), "r1", rules=self.rules[name]) for name in self.names}
        self.ledger = Ledger(Fleet(services), self.history, self.clock)
        _, self.stations = self.ledger.open()
        for station in self.stations.values():
            station.telemetry.observe(self.clock.s, {}, {"web": self.reading()})

    def reading(self) -> Reading:
        return Reading(self.clock.s, {"requests": self.counts[0], "errors": self.counts[1]})

    def tick(self, times: int = 1, *, bad: bool = False) -> None:
        for _ in range(times):
            self.clock.wall += timedelta(seconds=5)
            self.clock.s += 5
            self.counts[0] += 10
            self.counts[1] += 10 if bad else 0
            for station in self.stations.values():
                station.telemetry.observe(self.clock.s, {}, {"web": self.reading()})
            self.ledger.count(self.clock.s)

    @property
    def station(self) -> Station:
        return self.stations["s0"]

    @property
    def kept(self) -> History:
        assert self.history is not None
        return self.history

    def told(self) -> list[str]:
        """Of budgets, in the audit trail, oldest first."""
        events = self.kept.events(HistoryQuery()).events
        return [event.detail for event in reversed(events) if event.action == "budget"]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path / "history.db")
    yield made
    made.kept.close()


def test_ticks_become_a_report_that_is_fresh_within_a_slice_and_the_line_on_the_fleet_page(company: Company) -> None:
    assert company.station.budget().left is None
    assert company.station.budget().target == "99.99"
    company.tick(12 * 120)
    report = company.station.report
    assert report is not None
    assert company.clock.now() - report.at < timedelta(seconds=60)
    slo = report.slos[0]
    assert (slo.rolling.good_s, slo.rolling.total) == (7_200, 14_400)
    line = company.station.budget()
    assert (line.left, line.burn_1h, line.coverage, line.alarm) == (1.0, 0.0, 1.0, "")
    company.tick(12, bad=True)
    line = company.station.budget()
    assert line.left is not None
    assert line.left < -50
    assert line.alarm == "page"
    assert line.gone_in_s is None
    whole = company.ledger.books.whole(company.station)
    assert len(whole.slos[0].burn_down) == 61
    assert [one.seconds for one in whole.outages] == [60]


def test_a_restart_in_the_middle_of_everything_keeps_the_block(company: Company) -> None:
    company.tick(12 * 60)
    company.tick(12 * 12, bad=True)
    company.tick(12 * 3)
    before = company.station.report
    assert before is not None
    assert before.payback is not None
    assert before.payback.block is not None
    assert before.payback.block.months == 3
    company.start()
    assert company.station.report is None
    company.tick()
    after = company.station.report
    assert after is not None
    assert after.payback == before.payback
    assert after.outages == before.outages
    # No downtime was forgiven, so none of this is news.
    assert company.told() == []


def test_refused_slices_are_told_again_and_each_counts_once(company: Company) -> None:
    company.tick(12 * 5)
    company.kept.broken = "disk full"
    for _ in range(12 * 5):
        with suppress(HistoryError):
            company.tick()
    company.kept.broken = ""
    company.tick(12)
    report = company.station.report
    assert report is not None
    assert report.slos[0].rolling.good_s == 11 * 60
    assert sum(hour.good_s for hour in company.kept.hours(NINE - timedelta(days=1))) == 11 * 60


def test_an_approved_correction_is_in_the_next_report_and_what_it_did_is_in_the_audit_trail(company: Company) -> None:
    company.tick(12 * 10)
    company.tick(12 * 12, bad=True)
    company.tick(12 * 3)
    down = (NINE + timedelta(minutes=10), NINE + timedelta(minutes=22))
    now = company.clock.now()
    paper = Correction("fix-1", "s0", *down, CorrectionKind.EXCLUDE, "ana", 1, now, "the provider's", "ticket 7")
    company.station.docket = Docket(corrections=(paper,))
    company.tick(12)
    assert company.told() == []
    would = company.ledger.books.if_approved(company.station, paper)
    assert would == "the block until 2025-04-15 09:14 UTC would end"
    assert company.told() == []
    half = replace(paper, end=down[0] + timedelta(minutes=6))
    assert company.ledger.books.if_approved(company.station, half) == (
        "the block until 2025-04-15 09:14 UTC would be one of 2 months, until 2025-03-15 09:20 UTC"
    )
    outside = replace(paper, start=NINE, end=NINE + timedelta(minutes=5))
    assert company.ledger.books.if_approved(company.station, outside) == ""
    company.station.docket = Docket(corrections=(replace(paper, approved_by="ben", approved=now),))
    company.tick()
    report = company.station.report
    assert report is not None
    assert report.payback is not None
    assert report.payback.block is None
    assert report.slos[0].rolling.bad == 0
    (said,) = company.told()
    assert said == (
        "a correction changed what is paid back: it was 720 s down of 262.8 s, blocked for 3 months until "
        "2025-04-15 09:14 UTC, it is 0 s down of 262.8 s, no block"
    )
    # Taken back, everything is as it was.
    company.station.docket = Docket()
    company.tick()
    assert company.station.report is not None
    assert company.station.report.payback is not None
    assert company.station.report.payback.block is not None


def test_added_downtime_says_beforehand_that_a_block_would_begin(company: Company) -> None:
    company.tick(12 * 30)
    down = (NINE + timedelta(minutes=10), NINE + timedelta(minutes=22))
    paper = Correction("fix-1", "s0", *down, CorrectionKind.BAD, "ana", 1, company.clock.now(), "seen", "ticket 7")
    assert company.ledger.books.if_approved(company.station, paper) == (
        "a block of 3 months would begin, until 2025-04-15 09:14 UTC"
    )


def test_what_was_read_afterwards_may_open_a_block_and_the_audit_trail_says_what_it_did(company: Company) -> None:
    company.tick(12 * 10)
    gap = NINE + timedelta(minutes=10)
    company.clock.wall += timedelta(minutes=30)
    company.tick(12 * 3)
    late = tuple(Slice("s0", gap + timedelta(minutes=at), 60, 60, backfill=True, down=True) for at in range(5))
    company.kept.record(Changes(slices=late))
    company.ledger.books.refilled(["s0", "gone"])
    company.tick()
    report = company.station.report
    assert report is not None
    assert report.payback is not None
    assert report.payback.block is not None
    assert (report.payback.block.downtime_s, report.outages[0].backfill) == (300, True)
    (said,) = company.told()
    assert said == (
        "requests of a time without a controller changed what is paid back: it was 0 s down of 262.8 s, no block, "
        "it is 300 s down of 262.8 s, blocked for 2 months until 2025-03-15 09:14 UTC"
    )


def test_a_loosened_target_lifts_no_block_and_is_in_the_audit_trail(company: Company) -> None:
    company.tick(12 * 12, bad=True)
    company.rules["s0"] = replace(RULES, budget=BudgetRules(Decimal("0.99"), slice_s=60))
    company.start()
    company.tick(2)
    report = company.station.report
    assert report is not None
    assert report.slos[0].target == "99"
    assert report.payback is not None
    assert report.payback.block is not None
    assert report.payback.block.quota_s == pytest.approx(262.8)
    company.start()
    company.tick()
    assert company.told() == ["availability: the target was 99.99 %, and is 99 % from now on"]


def test_another_timezone_moves_no_block_and_is_in_the_audit_trail(company: Company) -> None:
    company.tick(12 * 30)
    company.tick(12 * 12, bad=True)
    company.tick(12 * 2)
    assert company.station.report is not None
    block = company.station.report.payback
    assert block is not None
    assert block.block is not None
    for timezone in ("America/New_York", "Asia/Kathmandu", "Asia/Kathmandu", "UTC"):
        company.rules["s0"] = replace(RULES, payback=PaybackRules(timezone=timezone))
        company.start()
        company.tick(12 * 2)
        assert company.station.report is not None
        assert company.station.report.payback == block
    assert [said.partition(";")[0] for said in company.told()] == [
        "its months went by UTC, and go by America/New_York from the next one on",
        "its months went by America/New_York, and go by Asia/Kathmandu from the next one on",
        "its months went by Asia/Kathmandu, and go by UTC from the next one on",
    ]


def test_a_clock_that_goes_back_forgives_no_downtime(company: Company) -> None:
    company.tick(12 * 3)
    company.tick(12 * 5, bad=True)
    company.tick(12 * 3)
    company.clock.wall -= timedelta(minutes=9)
    company.tick(12 * 12)
    report = company.station.report
    assert report is not None
    assert report.payback is not None
    assert report.payback.block is not None
    assert report.payback.block.downtime_s == 300
    company.start()
    company.tick()
    assert company.station.report is not None
    assert company.station.report.payback == report.payback


def test_an_outage_in_which_the_clock_goes_back_by_an_hour_is_not_charged_before_it_began(company: Company) -> None:
    company.tick(12 * 90)
    began = company.clock.now()
    company.tick(12 * 5 + 6, bad=True)
    company.clock.wall -= timedelta(hours=1)
    company.tick(12 * 5 - 6, bad=True)
    assert company.station.report is not None
    behind = company.station.report.slos[0]
    # What lies ahead of the clock counts, and is news.
    assert behind.rolling.bad > 1_000
    assert behind.silent_s is not None
    assert behind.silent_s <= 65
    company.tick(12 * 60)
    assert company.clock.now() == began + timedelta(minutes=10)
    report = company.station.report
    assert report is not None
    assert report.payback is not None
    # What was down while the clock caught up is charged behind what was down before; no request is lost.
    assert [(one.start, one.seconds) for one in report.outages] == [(began, 600)]
    assert report.payback.block is not None
    assert report.payback.block.since <= began <= report.payback.block.breach
    assert report.slos[0].rolling.bad == 1_200
    company.start()
    company.tick()
    assert company.station.report is not None
    assert company.station.report.payback == report.payback


@pytest.mark.parametrize("back", [timedelta(minutes=2), timedelta(hours=1), timedelta(hours=23), timedelta(days=1)])
@pytest.mark.parametrize("restarts", [False, True])
def test_an_outage_while_the_clock_catches_up_is_charged_whole_and_once(
    company: Company, back: timedelta, *, restarts: bool
) -> None:
    company.tick(12 * 30)
    company.clock.wall -= back
    company.tick(12 * 2)
    if restarts:
        company.start()
        company.tick(12 * 2)
    began = company.clock.now()
    company.tick(12 * 12, bad=True)
    company.tick(12 * 2)
    down = company.kept.downtime("s0", began - timedelta(days=3))
    # To a slice at either end.
    assert 11 * 60 <= sum(one.length_s for one in down) <= 13 * 60
    assert all(one.start >= began for one in down)
    company.clock.wall += back
    company.clock.s += back.total_seconds()
    company.tick(12 * 2)
    assert company.station.report is not None
    assert company.station.report.payback is not None
    block = company.station.report.payback.block
    assert block is not None
    assert block.months == 3
    assert block.breach >= began


def test_an_outage_while_the_clock_catches_up_moves_no_block_to_an_earlier_day(company: Company) -> None:
    company.tick(12 * 30)
    company.tick(12 * 6, bad=True)
    company.tick(12 * 2)
    assert company.station.report is not None
    assert company.station.report.payback is not None
    block = company.station.report.payback.block
    assert block is not None
    for _ in range(2):
        company.clock.wall -= timedelta(hours=1)
        company.start()
        company.tick(12)
        company.tick(12 * 3, bad=True)
        company.tick(12 * 120)
        report = company.station.report
        assert report.payback is not None
        assert report.payback.block is not None
        assert report.payback.block.breach == block.breach
    assert report.payback.block.downtime_s == block.downtime_s + 2 * 180


def test_slices_of_a_time_ahead_of_the_clock_do_not_hide_that_nothing_is_heard(company: Company) -> None:
    company.tick(12 * 40)
    company.clock.wall -= timedelta(minutes=30)
    company.tick(12 * 3)
    assert company.station.report is not None
    assert company.station.report.slos[0].silent_s in {0, 5, 10, 15}
    for _ in range(12 * 6):
        company.clock.wall += timedelta(seconds=5)
        company.clock.s += 5
        company.station.telemetry.observe(company.clock.s, {}, {})
        company.ledger.count(company.clock.s)
    silent_s = company.station.report.slos[0].silent_s
    assert silent_s is not None
    assert silent_s >= 330


def test_a_fault_about_one_service_leaves_its_budget_unknown_and_the_others_as_they_are(tmp_path: Path) -> None:
    company = Company(tmp_path / "history.db", 2)
    company.rules["s0"] = replace(RULES, payback=PaybackRules(timezone="Nowhere/At_all"))
    company.start()
    company.tick(12 * 2)
    assert company.station.report is None
    assert "its budgets cannot be worked out: ValueError: timezone 'Nowhere/At_all' is unknown" in company.station.fault
    assert company.station.budget().left is None
    other = company.stations["s1"].report
    assert other is not None
    assert other.slos[0].rolling.good_s == 120
    company.kept.close()


def test_the_reports_of_a_fleet_are_spread_over_the_ticks_and_each_is_made_within_a_slice(tmp_path: Path) -> None:
    company = Company(tmp_path / "history.db", 300)
    company.tick(24)
    made = []
    for _ in range(13):
        company.tick()
        now = company.clock.now()
        ages = [now - station.report.at for station in company.stations.values() if station.report is not None]
        assert len(ages) == 300
        assert max(ages) <= timedelta(seconds=60)
        made.append(ages.count(timedelta(0)))
    assert set(made) == {25}
    company.kept.close()
