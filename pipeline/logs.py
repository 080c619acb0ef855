"""The newest lines that a service's hosts wrote: whose are read, and how they are told side by side."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import zip_longest

from pipeline.model import Host, Track

MOST_HOSTS = 8
"""Of those on the new revision, and again of the others."""
MOST_LINES = 200
"""Of one host."""
LONGEST_LINE = 500
DEADLINE_S = 5.0
"""For one page, with the wait for its turn."""

_BEGAN = re.compile(r"\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)\]?(?: |\Z)")
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HostLog:
    """One host's lines, or why there are none."""

    host: str
    track: Track
    lines: tuple[str, ...] = ()
    """Oldest first."""
    why: str = ""


@dataclass(frozen=True, slots=True)
class LogPage:
    service: str
    at: datetime
    """When the lines were read."""
    hosts: tuple[HostLog, ...]
    """The canary's, then the others."""
    left_out: int = 0
    """Hosts that were not asked, as there are too many."""


@dataclass(frozen=True, slots=True)
class LogLine:
    track: Track
    host: str
    text: str
    """As it was written."""
    at: datetime | None = None
    """As the line says itself; of one without a zone UTC is meant."""
    said: str = ""
    """The text without that time."""


Tracked = tuple[Host, Track]


def chosen(hosts: Iterable[Tracked], most: int = MOST_HOSTS) -> tuple[list[Tracked], int]:
    """(whose logs are read, how many more there are): of the canary and of the others `most` each.

    Staging is left out. A baseline comes before the rest of production; where there are too many, datacenters
    take turns, so that each is heard.
    """
    tracked = list(hosts)
    canary, baseline, rest = (_turns(tracked, its) for its in (Track.CANARY, Track.BASELINE, Track.PRODUCTION))
    found = [*canary[:most], *[*baseline, *rest][:most]]
    return found, len(canary) + len(baseline) + len(rest) - len(found)


def _turns(hosts: Iterable[Tracked], track: Track) -> list[Tracked]:
    places: dict[str, list[Tracked]] = {}
    for host, its in hosts:
        if its is track:
            places.setdefault(host.datacenter, []).append((host, its))
    return [pair for turn in zip_longest(*places.values()) for pair in turn if pair is not None]


def merged(logs: Sequence[HostLog]) -> tuple[LogLine, ...]:
    """All lines, oldest first by the time that each begins with; a host's own stay in their order.

    A line without a time belongs to the one before it; a log without any stands before those with.
    """
    streams = [_timed(log) for log in logs]
    return tuple(line for _, line in merge(*streams, key=lambda pair: pair[0]))


def _timed(log: HostLog) -> Iterator[tuple[datetime, LogLine]]:
    newest = _NEVER
    for text in log.lines:
        at, said = began(text)
        newest = newest if at is None else max(newest, at)
        yield newest, LogLine(log.track, log.host, text, at, said)


def began(text: str) -> tuple[datetime | None, str]:
    """(the time that a line begins with, the rest of it), as journalctl and most libraries write it."""
    found = _BEGAN.match(text)
    if found is None:
        return None, text
    try:
        at = datetime.fromisoformat(found[1])
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None, text
    return at, text[found.end() :]


def silent(logs: Iterable[HostLog]) -> tuple[str, ...]:
    """Why hosts have no lines, each reason once: with the host, or with how many share it."""
    reasons: dict[str, list[str]] = {}
    for log in logs:
        if not log.lines:
            reasons.setdefault(log.why or "its log is empty", []).append(log.host)
    return tuple(
        f"{hosts[0]}: {why}" if len(hosts) == 1 else f"{len(hosts)} hosts: {why}" for why, hosts in reasons.items()
    )
