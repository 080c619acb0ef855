"""What the controller knows of a service that its readiness is measured by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.docket import CiResult, LoadTest
from pipeline.lifecycle import Rollout
from pipeline.model import Pool, Service
from pipeline.readiness.report import RowState
from pipeline.readiness.seen import NOTHING, Seen
from pipeline.readiness.use import Used
from pipeline.slo.report import BudgetReport


@dataclass(frozen=True, slots=True)
class ReadinessFacts:
    releases: tuple[Rollout, ...] = ()
    """Newest first, the one on its way included."""
    peak_rps: float | None = None
    """The busiest hour of the last 30 days, the whole service; None where no hour is known."""
    coverage_7d: float | None = None
    """Known part of the last 7 days, or of the time since the service is measured."""
    lacking: tuple[tuple[Pool, str], ...] | None = None
    """Metrics that gave no data lately, by pool; None before the metrics were read."""
    peak_days: float = 0.0
    """So much of the last 30 days is known of that."""
    cpu: Used | None = None
    """Of production hosts in the last 30 days; None where nothing was seen."""
    memory: Used | None = None
    budget: BudgetReport | None = None
    build: str = ""
    """The revision that the list is about (`readiness.build.at_hand`)."""
    callers: Mapping[str, datetime] = field(default_factory=dict)
    """By name: when a request of theirs was last seen, as it is kept."""
    seen: Seen = NOTHING


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row is asked about."""

    service: Service
    facts: ReadinessFacts
    load_tests: Sequence[LoadTest]
    """Oldest first."""
    now: datetime
    ci: Sequence[CiResult] = ()
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured."""

    state: RowState
    why: str


def passes(why: str) -> Found:
    return Found(RowState.PASS, why)


def fails(why: str) -> Found:
    return Found(RowState.FAIL, why)


def unknown(why: str) -> Found:
    return Found(RowState.UNKNOWN, why)
