"""Events as lines: the list's columns, the summary above it, the details below it, and as JSON. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from rich.style import Style

from pipeline.events import Event
from tui.service_sheets import wrapped
from tui.widgets.pane import Look, Sheet, ends
from tui.widgets.runs import Runs
from tui.words import fit

WIDE = 110
_FAILING = frozenset({"rollback", "denied", "failed"})
_PEOPLE = frozenset({"promote", "pause", "resume", "submit", "cancel"})


@dataclass(frozen=True, slots=True)
class Times:
    """How moments are written."""

    now: datetime
    zone: tzinfo | None = UTC
    """None is the machine's own."""
    dates: bool = False

    @property
    def width(self) -> int:
        return 19 if self.dates else 8

    def write(self, at: datetime) -> str:
        """The time of day, or the date where that says more: `width` characters."""
        local = at.astimezone(self.zone)
        if self.dates:
            return local.strftime("%Y-%m-%d %H:%M:%S")
        return local.strftime("%H:%M:%S" if abs(self.now - at) < timedelta(days=1) else "%y-%m-%d")

    @property
    def name(self) -> str:
        return self.now.astimezone(self.zone).strftime("%Z") or "local"


def _widths(width: int) -> tuple[int, int, int, int]:
    return (10, 20, 14, 12) if width >= WIDE else (5, 14, 7, 12)


def head(width: int, times: Times, look: Look) -> Runs:
    who, service, revision, action = _widths(width)
    text = (
        f"  {'TIME':<{times.width}}  {'WHO':<{who}} {'SERVICE':<{service}} {'REL':<{revision}} "
        f"{'ACTION':<{action}} DETAIL"
    )
    return ((fit(text, width), look.palette.dim),)


def line(event: Event, width: int, times: Times, look: Look, *, selected: bool) -> Runs:
    """An event in exactly `width` cells."""
    palette, more = look.palette, look.glyphs.more
    who, service, revision, action = _widths(width)
    start = f"{look.glyphs.cursor if selected else ' '} "
    front = f"{times.write(event.at)}  {fit(event.who.name, who, more)} {fit(event.service, service, more)} "
    middle = f"{fit(event.revision, revision, more)} "
    used = len(start) + times.width + 2 + who + service + revision + action + 4
    return (
        (start, palette.key),
        (front, palette.plain),
        (middle, palette.dim),
        (f"{fit(event.action, action, more)} ", _style(event, look)),
        (fit(event.detail, max(width - used, 0), more), palette.plain),
    )


def _style(event: Event, look: Look) -> Style:
    if event.action in _FAILING or event.detail.startswith("FAIL"):
        return look.palette.fail
    return look.palette.warn if event.action in _PEOPLE else look.palette.plain


def summary(events: Sequence[Event], total: int, wanted: tuple[str, str], times: Times, width: int, look: Look) -> Runs:
    """What is listed; `wanted` is (service, text), "" for any."""
    service, text = wanted
    parts = [service or "all services", f"filter: {text or 'none'}", f"{total} events"]
    denied = sum(event.action == "denied" for event in events)
    if denied:
        parts.append(f"{denied} refused")
    left: Runs = ((" " + "  ".join(parts), look.palette.plain),)
    return ends(left, ((f"{times.name} ", look.palette.dim),), width, look.glyphs.more)


def detail_sheet(event: Event | None, width: int, times: Times, look: Look, *, foot: str = "") -> Sheet:
    """Everything that is known of an event, wrapped."""
    palette = look.palette
    if event is None:
        return Sheet((("no event", palette.dim),), ())
    dated = Times(times.now, times.zone, dates=True)
    who = event.who
    acted = (
        who.name + (f" (uid {who.uid})" if who.uid is not None else "") + (f" from {who.origin}" if who.origin else "")
    )
    first = f"{times.write(event.at)}  {event.action} {event.service} {event.revision}  by {acted}"
    texts = [
        first,
        event.detail,
        *event.evidence,
        f"release {event.release or '-'}  {dated.write(event.at)} {times.name}",
    ]
    body = tuple(((f" {part}", palette.plain),) for text in texts for part in wrapped(text, max(width - 2, 10)))
    return Sheet(((f"event {event.id}", palette.strong),), body, ((foot, palette.dim),) if foot else ())


def as_json(event: Event) -> str:
    """One line of JSON; times are ISO 8601 in UTC."""
    return json.dumps(
        {
            "id": event.id,
            "at": event.at.astimezone(UTC).isoformat(),
            "who": {"name": event.who.name, "uid": event.who.uid, "origin": event.who.origin},
            "service": event.service,
            "release": event.release,
            "revision": event.revision,
            "action": event.action,
            "detail": event.detail,
            "evidence": list(event.evidence),
        }
    )
