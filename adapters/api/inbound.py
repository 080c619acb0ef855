"""What clients send, checked: commands, history queries, verbs. Nothing unchecked goes further."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import msgspec

from adapters.api.codec import Problem
from pipeline.commands import Command, Verb
from pipeline.text import is_identifier, plain
from pipeline.view import HistoryQuery

LONGEST_BODY = 16 * 1024
MOST_EVENTS = 1_000
LARGEST = 2**53
"""Whole number that every reader of JSON keeps exactly."""
_PARAMETERS = ("service", "text", "since", "before", "limit")

_command = msgspec.json.Decoder(Command).decode


class Bad(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, what: str, why: str, mend: str) -> None:
        super().__init__(f"{what}: {why}: {mend}")
        self.status = status
        self.problem = Problem(plain(what), plain(why), plain(mend))


def command(body: bytes) -> Command:
    """Raises `Bad` for what is no command; whether it may be done is the controller's to say."""
    try:
        found = _command(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
        raise Bad(400, "command", f"not understood ({exc})", "see http-api.md for its fields") from None
    named = {"service": found.service, "request": found.request}
    optional = {"revision": found.revision, "release": found.release}
    for field, name in (*named.items(), *((field, name) for field, name in optional.items() if name)):
        if not is_identifier(name):
            allowed = "1 to 100 of A-Z a-z 0-9 . _ - and no leading dash"
            raise Bad(400, f"command {found.verb}", f"{field} {plain(name, 40)!r} is no name", f"use {allowed}")
    if found.version is not None and not 0 <= found.version <= LARGEST:
        raise Bad(400, f"command {found.verb}", f"version is not in 0 to {LARGEST}", "name the one you saw")
    return replace(found, reason=plain(found.reason))


def query(parameters: Mapping[str, str]) -> HistoryQuery:
    unknown = [name for name in parameters if name not in _PARAMETERS]
    if unknown:
        why = f"no parameter {plain(unknown[0], 40)!r}"
        raise Bad(400, "history", why, f"it takes {', '.join(_PARAMETERS)}")
    return HistoryQuery(
        service=parameters.get("service", ""),
        text=plain(parameters.get("text", ""), 200),
        since=_time(parameters["since"]) if "since" in parameters else None,
        before_id=_whole(parameters, "before", LARGEST),
        limit=_whole(parameters, "limit", MOST_EVENTS) or HistoryQuery().limit,
    )


def verb(name: str) -> Verb:
    try:
        return Verb(name)
    except ValueError:
        raise Bad(404, f"proposal {plain(name, 40)}", "no such verb", f"use one of {', '.join(Verb)}") from None


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        why = f"since {plain(text, 40)!r} is no time with a zone"
        raise Bad(400, "history", why, "write it as 2026-03-01T12:00:00Z")
    return found


def _whole(parameters: Mapping[str, str], name: str, most: int) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and 1 <= int(text) <= most):
        raise Bad(400, "history", f"{name} {plain(text, 40)!r} is no whole number in 1 to {most}", "put it right")
    return int(text)
