from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks import CheckKind, CheckRule
from pipeline.docket import Attestation, Docket, Lock, LockCause, Reservation
from pipeline.gates import Answer
from pipeline.lifecycle import Phase
from pipeline.model import Rules
from pipeline.policy.canary_overlap import canary_overlap
from pipeline.policy.isolation import isolation
from pipeline.policy.load_test import load_test
from pipeline.policy.locks import locks
from pipeline.policy.reservation import reservation
from pipeline.policy.staging_checks import run_by_machine, staging_checks
from pipeline.staging import Dependency, Finding, Level, StagingRules
from tests.pipeline.policy.given import DAY, HOUR, NOW, a_rollout, a_service, premised

SERVICE = a_service()
LOCK = Lock("lock-3", "checkout", "ana", NOW, "the database moves tonight", NOW + HOUR)
FAILED = Lock("lock-4", "checkout", "auto", NOW, "k6: p99 740 ms, at most 500 ms", cause=LockCause.LOAD_TEST)
BOOKED = Reservation("res-1", ("checkout",), "ana", NOW - DAY, NOW, NOW + 2 * HOUR, "the new till")
LOOK = CheckRule("look", CheckKind.MANUAL)


def test_a_lock_holds_with_whose_it_is_until_when_and_what_takes_it_off() -> None:
    gate = locks(SERVICE, Docket(locks=(LOCK,)), NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == (
        "lock-3: locked by ana at 2025-01-15 14:02 UTC until 2025-01-15 15:02 UTC: the database moves tonight"
    )
    assert (gate.since, gate.until) == (NOW, NOW + HOUR)
    assert gate.lifts == "by itself at its end, or a person: pithead unlock checkout"


def test_a_short_lock_is_told_to_the_second() -> None:
    gate = locks(SERVICE, Docket(locks=(replace(LOCK, ends=NOW + timedelta(seconds=40)),)), NOW)
    assert gate.why.startswith("lock-3: locked by ana at 2025-01-15 14:02:00 UTC until 2025-01-15 14:02:40 UTC: ")


def test_a_lock_lapses_by_itself_or_is_taken_off() -> None:
    assert locks(SERVICE, Docket(locks=(LOCK,)), NOW + HOUR).answer is Answer.PASS
    assert locks(SERVICE, Docket(locks=(replace(LOCK, lifted=NOW),)), NOW).answer is Answer.PASS
    assert locks(SERVICE, Docket(), NOW).why == "no lock"


def test_of_several_locks_the_one_without_an_end_is_told() -> None:
    endless = replace(LOCK, id="lock-5", by="ben", ends=None)
    gate = locks(SERVICE, Docket(locks=(endless, LOCK)), NOW)
    assert gate.why == "lock-5 and 1 more: locked by ben at 2025-01-15 14:02 UTC: the database moves tonight"
    assert gate.until is None
    assert gate.lifts == "a person: pithead unlock checkout lock-5"


def test_after_a_rollback_a_person_must_look() -> None:
    lock = replace(LOCK, cause=LockCause.ROLLBACK, ends=None, reason="r878 FAIL: errors +4.00pp")
    gate = locks(SERVICE, Docket(locks=(lock,)), NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == (
        "lock-3: after the rollback of 2025-01-15 14:02 UTC, a person must look first: r878 FAIL: errors +4.00pp"
    )


def test_a_failed_load_test_is_a_gate_of_its_own() -> None:
    docket = Docket(locks=(FAILED,))
    assert locks(SERVICE, docket, NOW).answer is Answer.PASS
    gate = load_test(SERVICE, docket, NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == "lock-4 since 2025-01-15 14:02 UTC: k6: p99 740 ms, at most 500 ms"
    assert gate.lifts == "when a load test passes, or a person: pithead unlock checkout"
    assert load_test(SERVICE, Docket(locks=(replace(FAILED, lifted=NOW), LOCK)), NOW).why == "no failed load test"


def test_a_reservation_holds_everybody_but_its_owner() -> None:
    premises = premised(docket=Docket(reservations=(BOOKED,)))
    gate = reservation(SERVICE, premises, "mira", NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == "staging is reserved by ana until 2025-01-15 16:02 UTC: the new till"
    assert gate.until == NOW + 2 * HOUR
    assert gate.lifts == "by itself at its end, or ana gives it back: pithead release checkout res-1"
    owner = reservation(SERVICE, premises, "ana", NOW)
    assert (owner.answer, owner.why) == (Answer.PASS, "reserved by ana until 2025-01-15 16:02 UTC")
    assert reservation(SERVICE, premises, "", NOW).answer is Answer.HOLD, "of a release whose owner nobody knows"
    assert reservation(SERVICE, premises, "mira", NOW + 2 * HOUR).answer is Answer.PASS
    assert reservation(SERVICE, premises, "mira", NOW - HOUR).answer is Answer.PASS


def test_before_anybody_has_submitted_a_reservation_warns_and_a_busy_staging_holds() -> None:
    premises = premised(docket=Docket(reservations=(BOOKED,)))
    gate = reservation(SERVICE, premises, None, NOW)
    assert gate.answer is Answer.PASS
    assert gate.warns == "staging is reserved by ana until 2025-01-15 16:02 UTC: for anybody else a release waits"
    assert gate.until == NOW + 2 * HOUR
    other = a_rollout(Phase.STAGING_CHECKS, service="cart", revision="r12", by="ben")
    busy = replace(premises, related={"cart": other}, sharing=frozenset({"cart"}))
    assert reservation(SERVICE, busy, None, NOW).answer is Answer.HOLD


def test_who_waits_behind_a_reservation_is_told_and_a_shared_staging_by_name() -> None:
    shared = replace(BOOKED, services=("cart", "stock"))
    after = [replace(shared, id=f"res-{n}", owner=o, start=NOW + n * 2 * HOUR) for n, o in ((2, "cem"), (1, "ben"))]
    gate = reservation(SERVICE, premised(docket=Docket(reservations=(shared, *after))), "mira", NOW)
    assert gate.why == (
        "staging is reserved for cart, stock, which shares it, by ana until 2025-01-15 16:02 UTC: the new till; "
        "then ben, cem"
    )


@pytest.mark.parametrize("phase", Phase)
def test_related_services_go_through_staging_one_at_a_time(phase: Phase) -> None:
    other = a_rollout(phase, service="cart", revision="r12", by="ben")
    premises = premised(related={"cart": other}, sharing=frozenset({"cart"}))
    gate = reservation(SERVICE, premises, "mira", NOW)
    if phase in {Phase.STAGING_DEPLOY, Phase.STAGING_CHECKS}:
        assert gate.answer is Answer.HOLD
        assert gate.why == f"cart r12 (ben) is in the same staging: {phase}"
    else:
        assert gate.answer is Answer.PASS
    assert reservation(SERVICE, replace(premises, sharing=frozenset()), "mira", NOW).answer is Answer.PASS


@pytest.mark.parametrize("phase", Phase)
def test_no_canary_beside_the_canary_of_a_hard_dependency(phase: Phase) -> None:
    rules = Rules(staging=StagingRules(dependencies=(Dependency("cart"), Dependency("ads", hard=False))))
    other = a_rollout(phase, service="cart", revision="r12")
    gate = canary_overlap(a_service(rules), premised(related={"cart": other, "ads": replace(other, service="ads")}))
    if phase in {Phase.CANARY_DEPLOY, Phase.CANARY_BAKE}:
        assert (gate.answer, gate.why) == (Answer.HOLD, "cart, which it cannot do without, has r12 in canary")
    else:
        assert gate.answer is Answer.PASS
    soft = canary_overlap(a_service(rules), premised(related={"ads": replace(other, service="ads")}))
    assert soft.answer is Answer.PASS


def test_an_error_in_the_configuration_fails_and_a_warning_warns() -> None:
    bad = Finding("FUL-01", Level.ERROR, "db is production's", "give [..dependencies.db] staging", "config.toml:12")
    worse, odd = replace(bad, rule="FUL-02"), Finding("FUL-04", Level.WARNING, "capacity is not stated", "state it")
    gate = isolation(a_service(findings=(odd, bad, worse)))
    assert gate.answer is Answer.FAIL
    assert gate.why == "FUL-01 (config.toml:12): db is production's; and 1 more: pithead check"
    assert gate.lifts == "when it is mended: give [..dependencies.db] staging"
    warned = isolation(a_service(findings=(odd,)))
    assert (warned.answer, warned.warns) == (Answer.PASS, "FUL-04: capacity is not stated")
    assert isolation(SERVICE).why == "full staging, no error in its configuration"


def test_a_manual_check_waits_for_a_person_and_is_run_by_nobody() -> None:
    rollout = a_rollout(Phase.STAGING_CHECKS)
    (gate,) = staging_checks([LOOK], rollout, Docket(), NOW)
    assert (gate.name, gate.answer) == ("check look", Answer.HOLD)
    assert gate.why == "waits for a person who has looked at r878"
    assert gate.lifts == "a person: pithead attest checkout look --reason ..."
    assert run_by_machine([LOOK, CheckRule("smoke", CheckKind.PROBE)]) == (CheckRule("smoke", CheckKind.PROBE),)


def test_a_persons_word_counts_for_the_very_build_until_it_ends() -> None:
    rollout = a_rollout(Phase.STAGING_CHECKS)
    word = Attestation("att-1", "checkout", "look", "ana", NOW, "all screens", "T-9", NOW + HOUR, revision="r878")

    def asked(word: Attestation, at: timedelta = timedelta(0)) -> tuple[Answer, str]:
        (gate,) = staging_checks([LOOK], rollout, Docket(attestations=(word,)), NOW + at)
        return gate.answer, gate.why

    assert asked(word) == (Answer.PASS, "ana vouches for r878: all screens (T-9)")
    assert asked(word, HOUR) == (Answer.HOLD, "ana's word on r878 has expired at 2025-01-15 15:02 UTC")
    waits = (Answer.HOLD, "waits for a person who has looked at r878")
    for other in (
        replace(word, revision="r877"),
        replace(word, revision=""),
        replace(word, item="smoke"),
        replace(word, waived=True),
        replace(word, revoked=NOW),
    ):
        assert asked(other) == waits


@given(
    ends=st.none() | st.integers(-100, 100),
    lifted=st.booleans(),
    cause=st.sampled_from(LockCause),
    zone=st.integers(-23, 23),
)
def test_a_lock_holds_exactly_while_it_is_on_whatever_the_clocks_zone(
    ends: int | None, lifted: bool, cause: LockCause, zone: int
) -> None:
    end = None if ends is None else NOW + timedelta(minutes=ends)
    lock = replace(LOCK, ends=end, lifted=NOW if lifted else None, cause=cause)
    now = NOW.astimezone(timezone(timedelta(hours=zone)))
    closed = [
        gate
        for gate in (locks(SERVICE, Docket(locks=(lock,)), now), load_test(SERVICE, Docket(locks=(lock,)), now))
        if gate.answer is not Answer.PASS
    ]
    assert bool(closed) is (not lifted and (ends is None or ends > 0))
