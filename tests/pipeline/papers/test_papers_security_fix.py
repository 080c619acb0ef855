"""Security fixes: one named build past what was overspent, by two people of whom one is a named approver."""

from dataclasses import replace
from datetime import timedelta

import pytest
from paper_desk import ANA, BEN, DAY, EVA, HOUR, NOON, Desk, rollout

from pipeline.commands import Refused, Verb
from pipeline.docket import SecurityFix
from pipeline.emergency import EmergencyRules
from pipeline.events import Who
from pipeline.lifecycle import Phase, Rollout
from pipeline.model import Rules, Service
from pipeline.papers.following import Move, following
from pipeline.papers.lapsing import Lapsing
from pipeline.papers.proposing import proposal
from tests.pipeline.policy.given import PAYS_BACK, a_report, an_slo, premised

ASKED = {"revision": "r9", "evidence": "CVE-2026-1234", "reason": "a token leaks", "end": NOON + DAY}
BLOCKED = premised(budget=PAYS_BACK)


def desk(*approvers: str, **changes: object) -> Desk:
    rules = EmergencyRules(approvers=approvers or ("ben", "eva"))
    return replace(Desk(rules, premises=BLOCKED), **changes)  # type: ignore[arg-type]


def refused(the: Desk, verb: Verb = Verb.SECURITYFIX, who: Who = ANA, **changes: object) -> str:
    asked = {**ASKED, **changes} if verb is Verb.SECURITYFIX else changes
    with pytest.raises(Refused) as no:
        the.ask(verb, who=who, **asked)
    return str(no.value)


def in_force(the: Desk) -> SecurityFix | None:
    return the.docket.security_fix_in_force(the.now)


def test_nothing_is_let_past_before_an_approver_agrees_and_it_ends_by_itself() -> None:
    the = desk()
    said = the.ask(Verb.SECURITYFIX, **ASKED).receipt.said
    assert said == (
        "checkout: ana asks to let r9 past payback as a security fix (sec-1): a token leaks; nothing is let past until "
        "ben or eva agrees, by 2026-03-03 12:00 UTC: pithead approve checkout sec-1"
    )
    assert in_force(the) is None
    the.later(HOUR)
    assert "the block stays" in the.ask(Verb.APPROVE, who=EVA).receipt.said
    given = in_force(the)
    assert given is not None
    assert (given.revision, given.advisory, given.approved_by) == ("r9", "CVE-2026-1234", "eva")
    # It ends when it was asked to, however late it was approved.
    assert not given.in_force(NOON + DAY)
    assert [(event.revision, event.evidence) for event in the.log] == [("r9", ("evidence: CVE-2026-1234",))] * 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"revision": ""}, "its revision is missing"),
        ({"revision": "-r9"}, "-r9 is not a revision's name"),
        ({"revision": "r1"}, "r1 is what runs in production"),
        ({"revision": "r7"}, "r7 was rolled back"),
        ({"evidence": " "}, "its advisory is missing: say what it mends: --advisory CVE-2026-1234"),
        ({"reason": " "}, "a reason is missing"),
        ({"end": NOON}, "is past"),
        ({"end": NOON + timedelta(days=8)}, "is more than 7 d ahead"),
        ({"start": NOON + HOUR}, "it begins at once, not later"),
    ],
)
def test_what_is_missing_or_too_much_is_said(changes: dict[str, object], why: str) -> None:
    assert why in refused(desk(undone={"r7": "r7 was rolled back"}), **changes)


def test_it_lasts_a_day_where_no_end_is_said() -> None:
    the = desk()
    the.ask(Verb.SECURITYFIX, **{**ASKED, "end": None})
    assert the.docket.security_fixes[0].ends == NOON + DAY


def test_without_named_approvers_there_is_none() -> None:
    nobody = replace(Desk(), premises=BLOCKED)
    assert refused(nobody) == (
        "securityfix checkout: nobody is named who may approve a security fix: "
        'name them in the configuration: emergency.approvers = ["ana", "ben"]'
    )
    assert "ana is the only approver that is named: name another" in refused(desk("ana"))
    the = desk()
    the.ask(Verb.SECURITYFIX, **ASKED)
    the.emergency = EmergencyRules()
    assert "nobody is named who may approve" in refused(the, Verb.APPROVE, BEN)


def test_only_a_named_approver_who_is_another_person_approves() -> None:
    the = desk("ana", "ben")
    the.ask(Verb.SECURITYFIX, **ASKED)
    for who, why in (
        (EVA, "eva is no approver of checkout: ask ben"),
        (ANA, "you asked for it yourself: ask ben"),
        (Who("ben", ANA.uid), "you asked for it yourself"),
        (Who("ben"), "nobody knows that you are two people"),
    ):
        assert why in refused(the, Verb.APPROVE, who)
    assert in_force(the) is None
    the.ask(Verb.APPROVE, who=BEN)
    assert in_force(the) is not None


def test_where_no_block_is_in_force_there_is_nothing_to_ask_for_or_to_approve() -> None:
    why = "no block is in force: neither payback nor a spent budget holds it"
    unknown = premised(budget=None)
    for premises in (premised(), unknown):
        assert why in refused(desk(premises=premises))
    the = desk()
    the.ask(Verb.SECURITYFIX, **ASKED)
    the.premises = premised()
    assert why in refused(the, Verb.APPROVE, BEN)


def test_a_spent_budget_is_a_block_too() -> None:
    spent = an_slo()
    spent = replace(spent, rolling=replace(spent.rolling, left=-0.2, left_s=-500.0))
    the = desk(premises=premised(budget=a_report(spent)))
    assert "let r9 past budget as a security fix" in the.ask(Verb.SECURITYFIX, **ASKED).receipt.said


def test_there_is_one_at_a_time() -> None:
    the = desk()
    the.ask(Verb.SECURITYFIX, **ASKED)
    assert "sec-1 for r9 waits for its approver already: ben or eva agrees" in refused(the, revision="r10")
    the.ask(Verb.APPROVE, who=BEN)
    assert "sec-1 for r9 is in force until 2026-03-03 12:00 UTC: use it, or take it back" in refused(the)
    the.ask(Verb.REVOKE, who=EVA)
    assert in_force(the) is None
    the.ask(Verb.SECURITYFIX, **ASKED)
    assert the.docket.security_fixes[-1].id == "sec-2"


def given() -> Desk:
    the = desk()
    the.ask(Verb.SECURITYFIX, **ASKED)
    the.ask(Verb.APPROVE, who=BEN)
    return the


def moved(the: Desk, before: Rollout | None, now: Rollout) -> list[str]:
    papers, told = following([Move(before, now, Service("checkout", (), "r1", rules=Rules()))], the.docket, the.now)
    the.docket = the.docket.with_papers(papers)
    return [event.detail for event in told]


def test_its_release_uses_it_another_build_does_not_and_it_ends_with_its_release() -> None:
    the, first = given(), rollout(Phase.QUEUED, "r9")
    assert moved(the, None, rollout(Phase.STAGING_DEPLOY, "r8")) == []
    assert moved(the, None, first) == []
    deploying = replace(first, phase=Phase.STAGING_DEPLOY)
    assert moved(the, first, deploying) == [
        "goes on with security fix sec-1 (ana, approved by ben); it is to be reviewed"
    ]
    assert moved(the, deploying, replace(first, phase=Phase.STAGING_CHECKS)) == []
    held = in_force(the)
    assert held is not None
    assert held.lets("r9", "checkout-1")
    assert not held.lets("r9", "checkout-2")
    back = replace(first, phase=Phase.ROLLING_BACK)
    over = "security fix sec-1 ends with its release; review it: pithead review checkout sec-1"
    assert moved(the, deploying, back) == [over]
    assert in_force(the) is None
    assert moved(the, back, replace(first, phase=Phase.ROLLED_BACK)) == []


def test_a_used_one_is_reviewed_and_an_unused_one_is_not() -> None:
    the = given()
    first = rollout(Phase.STAGING_DEPLOY, "r9")
    moved(the, None, first)
    assert "sec-1 is in force until" in refused(the, Verb.REVIEW, reason="x")
    moved(the, first, replace(first, phase=Phase.SETTLED))
    said = the.ask(Verb.REVIEW, reason="the library is pinned now", who=EVA).receipt.said
    assert said == "checkout: sec-1 (checkout-1) is reviewed by eva: the library is pinned now"
    unused = given()
    unused.later(2 * DAY)
    assert "no used pass of it waits for its review" in refused(unused, Verb.REVIEW, reason="x")


def test_its_end_is_told() -> None:
    the = given()
    (told,) = Lapsing(NOON).due(the.docket, NOON + DAY)
    assert told.detail == ("security fix sec-1 of ana ended by itself at 2026-03-03 12:00 UTC: r9 is let past no more")
    the = desk()
    the.ask(Verb.SECURITYFIX, **ASKED)
    (told,) = Lapsing(NOON).due(the.docket, NOON + DAY)
    assert told.detail == "security fix sec-1 of ana has lapsed: nobody approved it in time"


def test_what_is_proposed_says_what_is_held_kept_and_who_must_agree() -> None:
    asked = proposal(Verb.SECURITYFIX, desk().situation())
    rows = dict(asked.rows)
    assert asked.allowed
    assert rows["payback"].startswith("720 s of 262.8 s")
    assert rows["past"].startswith("budget, frequency, payback; that build alone")
    assert "canary with its verdict" in rows["keeps"]
    assert rows["approve"] == "ben or eva, not who asks"
    assert not proposal(Verb.SECURITYFIX, Desk().situation()).allowed
    the = desk()
    the.ask(Verb.SECURITYFIX, **ASKED)
    agree = proposal(Verb.APPROVE, the.situation())
    assert dict(agree.rows)["sec-1"].startswith("security fix r9 (CVE-2026-1234) for ana: a token leaks; past budget")
