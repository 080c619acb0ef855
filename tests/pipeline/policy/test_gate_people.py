"""Hotfixes, readiness and break-glass: what people may and may not do in a hurry."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.docket import Docket
from pipeline.emergency import EmergencyRules
from pipeline.gates import BLOCKS, STOPS_HOSTS, Answer, Gate
from pipeline.model import Rules
from pipeline.policy.break_glass import WAITING, opened, through
from pipeline.policy.hotfix import hotfix
from pipeline.policy.readiness import readiness
from pipeline.readiness.report import ReadinessReport, Row, RowState
from pipeline.release.admission import admission
from pipeline.view import Deploy
from tests.pipeline.policy.given import DAY, GLASS, HOUR, ILL, NOW, SETTLED, a_service, broken, premised

SERVICE = a_service()
CRITICAL = a_service(business_critical=True)
PROTECTS = (
    "verdict",
    "alerts",
    "check smoke",
    "check look",
    "hosts",
    "deploy",
    "baseline",
    "drift",
    "lock",
    "load-test",
    "isolation",
    "history",
    "controller",
    "pause",
    "promote",
    "settle",
    "rollback",
)


def test_a_new_release_on_a_sick_one_is_refused_with_the_way_back() -> None:
    gate = hotfix(SERVICE, ILL, NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == (
        "production is unhealthy: 3 of 20 hosts are down, after r878 settled at 2025-01-15 13:02 UTC; "
        "roll back to r877 (last stable) first: pithead rollback checkout"
    )
    assert gate.lifts == "when production is healthy again, or r878 is rolled back"
    assert gate.until == SETTLED.since + DAY


def test_a_healthy_production_or_an_old_release_asks_for_no_way_back() -> None:
    assert hotfix(SERVICE, replace(ILL, unhealthy=""), NOW).answer is Answer.PASS
    old = hotfix(SERVICE, ILL, NOW + DAY)
    assert old.answer is Answer.PASS
    assert old.warns == "production is unhealthy: 3 of 20 hosts are down"
    assert hotfix(SERVICE, replace(ILL, settled=None), NOW).answer is Answer.PASS
    assert hotfix(SERVICE, replace(ILL, stable="r877"), NOW).why.endswith("r878 is rolled back already")
    first = replace(ILL, settled=replace(SETTLED, stable="r878"))
    assert hotfix(SERVICE, first, NOW).why.endswith("there is nothing before r878 to go back to")


def test_a_clock_that_went_back_leaves_the_way_back_first() -> None:
    assert hotfix(SERVICE, ILL, NOW - 2 * DAY).answer is Answer.HOLD


def rows(*states: RowState) -> tuple[Row, ...]:
    titles = ("one owner", "data-centre loss exercised", "load tested", "runbook")
    return tuple(
        Row(f"CAT-{n + 1}", titles[n], state, "nobody vouches for it", lifts=f"pithead attest checkout CAT-{n + 1} ...")
        for n, state in enumerate(states)
    )


def test_a_business_critical_service_is_held_by_what_is_missing() -> None:
    its = rows(RowState.PASS, RowState.EXPIRED, RowState.FAIL, RowState.UNKNOWN)
    gate = readiness(CRITICAL, premised(readiness=ReadinessReport("checkout", NOW, True, its)), NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == (
        "3 rows of 4 missing: CAT-2 data-centre loss exercised (expired: nobody vouches for it), "
        "CAT-3 load tested (fail: nobody vouches for it) and 1 more"
    )
    assert gate.lifts == "when every row passes or is waived: pithead attest checkout CAT-2 ..."


def test_for_others_the_list_is_advice() -> None:
    its = rows(RowState.PASS, RowState.FAIL)
    gate = readiness(SERVICE, premised(readiness=ReadinessReport("checkout", NOW, False, its)), NOW)
    assert gate.answer is Answer.PASS
    assert gate.warns == "1 row of 2 missing: CAT-2 data-centre loss exercised (fail: nobody vouches for it)"
    assert readiness(SERVICE, premised(), NOW).answer is Answer.PASS


def test_a_list_that_nobody_worked_out_is_unknown_for_a_critical_service() -> None:
    gate = readiness(CRITICAL, premised(), NOW)
    assert (gate.answer, gate.why) == (Answer.UNKNOWN, "the list is not worked out yet")


@pytest.mark.parametrize(
    ("left", "warns"),
    [
        (timedelta(days=14, seconds=1), ""),
        (timedelta(days=14), "CAT-1 one owner expires in 14 days"),
        (timedelta(hours=5), "CAT-1 one owner expires in 1 day"),
    ],
)
def test_what_expires_within_two_weeks_warns(left: timedelta, warns: str) -> None:
    first, waived = rows(RowState.PASS, RowState.WAIVED)
    its = (replace(first, expires=NOW + left), replace(waived, expires=NOW + 20 * DAY))
    gate = readiness(CRITICAL, premised(readiness=ReadinessReport("checkout", NOW, True, its)), NOW)
    assert (gate.answer, gate.warns) == (Answer.PASS, warns)
    both = (replace(waived, expires=NOW + DAY), its[0])
    gate = readiness(CRITICAL, premised(readiness=ReadinessReport("checkout", NOW, True, both)), NOW)
    more = " and 1 more" if warns else ""
    assert gate.warns == (warns if "1 day" in warns else "CAT-2 data-centre loss exercised expires in 1 day") + more


def closed(name: str, answer: Answer = Answer.HOLD) -> Gate:
    return Gate(name, answer, "720 s of 262.8 s", since=NOW, until=NOW + DAY, lifts="by itself")


def test_a_pass_opens_what_waits_and_says_loudly_whose_it_is() -> None:
    loud, gate = through((closed("payback"),), SERVICE, broken(), NOW)
    assert (loud.name, loud.answer) == ("break-glass", Answer.PASS)
    assert loud.why == "BREAK-GLASS pass-1 of ana, approved by ben, for inc-3 until 15:02 UTC: the tills are down"
    assert loud.warns == "BREAK-GLASS until 15:02 UTC: waiting is skipped"
    assert gate.answer is Answer.PASS
    assert gate.why == "skipped by break-glass pass-1 (ana, approved by ben, until 15:02 UTC): 720 s of 262.8 s"
    assert opened((loud, gate)) == "break-glass skipped payback"
    assert opened((loud,)) == ""


def test_a_pass_ends_by_itself_and_counts_for_nothing_without_the_second_person() -> None:
    gates = (closed("payback"),)
    held = through(gates, SERVICE, broken(), NOW + HOUR)
    assert held == (replace(gates[0], lifts="by itself, or break-glass in a sev1"),)
    alone = replace(GLASS, ends=NOW + HOUR, approved=None, approved_by="")
    assert through(gates, SERVICE, Docket(passes=(alone,)), NOW) == held
    assert through(gates, SERVICE, Docket(passes=(replace(GLASS, ends=NOW + HOUR, ended=NOW),)), NOW) == held


@pytest.mark.parametrize("name", PROTECTS)
@pytest.mark.parametrize("answer", [Answer.HOLD, Answer.FAIL, Answer.UNKNOWN])
def test_a_pass_never_opens_what_protects_users(name: str, answer: Answer) -> None:
    gate = closed(name, answer)
    assert through((gate,), SERVICE, broken(), NOW)[1:] == (gate,)


def test_every_gate_that_stops_hosts_is_beyond_a_pass() -> None:
    assert not WAITING & STOPS_HOSTS
    assert not WAITING & set(PROTECTS)
    assert {"lock", "load-test", "isolation"} == BLOCKS - WAITING


@given(st.text(max_size=30), st.sampled_from(Answer), st.text(max_size=30))
def test_whatever_a_gate_is_called_a_pass_opens_only_those_on_the_list(name: str, answer: Answer, why: str) -> None:
    gate = Gate(name, answer, why)
    after = through((gate,), SERVICE, broken(), NOW)[1]
    assert after == gate or name in WAITING


def test_rules_without_a_recent_time_are_never_a_hotfix() -> None:
    none = a_service(replace(Rules(), emergency=replace(Rules().emergency, hotfix_s=0.0)))
    assert hotfix(none, ILL, NOW).answer is Answer.PASS


def test_a_used_pass_without_a_review_is_told_at_every_gate_from_the_fourth_day_on_and_holds_nothing() -> None:
    used = replace(GLASS, used_by=("checkout-8",), ends=NOW)
    late = NOW + 3 * DAY + HOUR
    assert through((), SERVICE, Docket(passes=(used,)), NOW + 3 * DAY) == ()
    (gate,) = through((), SERVICE, Docket(passes=(used,)), late)
    assert gate.answer is Answer.PASS
    assert gate.warns == (
        "break-glass pass-1 of ana, over since 2025-01-15 14:02 UTC, is not reviewed: "
        "pithead review checkout pass-1 --reason ..."
    )
    report = admission(SERVICE, None, (), premised(docket=Docket(passes=(used,))), (), late)
    assert (report.deploy, report.why) == (Deploy.WARN, f"review: {gate.warns}")
    for seen in (replace(used, used_by=()), replace(used, reviewed=NOW, reviewed_by="ben")):
        assert through((), SERVICE, Docket(passes=(seen,)), late) == ()
    early = replace(used, ends=late + HOUR, ended=NOW)
    two = Docket(passes=(early, replace(used, id="pass-2")))
    assert through((), SERVICE, two, late)[0].why.endswith("is not reviewed and 1 more")


def test_every_closed_gate_that_a_pass_would_open_offers_it_last_and_no_other_does() -> None:
    severe = a_service(Rules(emergency=EmergencyRules(severe=("sev0", "sev1"))))
    for name in (*WAITING, *PROTECTS):
        (gate,) = through((Gate(name, Answer.HOLD, "why", lifts="by itself"),), severe, Docket(), NOW)
        assert gate.lifts == ("by itself, or break-glass in a sev0 or sev1" if name in WAITING else "by itself")
    asks = Gate("coverage", Answer.UNKNOWN, "why", lifts="a person: pithead attest checkout coverage --reason ...")
    (gate,) = through((asks,), severe, Docket(), NOW)
    assert gate.lifts.endswith("--reason ...; or break-glass in a sev0 or sev1")
    never = a_service(Rules(emergency=EmergencyRules(severe=())))
    for still in (asks, replace(asks, answer=Answer.PASS, lifts="")):
        assert through((still,), never if still is asks else severe, Docket(), NOW) == (still,)
