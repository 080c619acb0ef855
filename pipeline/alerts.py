"""Alerts of the company's own alerting: one of them, what is known of a service's in one tick, how one is told."""

from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.text import PlainText, plain


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
class AlertsFault:
    """No usable answer, which is not the same as no alert."""

    at_s: float
    """On the controller's monotonic clock."""
    why: PlainText


@dataclass(frozen=True, slots=True)
class Firing:
    """What is known of one service's alerts."""

    asked: bool = False
    """Whether there is anybody to ask."""
    alerts: tuple[Alert, ...] = ()
    """Of the newest answer, the gravest first."""
    heard: bool = False
    """Whether there was an answer at all."""
    silent_s: float = 0.0
    """Since the newest answer, or since the first question."""
    fault: str = ""
    """Why the newest question has no answer; "" where it has."""


NOT_ASKED = Firing()


def told(alert: Alert) -> str:
    """As in "HighErrors (critical): 5 % of requests fail"."""
    severity = f" ({alert.severity})" if alert.severity else ""
    summary = f": {alert.summary}" if alert.summary else ""
    return f"{alert.name or 'an alert without a name'}{severity}{summary}"


def told_whole(alert: Alert, since: str) -> str:
    """As in "HighErrors (critical) on canary in prod, since 12m: 5 % of requests fail".

    Where a line is too short for it all, the summary is what is cut.
    """
    where = about(alert)
    head = told(replace(alert, summary=plain("")))
    on = f" on {where}" if where else ""
    return f"{head}{on}, since {since}{f': {alert.summary}' if alert.summary else ''}"


def about(alert: Alert) -> str:
    """What of the service it is about, as its labels say: "canary in prod", or ""."""
    return " in ".join(filter(None, (alert.track, alert.environment)))
