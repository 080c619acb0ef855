"""Which judge is tried on what, and the runs themselves, on as many cores as asked for."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from pipeline.judge.columns import Columns
from pipeline.judge.evidence import Evidence
from pipeline.judge.look import Recorded
from pipeline.judge.trial import Prior, Trial
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.model import Control, JudgeRules, MetricKind
from pipeline.rehearsal.fault import FAULTS, NONE, SLOW_LEAK, Fault
from pipeline.rehearsal.profile import HAZARDS, METRICS, PROFILES, Profile
from pipeline.rehearsal.rehearse import Weigher, rehearse
from pipeline.rehearsal.traffic import scenario
from tests.bench.judge.kayenta import GATED, KayentaJudge
from tests.bench.judge.thresholds import ARGO, FLAGGER, RATIO

ALL_PROFILES: Mapping[str, Profile] = {**PROFILES, **HAZARDS}
ALL_FAULTS: Mapping[str, Fault] = {**FAULTS, SLOW_LEAK.name: SLOW_LEAK}
AT_ONCE = 4
"""Runs of a task."""
TIMED = 20
"""Runs of each kind that are timed; of more, only the verdict is asked for."""


def ours() -> Weigher[Any]:
    from pipeline.judge.sequential import SequentialJudge

    return SequentialJudge()


class Brief:
    """Our judge without words and bounds, which takes half the time: a rollback is worded, nothing else."""

    def __init__(self, judge: Any) -> None:
        self._judge = judge

    def prior(self, trial: Trial, past: Sequence[Recorded]) -> Prior:
        prior: Prior = self._judge.prior(trial, past)
        return prior

    def begin(self, trial: Trial, prior: Prior) -> Evidence:
        evidence: Evidence = self._judge.begin(trial, prior)
        return evidence

    def weigh(self, evidence: Evidence, look: Columns) -> tuple[Evidence, Judgement]:
        grown, fails = self._judge.fails(evidence, look)
        if fails:
            worded: tuple[Evidence, Judgement] = self._judge.weigh(evidence, look)
            return worded
        return grown, Judgement(Verdict.PASS, "")


@dataclass(frozen=True)
class Contestant:
    make: Callable[[], Weigher[Any]]
    control: Control = Control.BASELINE
    rival: bool = True


CONTESTANTS: Mapping[str, Contestant] = {
    "pithead": Contestant(ours, rival=False),
    "pithead-nobase": Contestant(ours, Control.PRODUCTION, rival=False),
    "kayenta": Contestant(KayentaJudge),
    "kayenta-nobase": Contestant(KayentaJudge, Control.PRODUCTION),
    "kayenta-gated": Contestant(lambda: KayentaJudge(effects=GATED)),
    "kayenta-fast": Contestant(lambda: KayentaJudge(300.0, GATED)),
    "flagger": Contestant(lambda: FLAGGER),
    "argo": Contestant(lambda: ARGO),
    "ratio": Contestant(lambda: RATIO),
}
USUAL = ("pithead", "kayenta", "kayenta-gated", "kayenta-fast", "flagger", "argo", "ratio")


@dataclass(frozen=True)
class Run:
    """One canary under one judge: a row of the result files."""

    judge: str
    profile: str
    fault: str
    seed: int
    failed_at: int | None
    delay: int | None
    requests: float
    added_errors: float
    looks: int
    ms_a_look: float
    """0 where it was not timed."""
    why: str
    """Of a rollback."""

    @property
    def key(self) -> tuple[str, str, str, int]:
        return self.judge, self.profile, self.fault, self.seed

    def row(self) -> list[Any]:
        return list(astuple(self))


@dataclass(frozen=True)
class Settings:
    """What our judge is set to."""

    false_rollback: float = 0.01
    tolerance: float = 0.0
    """Of latencies; 0 finds most, and errs most."""

    def rules(self, control: Control) -> JudgeRules:
        metrics = (
            replace(rule, tolerance=self.tolerance) if rule.kind is MetricKind.QUANTILE else rule for rule in METRICS
        )
        return JudgeRules(tuple(metrics), control, self.false_rollback)


@dataclass(frozen=True)
class Task:
    judge: str
    profile: str
    fault: str
    seeds: tuple[int, ...]
    settings: Settings
    timed: bool = True


@dataclass(frozen=True)
class Amount:
    """Canaries of each profile and fault."""

    good: int
    bad: int
    rival_good: int
    rival_bad: int

    def of(self, judge: str, fault: str) -> int:
        rival, good = CONTESTANTS[judge].rival, ALL_FAULTS[fault] == NONE
        if rival:
            return self.rival_good if good else self.rival_bad
        return self.good if good else self.bad


def tasks(
    judges: Sequence[str],
    profiles: Sequence[str],
    faults: Sequence[str],
    amount: Amount,
    seed: int,
    settings: Settings,
) -> list[Task]:
    found = []
    for profile in profiles:
        for fault in faults:
            for judge in judges:
                seeds = range(seed, seed + amount.of(judge, fault))
                parts = [tuple(seeds[at : at + AT_ONCE]) for at in range(0, len(seeds), AT_ONCE)]
                brief = CONTESTANTS[judge].rival is False
                found += [
                    Task(judge, profile, fault, part, settings, not brief or at * AT_ONCE < TIMED)
                    for at, part in enumerate(parts)
                ]
    return found


def done(task: Task) -> list[Run]:
    contestant = CONTESTANTS[task.judge]
    rules = task.settings.rules(contestant.control)
    judge = contestant.make() if task.timed else Brief(contestant.make())
    runs = []
    for seed in task.seeds:
        canary = scenario(ALL_PROFILES[task.profile], ALL_FAULTS[task.fault], seed, rules)
        told = rehearse(judge, canary, Prior() if contestant.rival else None, time.process_time if task.timed else None)
        why = told.why if told.failed_at is not None else ""
        runs.append(
            Run(
                task.judge,
                task.profile,
                task.fault,
                seed,
                told.failed_at,
                told.delay,
                round(told.requests, 1),
                round(told.added_errors, 2),
                told.looks,
                round(1_000 * told.seconds_a_look, 4),
                why,
            )
        )
    return runs


def all_done(work: Sequence[Task], jobs: int) -> Iterator[list[Run]]:
    """In any order."""
    if jobs <= 1:
        yield from map(done, work)
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap_unordered(done, work)


def merged(some: Iterable[Run]) -> list[Run]:
    """Each run once; of one that was made again, the last."""
    return list({run.key: run for run in some}.values())
