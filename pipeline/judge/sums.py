"""What evidence is made of: sums over all looks so far, in one array, so that a window is a difference of two.

Axes: P phases (warm, cold), M counted metrics, L levels, S strata, m canary hosts, H all hosts.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.judge.columns import Floats
from pipeline.judge.plan import Plan

WARM, COLD = 0, 1
PHASES = 2
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each sum lies in the array."""

    metrics: int
    levels: int
    canaries: int
    hosts: int
    strata: int

    @cached_property
    def parts(self) -> dict[str, tuple[slice, Shape]]:
        m, s, h, k, v = self.canaries, self.strata, self.hosts, self.metrics, self.levels
        shapes: dict[str, Shape] = {
            # By canary host: events; how many there may be at most, and what of that is added to a factor of the
            # control's; exposure, cold allowance in; exposure; events that control hosts would have had.
            "events": (PHASES, k, m),
            "limit": (PHASES, k, m),
            "added": (PHASES, k, m),
            "allowed": (PHASES, k, m),
            "exposure": (PHASES, k, m),
            "expected": (PHASES, k, m),
            # Of the control group, where a canary host was compared.
            "control_events": (PHASES, k, s),
            "control_exposure": (PHASES, k, s),
            # Warm control hosts: how they differ among themselves.
            "spread_events": (k, h),
            "spread_expected": (k, h),
            "pool_exposure": (k,),
            # Levels, as logarithms less the control's mean at the same moment.
            "deviation": (PHASES, v, m),
            "readings": (PHASES, v, m),
            "inverse": (PHASES, v, s),
            "ticks": (PHASES, v, s),
            "spread_deviation": (v, h),
            "spread_readings": (v, h),
            # Levels in their own unit, and raw totals, for what is shown.
            "level_sums": (4, v),
            "seen": (2, k),
            # Of the error budget: bad and all requests, of each canary host, and of the others by stratum.
            "budget": (2, m),
            "budget_beside": (2, s),
        }
        parts: dict[str, tuple[slice, Shape]] = {}
        at = 0
        for name, shape in shapes.items():
            size = math.prod(shape)
            parts[name] = (slice(at, at + size), shape)
            at += size
        return parts

    @property
    def size(self) -> int:
        return sum(math.prod(shape) for _, shape in self.parts.values())

    def read(self, sums: NDArray[np.float64], name: str) -> Floats:
        """(windows..., shape of `name`) out of (windows..., size)."""
        part, shape = self.parts[name]
        return sums[..., part].reshape(*sums.shape[:-1], *shape)

    def write(self, sums: Floats, name: str, values: Floats) -> None:
        part, _ = self.parts[name]
        sums[part] = values.ravel()


def layout(plan: Plan) -> Layout:
    return Layout(len(plan.counts), len(plan.levels), plan.canaries, len(plan.hosts), plan.strata)
