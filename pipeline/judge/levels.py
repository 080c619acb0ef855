"""E-values of levels, such as memory: how far the canary's are off its control's, in logarithms, as a Student's t is.

Each reading is held against the control's mean at the same moment, and hosts are the replicates.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.judge import dispersion, evalues
from pipeline.judge.columns import Floats
from pipeline.judge.plan import NOMINAL, Plan
from pipeline.judge.sums import Layout

LEVEL_GRID = evalues.GRID / 2
LEVEL_THETAS = np.concatenate([[0.0], LEVEL_GRID])
LEVEL_NOISE = 0.005
LEAST_READINGS = 5


@dataclass(frozen=True, eq=False)
class Levels:
    """Of the levels."""

    effect: Floats
    """(windows, phases, levels): logarithm of canary over control."""
    weight: Floats
    """Likewise: what it rests on; 0 where nothing is known."""
    scale: Floats
    """Likewise, of squared distances: nu * s^2; infinite where nothing is known."""
    freedom: Floats
    """(windows, levels): of the variance between hosts."""
    values: evalues.EValues


@dataclass(frozen=True, eq=False)
class _Readings:
    """Of the canary hosts that count, (windows, phases, levels, canaries)."""

    deviation: Floats
    number: Floats

    def without(self, worst: Floats) -> "_Readings":
        """`worst`: (windows, levels), a host's place."""
        others = (np.arange(self.number.shape[-1]) != worst[..., None])[:, None]
        return _Readings(self.deviation * others, self.number * others)


def levels(plan: Plan, lay: Layout, sums: Floats, limits: Floats) -> Levels:
    """Of the levels; `limits` (levels,) are logarithms of what a canary may have over its control."""
    readings = _Readings(lay.read(sums, "deviation"), lay.read(sums, "readings"))
    number = readings.number.sum(axis=1)
    there = number > 0
    means = np.divide(readings.deviation.sum(axis=1), number, out=np.zeros(there.shape), where=there)
    worst = np.where(there, means * plan.level_signs[:, None], -np.inf).argmax(axis=2)
    variance, freedom = dispersion.of_levels(
        plan, lay.read(sums, "spread_deviation"), lay.read(sums, "spread_readings")
    )
    control = lay.read(sums, "ticks"), lay.read(sums, "inverse")
    effect, weight = _level_effects(plan, readings, control)
    scale = _scale(weight, variance, freedom)
    whole = _level_evalues(plan, effect, scale, limits, freedom)
    if plan.outliers:
        rest, its_weight = _level_effects(plan, readings.without(worst), control)
        without = _level_evalues(plan, rest, _scale(its_weight, variance, freedom), limits, freedom)
        robust = np.where(there.sum(axis=2) >= 3, np.minimum(whole, without), whole / NOMINAL)
    else:
        robust = whole
    return Levels(effect, weight, scale, freedom, evalues.EValues(whole, robust, worst))


def _level_effects(plan: Plan, readings: _Readings, control: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """(effect, weight), each (windows, phases, levels): logarithm of canary over control; 0 where nothing is known."""
    places = plan.canary_in_stratum
    total, number = readings.deviation @ places, readings.number @ places
    ticks, inverse = control
    # Single readings are too coarse to be taken for normal: a mean of some is not.
    there = (number > 0) & (ticks >= LEAST_READINGS)
    off = np.divide(total, number, out=np.zeros_like(total), where=there)
    per_host = np.divide(ticks, number, out=np.zeros_like(total), where=there)
    per_control = np.divide(inverse, ticks, out=np.zeros_like(total), where=there)
    weight = np.divide(1.0, per_host + per_control, out=np.zeros_like(total), where=there)
    sum_of = weight.sum(axis=3)
    effect = np.divide((weight * off).sum(axis=3), sum_of, out=np.zeros_like(sum_of), where=sum_of > 0)
    return effect, sum_of


def _scale(weight: Floats, variance: Floats, freedom: Floats) -> Floats:
    """(windows, phases, levels): nu * s^2 of squared distances, infinite where nothing is known."""
    scale = freedom[:, None] * (variance[:, None] + LEVEL_NOISE**2)
    ready = (weight > 0) & (freedom[:, None] >= 1)
    return np.divide(scale, weight, out=np.full_like(weight, np.inf), where=ready)


def _level_evalues(plan: Plan, effect: Floats, scale: Floats, limits: Floats, freedom: Floats) -> Floats:
    theta = limits[:, None] + LEVEL_THETAS * plan.level_signs[:, None]
    squares = (effect[..., None] - theta) ** 2 / scale[..., None]
    nu = freedom[:, None, :, None]
    logs = -(nu + 1) / 2 * np.log1p(squares)
    ratio = np.exp(np.minimum(logs[..., 1:] - logs[..., :1], evalues.LARGEST_LOG)).mean(axis=-1)
    ratio = np.where(logs[..., 1] <= logs[..., 0], np.minimum(ratio, 1.0), ratio)
    return evalues.mean(ratio, np.isfinite(scale), axis=1)
