"""A security fix at the gates: that build, those gates, what is known; everything else as it was."""

from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from pipeline.commands import Refused
from pipeline.docket import Docket, SecurityFix
from pipeline.gates import BLOCKS, Answer, Gate
from pipeline.policy.break_glass import REVIEW, WAITING
from pipeline.policy.security_fix import LET, NAME, PAST, opened, through
from pipeline.release.admission import admission, refuse_submit
from pipeline.view import Deploy
from tests.pipeline.policy.given import DAY, HOUR, NOW, PAYS_BACK, a_service, broken, premised

SERVICE = a_service()
FIX = SecurityFix(
    "sec-1",
    "checkout",
    "r9",
    "CVE-2026-1234",
    "ana",
    1001,
    NOW - HOUR,
    "a token leaks",
    NOW + DAY,
    approved_by="ben",
    approved=NOW,
)
GIVEN = Docket(security_fixes=(FIX,))
NAMES = sorted(BLOCKS | WAITING | {"verdict", "alerts", "check unit", "hosts", "drift", "deploy", "promote", "pause"})
GATES = st.lists(st.builds(Gate, st.sampled_from(NAMES), st.sampled_from(Answer), st.just("why")), max_size=8)


@for_all(GATES, st.sampled_from(["", "r8", "r9"]), st.sampled_from(["", "checkout-1", "checkout-2"]), st.booleans())
def test_it_opens_what_was_overspent_for_its_build_in_one_release_and_nothing_else(
    gates: list[Gate], revision: str, release: str, used: bool
) -> None:
    fix = replace(FIX, used_by=("checkout-1",) if used else ())
    shown, *found = through(gates, Docket(security_fixes=(fix,)), NOW, revision, release)
    assert (shown.name, shown.answer) == (NAME, Answer.PASS)
    its = revision == "r9" and (not used or release == "checkout-1")
    for before, after in zip(gates, found, strict=True):
        may = its and before.name in PAST and before.answer is Answer.HOLD
        assert after.answer is (Answer.PASS if may else before.answer)
        assert after.name == before.name
        assert after.why.endswith(before.why) or after.why.startswith(before.why)


@pytest.mark.parametrize(
    "fix",
    [replace(FIX, approved=None), replace(FIX, ends=NOW), replace(FIX, ended=NOW)],
)
def test_one_that_is_not_in_force_changes_nothing(fix: SecurityFix) -> None:
    gates = (Gate("payback", Answer.HOLD, "down"),)
    assert through(gates, Docket(security_fixes=(fix,)), NOW, "r9") == gates


def test_submit_takes_its_build_and_tells_another_whose_it_is() -> None:
    premises = premised(budget=PAYS_BACK, docket=GIVEN)
    refuse_submit("submit checkout r9", SERVICE, premises, NOW, "r9")
    with pytest.raises(Refused, match=r"payback: .*; security fix sec-1 is for r9 alone"):
        refuse_submit("submit checkout r8", SERVICE, premises, NOW, "r8")
    used = replace(premises, docket=Docket(security_fixes=(replace(FIX, used_by=("checkout-1",)),)))
    with pytest.raises(Refused, match=r"security fix sec-1 is for r9 of checkout-1 alone"):
        refuse_submit("submit checkout r9", SERVICE, used, NOW, "r9")


def test_the_service_stays_blocked_for_everything_else_and_says_what_may_go() -> None:
    report = admission(SERVICE, None, (), premised(budget=PAYS_BACK, docket=GIVEN), (), NOW)
    assert report.deploy is Deploy.BLOCKED
    assert report.why.startswith("payback: 720 s of 262.8 s")
    assert report.why.endswith("; security fix sec-1 is for r9 alone")
    assert report.gates[0].name == NAME
    assert report.gates[0].why == (
        "SECURITY FIX sec-1 of ana, approved by ben: r9 (CVE-2026-1234) goes past budget, frequency, payback until "
        "2025-01-16 14:02 UTC: a token leaks"
    )
    free = admission(SERVICE, None, (), premised(docket=GIVEN), (), NOW)
    assert free.deploy is Deploy.WARN
    assert (
        free.why
        == "security-fix: SECURITY FIX sec-1 lets r9 past budget, frequency, payback until 2025-01-16 14:02 UTC"
    )


def test_what_it_has_opened_is_said_with_the_move() -> None:
    gates = through([Gate(name, Answer.HOLD, "why") for name in NAMES], GIVEN, NOW, "r9")
    assert opened(gates) == "its security fix let it past budget, frequency, payback"
    assert opened(through([Gate("payback", Answer.PASS, "why")], GIVEN, NOW, "r9")) == ""
    assert all(gate.warns.startswith(LET) for gate in gates if gate.name in PAST)


def test_break_glass_stands_before_it_and_one_that_nobody_reviewed_is_told() -> None:
    both = replace(broken(), security_fixes=(FIX,))
    report = admission(SERVICE, None, (), premised(budget=PAYS_BACK, docket=both), (), NOW)
    assert [gate.name for gate in report.gates[:2]] == ["break-glass", NAME]
    late = replace(FIX, used_by=("checkout-1",), ended=NOW, ends=NOW + DAY)
    told = admission(SERVICE, None, (), premised(docket=Docket(security_fixes=(late,))), (), NOW + 4 * DAY)
    (review,) = [gate for gate in told.gates if gate.name == REVIEW]
    assert review.why == "security fix sec-1 of ana, over since 2025-01-15 14:02 UTC, is not reviewed"
