"""One answer to "may it release now?", in the same words wherever it is asked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks import CheckKind, CheckRule
from pipeline.commands import Refused
from pipeline.docket import Docket, Lock, LockCause, Reservation
from pipeline.gates import Answer, Gate, first_closed
from pipeline.lifecycle import Phase
from pipeline.model import Freeze, FrequencyRules, Rules
from pipeline.policy.load_test import ONLY_STAGING
from pipeline.premises import Premises
from pipeline.readiness.report import ReadinessReport, Row, RowState
from pipeline.release.admission import admission, refuse_submit, until
from pipeline.release.holds import before
from pipeline.release.requests import refuse_promote
from pipeline.slo.report import Alarm
from pipeline.staging import Finding, Level
from pipeline.view import Deploy
from tests.pipeline.policy.given import (
    HOUR,
    ILL,
    NOW,
    PAYS_BACK,
    UNTIL,
    a_report,
    a_rollout,
    a_service,
    a_window,
    an_slo,
    broken,
    pair,
    premised,
)

SERVICE = a_service()
SAID = (
    "payback: 720 s of 262.8 s = 2.74 -> 3 months: 12m00s down since 2025-01-15 09:00 UTC; until 2025-04-15 09:04 UTC"
)
FROZEN = Freeze("ops", "Black Friday", NOW - HOUR, NOW + HOUR)


def test_a_service_that_is_well_may_release() -> None:
    report = admission(SERVICE, None, (), premised(), (), NOW)
    assert (report.deploy, report.why) == (Deploy.OK, "all 11 gates pass")
    assert [gate.name for gate in report.gates] == [
        "isolation",
        "reservation",
        "budget",
        "coverage",
        "payback",
        "lock",
        "load-test",
        "freeze",
        "frequency",
        "readiness",
        "hotfix",
    ]
    assert until(report) is None


def test_all_pass_and_one_warns() -> None:
    low = premised(budget=a_report(an_slo(a_window(left=0.2, left_s=518.0))))
    report = admission(SERVICE, None, (), low, (), NOW)
    assert report.deploy is Deploy.WARN
    assert report.why == "budget: availability 30d: 20 % left, 8m38s: releases are held once it is spent"


def test_advice_is_shown_and_does_not_change_the_word() -> None:
    row = Row("CAT-1", "load tested", RowState.UNKNOWN, "nobody vouches for it")
    premises = premised(readiness=ReadinessReport("checkout", NOW, False, (row,)))
    service = a_service(findings=(Finding("FUL-04", Level.WARNING, "capacity is not stated", "state it"),))
    report = admission(service, None, (), premises, (), NOW)
    assert report.deploy is Deploy.OK
    assert [gate.name for gate in report.gates if gate.warns] == ["isolation", "readiness"]
    ending = replace(row, state=RowState.PASS, expires=NOW + HOUR)
    soon = premised(readiness=ReadinessReport("checkout", NOW, True, (ending,)))
    report = admission(a_service(business_critical=True), None, (), soon, (), NOW)
    assert (report.deploy, report.why) == (Deploy.WARN, "readiness: CAT-1 load tested expires in 1 day")


def test_a_payback_is_said_in_the_same_words_by_the_report_the_promote_and_the_submit() -> None:
    premises = premised(budget=PAYS_BACK)
    report = admission(SERVICE, None, (), premises, (), NOW)
    assert (report.deploy, report.why, until(report)) == (Deploy.BLOCKED, SAID, UNTIL)
    with pytest.raises(Refused) as submitted:
        refuse_submit("submit checkout r879", SERVICE, premises, NOW)
    with pytest.raises(Refused) as promoted:
        refuse_promote(a_rollout(Phase.STAGING_CHECKS), report.gates)
    assert submitted.value.why == promoted.value.why == report.why


def test_a_service_at_rest_whose_staging_is_reserved_warns_and_a_release_of_another_is_held() -> None:
    booked = Reservation("res-1", ("checkout",), "ana", NOW, NOW, NOW + HOUR, "the new till")
    premises = premised(docket=Docket(reservations=(booked,)))
    report = admission(SERVICE, None, (), premises, (), NOW)
    assert (report.deploy, report.why) == (
        Deploy.WARN,
        "reservation: staging is reserved by ana until 2025-01-15 15:02 UTC: for anybody else a release waits",
    )
    queued = admission(SERVICE, a_rollout(), before(SERVICE, premises, "mira", (), NOW), premises, (), NOW)
    assert queued.deploy is Deploy.HOLD
    own = admission(SERVICE, a_rollout(by="ana"), before(SERVICE, premises, "ana", (), NOW), premises, (), NOW)
    assert own.deploy is Deploy.OK


def test_a_hotfix_is_refused_before_it_is_queued_and_a_queue_for_other_reasons_is_not() -> None:
    with pytest.raises(Refused, match=r"hotfix: .*roll back to r877 \(last stable\) first: pithead rollback checkout"):
        refuse_submit("submit checkout r879", SERVICE, ILL, NOW)
    refuse_submit("submit checkout r879", SERVICE, Premises(), NOW)
    refuse_submit("submit checkout r879", SERVICE, replace(ILL, docket=broken()), NOW)


WORDS = [
    (premised(docket=Docket(locks=(Lock("lock-1", "checkout", "ana", NOW, "no"),))), Deploy.BLOCKED, "lock"),
    (
        premised(docket=Docket(locks=(Lock("lock-1", "checkout", "auto", NOW, "slow", cause=LockCause.LOAD_TEST),))),
        Deploy.BLOCKED,
        "load-test",
    ),
    (premised(budget=None), Deploy.UNKNOWN, "budget"),
    (premised(budget=a_report(an_slo(coverage=0.2))), Deploy.UNKNOWN, "coverage"),
    (premised(budget=a_report(an_slo(burn=(pair(Alarm.PAGE),)))), Deploy.HOLD, "budget"),
    (ILL, Deploy.HOLD, "hotfix"),
]


@pytest.mark.parametrize(("premises", "word", "name"), WORDS)
def test_the_word_follows_the_gate_that_is_named(premises: Premises, word: Deploy, name: str) -> None:
    report = admission(SERVICE, a_rollout(Phase.SETTLED), (), premises, (), NOW)
    named = first_closed(report.gates)
    assert named is not None
    assert (report.deploy, named.name, report.why) == (word, name, f"{name}: {named.why}")


def test_what_blocks_is_named_before_what_is_unknown_or_holds() -> None:
    service = a_service(Rules(freezes=(FROZEN,)), findings=(Finding("STG-01", Level.ERROR, "no mode", "state it"),))
    report = admission(service, None, (), premised(budget=None), (NOW,), NOW)
    assert (report.deploy, report.why) == (Deploy.BLOCKED, "isolation: STG-01: no mode")
    assert admission(a_service(Rules(freezes=(FROZEN,))), None, (), premised(), (), NOW).deploy is Deploy.HOLD


def test_frequency_and_the_machinery_hold_too() -> None:
    often = a_service(Rules(frequency=FrequencyRules(per_day=1)))
    report = admission(often, None, (), premised(), (NOW - HOUR,), NOW)
    assert report.why == (
        "frequency: 1 of 1 releases of the last 24 h are used; the next may begin at 2025-01-16 13:02 UTC"
    )
    assert until(report) == NOW + 23 * HOUR
    drift = Gate("drift", Answer.HOLD, "fra1-1 runs r800; nobody told it")
    lost = Gate("history", Answer.UNKNOWN, "disk full")
    report = admission(SERVICE, None, (), premised(), (), NOW, drift, (lost,))
    assert (report.deploy, report.why) == (Deploy.UNKNOWN, "history: disk full")
    assert admission(SERVICE, None, (), premised(), (), NOW, drift).why == "drift: fra1-1 runs r800; nobody told it"


def test_of_a_release_on_its_way_its_own_gates_are_told_and_one_that_goes_back_says_so() -> None:
    waits = Gate("promote", Answer.HOLD, "waits for an operator's promote into production", lifts="an operator")
    report = admission(SERVICE, a_rollout(Phase.CANARY_BAKE), (waits,), premised(budget=PAYS_BACK), (), NOW)
    assert (report.deploy, report.gates) == (Deploy.HOLD, (waits,))
    back = admission(SERVICE, a_rollout(Phase.ROLLING_BACK, why="FAIL: errors"), (), premised(), (), NOW)
    assert (back.deploy, back.why) == (Deploy.HOLD, "rollback: going back to r877: FAIL: errors")
    assert admission(SERVICE, a_rollout(), (), premised(), (), NOW).deploy is Deploy.UNKNOWN


def test_break_glass_lets_it_pass_loudly() -> None:
    report = admission(SERVICE, None, (), premised(budget=PAYS_BACK, docket=broken()), (), NOW)
    assert report.deploy is Deploy.WARN
    assert report.why == "break-glass: BREAK-GLASS until 15:02 UTC: waiting is skipped"
    refuse_submit("submit checkout r879", SERVICE, premised(budget=PAYS_BACK, docket=broken()), NOW)


def test_a_build_that_is_to_pass_the_load_test_may_come_to_staging_for_it() -> None:
    docket = Docket(locks=(Lock("lock-1", "checkout", "auto", NOW, "slow", cause=LockCause.LOAD_TEST),))
    tested = a_service(Rules(checks=(CheckRule("k6", CheckKind.LOAD),)))
    low = a_report(an_slo(a_window(left=0.2, left_s=518.0)))
    report = admission(tested, None, (), premised(docket=docket, budget=low), (), NOW)
    assert report.gates == before(tested, premised(docket=docket, budget=low), "mira", (), NOW)
    assert (report.deploy, report.why) == (
        Deploy.WARN,
        f"load-test: lock-1 since 2025-01-15 14:02 UTC: slow: {ONLY_STAGING}",
    )
    held = admission(SERVICE, None, (), premised(docket=docket), (), NOW)
    assert (held.deploy, held.why) == (Deploy.BLOCKED, "load-test: lock-1 since 2025-01-15 14:02 UTC: slow")


@given(
    st.lists(st.tuples(st.sampled_from(("payback", "verdict", "lock", "freeze", "readiness")), st.sampled_from(Answer)))
)
def test_ok_is_said_of_open_gates_alone(found: list[tuple[str, Answer]]) -> None:
    gates = tuple(Gate(name, answer, "so") for name, answer in found)
    report = admission(SERVICE, a_rollout(Phase.CANARY_BAKE), gates, premised(), (), NOW)
    every = bool(gates) and all(gate.answer is Answer.PASS for gate in gates)
    assert (report.deploy in {Deploy.OK, Deploy.WARN}) is every
    assert report.why


@given(
    known=st.booleans(),
    left=st.none() | st.floats(-1, 1),
    covered=st.none() | st.floats(0, 1),
    silent=st.none() | st.floats(0, 900),
    critical=st.booleans(),
)
def test_nothing_is_admitted_on_missing_facts(
    known: bool, left: float | None, covered: float | None, silent: float | None, critical: bool
) -> None:
    window = a_window(left=left, left_s=None if left is None else 2_592 * left, good_s=0)
    report = a_report(an_slo(window, coverage=covered, silent_s=silent))
    premises = Premises(budget=report if known else None, stable="r877")
    said = admission(a_service(business_critical=critical), None, (), premises, (), NOW)
    if not known or critical or None in {left, covered, silent}:
        assert said.deploy in {Deploy.UNKNOWN, Deploy.HOLD, Deploy.BLOCKED}
    assert said.deploy not in {Deploy.OK, Deploy.WARN} or (left or 0) > 0
