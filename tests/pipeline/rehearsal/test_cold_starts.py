"""Cold starts that are harder on some hosts than on others."""

from itertools import islice

from pipeline.judge.sequential import SequentialJudge
from pipeline.model import Control, JudgeRules
from pipeline.rehearsal.fault import NONE
from pipeline.rehearsal.profile import HIGH, METRICS
from pipeline.rehearsal.traffic import scenario

UNLUCKY = 18
"""The draw has two of five canary hosts with a cold start twice as hard as that of any baseline host."""


def test_canary_hosts_that_are_slower_to_warm_up_roll_no_good_release_back() -> None:
    canary = scenario(HIGH, NONE, UNLUCKY, JudgeRules(METRICS, Control.BASELINE))
    judge = SequentialJudge()
    evidence = judge.begin(canary.trial, judge.prior(canary.trial, canary.past))
    for look in islice(canary.columns(), 40):
        evidence, failed = judge.fails(evidence, look)
        assert not failed
