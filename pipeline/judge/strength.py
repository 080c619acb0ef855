"""From e-values to how strong the evidence against a release is, metric by metric and together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.judge.columns import Floats
from pipeline.judge.evalues import Counts, EValues, counts
from pipeline.judge.levels import Levels, levels
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


@dataclass(frozen=True, eq=False)
class Weighed:
    """Every metric in every window."""

    terms: tuple[Term, ...]
    """Counted metrics first."""
    counts: Counts | None
    levels: Levels | None


def weighed(
    plan: Plan, lay: Layout, found: Sequence[Window], sums: Floats, factor: Floats, level_limits: Floats
) -> Weighed:
    """`sums` are (windows, size)."""
    seconds = np.array([window.seconds for window in found])
    shares = np.array([window.share for window in found])
    counted = counts(plan, lay, sums, seconds, factor) if plan.counts else None
    levelled = levels(plan, lay, sums, level_limits) if plan.levels else None
    return Weighed(
        (
            *(_terms(plan, plan.counts, counted.values, shares) if counted is not None else ()),
            *(_terms(plan, plan.levels, levelled.values, shares) if levelled is not None else ()),
        ),
        counted,
        levelled,
    )


def _terms(plan: Plan, metrics: Sequence[Metric], its: EValues, shares: Floats) -> list[Term]:
    robust, full = shares[:, None] * its.robust, shares[:, None] * its.all_hosts
    most, loudest = robust.argmax(axis=0).tolist(), full.argmax(axis=0).tolist()
    values, of_all = robust.sum(axis=0).tolist(), full.sum(axis=0).tolist()
    found = []
    for at, metric in enumerate(metrics):
        value = metric.share * values[at]
        alone = plan.outliers and metric.share * of_all[at] * plan.alpha >= 1 > value * plan.alpha
        place = loudest[at] if alone else most[at]
        cap = math.inf if metric.rule.critical else COUNTING_CAP / plan.alpha
        found.append(Term(metric, min(value, cap), place, int(its.worst[place, at]), alone))
    return found


def progress(value: float, alpha: float) -> float:
    """How far `value` has come to 1/alpha, on a scale of logarithms; at least 0."""
    return math.log(max(value, 1.0)) / math.log(1 / alpha)
