"""Alerts about a canary: the grave ones undo it, silence holds it, and all of them are shown."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import START, Company, make_rules

from pipeline.alerts import NOT_ASKED, Alert, AlertsFault, Firing, told
from pipeline.commands import Verb
from pipeline.gates import Answer, Gate
from pipeline.lifecycle import CANARY, Phase, Rollout
from pipeline.model import JudgeRules, Rules
from pipeline.policy.alerts import alerts, failing, wrong
from pipeline.text import plain
from pipeline.view import MOST_ALERTS

RULES = Rules(failing_alerts=frozenset({"critical", "page"}), judge=JudgeRules(stale_s=30))
BAKING = Rollout("checkout-1", "checkout", "r2", "r1", Phase.CANARY_BAKE, START, 3, "mira", START, 7)
SUMMARY = "5 % of requests fail"


def alert(since: datetime = START, **said: str) -> Alert:
    its = {"name": "HighErrors", "service": "checkout", "environment": "prod", "track": "canary"}
    its |= {"severity": "critical", "summary": SUMMARY, "fingerprint": "f1", **said}
    return Alert(**{key: plain(value) for key, value in its.items()}, since=since)


def firing(*fires: Alert, silent_s: float = 0.0, fault: str = "") -> Firing:
    return Firing(True, fires, True, silent_s, fault)


def gate(rules: Rules, rollout: Rollout, said: Firing) -> Gate:
    (found,) = alerts(rules, rollout, said)
    return found


# the rule


def test_a_critical_alert_about_the_canary_fails_it_and_says_which_and_why() -> None:
    found = failing(RULES, BAKING, firing(alert(severity="warning"), alert()))
    assert found is not None
    assert wrong(found) == f"alert HighErrors (critical): {SUMMARY}"
    closed = gate(RULES, BAKING, firing(alert()))
    assert (closed.answer, closed.why, closed.since) == (Answer.FAIL, wrong(found), START)


@pytest.mark.parametrize(
    "other",
    [
        alert(track="production"),
        alert(track=""),
        alert(severity="warning"),
        alert(severity=""),
        alert(START - timedelta(seconds=91)),
    ],
    ids=["of production", "of no track", "slight", "of no severity", "from before"],
)
def test_alerts_that_are_not_grave_not_the_canarys_or_older_than_it_fail_nothing(other: Alert) -> None:
    assert failing(RULES, BAKING, firing(other)) is None
    assert gate(RULES, BAKING, firing(other)) == Gate(
        "alerts", Answer.PASS, "no critical or page alert about the canary"
    )


def test_an_alert_counts_from_a_minute_before_the_canary_and_in_its_bake_from_the_silence_before_it_too() -> None:
    deploying = replace(BAKING, phase=Phase.CANARY_DEPLOY)
    for rollout, before_s in ((deploying, 60), (BAKING, 60 + 30)):
        at = START - timedelta(seconds=before_s)
        assert failing(RULES, rollout, firing(alert(at))) is not None
        assert failing(RULES, rollout, firing(alert(at - timedelta(seconds=1)))) is None


def test_the_case_of_a_label_saves_no_canary() -> None:
    assert failing(RULES, BAKING, firing(alert(severity="CRITICAL", track="Canary"))) is not None


@given(st.sampled_from(Phase), st.booleans())
def test_only_a_canary_is_failed_and_only_where_a_severity_is_configured(phase: Phase, set_: bool) -> None:
    rules = RULES if set_ else Rules()
    found = failing(rules, replace(BAKING, phase=phase), firing(alert()))
    assert (found is not None) == (set_ and phase in CANARY)
    gates = alerts(rules, replace(BAKING, phase=phase), firing(alert()))
    assert bool(gates) == (set_ and phase in CANARY | {Phase.STAGING_CHECKS})


SAID = (
    (NOT_ASKED, "nobody is asked for alerts"),
    (Firing(True, fault="it is being asked"), "no word from Alertmanager yet: it is being asked"),
    (Firing(True), "no word from Alertmanager yet"),
    (firing(silent_s=120, fault="no answer in 5 s"), "no word from Alertmanager for 2 min: no answer in 5 s"),
)


@pytest.mark.parametrize(("said", "why"), SAID)
@pytest.mark.parametrize("phase", [Phase.STAGING_CHECKS, Phase.CANARY_DEPLOY, Phase.CANARY_BAKE])
def test_no_answer_is_never_a_pass(said: Firing, why: str, phase: Phase) -> None:
    closed = gate(RULES, replace(BAKING, phase=phase), said)
    assert closed.answer is Answer.UNKNOWN
    assert closed.why.startswith(why)
    assert closed.lifts


def test_a_short_silence_is_allowed() -> None:
    assert gate(RULES, BAKING, firing(silent_s=30, fault="no answer in 5 s")).answer is Answer.PASS


def test_an_alert_is_told_by_what_it_has() -> None:
    assert told(alert(severity="", summary="")) == "HighErrors"
    assert told(alert(name="")) == f"an alert without a name (critical): {SUMMARY}"


# the controller


class Pager:
    """`Alerts` in memory."""

    def __init__(self, said: tuple[Alert, ...] | AlertsFault | None = ()) -> None:
        self.said = said
        self.broken = False

    def newest(self) -> tuple[Alert, ...] | AlertsFault | None:
        if self.broken:
            raise RuntimeError("oops")
        return self.said


async def company(pager: Pager | None, failing_: frozenset[str] = frozenset({"critical"})) -> Company:
    made = Company(make_rules(failing_alerts=failing_))
    made.alerts = pager
    made.start()
    await made.ticks(3)
    made.ask(Verb.SUBMIT, "r2")
    return made


async def test_a_canary_with_a_critical_alert_is_rolled_back_and_production_never_sees_it() -> None:
    pager = Pager()
    made = await company(pager)
    await made.until("canary-bake")
    pager.said = (alert(made.world.clock.now()),)
    await made.until("rolled-back")
    assert made.rollout.why == f"alert HighErrors (critical): {SUMMARY}"
    assert made.on("r1") == set(made.world.machines)
    told_ = [event.detail for event in made.history.log if event.action == "rollback"]
    assert told_ == [f"to r1: alert HighErrors (critical): {SUMMARY}"]


async def test_a_paused_canary_is_undone_too() -> None:
    pager = Pager()
    made = await company(pager)
    await made.until("canary-bake")
    made.ask(Verb.PAUSE)
    pager.said = (alert(made.world.clock.now()),)
    await made.until("rolled-back")


@pytest.mark.parametrize("service", ["cart", "", "check\u202eout"])
async def test_alerts_about_other_services_are_theirs(service: str) -> None:
    made = await company(Pager((alert(START + timedelta(days=1), service=service),)))
    await made.until("settled")
    assert made.row.alerts == 0


async def test_without_severities_alerts_are_shown_and_undo_nothing() -> None:
    made = await company(Pager((alert(START + timedelta(days=1)), alert(track="production"))), frozenset())
    await made.until("settled")
    view = made.controller.service("checkout")
    assert (made.row.alerts, [each.track for each in view.alerts]) == (2, ["canary", "production"])
    assert view.alerts_fault == ""


async def test_a_silent_alertmanager_holds_the_canary_until_it_answers() -> None:
    pager = Pager()
    made = await company(pager)
    await made.until("canary-bake")
    pager.said = AlertsFault(0.0, plain("no answer in 5 s"))
    await made.ticks(60)
    assert made.rollout.phase == "canary-bake"
    assert made.row.why.startswith("alerts: no word from Alertmanager for 1 min: no answer in 5 s")
    assert made.controller.service("checkout").alerts_fault == "no word from Alertmanager for 1 min: no answer in 5 s"
    pager.said = ()
    await made.until("settled")


async def test_a_release_does_not_become_a_canary_before_alertmanager_has_answered() -> None:
    pager = Pager(AlertsFault(0.0, plain("no connection")))
    made = await company(pager)
    await made.ticks(60)
    assert made.rollout.phase == "staging-checks"
    assert "alerts: no word from Alertmanager yet: no connection" in made.row.why
    pager.broken = True
    await made.ticks(5)
    assert "pithead itself failed: RuntimeError: oops" in made.row.why
    pager.broken, pager.said = False, ()
    await made.until("settled")


async def test_severities_without_anybody_to_ask_hold_the_release() -> None:
    made = await company(None)
    await made.ticks(60)
    assert made.rollout.phase == "staging-checks"
    assert "nobody is asked for alerts" in made.row.why


async def test_a_rollback_by_hand_needs_no_word_from_alertmanager() -> None:
    pager = Pager()
    made = await company(pager)
    await made.until("canary-bake")
    pager.said = AlertsFault(0.0, plain("no connection"))
    await made.ticks(10)
    made.ask(Verb.ROLLBACK)
    await made.until("rolled-back")


async def test_a_page_holds_a_few_alerts_and_the_row_counts_all() -> None:
    made = await company(Pager(tuple(alert(fingerprint=f"f{n}") for n in range(300))), frozenset())
    await made.ticks(1)
    assert (made.row.alerts, len(made.controller.service("checkout").alerts)) == (300, MOST_ALERTS)
