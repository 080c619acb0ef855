"""What hosts are expected to do in each step: weather, age of their processes and the build's fault together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.judge.columns import Floats
from pipeline.rehearsal.fault import Fault
from pipeline.rehearsal.plant import Plant
from pipeline.rehearsal.processes import Processes
from pipeline.rehearsal.profile import HOUR_S, Profile
from pipeline.rehearsal.weather import CPU, ERRORS, LATENCY, MEMORY, TRAFFIC

COLD = {ERRORS: 3.0, LATENCY: 0.8, CPU: 0.5, TRAFFIC: -0.4}
"""What a process has more of, as a ratio, when it begins; it fades within two or three minutes."""
EMPTY, FILLS_S = 0.25, 1_200.0
"""Memory that a fresh process does not take yet, as a ratio, and how fast it fills up."""
IDLE = 0.2
"""CPU that is spent whatever the traffic, as a ratio of an average moment's."""
SICK = {ERRORS: 4.0, LATENCY: 1.3}
"""Factors on a host that is ill for reasons of its own."""


@dataclass(frozen=True, slots=True)
class Rates:
    """(steps, hosts) each."""

    requests: Floats
    """Expected in the step, as far as its counters will show them."""
    error_ratio: Floats
    latency_s: Floats
    """Median."""
    cpu_s: Floats
    memory_bytes: Floats


def rates(
    profile: Profile,
    plant: Plant,
    factors: Floats,
    running: Processes,
    step_s: float,
    struck: NDArray[np.bool_],
    fault: Fault,
) -> Rates:
    """`factors` are the weather's; `struck` (steps, hosts) says where and when `fault` acts."""
    age = (running.age_s - step_s / 2).clip(0)
    cold = plant.cold * np.exp(-age / plant.cold_s)
    bad = struck.astype(float)
    load = factors[TRAFFIC] * (1 + COLD[TRAFFIC] * cold).clip(0.05) * (1 + (fault.traffic - 1) * bad)
    errors = factors[ERRORS] * (1 + COLD[ERRORS] * cold) * (1 + (fault.errors - 1) * bad)
    latency = factors[LATENCY] * (1 + COLD[LATENCY] * cold) * (1 + (fault.latency - 1) * bad)
    cpu = factors[CPU] * (1 + COLD[CPU] * cold) * (1 + (fault.cpu - 1) * bad)
    if profile.sick:
        errors[:, 0] *= SICK[ERRORS]
        latency[:, 0] *= SICK[LATENCY]
    since = np.minimum(running.age_s, step_s * np.cumsum(struck, axis=0))
    memory = factors[MEMORY] * (1 - EMPTY * np.exp(-running.age_s / FILLS_S))
    memory += fault.leak_an_hour * since / HOUR_S * bad
    return Rates(
        profile.rps * step_s * load * running.up,
        (profile.error_ratio * errors + fault.added_ratio * bad).clip(0, 1),
        profile.latency_s * latency,
        profile.cores * step_s * (IDLE + (1 - IDLE) * load) * cpu * running.up,
        profile.memory_bytes * memory,
    )


def struck(fault: Fault, plant: Plant, begins_at: int, steps: int) -> NDArray[np.bool_]:
    """(steps, hosts): canary hosts from the step `begins_at` on, all or those of one datacenter."""
    hit = np.arange(len(plant.names)) < plant.canaries
    if fault.one_datacenter:
        canary = plant.datacenter[: plant.canaries]
        hit &= plant.datacenter == np.bincount(canary).argmax()
    when = np.arange(steps) >= begins_at
    if fault.good:
        when[:] = False
    return np.outer(when, hit)
