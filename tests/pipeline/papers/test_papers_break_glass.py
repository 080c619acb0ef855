"""Incidents, and passes that skip waiting in severe ones: two persons, an end, a review."""

from dataclasses import replace

import pytest
from paper_desk import ANA, BEN, DAY, EVA, HOUR, NOON, Desk

from pipeline.commands import Refused, Verb
from pipeline.emergency import EmergencyRules
from pipeline.events import Who


def severe(**rules: object) -> Desk:
    desk = Desk(EmergencyRules(**rules))  # type: ignore[arg-type]
    desk.ask(Verb.INCIDENT, "sev1", reason="checkout is down")
    return desk


def test_an_incident_has_a_severity_of_the_table_and_a_reason() -> None:
    desk = severe()
    (incident,) = desk.docket.open_incidents()
    assert (incident.id, incident.severity, incident.by) == ("inc-1", "sev1", "ana")
    for subject, reason, why in (
        ("sev9", "x", "sev9 is no severity here: use one of sev1, sev2, sev3, sev4"),
        ("", "x", "its severity is missing"),
        ("sev2", "", "a reason is missing"),
        ("sev1", "x", "inc-1 (sev1) is open already: checkout is down"),
    ):
        with pytest.raises(Refused) as no:
            desk.ask(Verb.INCIDENT, subject, reason=reason)
        assert why in str(no.value)


def test_the_gravest_open_incident_is_named_first() -> None:
    desk = Desk()
    for severity in ("sev3", "sev2", "sev4"):
        desk.ask(Verb.INCIDENT, severity, reason="x")
    gravest = desk.docket.gravest(EmergencyRules().severities)
    assert gravest is not None
    assert gravest.severity == "sev2"


def test_a_pass_skips_nothing_before_another_person_approves_it_and_ends_by_itself() -> None:
    desk = severe()
    taken = desk.ask(Verb.BREAKGLASS, reason="the fix must go out")
    assert "nothing is skipped until another person agrees" in taken.receipt.said
    assert desk.docket.pass_in_force(NOON) is None
    desk.later(HOUR / 2)
    desk.ask(Verb.APPROVE, who=BEN)
    given = desk.docket.pass_in_force(desk.now)
    assert given is not None
    assert (given.approved_by, given.ends) == ("ben", NOON + 1.5 * HOUR)
    assert desk.docket.pass_in_force(NOON + 1.5 * HOUR) is None


def test_nobody_approves_what_they_asked_for() -> None:
    desk = severe()
    desk.ask(Verb.BREAKGLASS, reason="x")
    for who, why in (
        (ANA, "you asked for it yourself: ask another person"),
        (replace(ANA, name="ana2"), "you asked for it yourself"),
        (Who("ana", 7), "you asked for it yourself"),
        (Who("ben"), "nobody knows that you are two people"),
    ):
        with pytest.raises(Refused) as no:
            desk.ask(Verb.APPROVE, who=who)
        assert why in str(no.value)
    assert desk.docket.pass_in_force(NOON) is None


def test_only_approvers_approve_where_the_rules_name_them() -> None:
    desk = severe(approvers=("ana", "eva"))
    taken = desk.ask(Verb.BREAKGLASS, reason="x")
    assert "until eva agrees" in taken.receipt.said
    with pytest.raises(Refused, match="ben is no approver of checkout: ask eva"):
        desk.ask(Verb.APPROVE, who=BEN)
    with pytest.raises(Refused, match="you asked for it yourself: ask eva"):
        desk.ask(Verb.APPROVE, who=ANA)
    desk.ask(Verb.APPROVE, who=EVA)
    assert desk.docket.pass_in_force(NOON) is not None


def test_without_a_severe_open_incident_there_is_no_pass() -> None:
    desk = Desk()
    with pytest.raises(Refused, match="no incident of checkout is open; it takes sev1: declare it first: pithead inc"):
        desk.ask(Verb.BREAKGLASS, reason="x")
    desk.ask(Verb.INCIDENT, "sev2", reason="slow")
    with pytest.raises(Refused, match="inc-1 is sev2; waiting is skipped in sev1 only"):
        desk.ask(Verb.BREAKGLASS, reason="x")
    with pytest.raises(Refused, match="there is no incident inc-7"):
        desk.ask(Verb.BREAKGLASS, "inc-7", reason="x")
    desk.ask(Verb.INCIDENT, "sev1", reason="down")
    with pytest.raises(Refused, match="a reason is missing"):
        desk.ask(Verb.BREAKGLASS)
    desk.ask(Verb.CLOSE, "inc-2")
    with pytest.raises(Refused, match="inc-2 is closed"):
        desk.ask(Verb.BREAKGLASS, "inc-2", reason="x")


def test_where_no_severity_is_severe_break_glass_is_off_and_that_is_said() -> None:
    desk = Desk(EmergencyRules(severe=()))
    desk.ask(Verb.INCIDENT, "sev1", reason="down")
    with pytest.raises(Refused, match="break-glass is off for checkout: no severity of an incident is severe"):
        desk.ask(Verb.BREAKGLASS, reason="x")


def test_any_of_several_approvers_is_asked() -> None:
    desk = severe(approvers=("ana", "ben", "eva"))
    assert "until ben or eva agrees" in desk.ask(Verb.BREAKGLASS, reason="x").receipt.said


def test_a_severe_incident_of_another_service_will_do_if_it_is_named() -> None:
    desk = Desk()
    desk.ask(Verb.INCIDENT, "sev1", reason="down", service="pricing")
    with pytest.raises(Refused, match="no incident of checkout is open"):
        desk.ask(Verb.BREAKGLASS, reason="x")
    desk.ask(Verb.BREAKGLASS, "inc-1", reason="checkout's cache brings it down")
    desk.ask(Verb.APPROVE, who=BEN)
    assert desk.docket.of("checkout").pass_in_force(NOON) is not None
    taken = desk.ask(Verb.CLOSE, service="pricing")
    assert "pass-1 ends with it" in taken.receipt.said
    assert desk.log[-1].service == "checkout"
    assert desk.docket.pass_in_force(NOON) is None


def test_a_second_pass_is_refused_while_one_waits_or_is_in_force() -> None:
    desk = severe()
    desk.ask(Verb.BREAKGLASS, reason="x")
    with pytest.raises(Refused, match="pass-1 waits for a second person already"):
        desk.ask(Verb.BREAKGLASS, reason="x")
    desk.ask(Verb.APPROVE, who=BEN)
    with pytest.raises(Refused, match="pass-1 is in force until 2026-03-02 13:00 UTC"):
        desk.ask(Verb.BREAKGLASS, reason="x")
    desk.later(2 * HOUR)
    desk.ask(Verb.BREAKGLASS, reason="again")
    desk.later(2 * HOUR)
    with pytest.raises(Refused, match="nothing of it waits for a second person"):
        desk.ask(Verb.APPROVE, who=BEN)


def test_a_closed_incident_ends_a_pass_and_a_request_for_one() -> None:
    desk = severe()
    desk.ask(Verb.BREAKGLASS, reason="x")
    desk.ask(Verb.CLOSE, reason="a restart mended it", who=BEN)
    assert desk.docket.incidents[0].closed_by == "ben"
    with pytest.raises(Refused, match="nothing of it waits"):
        desk.ask(Verb.APPROVE, who=BEN)
    with pytest.raises(Refused, match="no incident of it is open"):
        desk.ask(Verb.CLOSE)


def test_anybody_takes_a_pass_back() -> None:
    desk = severe()
    desk.ask(Verb.BREAKGLASS, reason="x")
    desk.ask(Verb.APPROVE, who=BEN)
    desk.ask(Verb.REVOKE, who=EVA)
    assert desk.docket.pass_in_force(NOON) is None


def test_a_used_pass_is_reviewed_once_it_is_over_with_what_was_learnt() -> None:
    desk = severe()
    desk.ask(Verb.BREAKGLASS, reason="x")
    desk.ask(Verb.APPROVE, who=BEN)
    used = replace(desk.docket.passes[0], used_by=("checkout-4",))
    desk.docket = desk.docket.with_papers([used])
    with pytest.raises(Refused, match="pass-1 is in force until"):
        desk.ask(Verb.REVIEW, reason="x")
    desk.later(DAY)
    with pytest.raises(Refused, match="a reason is missing: say what was learnt"):
        desk.ask(Verb.REVIEW)
    taken = desk.ask(Verb.REVIEW, reason="the gate was right", who=EVA)
    assert taken.receipt.said == "checkout: pass-1 (checkout-4) is reviewed by eva: the gate was right"
    assert desk.docket.passes[0].review == "the gate was right"
    with pytest.raises(Refused, match="no used pass of it waits"):
        desk.ask(Verb.REVIEW, reason="again")


def test_an_unused_pass_needs_no_review() -> None:
    desk = severe()
    desk.ask(Verb.BREAKGLASS, reason="x")
    desk.later(DAY)
    with pytest.raises(Refused, match="no used pass of it waits"):
        desk.ask(Verb.REVIEW, reason="x")
