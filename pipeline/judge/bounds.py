"""Confidence bounds of each metric's difference, from the same tests turned round: they hold at every look at once.

A difference is inside the bounds while the e-value against it is below 1/0.025 on either side (Howard et al.,
"Time-uniform, nonparametric, nonasymptotic confidence sequences", 2021).
"""

from dataclasses import dataclass

import numpy as np

from pipeline.judge import dispersion
from pipeline.judge.columns import Floats
from pipeline.judge.evalues import GRID, LEVEL_GRID, WEIGHTS, level_effects, level_logs, likelihood, studentised
from pipeline.judge.plan import Plan
from pipeline.judge.sums import COLD, WARM, Layout

ENOUGH = 1 / 0.025
STEP = 0.05
FINE: Floats = np.linspace(-8.0, 8.0, 321)
OFFSETS = np.rint(GRID / STEP).astype(int)
LEVEL_FINE: Floats = np.linspace(-4.0, 4.0, 801)


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


def of_counts(plan: Plan, lay: Layout, sums: Floats, seconds: float, limits: tuple[Floats, Floats]) -> list[Effect]:
    """Of each counted metric, from the sums of a whole trial, (size,)."""
    whole = sums[None]
    parts = {name: lay.read(whole, name) for name in ("events", "limit", "allowed", "exposure")}
    expected = lay.read(whole, "expected")[0].sum(axis=2)
    control = lay.read(whole, "control_events"), lay.read(whole, "control_exposure")
    spread = lay.read(whole, "spread_events"), lay.read(whole, "spread_expected")
    scatter, freedom = dispersion.of_counts(plan, *spread, np.array([seconds]))
    pool = spread[0].sum(axis=2), lay.read(whole, "pool_exposure")
    logs, compared = likelihood(plan, parts, control, limits, scatter, FINE, pool)
    by_phase = logs[0].sum(axis=2)
    any_of = compared[0].any(axis=2)
    total = {name: part[0].sum(axis=2) for name, part in parts.items()}
    found = []
    for at in range(len(plan.counts)):
        phase = WARM if any_of[WARM, at] else COLD
        exposure = float(total["exposure"][phase, at])
        if not any_of[phase, at] or exposure <= 0:
            found.append(Effect())
            continue
        limit = float(total["limit"][phase, at]) / exposure
        student = studentised(by_phase[phase, at], freedom[0, at])
        low, high = _inverted(student)
        # Theta grows with what is worse; where less is worse the bounds change sides.
        lowest, highest = (low, high) if plan.counts[at].sign > 0 else (high, low)
        found.append(
            Effect(
                canary=float(total["events"][phase, at]) / exposure,
                control=float(expected[phase, at]) / exposure,
                limit=limit,
                low=None if lowest is None else limit * float(np.exp(plan.counts[at].sign * lowest)),
                high=None if highest is None else limit * float(np.exp(plan.counts[at].sign * highest)),
                exposure=exposure,
                control_exposure=float(control[1][0, phase, at].sum()),
                cold=phase == COLD,
            )
        )
    return found


def _inverted(student: Floats) -> tuple[float | None, float | None]:
    """The lowest and the highest of `FINE` that is not refuted by log likelihoods over it."""
    reach = int(OFFSETS[-1])
    places = np.arange(reach, len(FINE) - reach)
    here = student[places]
    up = np.exp(np.minimum(student[places[:, None] + OFFSETS] - here[:, None], 600.0)) @ WEIGHTS
    down = np.exp(np.minimum(student[places[:, None] - OFFSETS] - here[:, None], 600.0)) @ WEIGHTS
    best = int(student.argmax())
    too_low, too_high = (up >= ENOUGH) & (places <= best), (down >= ENOUGH) & (places >= best)
    low = float(FINE[places[too_low].max()]) if too_low.any() else None
    high = float(FINE[places[too_high].min()]) if too_high.any() else None
    return low, high


def of_levels(plan: Plan, lay: Layout, sums: Floats, limits: Floats) -> list[Effect]:
    """Of each level."""
    whole = sums[None]
    effect, weight, known = (part[0] for part in level_effects(plan, lay, whole))
    spread = lay.read(whole, "spread_deviation"), lay.read(whole, "spread_readings")
    variance, freedom = dispersion.of_levels(plan, *spread)
    scale = level_logs(effect[None], weight[None], known[None], variance, freedom)[0]
    mine, number, theirs, others = lay.read(sums, "level_sums")
    found = []
    for at in range(len(plan.levels)):
        phase = WARM if known[WARM, at] else COLD
        if not known[phase, at] or number[at] <= 0 or others[at] <= 0:
            found.append(Effect())
            continue
        level, control = float(mine[at] / number[at]), float(theirs[at] / others[at])
        d, nu = float(effect[phase, at]), float(freedom[0, at])
        low = high = None
        if phase == WARM and np.isfinite(scale[phase, at]):
            low, high = _level_bounds(d, nu, float(scale[phase, at]))
        found.append(
            Effect(
                canary=level,
                control=control,
                limit=control * float(np.exp(limits[at])),
                # Hosts' own levels are shown, and the effect is of logarithms: the bounds stand around what is shown.
                low=None if low is None else level * float(np.exp(low - d)),
                high=None if high is None else level * float(np.exp(high - d)),
                cold=phase == COLD,
            )
        )
    return found


def _level_bounds(effect: float, freedom: float, scale: float) -> tuple[float | None, float | None]:
    off = LEVEL_FINE[:, None]
    power = (freedom + 1) / 2
    here = np.log1p(off**2 / scale)
    up = np.exp(np.minimum(power * (here - np.log1p((off + LEVEL_GRID) ** 2 / scale)), 600.0)).mean(axis=1)
    too_low = (up >= ENOUGH) & (LEVEL_FINE < 0)
    if not too_low.any():
        return None, None
    reach = float(LEVEL_FINE[too_low].max())
    return effect + reach, effect - reach
