"""An alert as the room shows it, and why there may be none."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.text import PlainText


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that is firing now. What its labels do not say is ""."""

    name: PlainText
    service: PlainText
    environment: PlainText
    track: PlainText
    severity: PlainText
    summary: PlainText
    since: datetime
    """Aware, UTC."""
    fingerprint: PlainText
    """The same for the same alert, every time it is told."""


@dataclass(frozen=True, slots=True)
class AlertLabels:
    """Which label says what; "" is none."""

    service: str = "service"
    environment: str = "env"
    track: str = "track"
    severity: str = "severity"
    summaries: tuple[str, ...] = ("summary", "description", "message")
    """Annotations; the first that says something is the summary."""


@dataclass(frozen=True, slots=True)
class AlertsFault:
    """No usable answer, which is not the same as no alert."""

    at_s: float
    """On the controller's monotonic clock."""
    why: PlainText
