"""Confidence bounds of each metric's difference, from the same tests turned round: they hold at every look at once.

A difference is inside the bounds while the e-value against it is below 1/0.025 on either side (Howard et al.,
"Time-uniform, nonparametric, nonasymptotic confidence sequences", 2021).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.judge.columns import Bools, Floats
from pipeline.judge.evalues import GRID, LARGEST_LOG, WEIGHTS, Counts, likelihood, studentised
from pipeline.judge.levels import LEVEL_GRID, Levels
from pipeline.judge.plan import Plan
from pipeline.judge.strength import Weighed
from pipeline.judge.sums import COLD, WARM, Layout

ENOUGH = 1 / 0.025
STEP = 0.05
FINE: Floats = np.linspace(-8.0, 8.0, 321)
OFFSETS = np.rint(GRID / STEP).astype(int)
PLACES = np.arange(OFFSETS[-1], len(FINE) - OFFSETS[-1])
"""Of those of `FINE` that may be a bound: all that is tried against them is in `FINE` too."""
ABOVE, BELOW = PLACES[:, None] + OFFSETS, PLACES[:, None] - OFFSETS
LEVEL_FINE: Floats = np.linspace(-4.0, 4.0, 801)[:400]
"""How far below its effect a level's lower bound may be; the upper one is as far above."""
NEAR = 100
"""Of these, the nearest: they are looked at first, since most bounds are among them."""
Interval = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Effect:
    """One metric over a whole trial, as rates, shares or levels; None where nothing was compared."""

    canary: float | None = None
    control: float | None = None
    """Control hosts in the canary's datacenters, at its moments."""
    limit: float | None = None
    """What the canary may have at most (at least, where less is worse); of a cold one, its allowance in it."""
    low: float | None = None
    high: float | None = None
    """Bounds of the canary's true value; None is unbounded."""
    exposure: float = 0.0
    control_exposure: float = 0.0
    """What `canary` and `control` rest on: requests, or seconds, of the same hosts and moments."""
    cold: bool = False
    """Whether that is from before the canary was warm."""


def effects(plan: Plan, lay: Layout, sums: Floats, weighed: Weighed) -> list[Effect]:
    """Of every metric over a whole trial, the first of the windows that were weighed; `sums`, (size,), are its own."""
    counted = _of_counts(plan, lay, sums, weighed.counts) if weighed.counts is not None else []
    return counted + (_of_levels(plan, lay, sums, weighed.levels) if weighed.levels is not None else [])


def _of_counts(plan: Plan, lay: Layout, sums: Floats, counts: Counts) -> list[Effect]:
    every, warm = np.arange(len(plan.counts)), np.logical_or.reduce(counts.arms.compared[0, WARM], axis=1)
    phase = np.where(warm, WARM, COLD)
    arms = counts.arms.at(np.zeros_like(every), phase, every)
    logs = likelihood(arms, (plan.count_signs[:, None] * FINE)[:, None])
    found = _inverted(studentised(logs.sum(axis=1), counts.freedom[0]))
    names = ("events", "expected", "limit", "exposure", "control_exposure")
    totals = np.stack([lay.read(sums, name)[phase, every].sum(axis=1) for name in names], axis=1).tolist()
    known = np.logical_or.reduce(arms.compared, axis=1)
    return [
        _effect(metric.sign, total, within, cold=not warm[at]) if known[at] and total[3] > 0 else Effect()
        for at, (metric, total, within) in enumerate(zip(plan.counts, totals, found, strict=True))
    ]


def _effect(sign: float, totals: Sequence[float], within: Interval, *, cold: bool) -> Effect:
    events, expected, limit, exposure, beside = totals
    most = limit / exposure
    # Theta grows with what is worse; where less is worse the bounds change sides.
    low, high = within if sign > 0 else reversed(within)
    return Effect(
        canary=events / exposure,
        control=expected / exposure,
        limit=most,
        low=None if low is None else most * math.exp(sign * low),
        high=None if high is None else most * math.exp(sign * high),
        exposure=exposure,
        control_exposure=beside,
        cold=cold,
    )


def _inverted(student: Floats) -> list[Interval]:
    """The lowest and the highest of `FINE` not refuted by each row of log likelihoods, (rows, FINE), over it.

    A place is held against those beyond it on the side where the likelihood is largest.
    """
    below = student.argmax(axis=1)[:, None] > PLACES
    others = np.where(below[..., None], student.take(ABOVE, axis=1), student.take(BELOW, axis=1))
    ratio = np.exp(np.minimum(others - student[:, PLACES, None], LARGEST_LOG)) @ WEIGHTS
    refuted = ratio >= ENOUGH
    too_low, too_high = refuted & below, refuted & ~below
    return [(_last(row), _first(other)) for row, other in zip(too_low, too_high, strict=True)]


def _last(refuted: Bools) -> float | None:
    places = np.flatnonzero(refuted)
    return float(FINE[PLACES[places[-1]]]) if places.size else None


def _first(refuted: Bools) -> float | None:
    places = np.flatnonzero(refuted)
    return float(FINE[PLACES[places[0]]]) if places.size else None


def _of_levels(plan: Plan, lay: Layout, sums: Floats, levels: Levels) -> list[Effect]:
    known = levels.weight[0] > 0
    mine, number, theirs, others = lay.read(sums, "level_sums").tolist()
    found = []
    for at in range(len(plan.levels)):
        phase = WARM if known[WARM, at] else COLD
        if not known[phase, at] or number[at] <= 0 or others[at] <= 0:
            found.append(Effect())
            continue
        level, control = mine[at] / number[at], theirs[at] / others[at]
        scale = float(levels.scale[0, phase, at])
        reach = _reach(float(levels.freedom[0, at]), scale) if phase == WARM and math.isfinite(scale) else None
        found.append(
            Effect(
                canary=level,
                control=control,
                limit=control * math.exp(plan.level_limits[at]),
                # Hosts' own levels are shown, and the effect is of logarithms: the bounds stand around what is shown.
                low=None if reach is None else level * math.exp(-reach),
                high=None if reach is None else level * math.exp(reach),
                cold=phase == COLD,
            )
        )
    return found


def _reach(freedom: float, scale: float) -> float | None:
    """How far off its effect a level's bounds are."""
    for offs in (LEVEL_FINE[-NEAR:], LEVEL_FINE[:-NEAR]):
        here, beyond = offs**2, (offs[:, None] + LEVEL_GRID) ** 2
        logs = (freedom + 1) / 2 * (np.log1p(here / scale)[:, None] - np.log1p(beyond / scale))
        refuted = np.flatnonzero(np.exp(np.minimum(logs, LARGEST_LOG)).mean(axis=1) >= ENOUGH)
        if refuted.size:
            return -float(offs[refuted[-1]])
    return None
