"""All that the controller holds of one service between two ticks."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.alerts import NOT_ASKED, Firing
from pipeline.checks import CheckKind
from pipeline.docket import Docket, Lock, LockCause, Paper
from pipeline.events import Event, Intent, Outcome, Result
from pipeline.gates import Gate
from pipeline.judge.evidence import Evidence
from pipeline.judge.look import Calibration, LookRecord
from pipeline.judge.trial import Kept, TrialRecord
from pipeline.judge.verdict import Judgement
from pipeline.lifecycle import CheckResult, Phase, Rollout
from pipeline.measured.absence import NOBODY, Absence
from pipeline.measured.panes import Panes
from pipeline.measured.recorder import Recorder
from pipeline.measured.telemetry import Telemetry
from pipeline.model import MetricKind, Service
from pipeline.observed import HostFault, HostState
from pipeline.policy.staging_checks import AGAIN_S
from pipeline.readiness.report import ReadinessReport
from pipeline.release.hostwork import ATTEMPTS, Journal, Work
from pipeline.service.budget import budget
from pipeline.service.watched import since_seen
from pipeline.signals import value
from pipeline.slo.report import BudgetReport
from pipeline.view import Budget, GateReport, ServiceRow

TIMELINE = 60
"""Events kept at hand for a service's page; the history has them all."""
PAST = 50
"""Releases at hand, likewise."""


@dataclass
class Station:
    """A service, its release, and what was last seen and thought of them."""

    service: Service
    telemetry: Telemetry
    panes: Panes
    recorder: Recorder
    rollout: Rollout | None = None
    """The newest release, ended or not; replaced only after the history has kept it."""
    releases: int = 0
    started: list[datetime] = field(default_factory=list)
    """When releases went to staging, newest first."""
    open: dict[str, Intent] = field(default_factory=dict)
    """By host: told, outcome not known."""
    attempts: dict[str, int] = field(default_factory=dict)
    told_s: dict[str, float] = field(default_factory=dict)
    """By host: when it was last told anything; unknown after a restart."""
    failed: dict[str, str] = field(default_factory=dict)
    """By operation of the newest release, of the first attempts: why it failed; unknown after a restart."""
    held: frozenset[str] = frozenset()
    """Its operations that are open as nothing before the host answered; unknown after a restart."""
    past: list[Rollout] = field(default_factory=list)
    """Its releases, newest first, the one at hand included."""
    docket: Docket = field(default_factory=Docket)
    """What people have laid down about it."""
    settled: Rollout | None = None
    """The newest release that settled."""
    undone: dict[str, str] = field(default_factory=dict)
    """By revision: why it was rolled back; forgotten once another one has settled. None that no host ever took."""
    checked_s: dict[str, float] = field(default_factory=dict)
    """By staging check: when it was last answered."""
    fault: str = ""
    """What went wrong in the controller itself, about this service."""
    judgement: Judgement | None = None
    evidence: Evidence | None = None
    """The judge's, of the trial that the release is in."""
    unkept: list[TrialRecord | LookRecord | Kept] = field(default_factory=list)
    """Of the judge, in order: what the history has not taken yet."""
    calibration: Calibration | None = None
    """What placebo canaries of this service showed last."""
    absence: Absence = NOBODY
    """Hosts that do not answer, as the history was told."""
    firing: Firing = NOT_ASKED
    gates: tuple[Gate, ...] = ()
    closed: dict[str, datetime] = field(default_factory=dict)
    """By gate: since when it was seen closed, where its rule cannot tell."""
    work: Work = field(default_factory=lambda: Work({}))
    drift: Gate | None = None
    report: BudgetReport | None = None
    """Its budgets, fresh within one slice; None before the first."""
    ready: ReadinessReport | None = None
    """Its readiness list, as its gates were last asked with."""
    admission: GateReport | None = None
    """May it release now? Half a minute old at most while nothing has changed."""
    events: list[Event] = field(default_factory=list)
    """Newest first."""
    row: ServiceRow | None = None

    def show_gates(self, gates: tuple[Gate, ...], now: datetime) -> None:
        """Of the release on its way, or of one that would be submitted now; () where none was asked."""
        self.gates = ()
        if gates:
            self.gates, self.closed = since_seen(gates, self.closed, now)

    def rehost(self, service: Service) -> None:
        """The same service with other hosts. A release on its way keeps the waves that it began with."""
        if self.rollout is not None and not self.rollout.ended:
            service = replace(service, rules=replace(service.rules, waves=self.service.rules.waves))
        self.service = service
        self.telemetry.rehost(service)

    @property
    def stable(self) -> str:
        """The revision that production runs, or goes back to."""
        if self.rollout is None:
            return self.service.revision
        return self.rollout.revision if self.rollout.phase is Phase.SETTLED else self.rollout.stable

    @property
    def names(self) -> tuple[str, ...]:
        """Of all its hosts."""
        return tuple(host.name for host in self.service.hosts)

    @property
    def active(self) -> bool:
        """Whether there is anything to decide: a release on its way, or a host that one left behind."""
        return self.rollout is not None and (not self.rollout.ended or bool(self.rollout.stragglers))

    def faults(self) -> dict[str, str]:
        """Why hosts gave no usable answer; of one that is being deployed to, that is no news."""
        seen = self.telemetry.seen.items()
        return {name: its.why for name, its in seen if isinstance(its, HostFault) and name not in self.open}

    def journal(self, running: frozenset[str]) -> Journal:
        return Journal(self.open, running, self.attempts, self.told_s, self.failed, self.held)

    def note(self, events: tuple[Event, ...]) -> None:
        self.events = [*reversed(events), *self.events][:TIMELINE]

    def told(self, intent: Intent, now_s: float) -> None:
        self.open[intent.host] = intent
        self.told_s[intent.host] = now_s
        key, _, attempt = intent.operation.rpartition(".")
        self.attempts[key] = max(self.attempts.get(key, 0), int(attempt))

    def put_off(self, intent: Intent, outcome: Outcome) -> None:
        """An operation that is still open: one that was held may be told again at once."""
        self.held -= {outcome.operation}
        if outcome.result is Result.HELD:
            self.held |= {outcome.operation}
            self.told_s.pop(intent.host, None)

    def heard(self, outcome: Outcome) -> None:
        """How an operation on a host has ended."""
        self.held -= {outcome.operation}
        self.open = {host: told for host, told in self.open.items() if told.operation != outcome.operation}
        attempt = outcome.operation.rpartition(".")[2]
        if outcome.result is Result.FAILED and int(attempt) <= ATTEMPTS:
            self.failed[outcome.operation] = outcome.detail

    def error_ratio(self) -> float | None:
        return self._shown(MetricKind.RATIO)

    def p99_s(self) -> float | None:
        return self._shown(MetricKind.QUANTILE)

    def _shown(self, kind: MetricKind) -> float | None:
        rule = next((rule for rule in self.service.rules.judge.metrics if rule.kind is kind), None)
        return None if rule is None else value(rule, self.telemetry.recent)

    def budget(self) -> Budget:
        return budget(self.service.rules.budget, self.report)

    def stale_s(self, now_s: float) -> float | None:
        """Age of the newest data if they are too old to go by; None while they are fresh."""
        newest = self.telemetry.fresh_at_s
        limit = self.service.rules.judge.stale_s
        if newest is None:
            started = self.telemetry.begun_at_s
            return now_s - started if started is not None and now_s - started > limit else None
        return now_s - newest if now_s - newest > limit else None

    def set_rollout(self, rollout: Rollout) -> None:
        if self.rollout is None or self.rollout.id != rollout.id:
            self.judgement, self.evidence = None, None
            self.releases += 1
            self.checked_s = {}
            self.open = {host: intent for host, intent in self.open.items() if intent.release == rollout.id}
            self.failed, self.held = {}, frozenset()
        if self.rollout is not None and self.rollout.phase is not rollout.phase is Phase.CANARY_DEPLOY:
            self.panes.restart()
        if self.rollout is not None and self.rollout.phase is not rollout.phase is Phase.STAGING_DEPLOY:
            self.started.insert(0, rollout.since)
        self.rollout = rollout
        before = self.past[1:] if self.past and self.past[0].id == rollout.id else self.past
        self.past = [rollout, *before][:PAST]
        self.ended_as(rollout)

    def file(self, papers: Iterable[Paper]) -> None:
        """Papers about it, new or changed; after the history has kept them."""
        papers = tuple(papers)
        self.docket = self.docket.with_papers(papers)
        lifts = (one for one in papers if isinstance(one, Lock) and one.cause is LockCause.ROLLBACK)
        if any(one.lifted is not None for one in lifts):
            self.undone = {}

    def ended_as(self, rollout: Rollout) -> None:
        """Draw the conclusions of a release that has ended, if it has."""
        if rollout.phase is Phase.SETTLED:
            self.settled = rollout
            self.undone = {}
        if rollout.phase is Phase.ROLLED_BACK and not rollout.untaken and not self._forgiven(rollout.since):
            self.undone[rollout.revision] = f"it was rolled back at {rollout.since:%Y-%m-%d %H:%M} UTC: {rollout.why}"

    def _forgiven(self, since: datetime) -> bool:
        """Whether a person has unlocked the service after what was rolled back then."""
        locks = (lock for lock in self.docket.locks if lock.cause is LockCause.ROLLBACK)
        return any(lock.lifted is not None and lock.lifted >= since for lock in locks)

    def available(self) -> frozenset[str]:
        """Revisions that every staging host which names any could run."""
        states = [self.telemetry.seen.get(host.name) for host in self.service.staging]
        told = [state.available for state in states if isinstance(state, HostState) and state.available]
        return frozenset.intersection(*told) if told else frozenset()

    def due(self, now_s: float) -> frozenset[str]:
        """Failed staging checks whose time has come again."""
        results = self.rollout.checks if self.rollout is not None else ()
        waited = {result.name: now_s - self.checked_s.get(result.name, -AGAIN_S) for result in results}
        return frozenset(result.name for result in results if not result.passed and waited[result.name] >= AGAIN_S)

    def with_check(self, release: str, result: CheckResult) -> Rollout | None:
        """The release with a check's result in it; None if that is no news, or the release has moved on.

        A check that goes on failing keeps the time at which it began to.
        """
        rollout = self.rollout
        if rollout is None or rollout.id != release or rollout.phase is not Phase.STAGING_CHECKS:
            return None
        before = next((old for old in rollout.checks if old.name == result.name), None)
        if before is not None and (before.passed, before.detail) == (result.passed, result.detail):
            return rollout if self._locks_again(result) else None
        if before is not None and not before.passed and not result.passed:
            result = replace(result, at=before.at)
        others = tuple(old for old in rollout.checks if old.name != result.name)
        return replace(rollout, checks=(*others, result))

    def _locks_again(self, result: CheckResult) -> bool:
        """Whether it is a load test that fails as before, and its lock was lifted since."""
        its = (rule for rule in self.service.rules.checks if rule.name == result.name)
        if result.passed or not any(rule.kind is CheckKind.LOAD for rule in its):
            return False
        return all(lock.cause is not LockCause.LOAD_TEST for lock in self.docket.locks_on(result.at))
