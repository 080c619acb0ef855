"""What a judge says of a release, metric by metric and as a whole. Plain values: screens carry them."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    PASS = "pass"
    WATCH = "watch"
    FAIL = "fail"
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True)
class MetricVerdict:
    """One metric in one look; values in the metric's own unit, None where there is none."""

    key: str
    verdict: Verdict
    candidate: float | None
    control: float | None
    """The control hosts in the canary's datacenters, at the canary's moments."""
    samples: float
    """Requests, or hosts, of the candidate that this rests on."""
    why: str
    """One plain sentence with both groups, the difference and the limit."""
    difference: str = ""
    """As it is shown in a pane's border: "+0.08pp", "-3%"."""
    limit: str = ""
    missing: bool = False
    """Whether data are missing, not merely few as yet."""
    counts: bool = True
    """Whether the overall verdict rests on it; not where the phase leaves nothing to compare with."""
    effect: float | None = None
    """Candidate less control, over the whole canary."""
    low: float | None = None
    high: float | None = None
    """Confidence bounds of `effect` (95 %, at every look at once)."""
    limit_at: float | None = None
    """The difference beyond which it counts, of the same sign as what is worse."""
    evidence: float = 0.0
    """How far the evidence against the release has come, on a scale of logarithms: at 1 it is enough."""
    alpha_spent: float = 0.0
    """Part of the false-rollback rate that this metric's tests have used up so far, a ratio."""
    window: str = ""
    """The stretch that the evidence is strongest in: "all 12 min", "the last 45 s"."""


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    why: str
    metrics: tuple[MetricVerdict, ...] = ()
    missing: bool = False
    """No data because they are missing, not because they are few as yet."""
    guard: str = ""
    """The absolute guard that failed it, if one did: it acts whatever the statistics say."""
    control: str = ""
    """What the canary was held against: "3 baseline hosts restarted beside it", "9 production hosts"."""
    caveats: tuple[str, ...] = ()
    """What cannot be known from this canary, a sentence each."""
    alerts: tuple[str, ...] = ()
    """What someone should look at and that rolls nothing back: one sick host of many."""
    warmup: str = ""
    """"3 of 10 min" while hosts are cold and only gross faults are judged; else ""."""
    looks: int = 0
    evidence: float = 0.0
    """Of all metrics together; at 1 the release is rolled back."""
    alpha: float = 0.0
    """The configured false-rollback rate over the whole canary."""
    alpha_spent: float = 0.0
