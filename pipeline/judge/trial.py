"""What is settled before the first look of a canary or wave, and what makes one look's evidence the next one's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pipeline.judge.look import Look, Recorded
from pipeline.judge.verdict import Judgement
from pipeline.model import JudgeRules


@dataclass(frozen=True, slots=True)
class Reference:
    """One metric of production at an earlier time."""

    rate: float
    """Events over exposure."""
    edge: float | None = None
    allowance: float = 0.0
    """As in `MetricPrior`."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One canary, or one wave: who is compared, by which rules, for how long."""

    release: str
    wave: int
    """0 is the canary."""
    rules: JudgeRules
    tick_s: float
    looks: int
    """Planned, at least 1: the traffic cycle over the tick. The error rate is spent over these."""
    datacenters: Mapping[str, str]
    """Of every production host, by its name."""
    canary: tuple[str, ...]
    """Hosts that run the new revision, or will in this wave."""
    baseline: tuple[str, ...] = ()
    production: tuple[str, ...] = ()
    """The rest: held against the canary."""
    total: str = "requests"
    bad: str = "errors"
    objective: float = 0.999
    """Of the service's error budget, a ratio: for the guard against a burn far past it."""
    share: float = 1.0
    """Part of the false-rollback rate that this trial may spend."""
    reference: Mapping[str, Reference] = field(default_factory=dict)
    """By metric: production as it was before, or for a wave while the canary baked, where too few hosts are left."""


@dataclass(frozen=True, slots=True)
class MetricPrior:
    """One metric of a service before the release, from its recorded history."""

    effects: Mapping[str, float] = field(default_factory=dict)
    """By host: how much more of it than its datacenter's mean (counts: a factor; levels: a logarithm)."""
    lengths_s: tuple[float, ...] = ()
    dispersion: tuple[float, ...] = ()
    """For a window of each length: variance over mean of a host's counts (levels: variance of its mean)."""
    freedom: tuple[float, ...] = ()
    """Degrees of freedom that each rests on."""
    edge: float | None = None
    """Of a quantile: the bucket bound beyond which requests are its tail."""
    allowance: float = 0.0
    """Of a quantile: the share of requests by which its tail may be larger, as the tolerance on it allows."""


@dataclass(frozen=True, slots=True)
class Prior:
    """A service before the release; empty where nothing was recorded."""

    metrics: Mapping[str, MetricPrior] = field(default_factory=dict)
    seconds: float = 0.0
    """Of history that it rests on."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A judge's evidence, packed: a controller that reads it back goes on with the same."""

    release: str
    wave: int
    looks: int
    settings: str
    """`fingerprint` of the trial it belongs to."""
    body: bytes


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial as the history keeps it, with what was known before: all that its looks need to be judged again."""

    trial: Trial
    prior: Prior


def fingerprint(settled: "JudgeRules | Trial") -> str:
    """Short, and the same exactly for the same settings, or the same trial."""
    import hashlib  # every client reads this module, and few need this

    return hashlib.sha256(repr(settled).encode()).hexdigest()[:16]


E = TypeVar("E")


class Judge(Protocol[E]):
    """Looks at a release once a tick. `E` is its evidence: frozen, bounded, and all that it remembers."""

    def prior(self, trial: Trial, past: tuple[Recorded, ...]) -> Prior:
        """What the service's recorded history says of its hosts, oldest stretch first."""
        ...

    def begin(self, trial: Trial, prior: Prior) -> E:
        """The evidence before the first look."""
        ...

    def look(self, evidence: E, look: Look) -> tuple[E, Judgement]:
        """The evidence with this look in it, and what follows.

        Never raises for what hosts sent: what cannot be used is "no data", with a reason.
        """
        ...

    def reference(self, evidence: E) -> Mapping[str, Reference]:
        """Production in this trial, by metric, for a later wave's `Trial.reference`."""
        ...

    def pack(self, evidence: E) -> Kept: ...

    def unpack(self, trial: Trial, prior: Prior, kept: Kept) -> E | None:
        """The evidence as it was packed; None if it belongs to another trial or other settings."""
        ...
