"""What happened: the audit trail, and the operations on hosts that it must account for."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Who:
    """Who acted. A person is the kernel's word (uid of the socket's peer), never a client's claim."""

    name: str
    uid: int | None = None
    origin: str = ""
    """Where from, as far as the client says: "ssh 10.2.0.7"; for reading, not for rights."""


AUTO = Who("auto")
"""The controller itself."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of history; written once, never changed."""

    at: datetime
    who: Who
    service: str
    release: str
    revision: str
    action: str
    """A word: submit, gate, canary, look, promote, pause, resume, wave, rollback, restored, denied,
    settled, host."""
    detail: str
    """One plain line."""
    evidence: tuple[str, ...] = ()
    """More plain lines, for whoever opens the event."""
    id: int = 0
    """Given by the history; 0 before it is kept."""


class Result(StrEnum):
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The host was lost in mid-action: never taken for done, never for failed."""
    HELD = "held"
    """Not begun, as something before the host does not answer: it runs what it ran, and is told the same again."""


STILL_OPEN = frozenset({Result.UNKNOWN, Result.HELD})
"""How an operation may end for now: that is not kept, and it is not over."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A host is about to be told to run a revision; kept before it is told."""

    operation: str
    """`RELEASE.STEP.HOST.ATTEMPT`: derived, so that a repeat is the same operation."""
    release: str
    service: str
    host: str
    revision: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended, in the host's own words."""

    operation: str
    result: Result
    detail: str
    at: datetime
