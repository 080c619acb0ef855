"""E-values: how much better a regression explains what was seen than no regression does.

Each is at most 1 on average while there is no regression beyond the limit, at every look at once, so the chance that
it ever reaches 1/a is at most a (Ville's inequality; mixtures: Robbins, 1970; counts of two arms as a binomial with
fixed odds: Lindon & Malek, NeurIPS 2022). Here the dispersion is estimated, and the Student form pays for that; so
the rate is kept by calibration (tests/bench/judge), not by proof alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.judge import dispersion
from pipeline.judge.columns import Bools, Floats
from pipeline.judge.plan import NOMINAL, Plan
from pipeline.judge.sums import COLD, Layout

GRID = np.array([0.08, 0.16, 0.26, 0.4, 0.6, 0.85, 1.15, 1.5, 2.0, 2.7, 3.5, 4.6])
"""Regressions that are tried, as logarithms beyond the limit."""
WEIGHTS = np.exp(-GRID / 1.5) / np.exp(-GRID / 1.5).sum()
THETAS = np.concatenate([[0.0], GRID])
ALONE = 0.25
"""Of a metric's share: each datacenter by itself."""
BORROWED = 3.0
"""Control events at most that a datacenter takes from all of production."""
UNPAIRED_EVENTS = 100.0
"""Control events that production's past is worth."""
LARGEST_LOG = 600.0
Index = NDArray[np.int_]


@dataclass(frozen=True, eq=False)
class EValues:
    """(windows, metrics) each."""

    all_hosts: Floats
    """With every canary host."""
    robust: Floats
    """What counts: where there are three canary hosts or more, at most what is left without the one that is worst."""
    worst: Floats
    """That host's place among the canaries."""


@dataclass(frozen=True, eq=False)
class Arms:
    """Canary and control of each comparison, as a binomial; (windows, phases, metrics, strata) each."""

    events: Floats
    """The canary's."""
    total: Floats
    """Of both."""
    odds: Floats
    """That an event is the canary's, when it has what it may have at most."""
    dispersion: Floats
    compared: Bools

    def at(self, *places: Index) -> "Arms":
        """Those at some places of the first axes."""
        return Arms(
            self.events[places],
            self.total[places],
            self.odds[places],
            self.dispersion[places],
            self.compared[places],
        )


@dataclass(frozen=True, eq=False)
class Counts:
    """Of the counted metrics."""

    arms: Arms
    """With every canary host."""
    freedom: Floats
    """(windows, metrics): of the dispersion."""
    values: EValues


@dataclass(frozen=True, eq=False)
class _Control:
    """What is the same whichever canary hosts count."""

    events: Floats
    exposure: Floats
    """(windows, phases, metrics, strata), as `events`."""
    pool_events: Floats
    pool_exposure: Floats
    """(windows, metrics), as `pool_events`: of all warm control hosts."""
    scatter: Floats
    """(windows, metrics, strata)"""
    freedom: Floats
    factor: Floats
    """(metrics,)"""


def counts(plan: Plan, lay: Layout, sums: Floats, seconds: Floats, factor: Floats) -> Counts:
    """Of the counted metrics, for windows whose sums are (windows, size).

    Args:
        factor: (metrics,), so many times the control's a canary may have beside what is added.
    """
    parts = {name: lay.read(sums, name) for name in ("events", "limit", "added", "allowed", "exposure")}
    spread_events = lay.read(sums, "spread_events")
    scatter, freedom = dispersion.of_counts(plan, spread_events, lay.read(sums, "spread_expected"), seconds)
    control = _Control(
        lay.read(sums, "control_events"),
        lay.read(sums, "control_exposure"),
        spread_events.sum(axis=2),
        lay.read(sums, "pool_exposure"),
        scatter,
        freedom,
        factor,
    )
    excess = ((parts["events"] - parts["limit"]).sum(axis=1)) * plan.count_signs[:, None]
    there = parts["exposure"].sum(axis=1) > 0
    excess = np.where(there, excess, -np.inf)
    worst = excess.argmax(axis=2)
    arms = _arms(plan, parts, control)
    whole = _count_evalues(plan, arms, freedom)
    if not plan.outliers:
        return Counts(arms, freedom, EValues(whole, whole, worst))
    others = np.arange(plan.canaries) != worst[:, None, :, None]
    rest = _arms(plan, {name: part * others for name, part in parts.items()}, control)
    without = _count_evalues(plan, rest, freedom)
    enough = there.sum(axis=2) >= 3
    robust = np.where(enough, np.minimum(whole, without), whole / NOMINAL)
    return Counts(arms, freedom, EValues(whole, robust, worst))


def _arms(plan: Plan, parts: dict[str, Floats], control: _Control) -> Arms:
    """`parts` are (windows, phases, metrics, canaries)."""
    places = plan.canary_in_stratum
    names = ("events", "limit", "added", "allowed", "exposure")
    x, limit, added, allowed, exposure = (parts[name] @ places for name in names)
    y, c = control.events, control.exposure
    compared = (exposure > 0) & (c > 0)
    known, expected = _borrowed(plan, np.maximum(limit - added, 0.0), control.factor[:, None] * allowed, control)
    expected = np.where(compared, expected, 0.0)
    most = expected + added
    # A fixed allowance is no estimate: it makes what the canary may have as sure as more control events would. One
    # that is read off the control's requests is as sure as those are many.
    surer = np.divide(most, expected, out=np.ones_like(most), where=expected > 0) ** np.where(plan.tolerant, 1, 2)
    one_plus = np.full_like(y, UNPAIRED_EVENTS) if plan.unpaired else known * surer
    odds = np.divide(most, one_plus, out=np.ones_like(most), where=compared & (most > 0))
    spread = np.repeat(control.scatter[:, None], x.shape[1], axis=1)
    if plan.baselines:
        spread[:, COLD] += dispersion.of_cold_starts(plan, allowed[:, COLD], exposure[:, COLD], y[:, COLD])
    return Arms(x, x + np.maximum(one_plus - 1, 0.0), odds, spread, compared)


def likelihood(arms: Arms, thetas: Floats) -> Floats:
    """Log likelihoods (..., thetas) of arms (...); 0 where nothing was compared.

    Of the canary's events among those of both groups, when it has exp(theta) times what it may have at most.

    Args:
        thetas: (..., thetas), alike for all arms or of each; larger is a larger canary.
    """
    x, total, odds = arms.events[..., None], arms.total[..., None], arms.odds[..., None]
    logs = x * (np.log(odds) + thetas) - total * np.log1p(odds * np.exp(thetas))
    found: Floats = np.where(arms.compared[..., None], logs / arms.dispersion[..., None], 0.0)
    return found


def _borrowed(plan: Plan, matched: Floats, allowed: Floats, control: _Control) -> tuple[Floats, Floats]:
    """(control events that are known of, what the canary may have by them), each (windows, phases, metrics, strata).

    A datacenter with few events takes some of all control hosts' rate, as an empirical Bayes estimate does; with one
    event more than there were, so that none is not taken for never.
    """
    y, c = control.events, control.exposure
    if plan.unpaired:
        return y, matched + 1.0
    events, exposure = control.pool_events[:, None, :, None], control.pool_exposure[:, None, :, None]
    rate = np.divide(events + 1, exposure, out=np.zeros_like(events), where=exposure > 0)
    borrowed = np.clip(events + 1 - y, 1.0, BORROWED)
    worth = np.divide(borrowed, rate, out=np.zeros_like(c), where=rate > 0)
    own = np.divide(c, c + worth, out=np.ones_like(c), where=c + worth > 0)
    known = y + borrowed
    return known, (matched * own + allowed * rate * (1 - own)) * (known + 1) / known


def _count_evalues(plan: Plan, arms: Arms, freedom: Floats) -> Floats:
    logs = likelihood(arms, plan.count_signs[:, None, None] * THETAS)
    per_stratum, per_phase = (np.logical_or.reduce(arms.compared, axis=axis) for axis in (1, 3))
    strata = np.maximum(per_stratum.sum(axis=2), 1)
    if plan.baselines:
        joint = _mixed(logs.sum(axis=(1, 3)), freedom, WEIGHTS)
    else:
        by_phase = _mixed(logs.sum(axis=3), freedom[:, None, :], WEIGHTS)
        joint = mean(by_phase, per_phase, axis=1)
    alone = _mixed(logs.sum(axis=1), (freedom / strata)[..., None], WEIGHTS)
    return (1 - ALONE) * joint + ALONE * mean(alone, per_stratum, axis=2)


def mean(values: Floats, known: Bools, axis: int) -> Floats:
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
