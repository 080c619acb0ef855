"""E-values: how much better a regression explains what was seen than no regression does.

Each is at most 1 on average while there is no regression beyond the limit, at every look at once, so the chance that
it ever reaches 1/a is at most a (Ville's inequality; mixtures: Robbins, 1970; counts of two arms as a binomial with
fixed odds: Lindon & Malek, NeurIPS 2022). Here the dispersion is estimated, and the Student form pays for that; so
the rate is kept by calibration (tests/bench/judge), not by proof alone.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.judge import dispersion
from pipeline.judge.columns import Bools, Floats
from pipeline.judge.plan import NOMINAL, Plan
from pipeline.judge.sums import COLD, Layout

GRID = np.array([0.08, 0.16, 0.26, 0.4, 0.6, 0.85, 1.15, 1.5, 2.0, 2.7, 3.5, 4.6])
"""Regressions that are tried, as logarithms beyond the limit."""
WEIGHTS = np.exp(-GRID / 1.5) / np.exp(-GRID / 1.5).sum()
LEVEL_GRID = GRID / 2
THETAS = np.concatenate([[0.0], GRID])
LEVEL_THETAS = np.concatenate([[0.0], LEVEL_GRID])
ALONE = 0.25
"""Of a metric's share: each datacenter by itself."""
LEVEL_NOISE = 0.005
LEAST_READINGS = 5
BORROWED = 3.0
"""Control events at most that a datacenter takes from all of production."""
UNPAIRED_EVENTS = 100.0
"""Control events that production's past is worth."""
LARGEST_LOG = 600.0


@dataclass(frozen=True, eq=False)
class EValues:
    """(windows, metrics) each."""

    all_hosts: Floats
    """With every canary host."""
    robust: Floats
    """What counts: where there are three canary hosts or more, at most what is left without the one that is worst."""
    worst: Floats
    """That host's place among the canaries."""


def counts(plan: Plan, lay: Layout, sums: Floats, seconds: Floats, limits: tuple[Floats, Floats]) -> EValues:
    """Of the counted metrics, for windows whose sums are (windows, size)."""
    parts = {name: lay.read(sums, name) for name in ("events", "limit", "allowed", "exposure")}
    control = lay.read(sums, "control_events"), lay.read(sums, "control_exposure")
    spread = lay.read(sums, "spread_events"), lay.read(sums, "spread_expected")
    scatter, freedom = dispersion.of_counts(plan, spread[0], spread[1], seconds)
    excess = ((parts["events"] - parts["limit"]).sum(axis=1)) * plan.count_signs[:, None]
    there = parts["exposure"].sum(axis=1) > 0
    excess = np.where(there, excess, -np.inf)
    worst = excess.argmax(axis=2)
    pool = spread[0].sum(axis=2), lay.read(sums, "pool_exposure")
    whole = _count_evalues(plan, parts, control, limits, scatter, freedom, pool)
    if not plan.outliers:
        return EValues(whole, whole, worst)
    others = np.arange(plan.canaries) != worst[:, None, :, None]
    without = _count_evalues(
        plan, {name: part * others for name, part in parts.items()}, control, limits, scatter, freedom, pool
    )
    enough = there.sum(axis=2) >= 3
    return EValues(whole, np.where(enough, np.minimum(whole, without), whole / NOMINAL), worst)


def likelihood(
    plan: Plan,
    parts: dict[str, Floats],
    control: tuple[Floats, Floats],
    limits: tuple[Floats, Floats],
    scatter: Floats,
    thetas: Floats,
    pool: tuple[Floats, Floats],
) -> tuple[Floats, Bools]:
    """Log likelihoods (windows, phases, metrics, strata, thetas), 0 where nothing was compared, and where it was.

    Of the canary's events among those of both groups, when it has exp(theta) times what it may have at most.
    """
    places = plan.in_stratum[: plan.canaries]
    x, limit, allowed, exposure = (parts[name] @ places for name in ("events", "limit", "allowed", "exposure"))
    y, c = control
    factor, addition = limits[0][:, None], limits[1][:, None]
    compared = (exposure > 0) & (c > 0)
    known, expected = _borrowed(plan, np.maximum(limit - addition * allowed, 0.0), factor * allowed, y, c, pool)
    expected = np.where(compared, expected, 0.0)
    most = expected + addition * allowed
    # A fixed allowance is no estimate: it makes what the canary may have as sure as more control events would.
    surer = np.divide(most, expected, out=np.ones_like(most), where=expected > 0) ** 2
    one_plus = np.full_like(y, UNPAIRED_EVENTS) if plan.unpaired else known * surer
    odds = np.divide(most, one_plus, out=np.ones_like(most), where=compared & (most > 0))
    theta = thetas * plan.count_signs[:, None, None]
    total = (x + np.maximum(one_plus - 1, 0.0))[..., None]
    logs = x[..., None] * (np.log(odds)[..., None] + theta) - total * np.log1p(odds[..., None] * np.exp(theta))
    spread = np.repeat(scatter[:, None], x.shape[1], axis=1)
    spread[:, COLD] += dispersion.of_cold_starts(plan, allowed[:, COLD], exposure[:, COLD], y[:, COLD])
    return np.where(compared[..., None], logs / spread[..., None], 0.0), compared


def _borrowed(
    plan: Plan, matched: Floats, allowed: Floats, y: Floats, c: Floats, pool: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """(control events that are known of, what the canary may have by them), each (windows, phases, metrics, strata).

    A datacenter with few events takes some of all control hosts' rate, as an empirical Bayes estimate does; with one
    event more than there were, so that none is not taken for never.
    """
    events, exposure = (part[:, None, :, None] for part in pool)
    rate = np.divide(events + 1, exposure, out=np.zeros_like(events), where=exposure > 0)
    borrowed = np.clip(events + 1 - y, 1.0, BORROWED)
    worth = np.divide(borrowed, rate, out=np.zeros_like(c), where=rate > 0)
    own = np.divide(c, c + worth, out=np.ones_like(c), where=c + worth > 0)
    if plan.unpaired:
        return y, matched + 1.0
    known = y + borrowed
    return known, (matched * own + allowed * rate * (1 - own)) * (known + 1) / known


def _count_evalues(
    plan: Plan,
    parts: dict[str, Floats],
    control: tuple[Floats, Floats],
    limits: tuple[Floats, Floats],
    scatter: Floats,
    freedom: Floats,
    pool: tuple[Floats, Floats],
) -> Floats:
    logs, compared = likelihood(plan, parts, control, limits, scatter, THETAS, pool)
    per_stratum, per_phase = np.logical_or.reduce(compared, axis=1), np.logical_or.reduce(compared, axis=3)
    strata = np.maximum(per_stratum.sum(axis=2), 1)
    if plan.baselines:
        joint = _mixed(logs.sum(axis=(1, 3)), freedom, WEIGHTS)
    else:
        by_phase = _mixed(logs.sum(axis=3), freedom[:, None, :], WEIGHTS)
        joint = _mean(by_phase, per_phase, axis=1)
    alone = _mixed(logs.sum(axis=1), (freedom / strata)[..., None], WEIGHTS)
    return (1 - ALONE) * joint + ALONE * _mean(alone, per_stratum, axis=2)


def _mean(values: Floats, known: Bools, axis: int) -> Floats:
    """Over what is known; 1, which is no evidence, where nothing is."""
    number = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    mean: Floats = np.where(number > 0, total / np.maximum(number, 1), 1.0)
    return mean


def _mixed(logs: Floats, freedom: Floats, weights: Floats) -> Floats:
    """E-values (...,) of log likelihoods (..., thetas), the first of them at the limit; Student's form of them."""
    student = studentised(logs, freedom)
    ratio = np.exp(np.minimum(student[..., 1:] - student[..., :1], LARGEST_LOG))
    mixed = ratio @ weights
    inside = logs[..., 1] <= logs[..., 0]
    return np.where(inside, np.minimum(mixed, 1.0), mixed)


def studentised(logs: Floats, freedom: Floats) -> Floats:
    """Log likelihoods with an estimated dispersion, up to a constant: -(nu+1)/2 log(1 + 2 (max - l)/nu)."""
    nu = np.maximum(freedom, 1e-3)[..., None]
    below = logs.max(axis=-1, keepdims=True) - logs
    scaled: Floats = -(nu + 1) / 2 * np.log1p(2 * below / nu)
    return scaled


def level_effects(plan: Plan, lay: Layout, sums: Floats, others: Bools | None = None) -> tuple[Floats, Floats, Bools]:
    """(effect, weight, known), each (windows, phases, levels): logarithm of canary over control.

    `others`: (windows, 1, levels, canaries) mask of canary hosts that count; None for all.
    """
    deviation, readings = lay.read(sums, "deviation"), lay.read(sums, "readings")
    if others is not None:
        deviation, readings = deviation * others, readings * others
    places = plan.in_stratum[: plan.canaries]
    total, number = deviation @ places, readings @ places
    ticks, inverse = lay.read(sums, "ticks"), lay.read(sums, "inverse")
    # Single readings are too coarse to be taken for normal: a mean of some is not.
    there = (number > 0) & (ticks >= LEAST_READINGS)
    off = np.divide(total, number, out=np.zeros_like(total), where=there)
    per_host = np.divide(ticks, number, out=np.zeros_like(total), where=there)
    per_control = np.divide(inverse, ticks, out=np.zeros_like(total), where=there)
    weight = np.divide(1.0, per_host + per_control, out=np.zeros_like(total), where=there)
    sum_of = weight.sum(axis=3)
    effect = np.divide((weight * off).sum(axis=3), sum_of, out=np.zeros_like(sum_of), where=sum_of > 0)
    return effect, sum_of, sum_of > 0


def level_logs(effect: Floats, weight: Floats, known: Bools, variance: Floats, freedom: Floats) -> Floats:
    """The scale of squared distances: nu * s^2 (windows, phases, levels), 1 where nothing is known."""
    scale = freedom[:, None] * (variance[:, None] + LEVEL_NOISE**2)
    ready = known & (freedom[:, None] >= 1)
    return np.divide(scale, weight, out=np.full_like(effect, np.inf), where=ready & (weight > 0))


def levels(plan: Plan, lay: Layout, sums: Floats, limits: Floats) -> EValues:
    """Of the levels; `limits` (levels,) are logarithms of what a canary may have over its control."""
    deviation, readings = lay.read(sums, "deviation"), lay.read(sums, "readings")
    there = readings.sum(axis=1) > 0
    means = (
        np.divide(deviation.sum(axis=1), readings.sum(axis=1), out=np.zeros(there.shape), where=there)
        * plan.level_signs[:, None]
    )
    worst = np.where(there, means, -np.inf).argmax(axis=2)
    spread = lay.read(sums, "spread_deviation"), lay.read(sums, "spread_readings")
    variance, freedom = dispersion.of_levels(plan, *spread)
    whole = _level_evalues(plan, lay, sums, limits, variance, freedom, None)
    if not plan.outliers:
        return EValues(whole, whole, worst)
    others = (np.arange(plan.canaries) != worst[..., None])[:, None]
    without = _level_evalues(plan, lay, sums, limits, variance, freedom, others)
    enough = there.sum(axis=2) >= 3
    return EValues(whole, np.where(enough, np.minimum(whole, without), whole / NOMINAL), worst)


def _level_evalues(
    plan: Plan, lay: Layout, sums: Floats, limits: Floats, variance: Floats, freedom: Floats, others: Bools | None
) -> Floats:
    effect, weight, known = level_effects(plan, lay, sums, others)
    scale = level_logs(effect, weight, known, variance, freedom)
    theta = limits[:, None] + LEVEL_THETAS * plan.level_signs[:, None]
    squares = (effect[..., None] - theta) ** 2 / scale[..., None]
    nu = freedom[:, None, :, None]
    logs = -(nu + 1) / 2 * np.log1p(squares)
    ratio = np.exp(np.minimum(logs[..., 1:] - logs[..., :1], LARGEST_LOG)).mean(axis=-1)
    ratio = np.where(logs[..., 1] <= logs[..., 0], np.minimum(ratio, 1.0), ratio)
    return _mean(ratio, np.isfinite(scale), axis=1)
