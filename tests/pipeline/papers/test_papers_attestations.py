"""Attestations and waivers: what a person may vouch for, for how long, and how it is taken back."""

from typing import Any

import pytest
from paper_desk import BEN, DAY, HOUR, NOON, Desk, rollout

from pipeline.commands import Refused, Verb
from pipeline.lifecycle import Phase
from pipeline.premises import Premises
from pipeline.readiness.catalogue import ITEMS
from pipeline.readiness.report import ReadinessReport, Row, RowState


def test_a_readiness_row_is_vouched_for_until_its_default_end() -> None:
    desk = Desk()
    taken = desk.ask(Verb.ATTEST, "CAT-3", reason="restored in 41 min", evidence="https://wiki/restore")
    (made,) = desk.docket.attestations
    assert (made.item, made.by, made.revision, made.waived) == ("CAT-3", "ana", "", False)
    assert made.expires == NOON + ITEMS["CAT-3"].days * DAY
    assert "ana vouches for CAT-3 until 2026-08-29 12:00 UTC (att-1): restored in 41 min (https://wiki/restore)" in (
        taken.receipt.said
    )
    assert taken.event.evidence == ("evidence: https://wiki/restore",)
    assert made.holds(NOON + 179 * DAY)
    assert not made.holds(NOON + 180 * DAY)


@pytest.mark.parametrize("proof", ["javascript:alert(1)", "data:text/html,x", "FILE:///etc/passwd", "ssh://web-1"])
def test_evidence_is_no_link_but_one_of_http(proof: str) -> None:
    with pytest.raises(Refused, match=": is no link to evidence: give http"):
        Desk().ask(Verb.ATTEST, "CAT-3", reason="restored", evidence=proof)


@pytest.mark.parametrize(
    "proof", ["HTTPS://wiki/restore", "ticket: 7", "INC:7", "wiki:8080/restore", "/srv/report.txt", r"C:\report", ""]
)
def test_evidence_may_be_words_or_a_path(proof: str) -> None:
    desk = Desk()
    desk.ask(Verb.ATTEST, "CAT-3", reason="restored", evidence=proof)
    assert desk.docket.attestations[0].evidence == proof


def test_a_manual_check_is_vouched_for_of_the_build_in_staging() -> None:
    desk = Desk(rollout=rollout(Phase.STAGING_CHECKS, "r2"))
    taken = desk.ask(Verb.ATTEST, "looks-right", reason="clicked through")
    assert desk.docket.attestations[0].revision == taken.event.revision == "r2"
    assert desk.docket.attestation("looks-right", "r2") is not None
    assert desk.docket.attestation("looks-right", "r3") is None
    desk.ask(Verb.ATTEST, "looks-right", reason="clicked through", revision="r9")
    assert desk.docket.attestations[1].revision == "r9"


def test_without_a_build_in_staging_a_manual_check_needs_its_name() -> None:
    for at_hand in (None, rollout(Phase.CANARY_BAKE), rollout(Phase.ROLLED_BACK)):
        desk = Desk(rollout=at_hand)
        with pytest.raises(Refused, match="no build is in staging: name the one"):
            desk.ask(Verb.ATTEST, "looks-right", reason="x")
        with pytest.raises(Refused, match="is no revision's name"):
            desk.ask(Verb.ATTEST, "looks-right", reason="x", revision="-rf")


def test_a_word_for_what_nobody_measures_lasts_a_day() -> None:
    desk = Desk()
    desk.ask(Verb.ATTEST, "coverage", reason="the metrics server is being moved")
    assert desk.docket.attestations[0].expires == NOON + DAY
    desk.ask(Verb.ATTEST, "coverage", reason="it takes a week", end=NOON + 7 * DAY)
    assert desk.docket.attestations[1].expires == NOON + 7 * DAY
    with pytest.raises(Refused, match="is more than 7 d ahead: name an earlier one"):
        desk.ask(Verb.ATTEST, "coverage", reason="it takes for ever", end=NOON + 8 * DAY)


def test_what_is_measured_and_fails_is_not_vouched_for_but_mended_or_waived() -> None:
    rows = (
        Row("FLT-1", "hosts in two datacenters", RowState.FAIL, "all hosts are in fra1"),
        Row("CAT-3", "restore proven", RowState.UNKNOWN, "nobody vouches for it"),
    )
    desk = Desk(premises=Premises(readiness=ReadinessReport("checkout", NOON, True, rows)))
    desk.ask(Verb.ATTEST, "CAT-3", reason="restored")
    with pytest.raises(Refused) as no:
        desk.ask(Verb.ATTEST, "FLT-1", reason="it is fine")
    assert str(no.value) == (
        "attest checkout: FLT-1 is measured, and fails: all hosts are in fra1: mend it, or let it off for a time: "
        "pithead waive checkout FLT-1 --until TIME --reason TEXT"
    )
    desk.ask(Verb.WAIVE, "FLT-1", reason="ams2 opens in May", end=NOON + 30 * DAY)
    assert [one.item for one in desk.docket.attestations] == ["CAT-3", "FLT-1"]


@pytest.mark.parametrize(
    ("subject", "changes", "why"),
    [
        ("CAT-3", {}, "a reason is missing"),
        ("cat-3", {"reason": "x"}, "did you mean CAT-3?"),
        ("", {"reason": "x"}, "it is nothing that a person vouches for"),
        ("\x1b[31m", {"reason": "x"}, "\ufffd[31m is nothing"),
        ("load", {"reason": "x"}, "load is nothing that a person vouches for"),
        ("CAT-3", {"reason": "x", "end": NOON - HOUR}, "is past"),
        ("CAT-3", {"reason": "x", "end": NOON + 400 * DAY}, "more than 366 d ahead"),
    ],
)
def test_an_attestation_that_makes_no_sense_is_refused(subject: str, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match="attest checkout: ") as no:
        Desk().ask(Verb.ATTEST, subject, **changes)
    assert why in str(no.value)


def test_the_newest_word_that_was_not_taken_back_counts() -> None:
    desk = Desk()
    for n in range(3):
        desk.ask(Verb.ATTEST, "CAT-3", reason=f"drill {n}")
    desk.ask(Verb.REVOKE, "att-3", who=BEN, reason="it was the wrong database")
    found = desk.docket.attestation("CAT-3")
    assert found is not None
    assert found.id == "att-2"
    with pytest.raises(Refused, match="there are 2: att-1, att-2"):
        desk.ask(Verb.REVOKE)
    with pytest.raises(Refused, match="att-3 is none that it could be about"):
        desk.ask(Verb.REVOKE, "att-3")


def test_a_waiver_needs_a_row_a_reason_and_an_end_within_180_days() -> None:
    desk = Desk()
    desk.ask(Verb.WAIVE, "DOC-2", reason="review is booked", end=NOON + 180 * DAY)
    (made,) = desk.docket.attestations
    assert (made.waived, made.expires) == (True, NOON + 180 * DAY)
    for subject, changes, why in (
        ("DOC-2", {"reason": "x"}, "its end is missing"),
        ("DOC-2", {"end": NOON + DAY}, "a reason is missing"),
        ("DOC-2", {"reason": "x", "end": NOON + 181 * DAY}, "more than 180 d ahead"),
        ("looks-right", {"reason": "x", "end": NOON + DAY}, "is no row of the readiness list"),
        ("coverage", {"reason": "x", "end": NOON + DAY}, "is no row of the readiness list"),
    ):
        with pytest.raises(Refused) as no:
            desk.ask(Verb.WAIVE, subject, **changes)
        assert why in str(no.value)
