"""When processes begin anew: at the deployment, by themselves, in a crash loop."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.judge.columns import Floats
from pipeline.rehearsal.plant import Plant
from pipeline.rehearsal.profile import DAY_S, HOUR_S, Profile

DOWN_S = 8.0
"""Between the end of a process and the begin of the next; a host does not answer then."""
DEPLOY_S = 45.0
"""Within so long before the first look's tick the canary and the baseline were restarted."""
OLDEST_S = 6 * HOUR_S
"""Of older processes nobody saw the begin."""


@dataclass(frozen=True, slots=True)
class Processes:
    """(steps, hosts) each."""

    age_s: Floats
    """At the step's end, since the newest begin."""
    restarts: Floats
    """Begins within the step."""
    up: Floats
    """Part of the step that its counters show at the end: up, and since the newest begin."""
    down: NDArray[np.bool_]
    """Whether the host is between two processes at the step's end."""


def processes(starts: Floats, anew: Iterable[tuple[int, float]], steps: int, step_s: float) -> Processes:
    """`starts`: (hosts,) each one's first begin; `anew`: later ones by host; in seconds since the first step began."""
    size = starts.size
    ends = step_s * np.arange(1, steps + 1)
    newest = np.tile(starts, (steps, 1))
    restarts, up, down = np.zeros((steps, size)), np.ones((steps, size)), np.zeros((steps, size), bool)
    for host, begin in sorted(anew, key=lambda event: event[1]):
        for at in range(max(int((begin - DOWN_S) // step_s), 0), min(int(begin // step_s) + 1, steps)):
            if begin < ends[at]:
                newest[at:, host] = begin
                restarts[at, host] += 1
                up[at, host] = (ends[at] - begin) / step_s
            else:
                lost = ends[at] - max(begin - DOWN_S, ends[at] - step_s)
                up[at, host] = max(up[at, host] - lost / step_s, 0.0)
                down[at, host] = True
    return Processes(ends[:, None] - newest, restarts, up, down)


def by_themselves(profile: Profile, size: int, seconds: float, rng: np.random.Generator) -> list[tuple[int, float]]:
    number = rng.poisson(profile.restarts_a_day * size * seconds / DAY_S)
    return list(zip(rng.integers(size, size=number).tolist(), rng.uniform(0, seconds, number).tolist(), strict=True))


def crashes(
    hosts: Iterable[int], every_s: float, start_s: float, end_s: float, rng: np.random.Generator
) -> list[tuple[int, float]]:
    """Each of `hosts` begins anew about every `every_s`, give or take a third."""
    found = []
    for host in hosts:
        at = start_s + every_s * rng.uniform(0.2, 1.3)
        while at < end_s:
            found.append((host, at))
            at += every_s * rng.uniform(0.7, 1.3)
    return found


def long_running(plant: Plant, rng: np.random.Generator) -> Floats:
    """(hosts,) begins of processes that run since hours or days, in seconds before 0."""
    return -HOUR_S - rng.exponential(2 * DAY_S, len(plant.names))


def deployed(plant: Plant, before: Floats, rng: np.random.Generator) -> Floats:
    """`before`, but the canary and the baseline were restarted just now."""
    restarted = plant.canaries + plant.baselines
    fresh = -rng.uniform(0, DEPLOY_S, before.size)
    return np.where(np.arange(before.size) < restarted, fresh, before)
