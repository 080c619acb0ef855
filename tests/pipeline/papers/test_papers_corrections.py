"""Corrections of what was measured: evidence and two persons, or nothing changes."""

from datetime import timedelta
from typing import Any

import pytest
from paper_desk import ANA, BEN, DAY, EVA, HOUR, NOON, Desk

from pipeline.commands import Refused, Verb
from pipeline.docket import CorrectionKind
from pipeline.emergency import EmergencyRules
from pipeline.papers.proposing import proposal

WHOLE: dict[str, Any] = {"reason": "the provider's outage", "evidence": "https://status/77"}
SPAN: dict[str, Any] = {"start": NOON - 2 * HOUR, "end": NOON - HOUR}


def test_a_correction_counts_once_another_person_has_approved_it() -> None:
    desk = Desk()
    taken = desk.ask(Verb.CORRECT, "exclude", **SPAN, **WHOLE)
    assert taken.receipt.said == (
        "checkout: 2026-03-02 10:00 UTC to 2026-03-02 11:00 UTC (1 h) counts for nothing, once a second person agrees "
        "(fix-1): the provider's outage; pithead approve checkout fix-1"
    )
    assert taken.event.evidence == ("evidence: https://status/77",)
    assert not any(one.counts for one in desk.docket.corrections)
    with pytest.raises(Refused, match="you asked for it yourself"):
        desk.ask(Verb.APPROVE, who=ANA)
    desk.ask(Verb.APPROVE, who=BEN)
    (counts,) = (one for one in desk.docket.corrections if one.counts)
    assert (counts.kind, counts.approved_by) == (CorrectionKind.EXCLUDE, "ben")
    desk.ask(Verb.REVOKE, who=EVA)
    assert not any(one.counts for one in desk.docket.corrections)


def test_a_correction_of_seconds_says_them() -> None:
    desk = Desk()
    start = NOON - HOUR
    said = desk.ask(Verb.CORRECT, "good", start=start, end=start + timedelta(seconds=13), **WHOLE).receipt.said
    assert said.startswith("checkout: 2026-03-02 11:00:00 to 11:00:13 UTC (13 s) counts as up, once a second person")
    rows = dict(proposal(Verb.APPROVE, desk.situation()).rows)
    assert rows["fix-1"].startswith("2026-03-02 11:00:00 to 11:00:13 UTC (13 s) counts as up; ana: ")
    assert "approve" not in rows


def test_of_several_that_wait_one_is_to_be_named() -> None:
    desk = Desk()
    for kind in ("good", "exclude"):
        desk.ask(Verb.CORRECT, kind, **SPAN, **WHOLE)
    rows = dict(proposal(Verb.APPROVE, desk.situation()).rows)
    assert list(rows) == ["fix-1", "fix-2", "approve"]
    assert rows["approve"] == "name one: pithead approve checkout fix-2"


def test_added_downtime_is_not_taken_away_by_its_author() -> None:
    desk = Desk()
    desk.ask(Verb.CORRECT, "bad", **SPAN, **WHOLE)
    desk.ask(Verb.APPROVE, who=BEN)
    with pytest.raises(Refused, match="you asked for it yourself"):
        desk.ask(Verb.REVOKE, who=ANA)
    desk.ask(Verb.REVOKE, who=BEN)


def test_what_nobody_has_approved_may_be_taken_back_and_is_approved_no_more() -> None:
    desk = Desk()
    desk.ask(Verb.CORRECT, "good", **SPAN, **WHOLE)
    desk.ask(Verb.REVOKE)
    with pytest.raises(Refused, match="nothing of it waits"):
        desk.ask(Verb.APPROVE, who=BEN)


def test_approvers_of_the_rules_approve_corrections_too() -> None:
    desk = Desk(EmergencyRules(approvers=("eva",)))
    desk.ask(Verb.CORRECT, "good", **SPAN, **WHOLE)
    with pytest.raises(Refused, match="ben is no approver of checkout: ask eva"):
        desk.ask(Verb.APPROVE, who=BEN)
    desk.ask(Verb.APPROVE, who=EVA)


def test_a_pass_and_a_correction_that_wait_are_told_apart_by_name() -> None:
    desk = Desk()
    desk.ask(Verb.INCIDENT, "sev1", reason="down")
    desk.ask(Verb.BREAKGLASS, reason="x")
    desk.ask(Verb.CORRECT, "exclude", **SPAN, **WHOLE)
    with pytest.raises(Refused, match="there are 2: pass-1, fix-1: name the pass, security fix or correction"):
        desk.ask(Verb.APPROVE, who=BEN)
    desk.ask(Verb.APPROVE, "fix-1", who=BEN)
    assert desk.docket.pass_in_force(NOON) is None
    assert sum(one.counts for one in desk.docket.corrections) == 1


@pytest.mark.parametrize(
    ("subject", "changes", "why"),
    [
        ("maybe", {**SPAN, **WHOLE}, "maybe is no kind of correction: use one of exclude, bad, good"),
        ("", {**SPAN, **WHOLE}, "its kind is missing"),
        ("bad", {**SPAN, "reason": "x"}, "evidence is missing"),
        ("bad", {**SPAN, "evidence": "x"}, "a reason is missing"),
        ("bad", {"end": NOON, **WHOLE}, "its start or end is missing"),
        ("bad", {"start": NOON - HOUR, "end": NOON + HOUR, **WHOLE}, "lies ahead"),
        ("bad", {"start": NOON, "end": NOON, **WHOLE}, "before it begins"),
        ("bad", {"start": NOON - 401 * DAY, "end": NOON, **WHOLE}, "older than what is kept"),
        ("bad", {"start": (NOON - HOUR).replace(tzinfo=None), "end": NOON, **WHOLE}, "its start has no time zone"),
    ],
)
def test_a_correction_that_makes_no_sense_is_refused(subject: str, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match="correct checkout: ") as no:
        Desk().ask(Verb.CORRECT, subject, **changes)
    assert why in str(no.value)


def test_it_may_end_now() -> None:
    desk = Desk()
    desk.ask(Verb.CORRECT, "bad", start=NOON - timedelta(seconds=1), end=NOON, **WHOLE)
    assert desk.docket.corrections[0].end == NOON
