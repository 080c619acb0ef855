"""A day of traffic squeezed into a minute: quiet nights, a busy morning and evening."""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from math import cos, tau
from random import Random

MEAN, DAY, HALF_DAY = 0.62, 0.30, 0.12
HIGHEST = 0.83375
"""Of `MEAN - DAY cos x - HALF_DAY cos 2x`, where cos x = -DAY / (4 HALF_DAY)."""


def shape(at_s: float, day_s: float) -> float:
    """The rate at `at_s` after midnight as a ratio of the day's busiest, 0.24 to 1."""
    x = tau * at_s / day_s
    return (MEAN - DAY * cos(x) - HALF_DAY * cos(2 * x)) / HIGHEST


def arrivals(peak_rps: Mapping[str, float], day_s: float, start_s: float, rng: Random) -> Iterator[tuple[float, str]]:
    """Endless (seconds after midnight, service) of requests, in order.

    A Poisson process whose rate follows `shape`, by thinning one at the peak's rate
    (Lewis and Shedler, 1979): users do not wait for each other, nor for slow answers.
    """
    names = list(peak_rps)
    shares = list(accumulate(peak_rps.values()))
    at = start_s
    while True:
        at += rng.expovariate(shares[-1])
        if rng.random() < shape(at, day_s):
            yield at, rng.choices(names, cum_weights=shares)[0]
