"""What the rules rest on beside the release itself: budgets, papers, neighbours, readiness, production's health."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.docket import Docket
from pipeline.lifecycle import Rollout
from pipeline.readiness.report import ReadinessReport
from pipeline.slo.report import BudgetReport


@dataclass(frozen=True, slots=True)
class Premises:
    """Of one service, at one instant."""

    docket: Docket = field(default_factory=Docket)
    """Its own papers, and reservations that name it or a service it shares staging with."""
    budget: BudgetReport | None = None
    """None before the first one is worked out."""
    readiness: ReadinessReport | None = None
    related: Mapping[str, Rollout] = field(default_factory=dict)
    """By service: releases on their way of those that share its staging, and of hard dependencies."""
    unhealthy: str = ""
    """What is wrong with production now, in a line; "" where nothing is known to be."""
    stable: str = ""
    """Last stable revision: what a bad release is answered with."""
    settled: Rollout | None = None
    """The newest release that settled."""
    sharing: frozenset[str] = frozenset()
    """Names of those of `related` that share its staging; the others are hard dependencies only."""
    measured: datetime | None = None
    """When its metrics were first read."""
