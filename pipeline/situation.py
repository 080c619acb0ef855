"""What a command meets, and what becomes of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.commands import Receipt
from pipeline.docket import Docket, Paper
from pipeline.events import Event
from pipeline.gates import Gate
from pipeline.lifecycle import Rollout
from pipeline.model import Service
from pipeline.premises import Premises


@dataclass(frozen=True, slots=True)
class Situation:
    """A service as the controller knows it when a command arrives."""

    service: Service
    rollout: Rollout | None
    """The newest release, ended or not."""
    stable: str
    gates: tuple[Gate, ...]
    releases: int
    """How many the service has had."""
    settled: Rollout | None
    """The newest release that settled."""
    undone: Mapping[str, str]
    """By revision: why it was rolled back and stays out."""
    available: frozenset[str]
    """Revisions that staging could run; empty where no host says."""
    now: datetime
    seed: int
    """For a release that begins now."""
    docket: Docket = field(default_factory=Docket)
    """Of the whole fleet."""
    services: Collection[str] = ()
    """Names of the whole fleet."""
    premises: Premises = field(default_factory=Premises)
    started: Sequence[datetime] = ()
    """When releases went to staging, newest first."""
    otherwise: Mapping[str, str] = field(default_factory=dict)
    """By host: the revision that it runs, where nobody told it that."""
    sharing: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By service: those that share its staging."""


@dataclass(frozen=True, slots=True)
class Taken:
    rollouts: tuple[Rollout, ...]
    event: Event
    receipt: Receipt
    papers: tuple[Paper, ...] = ()
    """New or changed."""
    more: tuple[Event, ...] = ()
    """What else is told, of other papers and other services."""
