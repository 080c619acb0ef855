"""How far hosts that run the same build differ among themselves: variance over mean, of counts and of levels.

Source: quasi-likelihood (McCullagh & Nelder, 1989), with hosts as the replicates.
"""

import math
from collections.abc import Mapping

import numpy as np

from pipeline.judge.columns import Floats
from pipeline.judge.plan import Metric, Plan
from pipeline.model import MetricKind

ASSUMED_SPREAD = 0.25
"""Relative standard deviation between hosts where nothing is known of it."""
USUAL_SPREAD, USUAL_FREEDOM = 0.10, 8.0
"""How far hosts of one service usually differ, and what that is worth, where no history says it."""
LEAST_FREEDOM = 1.0
SOFTENED = 3.0
"""Events that all hosts together are thought to have had more, so that few events do not look like few hosts."""
UNPAIRED_DISPERSION, UNPAIRED_FREEDOM = 3.0, 8.0
COLD_DIFFERS: Mapping[MetricKind, float] = {
    MetricKind.RATIO: 0.4,
    MetricKind.QUANTILE: 1.2,
    MetricKind.SHARE: 1.2,
    MetricKind.RATE: 0.1,
}
"""How far hosts differ in how hard a cold start is on them: part of the logarithm of what it allows them."""
MOST_PRIOR_FREEDOM = 20.0


def of_counts(plan: Plan, events: Floats, expected: Floats, seconds: Floats) -> tuple[Floats, Floats]:
    """Dispersion of control hosts' counts, (windows, metrics, strata), and its degrees of freedom (windows, metrics).

    Args:
        events, expected: (windows, metrics, hosts).
        seconds: (windows,) length of each window.
    """
    places = plan.in_stratum
    live = np.maximum((expected > 0).sum(axis=2, keepdims=True), 1)
    weight = np.where(expected > 0, expected + SOFTENED / live, 0.0)
    squares = (events - expected) ** 2
    each = _dispersion(squares @ places, expected @ places, _effective(weight @ places, weight**2 @ places), 1.0)
    strata = ((expected @ places) > 0).sum(axis=2)
    effective = _effective(weight.sum(axis=2), (weight**2).sum(axis=2))
    pool = _dispersion(squares.sum(axis=2), expected.sum(axis=2), effective, np.maximum(strata, 1.0))
    freedom = np.maximum(effective - strata, 0.0)
    found = np.maximum(np.maximum(each, pool[..., None]), 1.0)
    mean = expected.sum(axis=2) / live[..., 0]
    unknown = freedom < LEAST_FREEDOM
    assumed = 1 + ASSUMED_SPREAD**2 * mean
    found = np.where(unknown[..., None], np.maximum(found, assumed[..., None]), found)
    freedom = np.maximum(freedom, LEAST_FREEDOM)
    if plan.unpaired:
        found, freedom = np.full_like(found, UNPAIRED_DISPERSION), np.full_like(freedom, UNPAIRED_FREEDOM)
    before, its_freedom = _priors(plan.counts, seconds)
    silent = its_freedom == 0
    before = np.where(silent, 1 + USUAL_SPREAD**2 * mean, before)
    its_freedom = np.where(silent, USUAL_FREEDOM, its_freedom)
    weight_sum = freedom + its_freedom
    return (found * freedom[..., None] + (before * its_freedom)[..., None]) / weight_sum[..., None], weight_sum


def of_cold_starts(plan: Plan, allowed: Floats, exposure: Floats, control_events: Floats) -> Floats:
    """What the hosts' different cold starts add to the dispersion, (windows, metrics, strata), of the same shape each.

    Beside a baseline alone: without one a cold canary is held against warm hosts, and its allowance is wide already.
    """
    if not plan.baselines:
        return np.zeros_like(allowed)
    kappa = np.divide(allowed, exposure, out=np.ones_like(allowed), where=exposure > 0)
    # The allowance is that of the difference between two groups: one host's own is larger.
    most = 1 + (np.maximum(kappa, 1 / np.maximum(kappa, 1e-9)) - 1) * math.sqrt(plan.canaries)
    beside = plan.in_stratum[plan.canaries : plan.canaries + plan.baselines].sum(axis=0)
    differ = np.array([COLD_DIFFERS.get(metric.rule.kind, 0.0) for metric in plan.counts])[:, None]
    each: Floats = (differ * np.log(most)) ** 2 * (control_events + 1) / np.maximum(beside, 1)
    return each


def _effective(total: Floats, squares: Floats) -> Floats:
    return np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)


def _dispersion(squares: Floats, expected: Floats, hosts: Floats, lost: Floats | float) -> Floats:
    """Sum of squares over expected, with the degrees of freedom put right; 0 where there is nothing to tell."""
    spare = hosts - lost
    right = np.divide(hosts, spare, out=np.zeros_like(hosts), where=spare > 0.5)
    return np.divide(squares, expected, out=np.zeros_like(squares), where=expected > 0) * right


def _priors(metrics: tuple[Metric, ...], seconds: Floats) -> tuple[Floats, Floats]:
    """(windows, metrics) each: dispersion and freedom from history at windows of these lengths."""
    dispersion, freedom = np.ones((len(seconds), len(metrics))), np.zeros((len(seconds), len(metrics)))
    for at, metric in enumerate(metrics):
        prior = metric.prior
        if not prior.lengths_s:
            continue
        lengths = np.array(prior.lengths_s)
        excess = np.array(prior.dispersion) - 1
        # Beyond what was seen, as below it, the excess grows with the length.
        inside = np.interp(seconds, lengths, excess)
        inside = np.where(seconds > lengths[-1], excess[-1] * seconds / lengths[-1], inside)
        inside = np.where(seconds < lengths[0], excess[0] * seconds / lengths[0], inside)
        dispersion[:, at] = 1 + inside
        freedom[:, at] = np.minimum(np.interp(seconds, lengths, prior.freedom), MOST_PRIOR_FREEDOM)
    return dispersion, freedom


def of_levels(plan: Plan, deviation: Floats, readings: Floats) -> tuple[Floats, Floats]:
    """Variance between control hosts' mean levels, (windows, levels), and its degrees of freedom."""
    places = plan.in_stratum
    there = readings > 0
    means = np.divide(deviation, readings, out=np.zeros_like(deviation), where=there)
    hosts = there.astype(np.float64) @ places
    centre = np.divide(means @ places, hosts, out=np.zeros_like(hosts), where=hosts > 0)
    rest = np.where(there, means - centre @ places.T, 0.0)
    freedom = np.maximum(hosts.sum(axis=2) - (hosts > 0).sum(axis=2), 0.0)
    variance = np.divide((rest**2).sum(axis=2), freedom, out=np.zeros_like(freedom), where=freedom > 0)
    return variance, freedom
