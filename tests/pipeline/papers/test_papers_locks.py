"""Locks: who sets them, how they end, and what a rollback's lock is about."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from paper_desk import ANA, BEN, DAY, HOUR, NOON, Desk, rollout

from pipeline.commands import Refused, Verb
from pipeline.docket import Docket, LoadTest, Lock, LockCause, Pass
from pipeline.emergency import AfterRollback, EmergencyRules
from pipeline.lifecycle import CheckResult, Phase
from pipeline.model import Rules, Service
from pipeline.papers.following import Move, following, load_tested

PERSON = Rules(emergency=EmergencyRules(after_rollback=AfterRollback.PERSON))
CHECKOUT = Service("checkout", (), "r1", rules=PERSON)


def test_a_lock_says_who_why_and_until_when_and_lapses_by_itself() -> None:
    desk = Desk()
    taken = desk.ask(Verb.LOCK, reason="database migration", end=NOON + HOUR)
    assert taken.receipt.said == (
        "checkout is locked until 2026-03-02 13:00 UTC (lock-1): database migration; a rollback stays possible"
    )
    assert desk.docket.locks_on(NOON) == (Lock("lock-1", "checkout", "ana", NOON, "database migration", NOON + HOUR),)
    assert desk.docket.locks_on(NOON + HOUR) == ()
    short = desk.ask(Verb.LOCK, reason="a look", end=NOON + HOUR / 90)
    assert short.receipt.said.startswith("checkout is locked until 2026-03-02 12:00:40 UTC (lock-2)")
    assert (taken.event.action, taken.event.who) == ("lock", ANA)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"reason": "  "}, "a reason is missing"),
        ({"reason": "x", "end": NOON}, "its end 2026-03-02 12:00 UTC is past"),
        ({"reason": "x", "end": NOON + 367 * DAY}, "is more than 366 d ahead"),
        ({"reason": "x", "end": datetime(2026, 3, 3)}, "its end has no time zone"),  # noqa: DTZ001 - what is tested
        ({"reason": "x", "start": NOON + DAY}, "it begins at once, not later"),
    ],
)
def test_a_lock_that_makes_no_sense_is_refused(changes: dict[str, Any], why: str) -> None:
    desk = Desk()
    with pytest.raises(Refused, match="lock checkout: ") as no:
        desk.ask(Verb.LOCK, **changes)
    assert why in no.value.why
    assert no.value.mend
    assert desk.docket == Docket()


def test_unlock_says_who_lifts_whose_lock_and_names_what_still_locks() -> None:
    desk = Desk()
    desk.ask(Verb.LOCK, reason="migration")
    desk.ask(Verb.LOCK, reason="audit", who=BEN)
    with pytest.raises(Refused, match="there are 2: lock-1, lock-2: name the lock"):
        desk.ask(Verb.UNLOCK)
    taken = desk.ask(Verb.UNLOCK, "lock-1", who=BEN)
    assert taken.receipt.said == "checkout: lock-1 of ana (migration) is lifted by ben; lock-2 still locks it"
    desk.ask(Verb.UNLOCK)
    with pytest.raises(Refused, match="no lock is on"):
        desk.ask(Verb.UNLOCK)


def test_unlock_of_another_services_lock_is_refused() -> None:
    desk = Desk()
    desk.ask(Verb.LOCK, reason="migration", service="pricing")
    desk.ask(Verb.LOCK, reason="migration")
    with pytest.raises(Refused, match="lock-1 is none that it could be about"):
        desk.ask(Verb.UNLOCK, "lock-1")


def test_numbers_go_on_over_the_fleet() -> None:
    desk = Desk()
    for service in ("checkout", "pricing", "checkout"):
        desk.ask(Verb.LOCK, reason="x", service=service)
    assert [lock.id for lock in desk.docket.locks] == ["lock-1", "lock-2", "lock-3"]


def test_a_failed_load_test_locks_once_and_one_that_passes_lifts_it() -> None:
    failed = CheckResult("load", False, "p99 900 ms, limit 300 ms", NOON)
    papers, events = load_tested(rollout(), failed, Docket())
    docket = Docket().with_papers(papers)
    (lock,) = docket.locks_on(NOON)
    assert lock.cause is LockCause.LOAD_TEST
    assert "the load test load of r2 failed: p99 900 ms" in lock.reason
    assert [event.action for event in events] == ["lock"]
    again = replace(failed, detail="p99 800 ms", at=NOON + HOUR)
    papers, events = load_tested(rollout(), again, docket)
    docket = docket.with_papers(papers)
    assert [test.id for test in docket.load_tests] == ["load-1"]
    assert [one.id for one in docket.locks] == ["lock-1"]
    assert "800" in docket.locks[0].reason
    assert events == ()
    papers, events = load_tested(rollout(), CheckResult("load", True, "900 requests a second", NOON + DAY), docket)
    docket = docket.with_papers(papers)
    assert docket.locks_on(NOON + DAY) == ()
    assert [(test.id, test.passed) for test in docket.load_tests] == [("load-1", False), ("load-2", True)]
    assert docket.locks[0].lifted_by == "auto"
    assert [event.action for event in events] == ["unlock"]


def test_a_person_may_lift_a_load_test_lock() -> None:
    desk = Desk()
    papers, _ = load_tested(rollout(), CheckResult("load", False, "slow", NOON), desk.docket)
    desk.docket = desk.docket.with_papers(papers)
    desk.ask(Verb.UNLOCK, reason="staging was half as large")
    assert desk.docket.locks_on(NOON) == ()
    assert isinstance(desk.docket.load_tests[0], LoadTest)


def test_a_rollback_locks_where_a_person_must_look_first() -> None:
    before = rollout(Phase.CANARY_BAKE)
    back = replace(before, phase=Phase.ROLLING_BACK, why="FAIL: errors")
    papers, events = following([Move(before, back, CHECKOUT)], Docket(), NOON)
    (lock,) = papers
    assert isinstance(lock, Lock)
    assert (lock.cause, lock.reason) == (LockCause.ROLLBACK, "r2 went back: FAIL: errors")
    assert "pithead unlock checkout" in events[0].detail
    assert following([Move(back, back, CHECKOUT)], Docket(), NOON) == ((), ())
    assert following([Move(before, replace(back, untaken=True), CHECKOUT)], Docket(), NOON) == ((), ())
    newer = Service("checkout", (), "r1")
    assert following([Move(before, back, newer)], Docket(), NOON) == ((), ())


def test_rollbacks_of_one_tick_get_numbers_of_their_own() -> None:
    moves = [
        Move(None, replace(rollout(Phase.ROLLING_BACK, service=name), why="x"), replace(CHECKOUT, name=name))
        for name in ("a", "b", "c")
    ]
    papers, events = following(moves, Docket(), NOON)
    assert [paper.id for paper in papers] == ["lock-1", "lock-2", "lock-3"]
    assert [event.service for event in events] == ["a", "b", "c"]


def test_unlock_after_a_rollback_without_a_lock_is_kept_as_one() -> None:
    desk = Desk(undone={"r2": "it was rolled back"})
    taken = desk.ask(Verb.UNLOCK, who=BEN)
    assert taken.receipt.said == "checkout is unlocked by ben after the rollback of r2: it may be submitted again"
    (lock,) = desk.docket.locks
    assert (lock.cause, lock.lifted_by, lock.on(NOON)) == (LockCause.ROLLBACK, "ben", False)


def test_a_release_that_goes_on_while_a_pass_is_in_force_is_noted_once() -> None:
    given = Pass("pass-1", "checkout", "inc-1", "ana", 1, NOON, "x", NOON + HOUR, "ben", NOON)
    docket = Docket(passes=(given, replace(given, id="pass-2", service="pricing")))
    move = Move(rollout(Phase.QUEUED), rollout(Phase.STAGING_DEPLOY), CHECKOUT)
    papers, events = following([move], docket, NOON)
    assert papers == (replace(given, used_by=("checkout-1",)),)
    assert "pass-1 (ana, approved by ben)" in events[0].detail
    assert following([move], docket.with_papers(papers), NOON) == ((), ())
    assert following([move], docket, NOON + timedelta(hours=2)) == ((), ())
