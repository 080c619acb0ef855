"""A company in memory: small real implementations of the controller's ports, on a clock of their own.

Time moves only when a test lets it. Hosts keep operations and outcomes as the agent protocol asks, serve
requests at a steady rate, and behave as their revision's `Behaviour` says.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import log, log1p
from random import Random

from memory_books import MemoryBooks

from pipeline.checks import CheckKind, CheckRule
from pipeline.commands import Command, Receipt, Verb
from pipeline.controller.loop import Controller
from pipeline.docket import Paper
from pipeline.events import Event, Intent, Outcome, Result, Who
from pipeline.judge.look import Calibration, LookRecord, Recorded
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import Kept, TrialRecord
from pipeline.lifecycle import CheckResult, Rollout
from pipeline.model import (
    BudgetRules,
    DeployRules,
    Fleet,
    Host,
    JudgeRules,
    MetricKind,
    MetricRule,
    Pool,
    Promotion,
    Promotions,
    Rules,
    Service,
    TrafficCycle,
    Wave,
)
from pipeline.observed import HostFault, HostState, Observation
from pipeline.ports import Alerts, Changes, HistoryError, Inventory, Logs, Memory
from pipeline.signals import Histogram, Reading
from pipeline.view import HistoryPage, HistoryQuery, ServiceRow

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EDGES = (0.05, 0.1, 0.25, 1.0, float("inf"))
MIRA = Who("mira", 1000)
METRICS = (
    MetricRule("errors", "error rate", MetricKind.RATIO, bad="errors", total="requests", unit="ratio", tolerance=0.005),
    MetricRule("p99", "latency p99", MetricKind.QUANTILE, of="latency", unit="s", tolerance=0.25),
    MetricRule("memory", "memory", MetricKind.GAUGE, of="memory", unit="bytes", tolerance=0.25),
)


class ManualClock:
    """Stands still until `forward`."""

    def __init__(self) -> None:
        self.wall = START
        self.mono = 1_000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()

    def forward(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.mono += seconds


@dataclass(frozen=True)
class Behaviour:
    error_ratio: float = 0.002
    slow_ratio: float = 0.002
    leak_bytes: float = 0.0
    """A second."""
    healthy: bool = True
    fails: bool = False
    """Its deploy does not succeed."""
    check_passes: bool = True


@dataclass
class Machine:
    """One host."""

    host: Host
    revision: str
    up_at: float = 0.0
    operations: dict[str, Outcome] = field(default_factory=dict)
    newest: str = ""
    told: list[str] = field(default_factory=list)
    """Operations that it really carried out."""
    token: int = 0
    fault: str = ""
    """Not "": it gives no usable answer."""
    metrics_fault: str = ""
    requests: float = 0.0
    errors: float = 0.0
    counts: list[float] = field(default_factory=lambda: [0.0] * len(EDGES))
    memory: float = 100e6
    weight: float = 1.0
    """In the balancer: how much of a host's usual traffic it gets."""


class World:
    """Hosts, metrics and checks in one; a deploy takes `restart_s`."""

    def __init__(self, service: Service, restart_s: float = 1.0, rps: float = 40.0) -> None:
        self.clock = ManualClock()
        self.machines = {host.name: Machine(host, service.revision) for host in service.hosts}
        self.behaviours: dict[str, Behaviour] = {}
        self.restart_s, self.rps = restart_s, rps
        self.rng = Random(7)
        self.available: frozenset[str] = frozenset()

    def add(self, host: Host, revision: str) -> None:
        self.machines[host.name] = Machine(host, revision)

    def behaviour(self, revision: str) -> Behaviour:
        return self.behaviours.get(revision, Behaviour())

    def serve(self, seconds: float) -> None:
        self.clock.forward(seconds)
        for machine in self.machines.values():
            its = self.behaviour(machine.revision)
            if machine.host.pool is Pool.STAGING or machine.up_at > self.clock.mono or not its.healthy:
                continue
            served = round(self.rps * seconds * machine.weight)
            errors = binomial(self.rng, served, its.error_ratio)
            slow = binomial(self.rng, served, its.slow_ratio)
            machine.requests += served
            machine.errors += errors
            for at in range(len(EDGES)):
                machine.counts[at] += served - slow if at < 2 else served
            machine.memory += its.leak_bytes * seconds

    async def states(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Observation]:
        return {host.name: self._state(self.machines[host.name]) for host in hosts}

    def _state(self, machine: Machine) -> Observation:
        if machine.fault:
            return HostFault(self.clock.mono, machine.fault)
        up = machine.up_at <= self.clock.mono
        known = machine.operations.get(machine.newest)
        return HostState(
            self.clock.mono,
            machine.revision if up else "",
            up and self.behaviour(machine.revision).healthy,
            machine.newest,
            known.result if known is not None and up else None,
            available=self.available,
        )

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        machine = self.machines[host.name]
        now = self.clock.now()
        if machine.fault:
            return Outcome(intent.operation, Result.UNKNOWN, machine.fault, now)
        if token < machine.token:
            return Outcome(intent.operation, Result.FAILED, "an older controller's token", now)
        machine.token = token
        if intent.operation not in machine.operations:
            machine.told.append(intent.operation)
            machine.newest = intent.operation
            if self.behaviour(intent.revision).fails:
                machine.operations[intent.operation] = Outcome(intent.operation, Result.FAILED, "did not start", now)
            else:
                machine.operations[intent.operation] = Outcome(intent.operation, Result.DONE, "", now)
                machine.revision = intent.revision
                machine.up_at = self.clock.mono + self.restart_s
                machine.requests = machine.errors = 0.0
                machine.counts = [0.0] * len(EDGES)
                machine.memory = 100e6
        while machine.up_at > self.clock.mono:  # noqa: ASYNC110 - the clock moves by hand, nothing could set an event
            await asyncio.sleep(0)
        return machine.operations[intent.operation]

    def focus(self, hosts: Collection[str]) -> None:
        """Every host is read every time."""

    async def readings(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Reading | HostFault]:
        return {host.name: self._reading(self.machines[host.name]) for host in hosts}

    def _reading(self, machine: Machine) -> Reading | HostFault:
        if machine.fault or machine.metrics_fault or machine.up_at > self.clock.mono:
            return HostFault(self.clock.mono, machine.fault or machine.metrics_fault or "refused")
        return Reading(
            self.clock.mono,
            {"requests": machine.requests, "errors": machine.errors},
            {"memory": machine.memory * self.rng.uniform(0.99, 1.01)},
            {"latency": Histogram(EDGES, tuple(machine.counts))},
        )

    async def run(self, check: CheckRule, service: Service, revision: str) -> CheckResult:
        passes = self.behaviour(revision).check_passes
        return CheckResult(check.name, passes, "200" if passes else "migrations: pending", self.clock.now())


def binomial(rng: Random, tries: int, chance: float) -> int:
    """How many of `tries` come true, drawn by the gaps between them: few draws where few do."""
    if chance >= 1.0:
        return tries
    found, at = 0, 0
    while chance > 0.0:
        at += 1 + int(log(1.0 - rng.random()) / log1p(-chance))
        if at > tries:
            break
        found += 1
    return found


class MemoryHistory(MemoryBooks):
    """`History` in a few lists; survives the controller, as a database does."""

    def __init__(self) -> None:
        super().__init__()
        self.rollouts: dict[str, Rollout] = {}
        self.log: list[Event] = []
        self.intents: dict[str, Intent] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.docket: dict[str, Paper] = {}
        self.receipts: dict[str, Receipt] = {}
        self.trials: dict[tuple[str, int], TrialRecord] = {}
        self.evidence: dict[tuple[str, int], Kept] = {}
        self.looked: dict[tuple[str, int], list[LookRecord]] = {}
        self.past: list[Recorded] = []
        self.calibrations: list[Calibration] = []
        self.token = 0
        self.broken = ""
        """Not "": nothing can be written but safe changes."""

    def start(self) -> Memory:
        self.token += 1
        attempts: dict[str, int] = {}
        for operation in self.intents:
            key = operation.rpartition(".")[0]
            attempts[key] = attempts.get(key, 0) + 1
        releases: dict[str, int] = {}
        for rollout in self.rollouts.values():
            releases[rollout.service] = releases.get(rollout.service, 0) + 1
        still = tuple(intent for name, intent in self.intents.items() if name not in self.outcomes)
        newest = max((event.at for event in self.log), default=None)
        return Memory(tuple(self.rollouts.values()), still, attempts, releases, self.token, newest)

    def record(self, changes: Changes, *, safe: bool = False) -> tuple[Event, ...]:
        if self.broken and not safe:
            raise HistoryError(self.broken)
        kept = tuple(replace(event, id=len(self.log) + at + 1) for at, event in enumerate(changes.events))
        self.log.extend(kept)
        self.rollouts.update({rollout.id: rollout for rollout in changes.rollouts})
        self.intents.update({intent.operation: intent for intent in changes.intents})
        self.outcomes.update({outcome.operation: outcome for outcome in changes.outcomes})
        self.keep_books(changes)
        self.docket.update({paper.id: paper for paper in changes.papers})
        if changes.receipt is not None:
            self.receipts[changes.request] = changes.receipt
        for trial in changes.trials:
            key = (trial.trial.release, trial.trial.wave)
            self.trials[key] = trial
            self.looked[key] = []
            self.evidence.pop(key, None)
        for look in changes.looks:
            self.looked[look.release, look.wave].append(look)
        self.evidence.update({(one.release, one.wave): one for one in changes.evidence})
        self.past.extend(changes.recorded)
        if changes.calibration is not None:
            self.calibrations.append(changes.calibration)
        return kept

    def trial(self, release: str, wave: int) -> TrialRecord | None:
        return self.trials.get((release, wave))

    def kept(self, release: str, wave: int) -> Kept | None:
        return self.evidence.get((release, wave))

    def looks(self, release: str, wave: int, after: int, limit: int) -> tuple[LookRecord, ...]:
        return tuple(one for one in self.looked.get((release, wave), []) if one.number > after)[:limit]

    def recorded(self, service: str, since: datetime, limit: int) -> tuple[Recorded, ...]:
        return tuple(one for one in self.past if one.service == service and one.at > since)[:limit]

    def calibration(self, service: str) -> Calibration | None:
        return next((one for one in reversed(self.calibrations) if one.service == service), None)

    def receipt(self, request: str) -> Receipt | None:
        return self.receipts.get(request)

    def events(self, query: HistoryQuery) -> HistoryPage:
        found = [
            event
            for event in reversed(self.log)
            if (not query.service or event.service == query.service)
            and query.text in event.detail
            and (query.since is None or event.at >= query.since)
            and (query.before_id is None or event.id < query.before_id)
        ]
        return HistoryPage(tuple(found[: query.limit]), len(found))

    def releases(self, service: str, limit: int) -> tuple[Rollout, ...]:
        found = [rollout for rollout in self.rollouts.values() if rollout.service == service]
        return tuple(sorted(found, key=lambda rollout: rollout.submitted, reverse=True)[:limit])

    def requests(self, since: datetime) -> Mapping[str, tuple[int, int]]:
        sums: dict[str, tuple[int, int]] = {}
        for piece in self.kept_slices.values():
            if piece.start >= since and piece.slo == "availability":
                was = sums.get(piece.service, (0, 0))
                sums[piece.service] = (was[0] + piece.total, was[1] + piece.bad)
        return sums

    def papers(self) -> tuple[Paper, ...]:
        return tuple(self.docket.values())


def make_hosts(production: int = 10, staging: int = 2) -> tuple[Host, ...]:
    places = (("fra1", "eu", "de"), ("ams2", "eu", "nl"), ("iad1", "us", "us"))
    hosts = [Host(f"stg-{n}", f"127.0.1.{n}:80", Pool.STAGING, "fra1", "eu", "de") for n in range(staging)]
    for n in range(production):
        datacenter, region, country = places[n % 3]
        hosts.append(
            Host(f"{datacenter}-{n:02}", f"127.0.2.{n}:80", Pool.PRODUCTION, datacenter, region, country, "own")
        )
    return tuple(hosts)


def make_rules(**changes: object) -> Rules:
    rules = Rules(
        promotions=Promotions(production=Promotion.AUTOMATIC),
        waves=(Wave("datacenter", "fra1", 1.0), Wave("region", "eu", 0.9), Wave("", "", 1.0)),
        cycle=TrafficCycle(duration_s=30, requests=500, peak_ratio=0.5),
        deploy=DeployRules(at_once=3, deadline_s=20, soak_s=5, settle_s=10),
        judge=JudgeRules(metrics=METRICS, stale_s=5, warmup_s=1, no_data_limit_s=15),
        checks=(CheckRule("smoke", CheckKind.PROBE, path="/"),),
        budget=BudgetRules(Decimal("0.99"), window_s=3600, slice_s=1),
    )
    return replace(rules, **changes)  # type: ignore[arg-type]


class Company:
    """One service, its world and its controller, ticked by hand."""

    def __init__(self, rules: Rules | None = None, production: int = 10, look_s: float = 0.0) -> None:
        self.look_s = look_s
        self.inventory: Inventory | None = None
        self.logs: Logs | None = None
        self.alerts: Alerts | None = None
        self.service = Service("checkout", make_hosts(production), "r1", "shop", 1, rules or make_rules())
        self.world = World(self.service)
        self.history = MemoryHistory()
        self.requests = 0
        self.start()

    def start(self) -> None:
        """A controller that knows nothing but the history; the one before is simply gone."""
        self.controller = Controller(
            Fleet({"checkout": self.service}, tick_s=1.0, look_s=self.look_s),
            hosts=self.world,
            metrics=self.world,
            checks=self.world,
            history=self.history,
            clock=self.world.clock,
            judge=SequentialJudge(),
            rng=Random(3),
            inventory=self.inventory,
            logs=self.logs,
            alerts=self.alerts,
        )
        self.controller.begin()

    async def ticks(self, most: int, until: Callable[[], bool] = lambda: False) -> None:
        for _ in range(most):
            if until():
                return
            await self.controller.tick()
            self.world.serve(1.0)
            for _ in range(5):
                await asyncio.sleep(0)
        assert until() or until.__name__ == "<lambda>", f"{self.row.state} {self.row.why}"

    async def until(self, phase: str, most: int = 200) -> None:
        for _ in range(most):
            if self.rollout.phase == phase:
                return
            await self.ticks(1)
        raise AssertionError(f"still {self.rollout.phase} after {most} ticks: {self.row.state} {self.row.why}")

    def ask(self, verb: Verb, revision: str = "", who: Who = MIRA, **changes: object) -> Receipt:
        self.requests += 1
        seen = self.controller.fleet().services
        version = seen[0].version if seen and verb in {Verb.PROMOTE, Verb.RESUME} else None
        command = Command(verb, "checkout", f"request-{self.requests}", revision, version=version)
        return self.controller.command(replace(command, **changes), who, read_only=False)  # type: ignore[arg-type]

    @property
    def row(self) -> ServiceRow:
        return self.controller.fleet().services[0]

    @property
    def rollout(self) -> Rollout:
        return max(self.history.rollouts.values(), key=lambda rollout: rollout.submitted)

    def on(self, revision: str) -> set[str]:
        return {name for name, machine in self.world.machines.items() if machine.revision == revision}

    def actions(self) -> list[str]:
        return [event.action for event in self.history.log]
