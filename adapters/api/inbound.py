"""What clients send, checked: commands, queries, verbs, calibrations. Nothing unchecked goes further."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import msgspec

from adapters.api.codec import Problem
from adapters.api.judged import MOST_RECORDS
from pipeline.commands import SAFE, Command, Stretch, Verb
from pipeline.judge.look import Calibration
from pipeline.logs import MOST_LINES
from pipeline.text import LONGEST, is_identifier, plain
from pipeline.view import HistoryQuery

LONGEST_BODY = 16 * 1024
MOST_EVENTS = 1_000
LARGEST = 2**53
"""Whole number that every reader of JSON keeps exactly."""
MOST_WAVES = 10_000
MOST_SERVICES = 100
"""Beside the one that a reservation names first."""
ALLOWED = "use 1 to 100 of A-Z a-z 0-9 . _ - and no leading dash"

_command = msgspec.json.Decoder(Command).decode
_calibration = msgspec.json.Decoder(Calibration).decode


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
    what = f"command {found.verb}"
    named = {"service": found.service, "request": found.request}
    optional = {"revision": found.revision, "release": found.release, "subject": found.subject}
    also = [("also", name) for name in found.also]
    for field, name in (*named.items(), *((field, name) for field, name in optional.items() if name), *also):
        if not is_identifier(name):
            raise Bad(400, what, f"{field} {plain(name, 40)!r} is no name", ALLOWED)
    if found.version is not None and not 0 <= found.version <= LARGEST:
        raise Bad(400, what, f"version is not in 0 to {LARGEST}", "name the one you saw")
    if len(found.also) > MOST_SERVICES:
        raise Bad(400, what, f"also names {len(found.also)} services", f"name at most {MOST_SERVICES}")
    # A link that is cut leads elsewhere, and half a reason misleads whoever reads it later.
    for field, text, as_in in (("evidence", found.evidence, "a link, a ticket"), ("reason", found.reason, "say less")):
        # The way back never waits for shorter words: there they are cut.
        if len(text) > LONGEST and found.verb not in SAFE:
            raise Bad(400, what, f"{field} has {len(text)} characters", f"use at most {LONGEST}: {as_in}")
    return replace(
        found,
        reason=plain(found.reason),
        evidence=plain(found.evidence),
        digest=plain(found.digest, 100),
        start=_instant(found.start, what, "start"),
        end=_instant(found.end, what, "end"),
    )


def query(parameters: Mapping[str, str]) -> HistoryQuery:
    _only(parameters, "history", ("service", "text", "since", "before", "limit"))
    return HistoryQuery(
        service=parameters.get("service", ""),
        text=plain(parameters.get("text", ""), 200),
        since=_time(parameters["since"], "history") if "since" in parameters else None,
        before_id=_whole(parameters, "history", "before", LARGEST),
        limit=_whole(parameters, "history", "limit", MOST_EVENTS) or HistoryQuery().limit,
    )


def stretch(parameters: Mapping[str, str]) -> Stretch | None:
    """What a correction would be about; None where nobody has said."""
    _only(parameters, "proposal", ("kind", "start", "end"))
    if not parameters:
        return None
    start, end = (_time(parameters.get(name, ""), "proposal", name) for name in ("start", "end"))
    return Stretch(plain(parameters.get("kind", ""), 40), start, end)


@dataclass(frozen=True, slots=True)
class Trials:
    """Which trial."""

    release: str
    """"" is the newest."""
    wave: int


def trial(parameters: Mapping[str, str]) -> Trials:
    _only(parameters, "trial", ("release", "wave"))
    return _trial(parameters, "trial")


@dataclass(frozen=True, slots=True)
class LooksQuery:
    trial: Trials
    after: int
    limit: int


def looks(parameters: Mapping[str, str]) -> LooksQuery:
    _only(parameters, "looks", ("release", "wave", "after", "limit"))
    if not parameters.get("release"):
        raise Bad(400, "looks", "of which release?", "name it: release=SERVICE-N")
    after = _whole(parameters, "looks", "after", LARGEST, least=0) or 0
    return LooksQuery(_trial(parameters, "looks"), after, _limit(parameters, "looks"))


@dataclass(frozen=True, slots=True)
class RecordedQuery:
    since: datetime
    limit: int


def recorded(parameters: Mapping[str, str]) -> RecordedQuery:
    _only(parameters, "recorded", ("since", "limit"))
    since = _time(parameters.get("since", ""), "recorded")
    return RecordedQuery(since, _limit(parameters, "recorded"))


@dataclass(frozen=True, slots=True)
class LogsQuery:
    lines: int
    host: str
    """"" is all that there is room for."""


def logs(parameters: Mapping[str, str]) -> LogsQuery:
    _only(parameters, "logs", ("lines", "host"))
    host = parameters.get("host", "")
    if host and not is_identifier(host):
        raise Bad(400, "logs", f"host {plain(host, 40)!r} is no name", ALLOWED)
    return LogsQuery(_whole(parameters, "logs", "lines", MOST_LINES) or MOST_LINES, host)


def calibration(body: bytes, service: str) -> Calibration:
    """What placebo canaries of `service` showed. Raises `Bad` for what cannot have come of any."""
    try:
        found = _calibration(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
        raise Bad(400, "calibration", f"not understood ({exc})", "see http-api.md for its fields") from None
    if found.service != service:
        why = f"it is of {plain(found.service, 40)!r}, the page is of {plain(service, 40)!r}"
        raise Bad(400, "calibration", why, "send it to its own service")
    if not is_identifier(found.settings):
        raise Bad(400, "calibration", f"settings {plain(found.settings, 40)!r} is no fingerprint", ALLOWED)
    sound = {
        "at has no time zone": found.at.tzinfo is not None,
        f"canaries is not in 1 to {LARGEST}": 1 <= found.canaries <= LARGEST,
        "false is not in 0 to canaries": 0 <= found.false <= found.canaries,
        "bound is not a ratio of at least false / canaries": found.false / max(found.canaries, 1) <= found.bound <= 1,
        "days is negative or endless": 0 <= found.days < math.inf,
        "step_s is not above 0, or endless": 0 < found.step_s < math.inf,
    }
    for wrong, holds in sound.items():
        if not holds:
            raise Bad(400, "calibration", wrong, "send what the placebo canaries showed")
    return replace(found, by=plain(found.by, 100))


def verb(name: str) -> Verb:
    try:
        return Verb(name)
    except ValueError:
        raise Bad(404, f"proposal {plain(name, 40)}", "no such verb", f"use one of {', '.join(Verb)}") from None


def _only(parameters: Mapping[str, str], what: str, allowed: Collection[str]) -> None:
    unknown = [name for name in parameters if name not in allowed]
    if unknown:
        raise Bad(400, what, f"no parameter {plain(unknown[0], 40)!r}", f"it takes {', '.join(allowed)}")


def _trial(parameters: Mapping[str, str], what: str) -> Trials:
    release = parameters.get("release", "")
    if release and not is_identifier(release):
        raise Bad(400, what, f"release {plain(release, 40)!r} is no name", ALLOWED)
    return Trials(release, _whole(parameters, what, "wave", MOST_WAVES, least=0) or 0)


def _limit(parameters: Mapping[str, str], what: str) -> int:
    return _whole(parameters, what, "limit", MOST_RECORDS) or MOST_RECORDS


def _time(text: str, what: str, name: str = "since") -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        why = f"{name} {plain(text, 40)!r} is no time with a zone"
        raise Bad(400, what, why, "write it as 2026-03-01T12:00:00Z")
    return found


def _instant(found: datetime | None, what: str, field: str) -> datetime | None:
    """In UTC; a time without its zone is nobody's."""
    if found is None:
        return None
    if found.tzinfo is None:
        raise Bad(400, what, f"{field} {found.isoformat()} has no zone", f"write it as {found.isoformat()}Z")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise Bad(
            400, what, f"{field} {found.isoformat()} is no time of ours", "name one that can be reached"
        ) from None


def _whole(parameters: Mapping[str, str], what: str, name: str, most: int, least: int = 1) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 16 and least <= int(text) <= most):
        why = f"{name} {plain(text, 40)!r} is no whole number in {least} to {most}"
        raise Bad(400, what, why, "put it right")
    return int(text)
