"""Locks: nothing of a service moves forward until a person lifts them, or they end."""

from dataclasses import replace
from datetime import datetime

from pipeline.commands import Command
from pipeline.docket import Lock, LockCause
from pipeline.events import Who
from pipeline.papers.common import at_once, end, named, next_id, reason, taken
from pipeline.policy.wording import from_to
from pipeline.situation import Situation, Taken
from pipeline.words import some

BY_ITSELF = "auto"


def lock(command: Command, situation: Situation, who: Who) -> Taken:
    name, now = situation.service.name, situation.now
    why = reason(command)
    at_once(command, now)
    ends = end(command, now)
    made = Lock(next_id("lock", situation.docket.locks), name, who.name, now, why, ends)
    held = f"until {from_to(now, ends)[1]}" if ends is not None else "until someone unlocks it"
    said = f"{name} is locked {held} ({made.id}): {why}; a rollback stays possible"
    return taken(command, situation, who, (made,), said)


def unlock(command: Command, situation: Situation, who: Who) -> Taken:
    """Lift one lock; after a rollback, let what was rolled back be submitted again."""
    name, now = situation.service.name, situation.now
    on = situation.docket.of(name).locks_on(now)
    undone = sorted(situation.undone)
    if undone and not on and not command.subject:
        return _forgiven(command, situation, who, undone)
    mend = f"nothing to do; see pithead docket {name}"
    at_hand = named(command, on, "lock", "no lock is on", mend)
    note = f": {command.reason.strip()}" if command.reason.strip() else ""
    lifted = replace(at_hand, lifted_by=who.name, lifted=now)
    again = ""
    if at_hand.cause is LockCause.ROLLBACK and undone:
        again = f"; {some(undone)} may be submitted again"
    others = [other.id for other in on if other is not at_hand]
    still = f"; {some(others)} still locks it" if others else ""
    said = f"{name}: {at_hand.id} of {at_hand.by} ({at_hand.reason}) is lifted by {who.name}{note}{again}{still}"
    return taken(command, situation, who, (lifted,), said)


def _forgiven(command: Command, situation: Situation, who: Who, undone: list[str]) -> Taken:
    """The rules want no lock after a rollback, only another revision: the word that lifts that is kept as one."""
    name, now = situation.service.name, situation.now
    why = f"after the rollback of {some(undone)}"
    kept = Lock(
        next_id("lock", situation.docket.locks),
        name,
        BY_ITSELF,
        now,
        why,
        cause=LockCause.ROLLBACK,
        lifted_by=who.name,
        lifted=now,
    )
    said = f"{name} is unlocked by {who.name} {why}: {'it' if len(undone) == 1 else 'they'} may be submitted again"
    return taken(command, situation, who, (kept,), said)


def after(cause: LockCause, service: str, why: str, now: datetime, locks: tuple[Lock, ...]) -> Lock:
    """The controller's own lock of that cause, of the fleet's `locks`; one that is on already is brought up to date."""
    for old in locks:
        if old.service == service and old.cause is cause and old.on(now):
            return replace(old, at=now, reason=why)
    return Lock(next_id("lock", locks), service, BY_ITSELF, now, why, cause=cause)
