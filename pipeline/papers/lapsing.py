"""Papers that come and go by the clock alone, told once: what has ended by itself, which reservation has begun."""

from collections.abc import Iterator
from datetime import datetime

from pipeline.docket import Attestation, Docket, Pass, Reservation, SecurityFix, called, services_of
from pipeline.events import AUTO, Event
from pipeline.papers.common import when
from pipeline.text import plain
from pipeline.words import some

ACTION = "lapse"
BEGINS = "reserve"
_Turn = tuple[datetime, str, str, str]
"""When it is, of which service, the event's action, and what is told."""


class Lapsing:
    """Remembers how far it has told, and when the next paper's time comes.

    What the history holds says how far: a paper is told of with an event that is newer than its end, so that after
    a restart nothing is told twice.
    """

    def __init__(self, told: datetime) -> None:
        self._told = told
        self._docket: Docket | None = None
        self._next: datetime | None = None

    def due(self, docket: Docket, now: datetime) -> tuple[Event, ...]:
        """What is to be told now; again and again until `keep` says that it is kept."""
        if docket is not self._docket:
            # Papers are looked through when one of them has changed, not at every tick.
            self._docket = docket
            self._next = min((turn[0] for turn in _turns(docket) if turn[0] > self._told), default=None)
        if self._next is None or now < self._next:
            return ()
        turns = sorted(turn for turn in _turns(docket) if self._told < turn[0] <= now)
        return tuple(Event(now, AUTO, service, "", "", action, plain(said)) for _, service, action, said in turns)

    def keep(self, now: datetime) -> None:
        """What was due at `now` is in the history."""
        self._told, self._docket = max(self._told, now), None


def _turns(docket: Docket) -> Iterator[_Turn]:
    for lock in docket.locks:
        if lock.ends is not None and lock.lifted is None:
            yield (
                lock.ends,
                lock.service,
                ACTION,
                f"{lock.id} of {lock.by} ended by itself at {when(lock.ends)}: {lock.reason}",
            )
    for one in docket.reservations:
        yield from _reservation(one)
    for word in docket.attestations:
        if word.expires is not None and word.revoked is None:
            yield word.expires, word.service, ACTION, _word(word)
    for its in docket.given:
        if its.ended is None:
            yield its.ends, its.service, ACTION, _pass(its)


def _reservation(one: Reservation) -> Iterator[_Turn]:
    if one.released is not None:
        return
    staging = f"staging of {some(list(one.services), 6)}"
    for service in services_of(one):
        if one.start > one.at:
            yield one.start, service, BEGINS, f"{one.id} begins: {staging} is {one.owner}'s until {when(one.end)}"
        yield (
            one.end,
            service,
            ACTION,
            f"{one.id} of {one.owner} ended by itself at {when(one.end)}: {staging} is free of it",
        )


def _word(word: Attestation) -> str:
    at = f" at {when(word.expires)}" if word.expires is not None else ""
    of = f" of {word.revision}" if word.revision else ""
    let = "that lets off" if word.waived else "on"
    return f"{word.id}, {word.by}'s word {let} {word.item}{of}, has expired{at}"


def _pass(its: Pass | SecurityFix) -> str:
    if its.approved is None:
        return f"{called(its)} of {its.by} has lapsed: nobody approved it in time"
    used = f"; it is to be reviewed: pithead review {its.service} {its.id} --reason ..." if its.used_by else ""
    over = "waiting is skipped" if isinstance(its, Pass) else f"{its.revision} is let past"
    return f"{called(its)} of {its.by} ended by itself at {when(its.ends)}: {over} no more{used}"
