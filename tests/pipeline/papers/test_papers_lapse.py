"""What comes and goes by the clock alone leaves its trace: once, also over a restart."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from world import START, Company

from pipeline.commands import Verb
from pipeline.docket import Attestation, Docket, Lock, Pass, Reservation
from pipeline.papers.lapsing import Lapsing

SOON = START + timedelta(seconds=30)
HOUR = timedelta(hours=1)
LOCK = Lock("lock-1", "checkout", "mira", START, "migration", SOON)
BOOKED = Reservation("res-1", ("cart", "stock"), "ana", START, SOON, SOON + HOUR, "demo", wanted=START)
WORD = Attestation("att-1", "checkout", "CAT-2", "ana", START, "seen", expires=SOON)
PASS = Pass("pass-1", "checkout", "inc-1", "ana", 1001, START, "down", SOON, "ben", START, ("checkout-1",))


def told(company: Company) -> list[str]:
    return [event.detail for event in company.history.log if event.action in {"lapse", "reserve"}]


async def test_a_lock_that_ends_by_itself_is_told_once_also_over_a_restart() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.LOCK, reason="migration", end=company.world.clock.now() + timedelta(seconds=20))
    await company.ticks(10)
    assert told(company) == []
    await company.ticks(40)
    (said,) = told(company)
    assert said == "lock-1 of mira ended by itself at 2026-03-02 09:00 UTC: migration"
    company.start()
    await company.ticks(5)
    assert len(told(company)) == 1


async def test_what_ended_while_no_controller_ran_is_told_by_the_next() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.LOCK, reason="migration", end=company.world.clock.now() + timedelta(seconds=20))
    company.world.clock.forward(3_600.0)
    company.start()
    await company.ticks(5)
    assert len(told(company)) == 1


async def test_what_the_history_refuses_is_told_again() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.LOCK, reason="migration", end=company.world.clock.now() + timedelta(seconds=20))
    company.history.broken = "disk full"
    await company.ticks(40)
    assert told(company) == []
    company.history.broken = ""
    await company.ticks(5)
    assert len(told(company)) == 1


def said(docket: Docket, at: datetime) -> list[tuple[str, str, str]]:
    return [(event.service, event.action, event.detail) for event in Lapsing(START).due(docket, at)]


def test_a_queued_reservation_is_told_as_it_begins_and_as_it_ends_to_each_service() -> None:
    docket = Docket(reservations=(BOOKED,))
    begins = "res-1 begins: staging of cart, stock is ana's until 2026-03-02 10:00 UTC"
    assert said(docket, SOON) == [("cart", "reserve", begins), ("stock", "reserve", begins)]
    ends = "res-1 of ana ended by itself at 2026-03-02 10:00 UTC: staging of cart, stock is free of it"
    assert said(docket, SOON + HOUR)[2:] == [("cart", "lapse", ends), ("stock", "lapse", ends)]
    assert said(Docket(reservations=(replace(BOOKED, released=START),)), SOON + HOUR) == []


def test_words_and_passes_are_told_as_they_end() -> None:
    waived = replace(WORD, id="att-2", item="CAT-3", waived=True)
    asked = replace(PASS, id="pass-2", approved=None, approved_by="", used_by=())
    found = said(Docket(attestations=(WORD, waived), passes=(PASS, asked)), SOON)
    assert sorted(detail for _, _, detail in found) == [
        "att-1, ana's word on CAT-2, has expired at 2026-03-02 09:00 UTC",
        "att-2, ana's word that lets off CAT-3, has expired at 2026-03-02 09:00 UTC",
        (
            "break-glass pass-1 of ana ended by itself at 2026-03-02 09:00 UTC: waiting is skipped no more; it is to "
            "be reviewed: pithead review checkout pass-1 --reason ..."
        ),
        "break-glass pass-2 of ana has lapsed: nobody approved it in time",
    ]


def test_what_a_person_has_ended_lapses_no_more() -> None:
    gone = Docket(
        locks=(replace(LOCK, lifted=START),),
        attestations=(replace(WORD, revoked=START),),
        passes=(replace(PASS, ended=START),),
    )
    assert said(gone, SOON + HOUR) == []


@given(st.lists(st.integers(1, 100), max_size=8), st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_each_end_is_told_exactly_once_whatever_the_ticks(ends: list[int], steps: list[int]) -> None:
    locks = tuple(replace(LOCK, id=f"lock-{n}", ends=START + timedelta(seconds=s)) for n, s in enumerate(ends, 1))
    lapsing, docket, now, found = Lapsing(START), Docket(locks=locks), START, []
    for step in steps:
        now += timedelta(seconds=step)
        events = lapsing.due(docket, now)
        assert lapsing.due(docket, now) == events
        if events:
            lapsing.keep(now)
        found += [event.detail.partition(" ")[0] for event in events]
    assert sorted(found) == sorted(lock.id for lock in locks if lock.ends is not None and lock.ends <= now)
