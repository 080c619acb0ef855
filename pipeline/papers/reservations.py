"""Reservations of staging: one team's alone for a while, the others in a queue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.commands import Command, Refused
from pipeline.docket import Reservation, number_of
from pipeline.events import Event, Who
from pipeline.papers.common import YEAR, end, named, next_id, reason, taken, what, when
from pipeline.situation import Situation, Taken
from pipeline.text import plain
from pipeline.words import duration, some

LONGEST = timedelta(days=7)
LATE = timedelta(minutes=1)
"""A start so far in the past is meant as now."""
MOST_SERVICES = 50
Sharing = Mapping[str, frozenset[str]]
"""By service: those that share its staging."""


def reserve(command: Command, situation: Situation, who: Who) -> Taken:
    now = situation.now
    services = _services(command, situation)
    why = reason(command)
    start, ends = _span(command, now)
    made = Reservation(next_id("res", situation.docket.reservations), services, who.name, now, start, ends, why)
    in_the_way = _overlapping(made, situation.docket.reservations, situation.sharing)
    if in_the_way and not command.queue:
        raise Refused(
            what(command), _kept(in_the_way, services, situation.sharing), "wait, or stand in the queue: --queue"
        )
    if in_the_way:
        made = _earliest(replace(made, wanted=start), start, situation.docket.reservations, situation.sharing)
    begins = "from now" if made.start <= now else f"from {when(made.start)}"
    behind = f", behind {some([one.id for one in in_the_way])}" if in_the_way else ""
    said = f"staging of {some(list(services), 6)} is {who.name}'s {begins} until {when(made.end)} ({made.id}){behind}: "
    event = f"{said}{why}"
    more = tuple(Event(now, who, other, "", "", command.verb.value, plain(event)) for other in services[1:])
    return taken(command, situation, who, (made,), event, more=more)


def release(command: Command, situation: Situation, who: Who) -> Taken:
    """Give it back before its end; the queue moves up."""
    name, now = situation.service.name, situation.now
    fleet = situation.docket.reservations
    mine = [one for one in fleet if name in one.services and one.released is None and now < one.end]
    none = "its staging is not reserved"
    given = replace(named(command, mine, "reservation", none, "nothing to do"), released=now)
    ahead = [given if one.id == given.id else one for one in fleet]
    moved = _moved_up(ahead, now, situation.sharing)
    owner = "" if given.owner == who.name else f" of {given.owner}, who did not give it back,"
    said = f"{given.id}{owner} is released by {who.name}: staging of {some(list(given.services), 6)} is free of it"
    up = "".join(f"; {one.id} of {one.owner} moves up to {_from(one, now)}" for one in moved[:3])
    told = Event(now, who, name, "", "", command.verb.value, plain(said + up))
    others = dict.fromkeys(service for one in (given, *moved) for service in one.services if service != name)
    more = tuple(replace(told, service=service) for service in others)
    return taken(command, situation, who, (given, *moved), said + up, more=more)


def _services(command: Command, situation: Situation) -> tuple[str, ...]:
    name = situation.service.name
    services = tuple(dict.fromkeys((name, *command.also)))
    unknown: list[str] = [plain(one, 60) for one in services if one != name and one not in situation.services]
    if unknown:
        raise Refused(what(command), f"no such service: {some(unknown)}", "pithead status names them all")
    if len(services) > MOST_SERVICES:
        raise Refused(what(command), f"{len(services)} services at once", f"name at most {MOST_SERVICES}")
    return services


def _span(command: Command, now: datetime) -> tuple[datetime, datetime]:
    start = command.start if command.start is not None else now
    if start < now - LATE:
        raise Refused(what(command), f"its start {when(start)} is past", "leave it out to begin now")
    start = max(start, now)
    ends = end(command, now, YEAR)
    if ends is None:
        raise Refused(what(command), "its end is missing", "say how long: --for 2h, or --until TIME")
    if ends <= start:
        raise Refused(what(command), f"it would end ({when(ends)}) before it begins", "name a later end")
    if ends - start > LONGEST + LATE:
        # Who asked for 8 d asked some milliseconds ago.
        long = duration(round((ends - start) / LATE) * LATE.total_seconds())
        raise Refused(what(command), f"it would last {long}", f"reserve {LONGEST.days} days at most, then anew")
    return start, ends


def _overlapping(wanted: Reservation, others: Iterable[Reservation], sharing: Sharing) -> list[Reservation]:
    """Those in the same staging at the same time. Of what shares it only another's: nobody stands in their own way."""
    near = _near(wanted.services, sharing)
    found = [
        one
        for one in others
        if one.id != wanted.id
        and one.overlaps(wanted.services if one.owner == wanted.owner else near, wanted.start, wanted.end)
    ]
    return sorted(found, key=lambda one: one.start)


def _near(services: Iterable[str], sharing: Sharing) -> frozenset[str]:
    """`services`, and what shares a staging with one of them."""
    return frozenset(services).union(*(sharing.get(service, ()) for service in services))


def _kept(in_the_way: Sequence[Reservation], services: tuple[str, ...], sharing: Sharing) -> str:
    first = in_the_way[0]
    shared = [service for service in first.services if service in services]
    if not shared:
        near = _near(services, sharing)
        shared = [f"{service} (it is shared)" for service in first.services if service in near]
    rest = f", and {len(in_the_way) - 1} more after it" if len(in_the_way) > 1 else ""
    return f"staging of {some(shared)} is {first.owner}'s until {when(first.end)} ({first.id}: {first.reason}){rest}"


def _earliest(wanted: Reservation, start: datetime, others: Sequence[Reservation], sharing: Sharing) -> Reservation:
    """`wanted`, as long as it is, as early as the others let it, and not before `start`."""
    length = wanted.end - wanted.start
    moved = replace(wanted, start=start, end=start + length)
    while in_the_way := _overlapping(moved, others, sharing):
        start = min(one.end for one in in_the_way)
        moved = replace(moved, start=start, end=start + length)
    return moved


def _moved_up(reservations: Sequence[Reservation], now: datetime, sharing: Sharing) -> tuple[Reservation, ...]:
    """Those in the queue that may begin earlier now, by the order in which they were asked for; none later."""
    at_hand = {one.id: one for one in reservations if one.released is None and now < one.end}
    waiting = sorted(
        (one for one in at_hand.values() if one.wanted is not None and one.to_come(now)),
        key=lambda one: (one.at, number_of(one)),
    )
    moved: dict[str, Reservation] = {}
    for _ in waiting:
        before = dict(moved)
        for one in waiting:
            current = at_hand[one.id]
            earlier = _earliest(current, max(one.wanted or now, now), list(at_hand.values()), sharing)
            if earlier.start < current.start:
                at_hand[one.id] = moved[one.id] = earlier
        if moved == before:
            break
    return tuple(moved.values())


def _from(one: Reservation, now: datetime) -> str:
    return "now" if one.start <= now else when(one.start)
