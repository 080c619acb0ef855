"""The rule that a canary may not leave before it has served a full traffic cycle."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.gates import Answer, Gate
from pipeline.lifecycle import Served
from pipeline.model import TrafficCycle

RATE_SLICES = 24
"""A rate is taken over a 24th of the cycle: an hour of a day, so that one burst is no peak."""
MILLION = 1_000_000


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


def furthest_behind(cycle: TrafficCycle, served: Served) -> tuple[float, float, str]:
    """(done, of, unit) of the time, the requests or the peak: the one of which the least part is there."""
    busy = cycle.peak_ratio * served.busiest_rps
    asked = (
        (served.seconds, cycle.duration_s, "s"),
        (float(math.floor(served.requests)), float(cycle.requests), "req"),
        (served.peak_rps, busy, "req/s"),
    )
    done, of, unit = min(asked, key=lambda one: min(one[0] / one[1], 1.0) if one[1] > 0 else 1.0)
    return min(done, of), of, unit


def traffic_cycle(cycle: TrafficCycle, served: Served, now: datetime) -> Gate:
    """Passes once the canary has served the duration, the requests and the daily peak."""
    left_s = remaining_s(cycle, served)
    left = max(cycle.requests - math.floor(served.requests), 0)
    peak_seen = served.busiest_rps > 0 and served.peak_rps >= cycle.peak_ratio * served.busiest_rps
    why = (
        f"{_hours(served.seconds)} of {_hours(cycle.duration_s)}, peak {'seen' if peak_seen else 'not seen'}, "
        f"{_of(served.requests, cycle.requests)} requests"
    )
    missing = [
        _hours(math.ceil(left_s)) if left_s > 0 else "",
        f"{_up(left)} request{'s' if left > 1 else ''}" if left else "",
        "" if peak_seen else _peak(cycle, served),
    ]
    if not any(missing):
        return Gate("traffic-cycle", Answer.PASS, why)
    until = now + timedelta(seconds=left_s) if left_s > 0 else None
    why = f"{why}; still missing: {', '.join(filter(None, missing))}"
    return Gate("traffic-cycle", Answer.HOLD, why, until=until, lifts="by itself, once all three are served")


def _hours(seconds: float) -> str:
    """A cycle's time in hours, so that what was served and what is asked compare: "15 h 08 m", "24 h"."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return " ".join(filter(None, (f"{minutes} m" if minutes else "", f"{rest} s" if rest or not minutes else "")))
    return f"{minutes // 60} h {minutes % 60:02d} m" if minutes % 60 else f"{minutes // 60} h"


def _of(served: float, asked: int) -> str:
    """Truncated: "0.9 of 1.0 M", "912 of 1,000"."""
    if asked < MILLION:
        return f"{math.floor(served):,} of {asked:,}"
    return f"{math.floor(10 * served / MILLION) / 10:.1f} of {math.floor(10 * asked / MILLION) / 10:.1f} M"


def _up(requests: int) -> str:
    """Of what is missing: never fewer than there are."""
    return f"{requests:,}" if requests < MILLION / 10 else f"{math.ceil(10 * requests / MILLION) / 10:.1f} M"


def _peak(cycle: TrafficCycle, served: Served) -> str:
    if not served.busiest_rps:
        return "the peak"
    busy = cycle.peak_ratio * served.busiest_rps
    return f"the peak ({served.peak_rps:,.0f} of {math.ceil(busy):,} requests/s)"
