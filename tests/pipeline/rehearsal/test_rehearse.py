from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import pytest

from pipeline.judge.columns import Columns
from pipeline.judge.look import Recorded
from pipeline.judge.trial import Prior, Trial
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.model import Control, JudgeRules
from pipeline.rehearsal.fault import FAULTS, NONE
from pipeline.rehearsal.profile import METRICS, MID
from pipeline.rehearsal.rehearse import rehearse
from pipeline.rehearsal.traffic import scenario

RULES = JudgeRules(METRICS, Control.BASELINE)


@dataclass
class FailsAt:
    """A judge with its mind made up."""

    look: int
    asked_with: int | None = None

    def prior(self, trial: Trial, past: Sequence[Recorded]) -> Prior:
        self.asked_with = len(past)
        return Prior()

    def begin(self, trial: Trial, prior: Prior) -> int:
        return 0

    def weigh(self, evidence: int, look: Columns) -> tuple[int, Judgement]:
        seen = evidence + 1
        return seen, Judgement(Verdict.FAIL if seen == self.look else Verdict.WATCH, f"look {seen}")


def test_a_good_release_that_is_rolled_back_is_a_false_one() -> None:
    told = rehearse(FailsAt(3), scenario(MID, NONE, 1, RULES))
    assert (told.failed_at, told.delay, told.false, told.looks) == (3, None, True, 3)
    assert (told.requests, told.added_errors) == (0, 0)
    assert told.why == "look 3"


def test_a_bad_release_is_charged_with_what_it_served_until_it_was_rolled_back() -> None:
    canary = scenario(MID, FAULTS["x5"], 1, RULES)
    told = rehearse(FailsAt(4), canary)
    assert (told.failed_at, told.delay, told.false) == (4, 4, False)
    assert [told.requests, told.added_errors] == pytest.approx(canary.toll()[:4].sum(axis=0).tolist())


def test_a_rollback_before_the_fault_began_is_false_and_one_after_it_is_counted_from_there() -> None:
    late = scenario(MID, FAULTS["late-x5"], 1, RULES)
    assert rehearse(FailsAt(160), late).false
    told = rehearse(FailsAt(161), late)
    assert (told.delay, told.false) == (1, False)


def test_a_release_that_nobody_stops_serves_to_its_canarys_end() -> None:
    canary = scenario(MID, FAULTS["x5"], 1, RULES)
    told = rehearse(FailsAt(0), canary)
    assert (told.failed_at, told.delay, told.looks, told.verdict) == (None, None, MID.looks, Verdict.WATCH)
    assert told.added_errors == pytest.approx(canary.toll()[:, 1].sum())


def test_the_past_is_asked_about_only_where_no_prior_is_given() -> None:
    judge = FailsAt(1)
    rehearse(judge, scenario(MID, NONE, 1, RULES), Prior())
    assert judge.asked_with is None
    rehearse(judge, scenario(MID, NONE, 1, RULES))
    assert judge.asked_with == 60


def test_only_the_judges_own_time_is_measured() -> None:
    ticks = count()
    told = rehearse(FailsAt(10), scenario(MID, NONE, 1, RULES), timer=lambda: float(next(ticks)))
    assert told.seconds_a_look == 1.0
    assert next(ticks) == 20
