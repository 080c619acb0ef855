"""What a front end shows, worked out once, in the controller.

The API carries these values, the screens and verbs lay them out; none of them works a state word or a
verdict out again. Text in them is plain (`pipeline.text`). None is unknown, and is shown as "?".
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.alerts import Alert
from pipeline.commands import Verb
from pipeline.events import Event
from pipeline.gates import Gate
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.model import Track

MOST_ALERTS = 20
"""On a service's page."""


class State(StrEnum):
    """A service's state in a word of at most six letters."""

    STEADY = "STEADY"
    QUEUED = "QUEUED"
    BLOCK = "BLOCK"
    """A gate keeps a release from starting, or one that has nothing more to show from the next stage."""
    STAGE = "STAGE"
    GATES = "GATES"
    """In staging, its checks run or hold it."""
    CANARY = "CANARY"
    BAKE = "BAKE"
    WAIT = "WAIT"
    """Everything passes; an operator's promote is missing."""
    ROLL = "ROLL"
    SETTLE = "SETTLE"
    PAUSED = "PAUSED"
    HOLD = "HOLD"
    """Forward moves stopped by hosts: unreachable, drifted, failing."""
    BACK = "BACK"
    LOCK = "LOCK"
    """Rolled back; the bad revision stays out until a newer one is submitted."""
    STALE = "STALE"
    """No fresh data."""


ATTENTION = frozenset({State.BACK, State.HOLD, State.BLOCK, State.STALE, State.PAUSED, State.WAIT, State.LOCK})
MOVING = frozenset({State.STAGE, State.GATES, State.CANARY, State.BAKE, State.ROLL, State.SETTLE, State.QUEUED})


class Mark(StrEnum):
    """How one stage, check or host stands."""

    NONE = "none"
    RUNNING = "running"
    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StageCell:
    """One stage's column: a revision, and on how many of its hosts or checks it is good."""

    revision: str = ""
    """"" where nothing runs in this stage."""
    mark: Mark = Mark.NONE
    done: int = 0
    of: int = 0
    share: float | None = None
    """Ratio of production hosts, for canary and a production in waves."""


class Deploy(StrEnum):
    """Whether budgets and rules would let a new release of the service begin."""

    OK = "ok"
    WARN = "WARN"
    HOLD = "HOLD"
    BLOCKED = "BLOCKED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Budget:
    """A service's availability budget on one line; whole: `pipeline.slo.report`."""

    left: float | None
    """Ratio of the rolling error budget that is unspent: 1 is untouched, negative is overdrawn."""
    window: str
    """As labelled: "30d"."""
    burn_1h: float | None = None
    """How many times faster than the objective allows it was being spent in the last hour."""
    target: str = ""
    """In per cent, as configured."""
    left_s: float | None = None
    """What is left, as time of everything broken; negative when overdrawn."""
    burn_6h: float | None = None
    gone_in_s: float | None = None
    deploy: Deploy = Deploy.OK
    deploy_why: str = ""
    """Which gate, in its words, where it is not OK."""
    deploy_until: datetime | None = None
    coverage: float | None = None
    """Known part of the last 24 h."""
    alarm: str = ""
    """"page" or "ticket" while a burn pair fires."""
    count: str = ""
    """What it is counted in: "requests" or "slices"."""
    month_used_s: float | None = None
    """Downtime since the quota's period began."""
    month_quota_s: float | None = None
    last_outage: datetime | None = None
    """When the newest one began."""
    bad: int | None = None
    total: int | None = None
    """Of the rolling window, in what it is counted in."""
    trend: tuple[float | None, ...] = ()
    """What was left over the window, oldest first, a few points."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Of what the phase waits for; of several things, of the one that is furthest behind."""

    done: float
    of: float
    unit: str = "s"
    """Also "req", requests served, and "req/s", the busiest that it has seen."""


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service on one line."""

    name: str
    team: str
    tier: int
    state: State
    verdict: Verdict | None
    """None where nothing is judged."""
    why: str
    """Why it is in its state, in one line."""
    staging: StageCell
    canary: StageCell
    production: StageCell
    budget: Budget
    p99_s: float | None
    error_ratio: float | None
    wait_s: float | None
    """Seconds until the phase can end; None where nobody knows or nothing is waited for."""
    age_s: float | None
    """Seconds since the state began; of STALE, since the newest data."""
    attention: int
    """Sort order: 0 needs a person first."""
    watched: bool = False
    """In its wait with a WATCH verdict."""
    release: str = ""
    revision: str = ""
    """Of the release at hand, or ""."""
    version: int = 0
    progress: Progress | None = None
    alerts: int = 0
    """That fire about it, as the company's own alerting says."""
    incident: str = ""
    """The gravest open one: "sev1 inc-3"."""
    glass: str = ""
    """While break-glass is in force: "until 14:02 UTC by ana, approved by ben"."""
    security_fix: str = ""
    """While one is in force: "r878 (CVE-2026-1234) until 2026-03-01 14:02 UTC by ana, approved by ben"."""
    readiness: str = ""
    """Rows of its list that pass or are waived, of all: "22/26"; "" where it is not worked out."""
    lock: str = ""
    """While one is on it, the newest: "ana" or "ana until 9 Jan 14:02Z"."""


@dataclass(frozen=True, slots=True)
class FleetView:
    """Every service, and how the controller itself is doing."""

    at: datetime
    """When the controller made it."""
    sequence: int
    tick_s: float
    services: tuple[ServiceRow, ...]
    """In the configuration's order."""
    last: Event | None = None
    notices: tuple[str, ...] = ()
    """What is wrong with the controller itself: "history cannot be written: disk full"."""
    day: "DayCounts | None" = None


@dataclass(frozen=True, slots=True)
class DayCounts:
    """Of the last 24 hours, for the wallboard's foot."""

    releases: int
    settled: int
    rolled_back: int
    refused: int


@dataclass(frozen=True, slots=True)
class MetricPane:
    """One metric over time, canary against production, oldest first; all columns equally long."""

    key: str
    title: str
    unit: str
    """As in `MetricRule.unit`."""
    step_s: float
    canary: tuple[float | None, ...]
    low: tuple[float | None, ...]
    """p10 over production hosts."""
    high: tuple[float | None, ...]
    """p90 over production hosts."""
    verdict: Verdict | None = None
    difference: str = ""
    limit: str = ""
    why: str = ""
    bounds: tuple[tuple[float | None, float, float | None] | None, ...] = ()
    """At the same points: (low, effect, high) of the difference to the control group, in `unit`; None before there
    is one, an end None where nothing bounds it yet."""
    limit_at: float | None = None
    """The difference beyond which it counts, on the scale of `bounds`."""
    evidence: float = 0.0
    """How far the evidence against the release has come; at 1 it is enough."""
    alpha_spent: float = 0.0
    """Ratio: the part of the false-rollback rate that this metric's tests have used up."""
    window: str = ""
    """The stretch that the evidence is strongest in."""


@dataclass(frozen=True, slots=True)
class JudgeView:
    """How a release is being judged, beside the metrics."""

    control: str
    """"3 baseline hosts restarted beside it, 16 production hosts"."""
    calibration: str
    """"calibrated: 0 of 400 placebo canaries, at most 0.7 %" or "uncalibrated: ..."."""
    calibrated: bool
    looks: int = 0
    evidence: float = 0.0
    alpha: float = 0.0
    """The configured false-rollback rate over the whole canary, a ratio."""
    alpha_spent: float = 0.0
    warmup: str = ""
    """"3 of 10 min" while only gross faults are judged; else ""."""
    caveats: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()

    @classmethod
    def of(cls, said: Judgement, calibration: str = "", *, calibrated: bool = False) -> "JudgeView":
        return cls(
            control=said.control,
            calibration=calibration,
            calibrated=calibrated,
            looks=said.looks,
            evidence=said.evidence,
            alpha=said.alpha,
            alpha_spent=said.alpha_spent,
            warmup=said.warmup,
            caveats=said.caveats,
            alerts=said.alerts,
        )


@dataclass(frozen=True, slots=True)
class HostLine:
    name: str
    datacenter: str
    track: Track
    mark: Mark
    """GOOD healthy on what it should run, RUNNING in a deploy, BAD down or failed, UNKNOWN no answer or drifted."""
    revision: str
    detail: str
    """"" or what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service, whole: its page."""

    at: datetime
    row: ServiceRow
    stable: str
    """The last stable revision."""
    control: str
    """What the canary is held against: "production", 9 hosts."""
    panes: tuple[MetricPane, ...]
    gates: tuple[Gate, ...]
    hosts: tuple[HostLine, ...]
    timeline: tuple[Event, ...]
    """Newest first."""
    decisions: tuple[Event, ...]
    """Looks, gates and draws with their reasons, newest first."""
    waves: tuple[str, ...] = ()
    wave: int = 0
    tick_s: float = 5.0
    judge: JudgeView | None = None
    """None while nothing is judged."""
    alerts: tuple[Alert, ...] = ()
    """That fire about it, the gravest first; at most `MOST_ALERTS`, the row has their number."""
    alerts_fault: str = ""
    """Why nobody knows what fires now; `alerts` are those last told of."""


@dataclass(frozen=True, slots=True)
class GateReport:
    """May the service deploy? What would hold a release that is submitted now, or holds the one on its way."""

    service: str
    at: datetime
    deploy: Deploy
    why: str
    """One plain line: the gate to name, or that all pass."""
    gates: tuple[Gate, ...]


class Asks(StrEnum):
    """How a person confirms a proposal."""

    NAME = "name"
    """By typing the service's name."""
    YES = "yes"
    """By `y`."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a dangerous key would do, in full, before it is done; sent back as a command if confirmed."""

    verb: Verb
    service: str
    release: str
    version: int
    title: str
    """"Promote pricing r450 to production?" or "...: not allowed"."""
    rows: tuple[tuple[str, str], ...]
    """(label, text), as a dialog shows them."""
    allowed: bool
    asks: Asks = Asks.YES


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which events: newest first, those that match all that is given."""

    service: str = ""
    text: str = ""
    """In any of who, service, revision, action, detail."""
    since: datetime | None = None
    before_id: int | None = None
    """For the next page: the smallest id seen."""
    limit: int = 200


@dataclass(frozen=True, slots=True)
class HistoryPage:
    events: tuple[Event, ...]
    total: int
    """Events that match, on all pages."""
