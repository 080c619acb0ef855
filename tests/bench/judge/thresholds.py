"""Rivals that hold each window against fixed limits, as users of Flagger and Argo Rollouts write them.

They roll back in the look that reaches the limit; Flagger itself would act one tick later.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from pipeline.judge.columns import Columns
from pipeline.judge.look import Recorded
from pipeline.judge.trial import Prior, Trial
from pipeline.judge.verdict import Judgement, Verdict
from tests.bench.judge.steps import EMPTY, Groups, Step, ticks_of


class Check(Enum):
    GOOD = "good"
    BAD = "bad"
    ERROR = "no data"


@dataclass(frozen=True)
class Counted:
    trial: Trial
    groups: Groups
    looks: int = 0
    canary: Step = EMPTY
    production: Step = EMPTY
    failed: int = 0
    errors_in_a_row: int = 0


@dataclass(frozen=True)
class ThresholdJudge:
    """Every `every_s` one check of the stretch since the last one; `failures` failed ones end the canary."""

    every_s: float
    failures: int
    success: float = 0.0
    """Least ratio of requests without error."""
    p99_s: float = math.inf
    times_errors: float = math.inf
    """Most that the canary may have, of production's error ratio."""
    times_p99: float = math.inf
    no_data_fails: bool = True
    """Whether a check without data is a failed one; else only five in a row end the canary."""

    def prior(self, trial: Trial, past: Sequence[Recorded]) -> Prior:
        return Prior()

    def begin(self, trial: Trial, prior: Prior) -> Counted:
        return Counted(trial, Groups.of(trial))

    def weigh(self, evidence: Counted, look: Columns) -> tuple[Counted, Judgement]:
        groups, looks = evidence.groups, evidence.looks + 1
        canary = evidence.canary.with_look(look, groups.canary)
        production = evidence.production.with_look(look, groups.production)
        grown = replace(evidence, looks=looks, canary=canary, production=production)
        if looks % ticks_of(self.every_s, evidence.trial):
            return grown, Judgement(Verdict.WATCH, "between two checks")
        check = self.check(canary, production)
        failed = evidence.failed + (check is Check.BAD or (check is Check.ERROR and self.no_data_fails))
        in_a_row = evidence.errors_in_a_row + 1 if check is Check.ERROR else 0
        grown = replace(grown, canary=EMPTY, production=EMPTY, failed=failed, errors_in_a_row=in_a_row)
        if failed >= self.failures or in_a_row >= 5:
            return grown, Judgement(Verdict.FAIL, f"{failed} checks failed, {in_a_row} in a row had no data")
        if looks >= evidence.trial.looks:
            return grown, Judgement(Verdict.PASS, f"{failed} checks failed")
        return grown, Judgement(Verdict.WATCH, f"{failed} checks failed")

    def check(self, canary: Step, production: Step) -> Check:
        if canary.requests <= 0:
            return Check.ERROR
        errors, p99 = canary.error_ratio, canary.latency_s(0.99)
        good = (
            1 - errors >= self.success
            and not p99 > self.p99_s
            and not errors > self.times_errors * production.error_ratio
            and not p99 > self.times_p99 * production.latency_s(0.99)
        )
        return Check.GOOD if good else Check.BAD


FLAGGER = ThresholdJudge(60.0, 5, success=0.99, p99_s=0.5)
"""Its documentation: success rate at least 99 %, p99 at most 500 ms over a minute; five failed checks of the canary."""
ARGO = ThresholdJudge(300.0, 4, success=0.95, no_data_fails=False)
"""Its documentation: success at least 95 % every five minutes, failureLimit 3; five errors in a row end it too."""
RATIO = ThresholdJudge(60.0, 5, times_errors=2.0, times_p99=1.5)
"""Twice production's errors or half as much again of its p99, in five minutes of the canary."""
