"""What a build must pass in staging, and how each kind of check is set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class CheckKind(StrEnum):
    PROBE = "probe"
    COMMAND = "command"
    REPLAY = "replay"
    """Recorded traffic, sent to the staging hosts; the answers are compared."""
    LOAD = "load"
    """A command that loads the staging hosts; a failed one locks the service."""
    MANUAL = "manual"
    """A person looks at this very build: `pithead attest`."""


class Against(StrEnum):
    """What the answers of a replay are held against."""

    RECORDING = "recording"
    PRODUCTION = "production"
    """The same request, sent to a production host at the same time."""


@dataclass(frozen=True, slots=True)
class ReplayRule:
    recording: str
    """Path of a HAR file, or of JSON lines."""
    against: Against = Against.RECORDING
    rps: float = 10.0
    most: int = 1_000
    """Requests, the first of the recording."""
    ignore: tuple[str, ...] = ()
    """JSON paths that may differ: "$.now", "$.items[*].etag"."""
    differing: float = 0.0
    """Ratio of answers that may differ."""
    slower: float | None = None
    """The median answer may be so much slower, as a ratio of what it is held against; None is not asked."""


@dataclass(frozen=True, slots=True)
class LoadRule:
    """What the command's last line of JSON must show; each None is not asked. Without JSON its exit code decides."""

    least_rps: float | None = None
    most_p99_s: float | None = None
    most_errors: float | None = None
    """Ratio."""


@dataclass(frozen=True, slots=True)
class CheckRule:
    """A staging check; all of a service's checks must pass for the very build."""

    name: str
    kind: CheckKind
    path: str = ""
    """Probe: asked of each staging host."""
    status: int = 200
    contains: str = ""
    """Probe: text that the answer's body must hold."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Probe: headers that the answer must have, by lower-case name."""
    within_s: float | None = None
    """Probe: how soon it must have answered."""
    command: tuple[str, ...] = ()
    """Command: an argument list, never a shell line. `{revision}`, `{service}`, `{hosts}` are filled in."""
    deadline_s: float = 60.0
    replay: ReplayRule | None = None
    load: LoadRule | None = None
