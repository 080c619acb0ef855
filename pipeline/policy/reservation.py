"""Staging reservations: one team's build at a time in a staging that services share."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pipeline.docket import Reservation
from pipeline.gates import Answer, Gate
from pipeline.lifecycle import STAGING, Rollout
from pipeline.model import Service
from pipeline.policy.wording import at
from pipeline.premises import Premises
from pipeline.words import some

NAME = "reservation"


def reservation(service: Service, premises: Premises, by: str | None, now: datetime) -> Gate:
    """`by`: whose release it is; None where nobody has asked yet: the door is open to whoever reserved, and warns."""
    reserved = [one for one in premises.docket.reservations if one.on(now)]
    others = [one for one in reserved if one.owner != by]
    if others and by is not None:
        return _reserved(service, _last(others), premises.docket.reservations, now)
    busy = sorted(name for name, rollout in premises.related.items() if _in_staging(name, rollout, premises))
    if busy:
        name, rollout = busy[0], premises.related[busy[0]]
        why = f"{name} {rollout.revision} ({rollout.by}) is in the same staging: {rollout.phase}"
        lifts = f"by itself, when {name} has left staging; or {rollout.by} takes it back: pithead rollback {name}"
        return Gate(NAME, Answer.HOLD, why, since=rollout.since, lifts=lifts)
    if others:
        return _open_to_its_owner(_reserved(service, _last(others), premises.docket.reservations, now), _last(others))
    if reserved:
        return Gate(NAME, Answer.PASS, f"reserved by {by} until {at(reserved[0].end)}", until=reserved[0].end)
    return Gate(NAME, Answer.PASS, "staging is free")


def _last(reserved: Sequence[Reservation]) -> Reservation:
    return max(reserved, key=lambda one: one.end)


def _open_to_its_owner(held: Gate, one: Reservation) -> Gate:
    """What anybody else's release would wait for, as a warning."""
    warns = f"staging is reserved by {one.owner} until {at(one.end)}: for anybody else a release waits"
    return replace(held, answer=Answer.PASS, warns=warns)


def _in_staging(name: str, rollout: Rollout, premises: Premises) -> bool:
    return name in premises.sharing and rollout.phase in STAGING


def _reserved(service: Service, one: Reservation, known: Sequence[Reservation], now: datetime) -> Gate:
    queue = sorted((each for each in known if each.to_come(now)), key=lambda each: (each.start, each.at))
    then = f"; then {some([each.owner for each in queue])}" if queue else ""
    mine = "" if service.name in one.services else f" for {some(list(one.services))}, which shares it,"
    why = f"staging is reserved{mine} by {one.owner} until {at(one.end)}: {one.reason}{then}"
    lifts = f"by itself at its end, or {one.owner} gives it back: pithead release {one.services[0]} {one.id}"
    return Gate(NAME, Answer.HOLD, why, since=one.start, until=one.end, lifts=lifts)
