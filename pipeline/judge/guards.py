"""Absolute guards beside the statistics: they act at once, whatever the evidence says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.judge.columns import Columns, Floats
from pipeline.judge.plan import LEAST_FOR_OUTLIER, Plan
from pipeline.judge.sums import Layout
from pipeline.words import percent, some

GONE_LOOKS = 3
"""Looks in a row without data of most canary hosts after which a canary has no verdict at all."""
HALF_DOWN_LOOKS = 2
LEAST_BAD = 10
WORSE, COLD_WORSE = 2.0, 20.0
"""How many times faster than production a canary must burn too; while hosts are cold they may burn more."""


@dataclass(frozen=True, slots=True)
class Streaks:
    """Looks in a row."""

    gone: int = 0
    """Without data of most canary hosts."""
    half_down: int = 0
    """With half of the canary hosts down, or more."""
    alone: int = 0
    """Without data of most canary hosts, while most of the others gave some."""


def counted(before: Streaks, plan: Plan, look: Columns) -> Streaks:
    seen = int((look.host_s[: plan.canaries] > 0).sum())
    gone = 2 * seen < max(look.expected, 1)
    half = bool(look.down) and 2 * len(look.down) >= max(look.expected, 1)
    others = look.host_s[plan.canaries :] > 0
    alone = gone and 2 * int(others.sum()) >= max(len(others), 1)
    return Streaks(
        before.gone + 1 if gone else 0,
        before.half_down + 1 if half else 0,
        before.alone + 1 if alone else 0,
    )


def down(streaks: Streaks, look: Columns) -> str:
    """All canary hosts are down, of two or more; or half of them, or the only one, more than once."""
    sick = len(look.down)
    if not sick:
        return ""
    said = f"{sick} of {look.expected} hosts of the new revision are down: {some(sorted(look.down))}"
    if sick >= look.expected > 1 or streaks.half_down >= HALF_DOWN_LOOKS:
        return said
    return ""


def missing(streaks: Streaks, plan: Plan, look: Columns) -> str:
    """Most canary hosts give no data."""
    seen = int((look.host_s[: plan.canaries] > 0).sum())
    if 2 * seen >= max(look.expected, 1):
        return ""
    for_long = f", for {streaks.gone} looks" if streaks.gone >= GONE_LOOKS else ""
    if not seen:
        return f"no host of the new revision gives fresh data{for_long}"
    return f"only {seen} of {look.expected} hosts of the new revision give fresh data{for_long}"


def silent(streaks: Streaks) -> str:
    """Most canary hosts have given no data for some looks, though most of the others did: it is not the metrics."""
    if streaks.alone < GONE_LOOKS:
        return ""
    return f"most canary hosts have given no data for {GONE_LOOKS} looks, and production does: look at those hosts"


def burn(plan: Plan, lay: Layout, recent: Sequence[Floats], *, cold: bool) -> str:
    """The canary spends the error budget far too fast, and much faster than production at the same moment and place.

    `recent`: sums of the windows to look at, shortest first.
    """
    rules = plan.trial.rules
    allowed = 1 - plan.trial.objective
    if rules.guard_burn <= 0 or allowed <= 0:
        return ""
    for sums in recent:
        bad, total = lay.read(sums, "budget")
        others_bad, others = lay.read(sums, "budget_beside") @ plan.in_stratum[: plan.canaries].T
        if plan.outliers and (total > 0).sum() >= LEAST_FOR_OUTLIER:
            # One sick host of several fails no release, here either.
            rest = np.arange(plan.canaries) != bad.argmax()
            bad, total, others_bad, others = bad[rest], total[rest], others_bad[rest], others[rest]
        served = float(total.sum())
        if bad.sum() < LEAST_BAD or served <= 0:
            continue
        mine = float(bad.sum()) / served / allowed
        beside = np.divide(others_bad, others, out=np.zeros_like(others), where=others > 0)
        theirs = float((beside * total).sum()) / served / allowed
        if mine >= rules.guard_burn and mine >= (COLD_WORSE if cold else WORSE) * theirs:
            return (
                f"{plan.trial.bad}: the error budget burns {mine:,.0f} times too fast (guard {rules.guard_burn:g}): "
                f"{percent(mine * allowed)} of {served:,.0f} requests failed, beside it {theirs:,.1f} times"
            )
    return ""
