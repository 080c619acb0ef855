"""From e-values to how strong the evidence against a release is, metric by metric and together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.judge import evalues
from pipeline.judge.columns import Floats
from pipeline.judge.plan import Metric, Plan
from pipeline.judge.sums import Layout
from pipeline.judge.windows import Window

COUNTING_CAP = 0.5
"""Of what it takes to fail a release: the most that a metric gives that does not fail one alone."""


@dataclass(frozen=True, slots=True)
class Term:
    """One metric's part of the evidence."""

    metric: Metric
    value: float
    """Its weighted e-value."""
    window: int
    """Place of the window that gives most of it."""
    worst: int
    """Place among the canaries of the host that is worst in that window."""
    alone: bool
    """Whether the release would fail by this metric, were it not one host alone that is bad."""


def terms(
    plan: Plan, lay: Layout, found: Sequence[Window], sums: Floats, limits: tuple[Floats, Floats], level_limits: Floats
) -> list[Term]:
    """For every metric, counted ones first; `sums` are (windows, size)."""
    seconds = np.array([window.seconds for window in found])
    shares = np.array([window.share for window in found])
    parts: list[Term] = []
    if plan.counts:
        parts += _terms(plan, plan.counts, evalues.counts(plan, lay, sums, seconds, limits), shares)
    if plan.levels:
        parts += _terms(plan, plan.levels, evalues.levels(plan, lay, sums, level_limits), shares)
    return parts


def _terms(plan: Plan, metrics: Sequence[Metric], its: evalues.EValues, shares: Floats) -> list[Term]:
    robust, full = shares[:, None] * its.robust, shares[:, None] * its.all_hosts
    found = []
    for at, metric in enumerate(metrics):
        window = int(robust[:, at].argmax())
        loudest = int(full[:, at].argmax())
        value, of_all = metric.share * float(robust[:, at].sum()), metric.share * float(full[:, at].sum())
        alone = plan.outliers and of_all * plan.alpha >= 1 > value * plan.alpha
        place = loudest if alone else window
        cap = math.inf if metric.rule.critical else COUNTING_CAP / plan.alpha
        found.append(Term(metric, min(value, cap), place, int(its.worst[place, at]), alone))
    return found


def progress(value: float, alpha: float) -> float:
    """How far `value` has come to 1/alpha, on a scale of logarithms; at least 0."""
    return math.log(max(value, 1.0)) / math.log(1 / alpha)
