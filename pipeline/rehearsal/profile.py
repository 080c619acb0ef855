"""What a synthetic service is like: its size, how its hosts differ, and what happens to it on an ordinary day."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from pipeline.model import MetricKind, MetricRule, Worse

EDGES = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, math.inf)
OTHER_EDGES = (0.01, 0.03, 0.05, 0.12, 0.2, 0.35, 0.5, 1.0, 3.0, math.inf)
"""Of a build whose histogram was laid out anew; five finite edges are the same."""
HOUR_S, DAY_S = 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations of natural logarithms, by what they vary."""

    errors: float
    latency: float
    cpu: float
    memory: float
    traffic: float

    def times(self, factor: float) -> "Spread":
        return Spread(*(factor * sd for sd in self.row()))

    def row(self) -> tuple[float, ...]:
        """In the order of `QUANTITIES`."""
        return (self.errors, self.latency, self.cpu, self.memory, self.traffic)


QUANTITIES = ("errors", "latency", "cpu", "memory", "traffic")


@dataclass(frozen=True, slots=True)
class Profile:
    """A service and its ordinary days. Rates are of one host at an average moment."""

    name: str
    hosts: int
    canaries: int
    datacenters: int
    tick_s: float
    looks: int
    """Planned: the length of the canary in ticks."""
    rps: float
    error_ratio: float
    latency_s: float = 0.08
    """Median."""
    latency_spread: float = 0.28
    """Scale of the logistic that log latency follows: p99 is 99 ** this = 3.6 times the median."""
    cores: float = 0.5
    memory_bytes: float = 400.0 * 1024 * 1024
    host_spread: Spread = Spread(errors=0.2, latency=0.05, cpu=0.08, memory=0.06, traffic=0.08)
    """Between hosts, for good."""
    noise: Spread = Spread(errors=0.15, latency=0.04, cpu=0.04, memory=0.01, traffic=0.05)
    """Of each host on its own, with a memory of three minutes."""
    jitter: float = 0.1
    """Of a host's traffic from one quarter of a minute to the next, relative; errors vary twice as much."""
    bursts_an_hour: float = 1.0
    burst: tuple[float, float] = (2.0, 8.0)
    """Least and largest factor on errors while something that all hosts need is in trouble."""
    restarts_a_day: float = 1.0
    """Of each host's process, by itself."""
    lost_ratio: float = 0.01
    """Of readings."""
    outages_an_hour: float = 0.25
    """Stretches without any reading, of all hosts or of one datacenter's."""
    history_s: float = HOUR_S
    """Recorded before the release; 0 where the hosts are new."""
    history_step_s: float = 60.0
    sick: bool = False
    """Whether one canary host is ill for reasons of its own."""
    edges: tuple[float, ...] = EDGES
    canary_edges: tuple[float, ...] = EDGES
    """Of the new build's histogram: as many as `edges`."""
    objective: float = 0.99


HIGH = Profile("high", 60, 5, 3, 15.0, 480, rps=60.0, error_ratio=0.005)
MID = Profile("mid", 40, 4, 2, 15.0, 480, rps=6.0, error_ratio=0.007)
LOW = Profile("low", 20, 2, 2, 60.0, 360, 0.32, 0.007, history_s=DAY_S, history_step_s=300.0)
TINY = Profile("tiny", 12, 1, 2, 60.0, 720, 0.1, 0.015, history_s=DAY_S, history_step_s=600.0)
HUGE = Profile("huge", 200, 10, 4, 5.0, 480, rps=100.0, error_ratio=0.003)
NOISY = replace(
    HIGH,
    name="noisy",
    host_spread=HIGH.host_spread.times(2.0),
    noise=HIGH.noise.times(2.5),
    jitter=0.25,
    bursts_an_hour=4.0,
    restarts_a_day=4.0,
    lost_ratio=0.03,
    outages_an_hour=1.0,
)
FRESH = replace(HIGH, name="fresh", history_s=0.0)
SICK = replace(HIGH, name="sick", sick=True)
ONE_DATACENTER = replace(MID, name="one-dc", datacenters=1)
UNEVEN = replace(MID, name="uneven", host_spread=replace(MID.host_spread, traffic=0.8))
SPARSE = replace(TINY, name="sparse", canaries=2, hosts=20, rps=0.03)
"""Two requests a minute and host."""
EDGED = replace(HIGH, name="edges", canary_edges=OTHER_EDGES)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (HIGH, MID, LOW, TINY, HUGE, NOISY, FRESH, SICK)}
)
HAZARDS: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (ONE_DATACENTER, UNEVEN, SPARSE, EDGED)}
)

METRICS: tuple[MetricRule, ...] = (
    MetricRule("errors", "errors", MetricKind.RATIO, bad="errors", total="requests", unit="ratio"),
    MetricRule("p99", "p99 latency", MetricKind.QUANTILE, of="latency", q=0.99, unit="s"),
    MetricRule("p90", "p90 latency", MetricKind.QUANTILE, of="latency", q=0.9, unit="s"),
    MetricRule(
        "throughput", "throughput", MetricKind.RATE, of="requests", unit="/s", worse=Worse.LOWER, tolerance=0.23
    ),
    MetricRule("cpu", "CPU", MetricKind.GAUGE, of="cpu", unit="cores", tolerance=0.08),
    MetricRule("memory", "memory", MetricKind.GAUGE, of="memory", unit="bytes", tolerance=0.08, with_age=True),
    MetricRule("restarts", "restarts", MetricKind.RESTARTS, tolerance=2.0),
)
"""Rules for all that a synthetic host tells."""
