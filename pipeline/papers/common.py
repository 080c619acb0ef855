"""What every paper needs: its number, a reason, an end that makes sense, a person, words for the history."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from pipeline.commands import Command, Receipt, Refused
from pipeline.docket import Paper, number_of
from pipeline.events import Event, Who
from pipeline.situation import Situation, Taken
from pipeline.text import plain
from pipeline.words import duration, either, some

T = TypeVar("T", bound=Paper)

YEAR = timedelta(days=366)
_LINK = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?=[^\s\d])")
"""Not "ticket: 7", INC:7, host:8080, or the drive of a path."""


def what(command: Command) -> str:
    """As every refusal begins."""
    return f"{command.verb} {plain(command.service, 60)}"


def next_id(kind: str, papers: Sequence[Paper]) -> str:
    """Of the next paper of a kind, over the fleet: "lock-4"."""
    return f"{kind}-{max(map(number_of, papers), default=0) + 1}"


def reason(command: Command, missing: str = "say why: --reason TEXT") -> str:
    said = plain(command.reason.strip())
    if not said:
        raise Refused(what(command), "a reason is missing", missing)
    return said


def evidence(command: Command) -> str:
    """A link, or words that are none. Raises `Refused` for a link that runs or reads something here."""
    said = plain(command.evidence.strip())
    scheme = _LINK.match(said)
    if scheme is not None and scheme[1].lower() not in {"http", "https"}:
        raise Refused(what(command), f"{scheme[1]}: is no link to evidence", "give http(s)://..., a path, or a ticket")
    return said


def zoned(command: Command) -> None:
    """Raises `Refused` for a time that says no zone."""
    for name, at in (("start", command.start), ("end", command.end)):
        if at is not None and at.tzinfo is None:
            raise Refused(what(command), f"its {name} has no time zone", "say it with an offset, or Z for UTC")


def end(command: Command, now: datetime, most: timedelta = YEAR) -> datetime | None:
    """When it lapses: it lies ahead, and not beyond `most`."""
    if command.end is None:
        return None
    if command.end <= now:
        raise Refused(what(command), f"its end {when(command.end)} is past", "name a later one: --until or --for")
    if command.end - now > most:
        why = f"its end {when(command.end)} is more than {duration(most.total_seconds())} ahead"
        raise Refused(what(command), why, "name an earlier one; it can be made anew")
    return command.end


def at_once(command: Command, now: datetime) -> None:
    """Raises `Refused` where a later start is asked of what begins now."""
    if command.start is not None and command.start > now:
        raise Refused(what(command), "it begins at once, not later", "ask for it when it is to begin")


def named(command: Command, candidates: Sequence[T], noun: str, none: str, mend: str) -> T:
    """The paper that the command is about: that of its id, or the only one."""
    if not candidates:
        raise Refused(what(command), none, mend)
    ids = some([paper.id for paper in candidates], 6)
    if not command.subject and len(candidates) == 1:
        return candidates[0]
    if not command.subject:
        raise Refused(what(command), f"there are {len(candidates)}: {ids}", f"name the {noun}")
    for paper in candidates:
        if paper.id == command.subject:
            return paper
    raise Refused(what(command), f"{plain(command.subject, 60)} is none that it could be about", f"there is {ids}")


def second(command: Command, situation: Situation, who: Who, by: str, by_uid: int | None) -> None:
    """Raises `Refused` unless `who` may approve what `by` has asked for."""
    approvers = situation.service.rules.emergency.approvers
    may = [name for name in approvers if name != by]
    ask = f"ask {either(may)}" if may else "ask another person"
    if who.uid is None or by_uid is None:
        raise Refused(what(command), "nobody knows that you are two people", f"{ask}, over the controller's socket")
    if who.uid == by_uid or who.name == by:
        raise Refused(what(command), "you asked for it yourself", ask)
    if approvers and who.name not in approvers:
        raise Refused(what(command), f"{who.name} is no approver of {situation.service.name}", ask)


def when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at.utcoffset() == timedelta(0) else f"{at:%Y-%m-%d %H:%M %z}"


def until(at: datetime | None, otherwise: str) -> str:
    return f"until {when(at)}" if at is not None else otherwise


def taken(
    command: Command,
    situation: Situation,
    who: Who,
    papers: tuple[Paper, ...],
    said: str,
    *,
    proof: str = "",
    revision: str = "",
    more: tuple[Event, ...] = (),
) -> Taken:
    """`said` to the person, and in the history, which has the service beside it."""
    name = situation.service.name
    told = said.removeprefix(f"{name}: ").removeprefix(f"{name} ")
    lines = (f"evidence: {proof}",) if proof else ()
    event = Event(situation.now, who, name, "", revision, command.verb.value, plain(told), lines)
    return Taken((), event, Receipt(name, "", plain(said)), papers, more)


Taker = Callable[[Command, Situation, Who], Taken]


def checked(taker: Taker) -> Taker:
    """`taker`, of times with a zone only."""

    def take(command: Command, situation: Situation, who: Who) -> Taken:
        zoned(command)
        return taker(command, situation, who)

    return take
