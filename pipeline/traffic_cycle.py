"""The rule that a canary may not leave before it has served a full traffic cycle."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.gates import Answer, Gate
from pipeline.lifecycle import Served
from pipeline.model import TrafficCycle
from pipeline.words import duration

RATE_SLICES = 24
"""A rate is taken over a 24th of the cycle: an hour of a day, so that one burst is no peak."""


def serving(served: Served, seconds: float, requests: float, rps: float) -> Served:
    """`served` and `seconds` more, in which the new revision had `requests` and the service `rps`."""
    return replace(
        served,
        seconds=served.seconds + seconds,
        requests=served.requests + requests,
        peak_rps=max(served.peak_rps, rps),
        busiest_rps=max(served.busiest_rps, rps),
    )


def remaining_s(cycle: TrafficCycle, served: Served) -> float:
    """Seconds at least until the cycle is full; 0 if only requests or the peak are missing."""
    return max(cycle.duration_s - served.seconds, 0.0)


def traffic_cycle(cycle: TrafficCycle, served: Served, now: datetime) -> Gate:
    """Passes once the canary has served the duration, the requests and the daily peak."""
    long_enough = served.seconds >= cycle.duration_s
    enough = served.requests >= cycle.requests
    peak_seen = served.busiest_rps > 0 and served.peak_rps >= cycle.peak_ratio * served.busiest_rps
    why = (
        f"{duration(served.seconds)} of {duration(cycle.duration_s)}, "
        f"{math.floor(served.requests):,} of {cycle.requests:,} requests, "
        f"peak {'seen' if peak_seen else 'not seen'}"
    )
    if long_enough and enough and peak_seen:
        return Gate("traffic-cycle", Answer.PASS, why)
    until = None if long_enough else now + timedelta(seconds=remaining_s(cycle, served))
    return Gate("traffic-cycle", Answer.HOLD, why, until=until, lifts="by itself, once all three are served")
