"""What the pipeline is about: hosts, services, and the rules that each service lives by.

Everything here is frozen and comes from the configuration. Durations are seconds (`_s`), ratios
are 0 to 1, times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from pipeline.checks import CheckRule
from pipeline.emergency import EmergencyRules
from pipeline.readiness.rules import ReadinessRules
from pipeline.slo.rules import Count, CoverageRules, Kind, Objective, PaybackRules
from pipeline.staging import Finding, StagingRules


class Pool(StrEnum):
    """Which machines a host belongs to by configuration."""

    STAGING = "staging"
    PRODUCTION = "production"


class Track(StrEnum):
    """What a host is in the release at hand: drawn, not configured."""

    STAGING = "staging"
    CANARY = "canary"
    BASELINE = "baseline"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class Host:
    name: str
    address: str
    """`host:port` where it answers HTTP."""
    pool: Pool
    datacenter: str
    region: str = ""
    country: str = ""
    provider: str = ""
    ssh: str = ""
    """What `ssh` is called with; "" is the name."""


class Promotion(StrEnum):
    """Who opens the door to the next stage once its gates pass."""

    AUTOMATIC = "automatic"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Promotions:
    canary: Promotion = Promotion.AUTOMATIC
    production: Promotion = Promotion.OPERATOR
    waves: Promotion = Promotion.AUTOMATIC


class OffShare(StrEnum):
    """What follows where a canary does not serve its share of the traffic."""

    HOLD = "hold"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class CanaryRules:
    share: float = 0.1
    """Ratio of production hosts that run the canary, 0.05 to 0.10; never fewer than one host."""
    stratify: tuple[str, ...] = ("datacenter", "region", "provider")
    traffic: OffShare = OffShare.HOLD
    traffic_within: float = 0.3
    """How far from its share of the requests a canary may be, as a ratio of that share."""


@dataclass(frozen=True, slots=True)
class Wave:
    """One step of production: so much of the hosts that match `place`.

    `kind` is "datacenter", "region", "country", "provider" or "" (every host); `share` counts
    hosts that run the new revision already, so a later wave never shrinks an earlier one.
    """

    kind: str
    place: str
    share: float

    def __str__(self) -> str:
        where = self.place if self.kind in ("", "datacenter") else f"{self.kind}:{self.place}"
        return f"{where} {self.share:.0%}".strip() if self.share < 1 or not where else where


@dataclass(frozen=True, slots=True)
class TrafficCycle:
    """What a canary must have served before it may leave: all three of them."""

    duration_s: float = 86_400.0
    requests: int = 1_000
    """By the canary hosts together."""
    peak_ratio: float = 0.8
    """The canary has seen the service at this ratio of its busiest rate in the last cycle."""
    shorter_because: str = ""
    """Why less than a day with its peak is enough, where it is asked for."""


@dataclass(frozen=True, slots=True)
class DeployRules:
    at_once: int = 5
    """Hosts of one service that may be in the middle of a deploy."""
    deadline_s: float = 120.0
    """How long one host may take before its outcome is called unknown."""
    max_failed: int = 1
    """Hosts that may fail in one stage or wave; one more fails the release."""
    max_unreachable: int = 1
    """Hosts that may be out of reach; one more holds forward moves."""
    soak_s: float = 600.0
    """Between two waves."""
    settle_s: float = 3_600.0
    """After the last wave, before the revision is called stable."""


class NoData(StrEnum):
    HOLD = "hold"
    ROLLBACK = "rollback"


class MetricKind(StrEnum):
    RATIO = "ratio"
    """`bad` over `total`, both counters."""
    QUANTILE = "quantile"
    """The `q` quantile of the histogram `of`."""
    SHARE = "share"
    """Requests of the histogram `of` that took longer than `over` seconds, as a ratio of all."""
    RATE = "rate"
    """Events of the counter `of` (whole ones: requests, messages) per second and host."""
    GAUGE = "gauge"
    """The level of the gauge `of`, or the counter `of` per second (seconds of CPU), per host."""
    RESTARTS = "restarts"
    """Processes that began anew, per host and hour."""
    EXPRESSION = "expression"
    """`expression` of signals (`pipeline.expression`), per host: a level like a gauge's."""


class Worse(StrEnum):
    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class MetricRule:
    """One judged and shown number, worked out from signals (`pipeline.signals`)."""

    key: str
    title: str
    kind: MetricKind
    of: str = ""
    bad: str = ""
    total: str = ""
    q: float = 0.99
    unit: str = ""
    """"ratio" is shown in per cent, "s" in ms, "bytes" in MiB, "/s", "cores", "" as it is."""
    worse: Worse = Worse.HIGHER
    tolerance: float = 0.0
    """A difference up to this never counts: an absolute ratio for `RATIO` and `SHARE` (0.001 = 0.1 pp), else
    relative to production (0.10 = 10 %)."""
    min_samples: int = 50
    """Requests of the canary (`RATIO`, `QUANTILE`, `SHARE`) before there is a verdict."""
    judged: bool = True
    over: float = 0.0
    """`SHARE`: the threshold, in seconds."""
    expression: str = ""
    """`EXPRESSION`: arithmetic over signals."""
    critical: bool = True
    """Whether it fails a release alone; else it counts, and fails it only together with another."""
    with_age: bool = False
    """Whether it grows as a process ages (memory): then hosts restarted at the same moment are its control."""


class Control(StrEnum):
    """What a canary is held against."""

    PRODUCTION = "production"
    """The other production hosts as they run: wider allowances, a longer warm-up."""
    BASELINE = "baseline"
    """As many hosts in the same datacenters, restarted on the old revision at the same moment, and the others."""


@dataclass(frozen=True, slots=True)
class JudgeRules:
    metrics: tuple[MetricRule, ...] = ()
    control: Control = Control.PRODUCTION
    false_rollback: float = 0.01
    """The rate of good releases that may be rolled back, each over its whole canary."""
    guard_burn: float = 50.0
    """A canary that burns the error budget this many times too fast, and twice as fast as production, fails at
    once; 0 turns it off."""
    warmup_s: float | None = None
    """How long a process counts as cold after its start; None is `COLD_S` of the control."""
    stale_s: float = 30.0
    """Readings older than this are no data."""
    no_data_limit_s: float = 86_400.0
    """How long a release may stand without data before `no_data` is done."""
    no_data: NoData = NoData.HOLD

    @property
    def cold_s(self) -> float:
        """How long a process counts as cold after its start: until then only gross faults are judged."""
        return COLD_S[self.control] if self.warmup_s is None else self.warmup_s


COLD_S: Mapping[Control, float] = MappingProxyType({Control.BASELINE: 600.0, Control.PRODUCTION: 900.0})
"""Caches fill and code warms up: hosts restarted at the same moment show it too, the rest of production does not."""


@dataclass(frozen=True, slots=True)
class Freeze:
    """Nothing moves forward from `start` until `end`, by hand or by itself."""

    owner: str
    reason: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class FrequencyRules:
    per_day: int | None = None
    min_gap_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BudgetRules:
    """The availability objective, and the error budget that comes of it."""

    objective: Decimal = Decimal("0.999")
    """Ratio of good requests, exactly as configured: 0 < objective < 1."""
    window_s: float = 30 * 86_400.0
    total: str = "requests"
    bad: str = "errors"
    count: Count = Count.REQUESTS
    slice_s: int = 60
    """Of every objective of the service."""
    bad_slice: Decimal = Decimal("0.5")
    """A slice with a greater ratio of bad requests is downtime."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a service lives by; the organisation's defaults with its own on top."""

    promotions: Promotions = Promotions()
    canary: CanaryRules = CanaryRules()
    waves: tuple[Wave, ...] = (Wave("", "", 0.25), Wave("", "", 1.0))
    cycle: TrafficCycle = TrafficCycle()
    deploy: DeployRules = DeployRules()
    judge: JudgeRules = JudgeRules()
    checks: tuple[CheckRule, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    frequency: FrequencyRules = FrequencyRules()
    budget: BudgetRules = BudgetRules()
    failing_alerts: frozenset[str] = frozenset()
    """Severities of alerts that fail a canary which they are about."""
    slos: tuple[Objective, ...] = ()
    """Besides availability."""
    payback: PaybackRules = field(default_factory=PaybackRules)
    coverage: CoverageRules = field(default_factory=CoverageRules)
    staging: StagingRules = field(default_factory=StagingRules)
    readiness: ReadinessRules = field(default_factory=ReadinessRules)
    emergency: EmergencyRules = field(default_factory=EmergencyRules)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """Every SLO; the first is availability, which downtime is read from."""
        its = self.budget
        availability = Objective(
            "availability",
            Kind.AVAILABILITY,
            its.objective,
            its.count,
            its.window_s,
            its.slice_s,
            its.bad_slice,
            its.total,
            its.bad,
        )
        return (availability, *self.slos)


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    hosts: tuple[Host, ...]
    revision: str
    """What runs where the history knows no stable revision yet."""
    team: str = ""
    tier: int = 3
    """1 is business-critical."""
    rules: Rules = field(default_factory=Rules)
    business_critical: bool = False
    """Its readiness list binds."""
    findings: tuple[Finding, ...] = ()
    """Of the rules for staging, canary and observation, in its configuration."""

    staging: tuple[Host, ...] = field(init=False, repr=False, compare=False)
    production: tuple[Host, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for pool in Pool:
            object.__setattr__(self, pool.value, tuple(host for host in self.hosts if host.pool is pool))


@dataclass(frozen=True, slots=True)
class Fleet:
    """Every service of the company, by name, and how often the controller looks at them."""

    services: Mapping[str, Service] = field(default_factory=lambda: MappingProxyType({}))
    tick_s: float = 5.0
    host_timeout_s: float = 2.0
    """One look at one host; a host that needs longer is "no answer"."""
    actions_at_once: int = 50
    """Deploys under way over all services."""
    look_s: float = 0.0
    """From one reading of the metrics to the next, and so from look to look; less than a tick is every tick."""

    @property
    def apart_s(self) -> float:
        """Between two looks at a canary."""
        return max(self.tick_s, self.look_s)
