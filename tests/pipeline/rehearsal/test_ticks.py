"""Looking twice as often at the same traffic comes to the same word, if not at the same moment."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from pipeline.judge.columns import Columns
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import Trial
from pipeline.model import Control, JudgeRules
from pipeline.rehearsal.fault import FAULTS
from pipeline.rehearsal.profile import LOW, METRICS, MID
from pipeline.rehearsal.reshape import coarser
from pipeline.rehearsal.traffic import scenario

RULES = JudgeRules(METRICS, Control.BASELINE)
LOOKS = 80
PROFILES = (replace(MID, tick_s=7.5, looks=2 * LOOKS), replace(LOW, tick_s=30.0, looks=2 * LOOKS))


def rolled_back(trial: Trial, looks: Iterable[Columns], past: tuple) -> bool:
    judge = SequentialJudge()
    evidence = judge.begin(trial, judge.prior(trial, past))
    for look in looks:
        evidence, failed = judge.fails(evidence, look)
        if failed:
            return True
    return False


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
@pytest.mark.parametrize("fault", ["none", "x5", "lat+100%", "blackhole"])
def test_halving_the_tick_changes_no_verdict(profile, fault: str) -> None:
    for seed in (1, 2):
        one = scenario(profile, FAULTS[fault], seed, RULES)
        looks, past = list(one.columns()), one.past
        half = rolled_back(one.trial, looks, past)
        whole = replace(one.trial, tick_s=2 * profile.tick_s, looks=LOOKS)
        assert rolled_back(whole, coarser(looks, 2), past) == half == (fault != "none")
