"""After a restart every budget is known soon, and no tick and nobody who asks waits for that."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.controller.books import BALANCED_S, BITE_S, LOADS_S
from pipeline.controller.resting import rest
from pipeline.docket import Correction, CorrectionKind, Docket
from pipeline.ports import HistoryError
from pipeline.slo.rules import PaybackRules
from tests.pipeline.slo.test_books_kept import NINE, RULES, Clock, Company

QUARTER = 12 * int(BALANCED_S / 60)


class Slow(Clock):
    """Time in which each look at the clock takes a while."""

    step_s = 0.0

    def monotonic(self) -> float:
        self.s += self.step_s
        return self.s


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path / "history.db")
    yield made
    made.kept.close()


def test_a_restart_takes_up_the_balance_and_says_what_it_would_have_said(company: Company) -> None:
    company.tick(QUARTER)
    company.tick(12 * 2, bad=True)
    company.tick(12 * 3 + 5)
    balance = company.kept.balance("s0")
    assert balance is not None
    assert (company.clock.now() - balance.until).total_seconds() <= BALANCED_S + 60
    before = company.ledger.books.whole(company.station)
    company.start()
    assert company.kept.balance("s0") == balance
    assert company.ledger.books.whole(company.station) == before
    company.tick()
    # What is not there is made of slices, and says the same.
    company.kept._opened().execute("DELETE FROM budget_balances")
    now = company.ledger.books.whole(company.station)
    company.start()
    assert company.ledger.books.whole(company.station) == now


def test_a_correction_makes_a_balance_of_its_own(company: Company) -> None:
    company.tick(QUARTER)
    company.tick(12 * 2, bad=True)
    company.tick(12 * 3)
    now = company.clock.now()
    paper = Correction("fix-1", "s0", NINE, now, CorrectionKind.EXCLUDE, "ana", 1, now, "the provider's", "ticket 7")
    company.station.docket = Docket(corrections=(replace(paper, approved_by="ben", approved=now),))
    # Slices that end before the correction does were not all kept when it was approved.
    company.tick(12 * 20)
    corrected = company.ledger.books.whole(company.station)
    assert corrected.slos[0].rolling.bad == 0
    company.start()
    company.station.docket = Docket(corrections=(replace(paper, approved_by="ben", approved=now),))
    assert company.ledger.books.whole(company.station) == corrected
    company.start()
    assert company.ledger.books.whole(company.station).slos[0].rolling.bad > 0


def test_a_tick_makes_tallies_within_its_allowance_and_the_rest_is_made_between_two(tmp_path: Path) -> None:
    company = Company(tmp_path / "history.db", 60)
    company.tick(13)
    clock = company.clock = Slow()
    clock.wall, clock.s = NINE.replace(minute=10), 2_000.0
    company.start()
    clock.step_s = LOADS_S / 20
    company.station.telemetry.observe(clock.s, {}, {"web": company.reading()})
    company.ledger.count(clock.s)
    known = [name for name, station in company.stations.items() if station.report is not None]
    assert 10 < len(known) < 30
    clock.step_s = BITE_S
    bites = 0
    while company.ledger.books.catch_up():
        bites += 1
    assert bites > 10
    assert all(station.report is not None for station in company.stations.values())
    assert not company.ledger.books.catch_up()
    company.kept.close()


def test_a_service_whose_tally_cannot_be_made_is_tried_once_a_tick_and_not_all_the_time(tmp_path: Path) -> None:
    company = Company(tmp_path / "history.db", 2)
    company.rules["s0"] = replace(RULES, payback=PaybackRules(timezone="Nowhere/At_all"))
    company.start()
    company.tick()
    assert not company.ledger.books.catch_up()
    assert company.stations["s1"].report is not None
    company.kept.close()


class Patient(Clock):
    async def sleep(self, seconds: float) -> None:
        self.s += seconds


async def test_bites_end_with_the_work_with_the_time_or_when_a_command_comes() -> None:
    clock, wake, done = Patient(), asyncio.Event(), []

    def more() -> bool:
        done.append(clock.s)
        clock.s += 1
        return len(done) < most

    most = 3
    await rest(clock, wake, clock.s + 5, more)
    assert len(done) == 3
    most = 99
    await rest(clock, wake, clock.s + 5, more)
    assert len(done) == 8
    asyncio.get_running_loop().call_soon(wake.set)
    await rest(clock, wake, clock.s + 50, more)
    assert len(done) == 9


async def test_a_history_that_cannot_be_read_ends_the_bites_and_is_left_to_the_tick() -> None:
    def broken() -> bool:
        raise HistoryError("disk gone")

    clock = Patient()
    await rest(clock, asyncio.Event(), clock.s + 5, broken)
    assert clock.s == 505
