"""Which labels and annotations of an alert say what of it."""

from dataclasses import dataclass

from pipeline.alerts import Alert, AlertsFault

__all__ = ["Alert", "AlertLabels", "AlertsFault"]


@dataclass(frozen=True, slots=True)
class AlertLabels:
    """Which label says what; "" is none."""

    service: str = "service"
    environment: str = "env"
    track: str = "track"
    severity: str = "severity"
    summaries: tuple[str, ...] = ("summary", "description", "message")
    """Annotations; the first that says something is the summary."""
