"""The gate `isolation` where nobody can tell, and what the history says of findings that come and go."""

from dataclasses import replace

import pytest
from given import NOW, a_service

from pipeline.controller.roster import changed, same
from pipeline.gates import Answer
from pipeline.policy.isolation import isolation
from pipeline.staging import Finding, Level

BAD = Finding("STG-02", Level.ERROR, "one machine", "part them", "shop.toml:9")
DIM = Finding("FUL-01", Level.UNKNOWN, "db cannot be looked up", "see that it resolves", "shop.toml:12", NOW)
ODD = Finding("FUL-04", Level.WARNING, "capacity is not stated", "state it")


def test_what_nobody_can_tell_is_unknown_with_its_reason_and_age() -> None:
    gate = isolation(a_service(findings=(DIM, ODD)))
    assert (gate.answer, gate.since) == (Answer.UNKNOWN, NOW)
    assert gate.why == "FUL-01 (shop.toml:12): db cannot be looked up"
    assert gate.lifts == "by itself, once it is known: see that it resolves"


def test_an_error_speaks_before_what_is_unknown() -> None:
    assert isolation(a_service(findings=(DIM, BAD))).answer is Answer.FAIL


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ((), (BAD,), "isolation: STG-02: one machine"),
        ((), (BAD, replace(BAD, rule="CAN-05")), "isolation: STG-02: one machine and 1 more"),
        ((BAD,), (), "isolation: no error any more"),
        ((BAD,), (BAD,), ""),
        ((), (DIM, ODD), ""),
        ((BAD,), (DIM,), "isolation: no error any more"),
    ],
)
def test_the_history_is_told_of_errors_that_come_and_go(before, after, said: str) -> None:
    was, now = a_service(findings=before), a_service(findings=after)
    assert changed(was, now, None) == said
    assert same(was, now) is (before == after)
