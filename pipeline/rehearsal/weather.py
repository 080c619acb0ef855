"""What happens to hosts that is nobody's fault: the hour of the day, shared troubles, bursts, noise of their own."""

import math

import numpy as np

from pipeline.judge.columns import Floats
from pipeline.rehearsal.plant import Plant
from pipeline.rehearsal.profile import DAY_S, HOUR_S, QUANTITIES, Profile

ERRORS, LATENCY, CPU, MEMORY, TRAFFIC = range(len(QUANTITIES))
DAY = 0.35
"""How far traffic goes up and down in a day, of its mean."""
CROWD = 0.3
"""Power of the load that latency follows."""
SHARED_S, SHARED = 900.0, {ERRORS: 0.15, TRAFFIC: 0.06}
"""What all hosts of a datacenter go through together: its memory in seconds, standard deviations of logarithms."""
OWN_S = 180.0
BURST_S = 120.0
"""Mean length of a burst."""
BURST_POWERS = {ERRORS: 1.0, TRAFFIC: 0.25, LATENCY: 0.15}
"""Of a burst's size: those who called try again, and wait."""
BURST_SPREAD = 0.1
"""How much more of a burst one host gets than the other, of its logarithm."""


def weather(
    profile: Profile, plant: Plant, steps: int, step_s: float, start_s: float, rng: np.random.Generator
) -> Floats:
    """(quantities, steps, hosts) factors on what a host does at an average moment, its own lasting ones included.

    `start_s` is the first step's begin; 0 is the canary's.
    """
    hosts = len(plant.names)
    middle = start_s + step_s * (np.arange(steps) + 0.5)
    logs = np.array(profile.noise.row())[:, None, None] * np.moveaxis(
        drift(rng, steps, (len(QUANTITIES), hosts), step_s, OWN_S), 0, 1
    )
    logs += plant.effects[:, None, :]
    day = np.log1p(DAY * np.sin(2 * np.pi * (middle[:, None] + plant.hour) / DAY_S))[:, plant.datacenter]
    logs[TRAFFIC] += day
    logs[LATENCY] += CROWD * day
    for quantity, sd in SHARED.items():
        logs[quantity] += sd * drift(rng, steps, (plant.hour.size,), step_s, SHARED_S)[:, plant.datacenter]
    burst = _bursts(profile, plant, steps, step_s, rng)
    for quantity, power in BURST_POWERS.items():
        logs[quantity] += power * burst
    return np.exp(logs)


def drift(rng: np.random.Generator, steps: int, shape: tuple[int, ...], step_s: float, memory_s: float) -> Floats:
    """(steps, *shape) of a stationary process of variance 1 that forgets two thirds of itself in `memory_s`."""
    keep = math.exp(-step_s / memory_s)
    walk = rng.standard_normal((steps, *shape))
    walk[1:] *= math.sqrt(1 - keep * keep)
    for at in range(1, steps):
        walk[at] += keep * walk[at - 1]
    return walk


def _bursts(profile: Profile, plant: Plant, steps: int, step_s: float, rng: np.random.Generator) -> Floats:
    """(steps, hosts) logarithms of how many times more errors there are."""
    factor = np.ones((steps, len(plant.names)))
    begins = step_s * np.arange(steps)
    for _ in range(rng.poisson(profile.bursts_an_hour * steps * step_s / HOUR_S)):
        start, length = rng.uniform(0, steps * step_s), rng.exponential(BURST_S)
        size, site = rng.uniform(*profile.burst), int(rng.integers(2 * plant.hour.size))
        part = np.clip(np.minimum(begins + step_s, start + length) - np.maximum(begins, start), 0, None) / step_s
        hit = plant.datacenter == site if site < plant.hour.size else np.ones(len(plant.names), bool)
        own = np.exp(BURST_SPREAD * rng.standard_normal(hit.size))
        factor += np.outer(part, hit * (size * own - 1).clip(0))
    return np.log(factor)
