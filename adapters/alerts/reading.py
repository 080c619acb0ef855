"""The alerts that Alertmanager's API v2 tells of, cleaned and bounded."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from adapters.alerts.alert import Alert, AlertLabels
from pipeline.text import PlainText, plain

MOST = 500
"""Alerts that are kept."""
_GRAVE = frozenset({"critical", "page", "emergency", "error", "high"})
_SLIGHT = frozenset({"info", "low", "none", "notice", "debug"})
"""Severities; all others are between the two."""


class _Status(msgspec.Struct, frozen=True):
    state: str


class _Told(msgspec.Struct, frozen=True):
    labels: dict[str, str]
    startsAt: Annotated[datetime, msgspec.Meta(tz=True)]  # noqa: N815 - as the API spells it
    fingerprint: str
    status: _Status
    annotations: dict[str, str] = {}


_DECODER = msgspec.json.Decoder(list[_Told])


class NotAlerts(Exception):
    """A body that is not what the API gives; its text says why."""


def alerts_in(raw: bytes, labels: AlertLabels) -> tuple[tuple[Alert, ...], int]:
    """(alerts, how many more there are).

    Ordered, and cut, by whether a service is named, by severity, then the newest first. Raises `NotAlerts`.
    """
    try:
        told = _DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise NotAlerts(plain(str(error), 200)) from None
    # A server that knows no filter by state tells of the silenced too.
    firing = sorted((one for one in told if one.status.state != "suppressed"), key=lambda one: _order(one, labels))
    return tuple(_alert(one, labels) for one in firing[:MOST]), max(len(firing) - MOST, 0)


def _order(told: _Told, labels: AlertLabels) -> tuple[bool, int, float, str]:
    severity = told.labels.get(labels.severity, "").lower()
    return (
        not told.labels.get(labels.service),
        0 if severity in _GRAVE else 2 if severity in _SLIGHT else 1,
        -told.startsAt.timestamp(),
        told.fingerprint,
    )


def _alert(told: _Told, labels: AlertLabels) -> Alert:
    return Alert(
        name=_text(told.labels, "alertname"),
        service=_text(told.labels, labels.service),
        environment=_text(told.labels, labels.environment),
        track=_text(told.labels, labels.track),
        severity=_text(told.labels, labels.severity),
        summary=_first(told.annotations, labels.summaries),
        since=_utc(told.startsAt),
        fingerprint=plain(told.fingerprint, 64),
    )


def _text(said: Mapping[str, str], label: str) -> PlainText:
    # Longer than any identifier, so that what is cut never looks like one.
    return plain(said.get(label, ""), 200)


def _first(said: Mapping[str, str], names: Sequence[str]) -> PlainText:
    return next((text for name in names if (text := plain(said.get(name, "").strip()))), plain(""))


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # The first or the last hours of all time, off by the zone's offset.
        return moment.replace(tzinfo=UTC)
