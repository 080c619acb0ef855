"""From expected rates to what the hosts' counters show, look by look: chance, lost readings, resets."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.judge.columns import Buckets, Columns, Floats
from pipeline.rehearsal.plant import Plant
from pipeline.rehearsal.processes import OLDEST_S, Processes
from pipeline.rehearsal.profile import HOUR_S, Profile
from pipeline.rehearsal.rates import Rates

AT_ONCE = 32
"""Steps drawn together: a judge that is done early costs no more than that."""
JITTER_S = 15.0
OUTAGE_S = (30.0, 180.0)
REQUESTS, ERRORS, CPU, BUCKETS = 0, 1, 2, 3
"""Columns of a block; the buckets' counts are the last ones."""


def looks(
    profile: Profile,
    plant: Plant,
    expected: Rates,
    running: Processes,
    step_s: float,
    edges: tuple[tuple[float, ...], ...],
    rng: np.random.Generator,
) -> Iterator[Columns]:
    """A look after each step. `edges`: of each host's histogram; a lost reading's counts are in the next one."""
    steps, size = expected.requests.shape
    seen = ~_lost(profile, plant, steps, step_s, rng) & ~running.down
    kinds = [(kind, np.array([own == kind for own in edges])) for kind in dict.fromkeys(edges)]
    total = np.zeros((size, BUCKETS + len(edges[0])))
    span, began = np.zeros(size), np.zeros(size)
    for first in range(0, steps, AT_ONCE):
        block = draw(profile, expected, slice(first, first + AT_ONCE), step_s, edges, rng)
        for at, each in enumerate(block, first):
            anew = running.restarts[at] > 0
            total[anew] = 0.0
            total += each
            span += step_s
            began[anew] = 1.0
            fresh = seen[at]
            yield _look(plant, step_s, fresh, total, span, began, running.age_s[at], expected.memory_bytes[at], kinds)
            total[fresh] = 0.0
            span[fresh] = began[fresh] = 0.0


def draw(
    profile: Profile,
    expected: Rates,
    steps: slice,
    step_s: float,
    edges: tuple[tuple[float, ...], ...],
    rng: np.random.Generator,
) -> Floats:
    """(steps, hosts, 3 + edges) counts: requests, errors, seconds of CPU, requests in each bucket.

    Requests are gamma-Poisson, errors binomial of them with a gamma ratio, log latency logistic.
    """
    sd = profile.jitter * math.sqrt(JITTER_S / step_s)
    mean = expected.requests[steps]
    mean = mean * _gamma(sd, mean.shape, rng)
    shares = np.diff(_at_most(profile, expected.latency_s[steps], edges), axis=2, prepend=0.0, append=1.0)
    buckets = rng.poisson(mean[:, :, None] * shares)
    requests = buckets.sum(axis=2)
    ratio = (expected.error_ratio[steps] * _gamma(2 * sd, mean.shape, rng)).clip(0, 1)
    rest = (requests, rng.binomial(requests, ratio), expected.cpu_s[steps] * _gamma(sd / 3, mean.shape, rng))
    return np.concatenate([np.stack(rest, axis=2), buckets], axis=2)


def _at_most(profile: Profile, median_s: Floats, edges: tuple[tuple[float, ...], ...]) -> Floats:
    """(steps, hosts, edges - 1) of the requests at or below each edge but the last, which is infinite."""
    bounds = np.log(np.array(edges)[:, :-1])
    away = np.log(median_s)[:, :, None] - bounds
    return np.asarray(1 / (1 + np.exp(away / profile.latency_spread)), np.float64)


def _gamma(sd: float, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Of mean 1."""
    if sd <= 0:
        return np.ones(shape)
    return rng.standard_gamma(1 / sd**2, shape) * sd**2


def _lost(profile: Profile, plant: Plant, steps: int, step_s: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(steps, hosts): single readings that never came, and outages of them all or of one datacenter's."""
    size, sites = len(plant.names), plant.hour.size
    lost = rng.random((steps, size)) < profile.lost_ratio
    for _ in range(rng.poisson(profile.outages_an_hour * steps * step_s / HOUR_S)):
        first = int(rng.integers(steps))
        length = max(int(rng.uniform(*OUTAGE_S) / step_s), 1)
        site = int(rng.integers(2 * sites))
        lost[first : first + length] |= plant.datacenter == site if site < sites else True
    return lost


def _look(
    plant: Plant,
    step_s: float,
    fresh: NDArray[np.bool_],
    total: Floats,
    span: Floats,
    began: Floats,
    age_s: Floats,
    memory: Floats,
    kinds: list[tuple[tuple[float, ...], NDArray[np.bool_]]],
) -> Columns:
    host_s = np.where(fresh, span, np.nan)
    age = np.where(fresh & (age_s < OLDEST_S), age_s, np.inf)
    restarts = np.where(fresh, began, 0.0)
    if not fresh.any():
        return Columns(step_s, host_s, age, restarts, expected=plant.canaries)
    counts = np.where(fresh[:, None], total, np.nan)
    histograms = tuple(
        Buckets(kind, counts[:, BUCKETS:] if len(kinds) == 1 else np.where(own[:, None], counts[:, BUCKETS:], np.nan))
        for kind, own in kinds
        if (own & fresh).any()
    )
    counters = {"requests": counts[:, REQUESTS], "errors": counts[:, ERRORS], "cpu": counts[:, CPU]}
    gauges = {"memory": np.where(fresh, memory, np.nan)}
    return Columns(step_s, host_s, age, restarts, counters, gauges, {"latency": histograms}, plant.canaries)
