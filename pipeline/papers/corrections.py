"""Corrections of what was measured: with a reason, evidence and a second person, and nothing before that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.commands import Command, Refused, Stretch
from pipeline.docket import Correction, CorrectionKind, Docket
from pipeline.events import Who
from pipeline.papers.common import evidence, next_id, reason, second, taken, what, when
from pipeline.situation import Situation, Taken
from pipeline.text import plain
from pipeline.words import duration

KEPT = timedelta(days=400)
"""How far back the books go."""
_WORDS = {
    CorrectionKind.EXCLUDE: "counts for nothing",
    CorrectionKind.GOOD: "counts as up",
    CorrectionKind.BAD: "counts as down",
}


def correct(command: Command, situation: Situation, who: Who) -> Taken:
    name, now = situation.service.name, situation.now
    if command.subject not in list(CorrectionKind):
        shown = plain(command.subject, 60)
        why = f"{shown} is no kind of correction" if shown else "its kind is missing"
        raise Refused(what(command), why, f"use one of {', '.join(CorrectionKind)}")
    kind = CorrectionKind(command.subject)
    start, end = command.start, command.end
    if start is None or end is None:
        raise Refused(what(command), "its start or end is missing", "say both: --from TIME --until TIME")
    if end > now:
        raise Refused(what(command), f"its end {when(end)} lies ahead", "only what was measured is corrected")
    if start >= end:
        raise Refused(what(command), f"it would end ({when(end)}) before it begins", "name a later end")
    if start < now - KEPT:
        raise Refused(what(command), f"its start {when(start)} is older than what is kept", f"{KEPT.days} days are")
    why = reason(command)
    proof = evidence(command)
    if not proof:
        raise Refused(what(command), "evidence is missing", "say where it can be read: --evidence LINK")
    made = Correction(
        next_id("fix", situation.docket.corrections), name, start, end, kind, who.name, who.uid, now, why, proof
    )
    said = f"{name}: {words(made)}, once a second person agrees ({made.id}): {why}; pithead approve {name} {made.id}"
    return taken(command, situation, who, (made,), said, proof=proof)


def stretched(service: str, about: Stretch, now: datetime) -> Correction | None:
    """As it would be asked for; None of what would be refused."""
    if about.kind not in list(CorrectionKind) or not now - KEPT <= about.start < about.end <= now:
        return None
    return Correction("", service, about.start, about.end, CorrectionKind(about.kind), "", None, now, "", "")


def words(one: Correction) -> str:
    """What it does, in a line."""
    length = duration((one.end - one.start).total_seconds())
    return f"{_times(one.start, one.end)} ({length}) {_WORDS[one.kind]}"


def _times(start: datetime, end: datetime) -> str:
    """To the minute; with seconds where minutes would not tell the two apart."""
    if end - start >= timedelta(minutes=1):
        return f"{when(start)} to {when(end)}"
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    to = f"{end:%H:%M:%S}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    return f"{start:%Y-%m-%d %H:%M:%S} to {to} UTC"


def unapproved(docket: Docket) -> tuple[Correction, ...]:
    """Those that wait for their second person."""
    return tuple(one for one in docket.corrections if one.approved is None and one.revoked is None)


def approved(command: Command, situation: Situation, who: Who, asked: Correction) -> Taken:
    second(command, situation, who, asked.by, asked.by_uid)
    agreed = replace(asked, approved_by=who.name, approved=situation.now)
    said = f"{asked.service}: {words(asked)} ({asked.id} of {asked.by}: {asked.reason}), approved by {who.name}"
    return taken(command, situation, who, (agreed,), said, proof=asked.evidence)
