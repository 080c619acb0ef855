"""Between the pipeline's values and the columns that keep them."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from pipeline.events import Event, Intent, Who
from pipeline.lifecycle import Rollout

EVENT_COLUMNS = "id, at, who, uid, origin, service, release, revision, action, detail, evidence"
INTENT_COLUMNS = "operation, release, service, host, revision, at"

# Lax, for "inf" and "nan" alone: JSON has no numbers for them.
_rollout = msgspec.json.Decoder(Rollout, strict=False)
_lines = msgspec.json.Decoder(tuple[str, ...])


def instant(at: datetime) -> str:
    """`at` as text that sorts by time; raises `ValueError` for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def from_instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def to_rollout(body: str) -> Rollout:
    """Raises `msgspec.ValidationError` for a body that this version cannot read."""
    return _rollout.decode(body)


def event_row(event: Event) -> tuple[int | str | None, ...]:
    """In the order of `EVENT_COLUMNS`; what the audit hash is over."""
    who = event.who
    return (
        event.id,
        instant(event.at),
        who.name,
        who.uid,
        who.origin,
        event.service,
        event.release,
        event.revision,
        event.action,
        event.detail,
        msgspec.json.encode(event.evidence).decode(),
    )


def to_event(row: tuple[Any, ...]) -> Event:
    number, at, name, uid, origin, service, release, revision, action, detail, evidence = row
    return Event(
        from_instant(at),
        Who(name, uid, origin),
        service,
        release,
        revision,
        action,
        detail,
        _lines.decode(evidence),
        number,
    )


def to_intent(row: tuple[Any, ...]) -> Intent:
    operation, release, service, host, revision, at = row
    return Intent(operation, release, service, host, revision, from_instant(at))
