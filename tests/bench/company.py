"""A company as large as the limits speak of: for the screens as rows, for the controller as services and hosts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from random import Random

from pipeline.checks import CheckRule
from pipeline.events import Intent, Outcome, Result
from pipeline.lifecycle import CheckResult
from pipeline.model import (
    CanaryRules,
    DeployRules,
    Fleet,
    Host,
    JudgeRules,
    MetricKind,
    MetricRule,
    Pool,
    Rules,
    Service,
    TrafficCycle,
    Worse,
)
from pipeline.observed import HostFault, HostState, Observation
from pipeline.signals import Histogram, Reading
from pipeline.view import Budget, FleetView, ServiceRow, State
from tests.tui.samples import sample_rows

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK_S = 5.0
PLACES = (("fra1", "eu", "de", "own"), ("ams2", "eu", "nl", "own"), ("iad1", "us", "us", "cloud"))
EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, float("inf"))
SHAPE = (0.05, 0.12, 0.35, 0.62, 0.85, 0.95, 0.985, 0.996, 0.999, 1.0)
"""Ratio of requests at or below each edge."""
METRICS = (
    MetricRule("errors", "error rate", MetricKind.RATIO, bad="errors", total="requests", unit="ratio", tolerance=0.005),
    MetricRule("p99", "latency p99", MetricKind.QUANTILE, of="latency", unit="s", tolerance=0.25),
    MetricRule("p50", "latency p50", MetricKind.QUANTILE, of="latency", q=0.5, unit="s", tolerance=0.25),
    MetricRule("rps", "requests", MetricKind.RATE, of="requests", unit="/s", worse=Worse.LOWER, tolerance=0.3),
    MetricRule("cpu", "cpu", MetricKind.RATE, of="cpu", unit="cores", tolerance=0.3),
    MetricRule("memory", "memory", MetricKind.GAUGE, of="memory", unit="bytes", tolerance=0.3),
)


def service_rows(services: int) -> tuple[ServiceRow, ...]:
    """The sample company's services, and as many at rest as are missing."""
    some = sample_rows()
    calm = cycle(row for row in some if row.state is State.STEADY)
    more = (replace(next(calm), name=f"service-{n:04}") for n in count())
    return (*some, *(next(more) for _ in range(services - len(some))))[:services]


def fleet_views(services: int, changes: int, every_s: float, start: datetime) -> Iterator[FleetView]:
    """One view each `every_s`: ages go on as a controller's do, and `changes` services have other numbers."""
    dice = Random(1)
    rows = list(service_rows(services))
    for sequence in count(1):
        yield FleetView(start + timedelta(seconds=every_s * sequence), sequence, every_s, tuple(rows))
        rows = [_older(row, every_s) for row in rows]
        for at in dice.sample(range(len(rows)), min(changes, len(rows))):
            left, burn = dice.random(), dice.random() * 2
            p99_s, errors = dice.random() / 2, dice.random() / 100
            rows[at] = replace(rows[at], budget=Budget(left, "30d", burn), p99_s=p99_s, error_ratio=errors)


def _older(row: ServiceRow, seconds: float) -> ServiceRow:
    if row.age_s is None and row.wait_s is None:
        return row
    return replace(
        row,
        age_s=None if row.age_s is None else row.age_s + seconds,
        wait_s=None if row.wait_s is None else max(row.wait_s - seconds, 0.0),
    )


def company(services: int, hosts: int) -> Fleet:
    """`services` of `hosts` each, one of them for staging; canaries stay in their bake."""
    rules = Rules(
        canary=CanaryRules(share=0.1),
        cycle=TrafficCycle(duration_s=86_400.0),
        deploy=DeployRules(at_once=hosts),
        judge=JudgeRules(metrics=METRICS, stale_s=60.0),
    )
    return Fleet(
        {name: Service(name, _hosts(name, hosts), "r1", "shop", 2, rules) for name in _names(services)},
        tick_s=TICK_S,
        actions_at_once=services * hosts,
    )


def _names(services: int) -> Iterator[str]:
    return (f"service-{n:04}" for n in range(services))


def _hosts(service: str, hosts: int) -> tuple[Host, ...]:
    staging = Host(f"{service}-staging", "127.0.0.1:1", Pool.STAGING, *PLACES[0])
    production = (
        Host(f"{service}-h{n:02}", "127.0.0.1:1", Pool.PRODUCTION, *PLACES[n % len(PLACES)]) for n in range(1, hosts)
    )
    return staging, *production


class Clock:
    """Time that the bench moves on."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return 1_000.0 + self.passed_s

    async def sleep(self, seconds: float) -> None:
        self.passed_s += seconds


class Hosts:
    """`HostFleet`, `Metrics` and `Checks` of hosts that all are well; what they say is made before it is asked for."""

    def __init__(self, fleet: Fleet, clock: Clock) -> None:
        self._clock = clock
        self._running = {host.name: s.revision for s in fleet.services.values() for host in s.hosts}
        self._operations: dict[str, str] = {}
        self._dice = Random(1)
        self._served = dict.fromkeys(self._running, 0.0)
        self.states_now: dict[str, Observation] = {}
        self.readings_now: dict[str, Reading | HostFault] = {}

    def serve(self, seconds: float) -> None:
        """Time passes; the next answers are made ready."""
        self._clock.passed_s += seconds
        at_s = self._clock.monotonic()
        for name, revision in self._running.items():
            self._served[name] += self._dice.gauss(40.0, 2.0) * seconds
            self.readings_now[name] = self._reading(at_s, self._served[name])
            known = self._operations.get(name, "")
            self.states_now[name] = HostState(at_s, revision, True, known, Result.DONE if known else None)

    def _reading(self, at_s: float, served: float) -> Reading:
        return Reading(
            at_s,
            {"requests": float(round(served)), "errors": float(round(served / 5_000)), "cpu": served / 100},
            {"memory": self._dice.gauss(400e6, 5e6)},
            {"latency": Histogram(EDGES, tuple(float(round(served * part)) for part in SHAPE))},
        )

    async def states(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Observation]:
        return self.states_now

    def focus(self, hosts: Collection[str]) -> None:
        """Every host is read every time."""

    async def readings(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Reading | HostFault]:
        return self.readings_now

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        self._running[host.name] = intent.revision
        self._operations[host.name] = intent.operation
        return Outcome(intent.operation, Result.DONE, "", self._clock.now())

    async def run(self, check: CheckRule, service: Service, revision: str) -> CheckResult:
        return CheckResult(check.name, True, "200", self._clock.now())
