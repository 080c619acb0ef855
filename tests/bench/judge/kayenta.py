"""A rival: Kayenta's NetflixACAJudge with its published defaults, as its source has it.

One value a minute and group, pooled over hosts; after each interval the whole canary so far is compared with the
baseline group by Mann-Whitney, metric by metric, and the labels become a score.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.judge.columns import Columns
from pipeline.judge.look import Recorded
from pipeline.judge.trial import Prior, Trial
from pipeline.judge.verdict import Judgement, Verdict
from tests.bench.judge.steps import EMPTY, Groups, Step, ticks_of
from tests.bench.judge.whitney import AllTied, shift

TOLERANCE = 0.25
"""Of the shift itself, not of the control's level: it asks for a tight interval, not for a large difference."""
NOISE = 1e-5
MARGINAL, PASS = 75.0, 95.0


class Label(StrEnum):
    PASS = "pass"
    HIGH = "high"
    LOW = "low"
    NO_DATA = "no data"
    ERROR = "error"


class Direction(StrEnum):
    INCREASE = "increase"
    DECREASE = "decrease"
    EITHER = "either"


@dataclass(frozen=True)
class Metric:
    """Read in a unit in which the root finder's tolerance of 1e-4 is fine: per cent, ms, MiB, requests a minute."""

    group: str
    value: Callable[[Step], float]
    critical: bool = False
    direction: Direction = Direction.INCREASE


METRICS: Mapping[str, Metric] = {
    "errors": Metric("errors", lambda step: 100 * step.error_ratio, critical=True),
    "p99": Metric("latency", lambda step: 1_000 * step.latency_s(0.99), critical=True),
    "cpu": Metric("saturation", lambda step: 100 * step.cores),
    "memory": Metric("saturation", lambda step: step.memory_bytes / 2**20),
    "traffic": Metric("traffic", lambda step: 60 * step.rps, direction=Direction.DECREASE),
}
"""Groups weigh the same."""


@dataclass(frozen=True)
class Effects:
    """Ratios of means, experiment over control, beyond which a label counts, and beyond which it is critical."""

    increase: float = 1.0
    decrease: float = 1.0
    critical_increase: float = 1.0
    critical_decrease: float = 1.0


DEFAULTS = Effects()
GATED = Effects(1.25, 1 / 1.25, 1.5, 1 / 1.5)


@dataclass(frozen=True)
class Found:
    label: Label
    critical: bool


def compare(
    experiment: NDArray[np.float64], control: NDArray[np.float64], direction: Direction, effects: Effects
) -> Found:
    """The label of one metric's two series (NaN removed), and whether its effect is a critical one."""
    x, y = experiment[~np.isnan(experiment)], control[~np.isnan(control)]
    if not x.size or not y.size:
        return Found(Label.NO_DATA, True)
    if np.unique(np.concatenate([x, y])).size == 1 or np.array_equal(np.sort(x), np.sort(y)):
        return Found(Label.PASS, False)
    means = float(x.mean()), float(y.mean())
    effect = means[0] / means[1] if means[0] and means[1] else math.nan
    if np.unique(x).size == 1 and np.unique(y).size == 1:
        rng = np.random.default_rng(0)
        x = x + NOISE * np.abs(x) * rng.standard_normal(x.size)
        y = y + NOISE * np.abs(y) * rng.standard_normal(y.size)
    try:
        found = shift(x, y)
    except AllTied:
        return Found(Label.ERROR, False)
    bound = TOLERANCE * abs(found.estimate)
    # A ratio that cannot be had leaves the gate open.
    if direction is not Direction.DECREASE and found.low > bound and not effect < effects.increase:
        return Found(Label.HIGH, not effect < effects.critical_increase)
    if direction is not Direction.INCREASE and found.high < -bound and not effect > effects.decrease:
        return Found(Label.LOW, not effect > effects.critical_decrease)
    return Found(Label.PASS, False)


def score(found: Mapping[str, Found], metrics: Mapping[str, Metric] = METRICS) -> float:
    """0 to 100."""
    labels = [each.label for each in found.values()]
    if any(each.critical and metrics[key].critical and each.label is not Label.PASS for key, each in found.items()):
        return 0.0
    if 2 * labels.count(Label.NO_DATA) >= len(labels):
        return 0.0
    groups: dict[str, list[Label]] = {}
    for key, each in found.items():
        groups.setdefault(metrics[key].group, []).append(each.label)
    return round(sum(_of_group(mine) for mine in groups.values()) / len(groups), 2)


def _of_group(labels: Sequence[Label]) -> float:
    counted = [label for label in labels if label in (Label.PASS, Label.HIGH, Label.LOW)]
    return 100 * counted.count(Label.PASS) / len(counted) if counted else 100.0


@dataclass(frozen=True)
class Series:
    trial: Trial
    groups: Groups
    looks: int = 0
    canary: Step = EMPTY
    baseline: Step = EMPTY
    values: tuple[tuple[tuple[float, float], ...], ...] = ()
    """By step and metric: canary and baseline."""


@dataclass(frozen=True)
class KayentaJudge:
    interval_s: float = 3_600.0
    """The window grows from the canary's begin."""
    effects: Effects = DEFAULTS
    step_s: float = 60.0

    def prior(self, trial: Trial, past: Sequence[Recorded]) -> Prior:
        return Prior()

    def begin(self, trial: Trial, prior: Prior) -> Series:
        return Series(trial, Groups.of(trial))

    def weigh(self, evidence: Series, look: Columns) -> tuple[Series, Judgement]:
        trial, groups, looks = evidence.trial, evidence.groups, evidence.looks + 1
        control = groups.baseline if trial.baseline else groups.production
        canary, baseline = evidence.canary.with_look(look, groups.canary), evidence.baseline.with_look(look, control)
        grown = replace(evidence, looks=looks, canary=canary, baseline=baseline)
        if looks % ticks_of(self.step_s, trial) == 0:
            pairs = tuple((metric.value(canary), metric.value(baseline)) for metric in METRICS.values())
            grown = replace(grown, canary=EMPTY, baseline=EMPTY, values=(*evidence.values, pairs))
        last = looks >= trial.looks
        if not last and looks % ticks_of(self.interval_s, trial):
            return grown, Judgement(Verdict.WATCH, "between two intervals")
        return grown, self.judged(grown, last=last)

    def judged(self, evidence: Series, *, last: bool) -> Judgement:
        if not evidence.values:
            return Judgement(Verdict.NO_DATA, "no step is over")
        table = np.array(evidence.values)
        found = {
            key: compare(table[:, at, 0], table[:, at, 1], metric.direction, self.effects)
            for at, (key, metric) in enumerate(METRICS.items())
        }
        value = score(found)
        why = f"score {value:g}: " + ", ".join(f"{key} {each.label}" for key, each in found.items())
        if value <= MARGINAL or (last and value < PASS):
            return Judgement(Verdict.FAIL, why)
        return Judgement(Verdict.PASS if last else Verdict.WATCH, why)
