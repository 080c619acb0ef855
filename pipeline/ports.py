"""What the controller needs of the world, and what a front end needs of the controller."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Protocol

from pipeline.alerts import Alert, AlertsFault
from pipeline.checks import CheckRule
from pipeline.commands import Command, Receipt, Stretch, Verb
from pipeline.docket import Docket, Paper
from pipeline.events import Event, Intent, Outcome, Who
from pipeline.judge.look import Calibration, LookRecord, Recorded
from pipeline.judge.trial import Kept, TrialRecord
from pipeline.lifecycle import CheckResult, Rollout
from pipeline.logs import LogPage
from pipeline.model import Host, Service
from pipeline.observed import HostFault, Observation
from pipeline.readiness.callers import Caller
from pipeline.readiness.ports import KeptUsage
from pipeline.readiness.report import ReadinessReport
from pipeline.readiness.use import Use
from pipeline.signals import Reading
from pipeline.slo.report import BudgetReport
from pipeline.slo.slices import Balance, Hour, Slice, Target, Zone
from pipeline.text import PlainText
from pipeline.view import FleetView, GateReport, HistoryPage, HistoryQuery, Proposal, ServiceView


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall time, aware UTC: for display, windows and records."""
        ...

    def monotonic(self) -> float:
        """Seconds; never goes back. Waits and ages are measured on it."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class HostFleet(Protocol):
    """The hosts, whatever reaches them. Nothing here raises for what a host does."""

    async def states(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Observation]:
        """What each host says of itself, by host name: one entry for each, within about `timeout_s`."""
        ...

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        """Have `host` run `intent.revision`; a repeat of the operation gives the first outcome.

        Returns when the host has finished, or with `Result.UNKNOWN` after `deadline_s`. A host that has
        seen a higher `token` (that of a newer controller) refuses: `Result.FAILED`. A detail that begins with
        "nothing done" promises that the host runs what it ran before. `Result.HELD`, where its balancer does not
        answer: the same operation may be told again.
        """
        ...


class Metrics(Protocol):
    async def readings(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Reading | HostFault]:
        """Each host's signals now, by host name: one entry for each, within about `timeout_s`."""
        ...

    def focus(self, hosts: Collection[str]) -> None:
        """These are looked at: their readings should be as new as can be, those of others may be older."""
        ...


class Alerts(Protocol):
    def newest(self) -> tuple[Alert, ...] | AlertsFault | None:
        """What fires now, or why nobody knows; at once. None is that nobody is asked.

        The same tuple while nothing was asked anew.
        """
        ...


class Logs(Protocol):
    async def tail(
        self, hosts: Sequence[Host], lines: int, timeout_s: float
    ) -> Mapping[str, tuple[PlainText, ...] | HostFault]:
        """The newest `lines` of each host's service, oldest first, by host name: one entry for each, in about
        `timeout_s`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Roster:
    """Every service with the hosts it has now."""

    services: Mapping[str, Service]
    """The same names always, and the same service while none of its hosts has changed."""
    problems: tuple[str, ...] = ()
    """What is wrong with what was found, a plain line each; such hosts are as they were."""


class Inventory(Protocol):
    """Where hosts come from that the configuration does not name."""

    def roster(self) -> Roster:
        """The newest; at once, whatever the sources do."""
        ...


class Checks(Protocol):
    async def run(self, check: CheckRule, service: Service, revision: str) -> CheckResult:
        """The check, once, against the service's staging hosts; never raises for what it finds."""
        ...


@dataclass(frozen=True, slots=True)
class Changes:
    """One tick's or one command's worth of history: kept whole or not at all."""

    rollouts: tuple[Rollout, ...] = ()
    """New or changed; the newest of an id counts."""
    events: tuple[Event, ...] = ()
    intents: tuple[Intent, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    slices: tuple[Slice, ...] = ()
    """Whole ones. A second one of the same time adds to the first; one of a backfill gives way to what is kept."""
    request: str = ""
    """The command's request id, with the receipt to repeat."""
    receipt: Receipt | None = None
    trials: tuple[TrialRecord, ...] = ()
    """New ones; of a trial that is kept already, the newest counts and its looks and evidence are forgotten."""
    looks: tuple[LookRecord, ...] = ()
    evidence: tuple[Kept, ...] = ()
    """Of each trial the newest."""
    recorded: tuple[Recorded, ...] = ()
    calibration: Calibration | None = None
    papers: tuple[Paper, ...] = ()
    """New or changed; the newest of an id counts."""
    targets: tuple[Target, ...] = ()
    """Of objectives that are new, or promise something else than before."""
    balances: tuple[Balance, ...] = ()
    """Of sums without the slices above; of a service the newest counts, until a slice of its time comes."""
    zones: tuple[Zone, ...] = ()
    """Of services that are new, or count their months in another zone than before."""
    uses: tuple[Use, ...] = ()
    """To be added to what is kept of their days."""
    callers: tuple[Caller, ...] = ()
    """Seen again, or for the first time."""

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self) if each.name != "request")


class HistoryError(Exception):
    """The history cannot be read or written; nothing was kept of the attempt."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a starting controller must know."""

    rollouts: tuple[Rollout, ...]
    """Of each service the newest release, and the newest settled one."""
    open: tuple[Intent, ...]
    """Intents without an outcome."""
    attempts: Mapping[str, int]
    """How often each `RELEASE.STEP.HOST` was tried, for releases that have not ended."""
    releases: Mapping[str, int]
    """How many releases each service has had."""
    token: int
    """This controller's fencing token: higher than any before."""
    newest: datetime | None
    """Of all that is kept."""


class History(KeptUsage, Protocol):
    """Synchronous on purpose: what is decided is on disk before anyone acts on it. One writer."""

    def start(self) -> Memory:
        """Take the next token and read what is needed to go on. Raises `HistoryError`."""
        ...

    def record(self, changes: Changes, *, safe: bool = False) -> tuple[Event, ...]:
        """Keep `changes`, all or none, and return its events with their ids.

        `safe` changes (pause, rollback, how an operation on a host ended) may use the last reserve of a full disk.
        Raises `HistoryError`.
        """
        ...

    def receipt(self, request: str) -> Receipt | None:
        """What this request was answered the first time."""
        ...

    def events(self, query: HistoryQuery) -> HistoryPage: ...

    def releases(self, service: str, limit: int) -> tuple[Rollout, ...]:
        """Newest first."""
        ...

    def trial(self, release: str, wave: int) -> TrialRecord | None: ...

    def kept(self, release: str, wave: int) -> Kept | None:
        """The newest evidence of a trial; none in its first looks."""
        ...

    def looks(self, release: str, wave: int, after: int, limit: int) -> tuple[LookRecord, ...]:
        """A trial's looks with numbers above `after`, oldest first."""
        ...

    def recorded(self, service: str, since: datetime, limit: int) -> tuple[Recorded, ...]:
        """A service's recorded stretches that ended after `since`, oldest first."""
        ...

    def calibration(self, service: str) -> Calibration | None:
        """The newest one."""
        ...

    def papers(self) -> tuple[Paper, ...]:
        """All that people have laid down, each in its newest state, in the order in which they were made."""
        ...

    def slices(self, service: str, since: datetime, until: datetime) -> tuple[Slice, ...]:
        """Kept slices of every objective of a service that start in [since, until), oldest first."""
        ...

    def hours(self, since: datetime, service: str = "") -> tuple[Hour, ...]:
        """Hourly sums of every objective of a service, or of all, that start at or after `since`, oldest first."""
        ...

    def measured(self, service: str, slo: str) -> tuple[datetime, datetime] | None:
        """From an objective's oldest kept slice to the end of its newest."""
        ...

    def balance(self, service: str) -> Balance | None:
        """The newest, if no slice of its time has come since."""
        ...

    def since(self, service: str, slo: str, since: datetime, limit: int) -> tuple[Slice, ...]:
        """Kept slices of one objective that start at or after `since`, oldest first, at most `limit`."""
        ...

    def targets(self) -> tuple[Target, ...]:
        """What every objective has ever promised, oldest first."""
        ...

    def zones(self) -> tuple[Zone, ...]:
        """By which zones every service has ever counted its months, oldest first."""
        ...

    def downtime(self, service: str, since: datetime) -> tuple[Slice, ...]:
        """Bad slices of the availability objective that start at or after `since`, oldest first: kept for long."""
        ...


class Desk(Protocol):
    """The controller as its API sees it. All calls answer at once, without waiting for hosts or metrics, but `logs`."""

    token: int
    """Its fencing token; 0 before it has one."""

    def fleet(self) -> FleetView:
        """The newest view."""
        ...

    def service(self, name: str) -> ServiceView:
        """The newest view of one service. Raises `Refused` for an unknown one."""
        ...

    async def newer(self, sequence: int) -> None:
        """Returns once the newest fleet view's sequence is above `sequence`."""
        ...

    def propose(self, verb: Verb, service: str, about: Stretch | None = None) -> Proposal:
        """Raises `Refused` for an unknown service or where there is nothing to do it to."""
        ...

    def command(self, command: Command, who: Who, *, read_only: bool) -> Receipt:
        """Take the command, or raise `Refused`; a repeated request gets its first answer.

        `read_only` says how the caller came in; it is refused, and recorded, here.
        """
        ...

    def history(self, query: HistoryQuery) -> HistoryPage:
        """Raises `HistoryError`."""
        ...

    def trial(self, service: str, release: str, wave: int) -> TrialRecord:
        """`release` "" is the service's newest. Raises `Refused` where there is none, `HistoryError`."""
        ...

    def looks(self, release: str, wave: int, after: int, limit: int) -> tuple[LookRecord, ...]:
        """As `History.looks`. Raises `HistoryError`."""
        ...

    def recorded(self, service: str, since: datetime, limit: int) -> tuple[Recorded, ...]:
        """As `History.recorded`. Raises `Refused` for an unknown service, `HistoryError`."""
        ...

    def configured(self, service: str) -> Service:
        """The service as it is configured. Raises `Refused` for an unknown one."""
        ...

    async def logs(self, service: str, lines: int, host: str = "") -> LogPage:
        """What the service's hosts, or `host` alone, wrote last; within `pipeline.logs.DEADLINE_S`.

        Raises `Refused` for an unknown service or host, and where too many ask at once.
        """
        ...

    def calibrate(self, calibration: Calibration, who: Who, *, read_only: bool) -> Receipt:
        """Keep what placebo canaries showed; `by` and `at` are set here. Raises `Refused`."""
        ...

    def gate(self, service: str) -> GateReport:
        """May it deploy? Raises `Refused` for an unknown service; so do the next two."""
        ...

    def budget(self, service: str) -> BudgetReport:
        """Its budgets, payback and outages, whole. Raises `HistoryError`."""
        ...

    def readiness(self, service: str) -> ReadinessReport: ...

    def docket(self, service: str = "") -> Docket:
        """Papers of the service, or of all."""
        ...


class ControllerLost(Exception):
    """The controller does not answer; what was shown last grows old."""


class ControlRoom(Protocol):
    """The controller as a front end sees it."""

    read_only: bool

    def fleet(self) -> AsyncIterator[FleetView]:
        """The newest view whenever it changes; raises `ControllerLost` when the line breaks."""
        ...

    def service(self, name: str) -> AsyncIterator[ServiceView]:
        """Likewise, of one service; raises `Refused` for an unknown one."""
        ...

    async def history(self, query: HistoryQuery) -> HistoryPage:
        """Raises `ControllerLost`."""
        ...

    async def propose(self, verb: Verb, service: str, about: Stretch | None = None) -> Proposal:
        """What `verb` would do to the service now; CORRECT: `about` what. Raises `ControllerLost`, `Refused`."""
        ...

    async def trial(self, service: str, release: str = "", wave: int = 0) -> TrialRecord:
        """`release` "" is the service's newest. Raises `Refused` where there is none, `ControllerLost`."""
        ...

    async def looks(self, release: str, wave: int, after: int = 0, limit: int = 500) -> tuple[LookRecord, ...]:
        """A trial's looks with numbers above `after`, oldest first. Raises `ControllerLost`."""
        ...

    async def recorded(self, service: str, since: datetime, limit: int = 500) -> tuple[Recorded, ...]:
        """A service's recorded stretches that ended after `since`, oldest first. Raises `Refused`, `ControllerLost`."""
        ...

    async def configured(self, service: str) -> Service:
        """The service as the controller has it configured. Raises `Refused`, `ControllerLost`."""
        ...

    async def logs(self, service: str, lines: int, host: str = "") -> LogPage:
        """What its hosts, or `host` alone, wrote last: `lines` of each. Raises `Refused`, `ControllerLost`."""
        ...

    async def calibrate(self, calibration: Calibration) -> Receipt:
        """Keep what placebo canaries showed. Raises `Refused`, `ControllerLost`."""
        ...

    async def gate(self, service: str) -> GateReport:
        """May it deploy? Raises `Refused`, `ControllerLost`; so do the next three."""
        ...

    async def budget(self, service: str) -> BudgetReport:
        """Its budgets, payback and outages, whole."""
        ...

    async def readiness(self, service: str) -> ReadinessReport: ...

    async def docket(self, service: str = "") -> Docket:
        """Papers of the service, or of all."""
        ...

    async def send(self, command: Command) -> Receipt:
        """Raises `Refused` with the reason, `ControllerLost` where nobody can know."""
        ...
