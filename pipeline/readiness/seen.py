"""What was looked at for the readiness lists, at a slow pace, beside the controller."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

HEALTHY = range(200, 300)
OLD = timedelta(days=1)
"""What was last looked at longer ago is not known any more."""


class Answer(StrEnum):
    OPEN = "open"
    GONE = "gone"
    """There is a word that it is not there."""
    UNKNOWN = "unknown"
    """Nobody answered, or not of the link itself."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A link, as it was opened last."""

    answer: Answer
    why: str
    at: datetime
    opened: datetime | None = None
    """When it last was open."""


@dataclass(frozen=True, slots=True)
class Seating:
    """A host's server, as its balancers have it."""

    name: str
    """"backend/server"."""
    ready: bool = False
    """One of them sends it requests."""
    checked: bool = True
    """All of them say that they check it by themselves."""
    fault: str = ""
    """Why nobody knows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A production host's health endpoint, as it answered last."""

    at: datetime
    took_s: float = 0.0
    status: int | None = None
    """Of HTTP; None without an answer."""
    why: str = ""
    """Without an answer."""
    alive: str = ""
    """What is wrong with its liveness endpoint; ""."""
    seating: Seating | None = None
    """None where no balancer is configured."""
    stays: bool = False
    """It was unhealthy for longer than a balancer's check takes, and was sent requests all the same."""

    @property
    def healthy(self) -> bool:
        return self.status is not None and self.status in HEALTHY


@dataclass(frozen=True, slots=True)
class Digest:
    """SHA-256 of a build, in hex, where builds come from."""

    value: str = ""
    fault: str = ""
    """Why it is not known."""
    waits: bool = False
    """It has not been read yet."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Of one service."""

    links: Mapping[str, Opened] = field(default_factory=dict)
    health: Mapping[str, Asked] = field(default_factory=dict)
    """By production host."""
    callers: Mapping[str, datetime] = field(default_factory=dict)
    """By name, "" where none was given: when a request of theirs was last seen."""
    callers_fault: str = ""
    """Why nobody knows who calls."""
    digest: Digest | None = None
    """Of the build at hand; None where its source has none."""


NOTHING = Seen()
