"""What people ask for, taken or refused: pure, and in one place for every front end.

Promote and resume must name the version that the person saw; pause and rollback, the safe direction, need
not, and win over them. What people lay down about services is taken in `pipeline.papers`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pipeline.commands import Command, Receipt, Refused, Verb
from pipeline.events import Event, Who
from pipeline.gates import Answer, Gate, first_closed
from pipeline.lifecycle import FORWARD, Pause, Phase, Rollout, Signal, step
from pipeline.papers import TAKERS, ci
from pipeline.policy.promotion import NEXT
from pipeline.policy.wording import mend
from pipeline.release.admission import queued_behind, refuse_submit
from pipeline.situation import Situation, Taken
from pipeline.text import is_identifier, plain
from pipeline.words import some


def take(command: Command, situation: Situation, who: Who) -> Taken:
    """What becomes of `command`; raises `Refused`."""
    return _TAKERS[command.verb](command, situation, who)


def moving(situation: Situation, verb: Verb) -> Rollout:
    """The release that `verb` is about; raises `Refused` where none is on its way."""
    rollout = situation.rollout
    if rollout is None or rollout.ended:
        name = situation.service.name
        raise Refused(f"{verb} {name}", "no release is on its way", f"pithead submit {name} REVISION starts one")
    return rollout


def _submit(command: Command, situation: Situation, who: Who) -> Taken:
    name, revision, newest = situation.service.name, command.revision, situation.rollout
    what = f"submit {name} {plain(revision, 60)}"
    if not is_identifier(revision):
        raise Refused(what, "not a revision's name", "use 1 to 100 of A-Z a-z 0-9 . _ - without a leading dash")
    for pool, hosts in (("staging", situation.service.staging), ("production", situation.service.production)):
        if not hosts:
            raise Refused(what, f"no {pool} host of {name} is known", "see what discovery says: pithead check --reach")
    if situation.available and revision not in situation.available:
        known = some(sorted(situation.available, key=lambda name: (len(name), name)), 4)
        raise Refused(what, "no staging host knows such a build", f"build it first; known are {known}")
    if newest is not None and not newest.ended and newest.phase is not Phase.QUEUED:
        raise Refused(
            what,
            f"{newest.revision} is on its way ({newest.phase})",
            "wait until it has settled, or roll it back first",
        )
    if newest is not None and newest.phase is Phase.QUEUED and newest.revision == revision:
        raise Refused(what, "it is queued already", f"see pithead status {name} for what it waits for")
    if revision == situation.stable:
        raise Refused(what, "it is what runs in production", "submit another revision")
    if revision in situation.undone:
        raise Refused(what, situation.undone[revision], f"submit a newer revision, or unlock it: pithead unlock {name}")
    refuse_submit(what, situation.service, situation.premises, situation.now, revision)
    papers = ci.result(what, command, situation.docket, who.name, situation.now)
    rollouts: tuple[Rollout, ...] = ()
    if newest is not None and newest.phase is Phase.QUEUED:
        rollouts = (step(newest, Signal.SUPERSEDE, situation.now, f"superseded by {revision}"),)
    begun = Rollout(
        id=f"{name}-{situation.releases + 1}",
        service=name,
        revision=revision,
        stable=situation.stable,
        phase=Phase.QUEUED,
        since=situation.now,
        version=1,
        by=who.name,
        submitted=situation.now,
        seed=situation.seed,
        why=f"submitted by {who.name}",
        stragglers=newest.stragglers if newest is not None else (),
        before=(newest.canaries or newest.before) if newest is not None else (),
    )
    closed = first_closed(queued_behind(situation, who.name, revision))
    held = f"; held by {closed.name}: {closed.why}" if closed is not None else ""
    said = f"{name} {revision} is queued as {begun.id}{held}; a rollback would restore {situation.stable}"
    return replace(_taken(command, (*rollouts, begun), begun, who, situation.now, said), papers=papers)


def _promote(command: Command, situation: Situation, who: Who) -> Taken:
    rollout = moving(situation, command.verb)
    check_seen(command, rollout)
    refuse_promote(rollout, situation.gates)
    door = NEXT[rollout.phase]
    into = "the next wave" if door == "waves" else door
    changed = replace(rollout, approved=True, version=rollout.version + 1)
    said = f"{rollout.service} {rollout.revision} is promoted into {into}"
    return _taken(command, (changed,), changed, who, situation.now, said)


def refuse_promote(rollout: Rollout, gates: tuple[Gate, ...]) -> None:
    """Raises `Refused` unless an operator's word is all that is missing."""
    what = f"promote {rollout.service} {rollout.revision}"
    if rollout.phase is Phase.QUEUED:
        closed = first_closed(gates)
        why = f"{closed.name}: {closed.why}" if closed is not None else "it is queued, and begins by itself"
        raise Refused(what, why, mend(closed) if closed is not None else "wait")
    if rollout.phase not in NEXT:
        way = "wait until its stage is done" if rollout.phase in FORWARD else f"pithead status {rollout.service}"
        raise Refused(what, f"it is in {rollout.phase}, where nothing waits for a promote", way)
    if rollout.pause is not None:
        raise Refused(what, f"it is paused by {rollout.pause.by}", f"pithead resume {rollout.service}, then promote")
    closed = first_closed(gate for gate in gates if gate.name != "promote")
    if closed is not None:
        raise Refused(what, f"{closed.name}: {closed.why}", mend(closed))
    if not any(gate.name == "promote" and gate.answer is Answer.HOLD for gate in gates):
        raise Refused(what, "it goes on by itself", "nothing to do")


def check_seen(command: Command, rollout: Rollout) -> None:
    """Raises `Refused` if the release is not the one, or not as, the person saw."""
    what = f"{command.verb} {rollout.service}"
    again = f"look again (pithead status {rollout.service}), then ask again if you still want it"
    if command.release and command.release != rollout.id:
        raise Refused(what, f"{command.release} has ended; {rollout.id} ({rollout.revision}) is on its way", again)
    if command.version is None:
        raise Refused(what, "the version that you saw is missing", again)
    if command.version != rollout.version:
        why = f"it has moved on: {rollout.phase} at version {rollout.version}, you saw {command.version}"
        raise Refused(what, why, again)


def _pause(command: Command, situation: Situation, who: Who) -> Taken:
    rollout = _of(command, moving(situation, command.verb))
    if rollout.phase is Phase.ROLLING_BACK:
        raise Refused(f"pause {rollout.service}", "it is rolling back, which is never held", "wait until it is back")
    if rollout.pause is not None:
        said = f"{rollout.service} {rollout.revision} is paused already, by {rollout.pause.by}"
        return _taken(command, (), rollout, who, situation.now, said)
    pause = Pause(who.name, situation.now, plain(command.reason))
    changed = replace(rollout, pause=pause, version=rollout.version + 1)
    said = (
        f"{rollout.service} {rollout.revision} is paused in {rollout.phase}; it is still judged and rolled back if bad"
    )
    return _taken(command, (changed,), changed, who, situation.now, said)


def _resume(command: Command, situation: Situation, who: Who) -> Taken:
    rollout = moving(situation, command.verb)
    check_seen(command, rollout)
    if rollout.pause is None:
        raise Refused(f"resume {rollout.service}", "it is not paused", "nothing to do")
    changed = replace(rollout, pause=None, version=rollout.version + 1)
    said = f"{rollout.service} {rollout.revision} goes on in {rollout.phase}"
    return _taken(command, (changed,), changed, who, situation.now, said)


def _rollback(command: Command, situation: Situation, who: Who) -> Taken:
    rollout = rollback_of(situation)
    if situation.rollout is not None and rollout.number <= situation.rollout.number:
        _of(command, rollout)
    reason = plain(command.reason)
    why = f"by {who.name}{': ' + reason if reason else ''}"
    changed = replace(step(rollout, Signal.ROLL_BACK, situation.now, why), by=rollout.by or who.name)
    if changed.phase is Phase.CANCELLED:
        said = f"{rollout.service} {rollout.revision} had not begun and is cancelled"
    else:
        said = f"{rollout.service} {rollout.revision} goes back to {rollout.stable}"
    return _taken(command, (changed,), changed, who, situation.now, said)


def rollback_of(situation: Situation) -> Rollout:
    """The release that a rollback would undo; raises `Refused` where there is none.

    Where the newest one has come to nothing, that is the settled one that runs: the way back goes on from
    there under a number of its own, so that it is the newest again.
    """
    rollout, name = situation.rollout, situation.service.name
    what = f"rollback {name}"
    stray = _stray(situation)
    if rollout is None:
        if stray is not None:
            return stray
        raise Refused(what, "it has had no release", f"pithead history {name}")
    if rollout.phase is Phase.ROLLING_BACK:
        raise Refused(what, f"{rollout.revision} is rolling back already: {rollout.why}", "wait until it is back")
    runs = situation.settled
    nothing_came = rollout.ended and rollout.phase is not Phase.SETTLED
    if nothing_came and runs is not None and runs.revision == situation.stable != runs.stable:
        number = f"{name}-{situation.releases + 1}"
        return replace(runs, id=number, submitted=situation.now, since=situation.now, version=0)
    at_rest = nothing_came or (rollout.phase is Phase.SETTLED and rollout.stable == rollout.revision)
    if at_rest and stray is not None:
        return stray
    if nothing_came:
        raise Refused(what, f"{rollout.stable} runs already; {rollout.revision} is {rollout.phase}", "nothing to do")
    if rollout.stable == rollout.revision:
        raise Refused(what, f"the stable revision is {rollout.revision} too", "submit another revision")
    return rollout


def _stray(situation: Situation) -> Rollout | None:
    """What hosts run though nobody told them, as a release to be undone; None where none does."""
    rollout, name, now = situation.rollout, situation.service.name, situation.now
    left = rollout.stragglers if rollout is not None else ()
    strays = {host: revision for host, revision in situation.otherwise.items() if host not in left}
    if not strays:
        return None
    return Rollout(
        id=f"{name}-{situation.releases + 1}",
        service=name,
        revision=next(iter(strays.values())),
        stable=situation.stable,
        phase=Phase.SETTLED,
        since=now,
        version=0,
        by="",
        submitted=now,
        seed=situation.seed,
        out=tuple(host.name for host in situation.service.production if host.name in strays),
        stragglers=left,
    )


def _cancel(command: Command, situation: Situation, who: Who) -> Taken:
    rollout = _of(command, moving(situation, command.verb))
    if rollout.phase is not Phase.QUEUED:
        back = f"pithead rollback {rollout.service}"
        raise Refused(f"cancel {rollout.service}", f"{rollout.revision} is on hosts already ({rollout.phase})", back)
    changed = step(rollout, Signal.CANCEL, situation.now, f"cancelled by {who.name}")
    return _taken(
        command, (changed,), changed, who, situation.now, f"{rollout.service} {rollout.revision} is cancelled"
    )


def _of(command: Command, rollout: Rollout) -> Rollout:
    """For the safe verbs: another release than the one seen is refused, another version is not."""
    if command.release and command.release != rollout.id:
        why = f"{command.release} has ended; {rollout.id} ({rollout.revision}) is the newest"
        raise Refused(f"{command.verb} {rollout.service}", why, f"look again: pithead status {rollout.service}")
    return rollout


def _taken(
    command: Command, rollouts: tuple[Rollout, ...], at_hand: Rollout, who: Who, now: datetime, said: str
) -> Taken:
    reason = plain(command.reason)
    told = said.removeprefix(f"{at_hand.service} {at_hand.revision} ")
    detail = plain(f"{told}{' (' + reason + ')' if reason else ''}")
    event = Event(now, who, at_hand.service, at_hand.id, at_hand.revision, command.verb.value, detail)
    return Taken(rollouts, event, Receipt(at_hand.service, at_hand.id, plain(said)))


_TAKERS: dict[Verb, Callable[[Command, Situation, Who], Taken]] = {
    Verb.SUBMIT: _submit,
    Verb.PROMOTE: _promote,
    Verb.PAUSE: _pause,
    Verb.RESUME: _resume,
    Verb.ROLLBACK: _rollback,
    Verb.CANCEL: _cancel,
    **TAKERS,
}
