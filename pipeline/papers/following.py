"""Papers that follow from what happens, without anybody asking: locks after a rollback or a load test, passes that
are used, and security fixes that are used up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.docket import Docket, LoadTest, LockCause, Paper, number_of
from pipeline.emergency import AfterRollback
from pipeline.events import AUTO, Event
from pipeline.lifecycle import FORWARD, CheckResult, Phase, Rollout
from pipeline.model import Service
from pipeline.papers.common import next_id
from pipeline.papers.locks import BY_ITSELF, after
from pipeline.text import plain

Followed = tuple[tuple[Paper, ...], tuple[Event, ...]]
NOTHING: Followed = ((), ())


@dataclass(frozen=True, slots=True)
class Move:
    """A release of `service`, before and after."""

    before: Rollout | None
    now: Rollout
    service: Service


def following(moves: Iterable[Move], docket: Docket, at: datetime) -> Followed:
    """Of releases that have come on their way; `docket` is the fleet's, and numbers go on from it."""
    papers: list[Paper] = []
    told: list[Event] = []
    for move in moves:
        its, said = _moved(move, docket.with_papers(papers), at)
        papers += its
        told += said
    return tuple(papers), tuple(told)


def _moved(move: Move, docket: Docket, at: datetime) -> Followed:
    before, now = move.before, move.now
    if before is not None and before.id == now.id and before.phase is now.phase:
        return NOTHING
    if now.phase is Phase.ROLLING_BACK:
        return _both(_rolled_back(now, move.service, docket, at), _used_up(now, docket, at))
    if now.phase in FORWARD:
        return _both(_used(now, docket, at), _let_past(now, docket, at))
    return _used_up(now, docket, at) if now.ended else NOTHING


def _both(one: Followed, other: Followed) -> Followed:
    return one[0] + other[0], one[1] + other[1]


def _rolled_back(now: Rollout, service: Service, docket: Docket, at: datetime) -> Followed:
    if service.rules.emergency.after_rollback is not AfterRollback.PERSON or now.untaken:
        return NOTHING
    lock = after(LockCause.ROLLBACK, service.name, plain(f"{now.revision} went back: {now.why}"), at, docket.locks)
    said = f"locked ({lock.id}) until a person has looked: pithead unlock {service.name}"
    return (lock,), (_event(now, "lock", said, at),)


def _used(now: Rollout, docket: Docket, at: datetime) -> Followed:
    """A release that goes forward while a pass is in force has gone with it, whether or not it would have had to wait:
    whoever reviews the pass sees them all.
    """
    given = next((one for one in docket.passes if one.service == now.service and one.in_force(at)), None)
    if given is None or now.id in given.used_by:
        return NOTHING
    used = replace(given, used_by=(*given.used_by, now.id))
    said = f"goes on with break-glass {given.id} ({given.by}, approved by {given.approved_by}); it is to be reviewed"
    return (used,), (_event(now, "breakglass", said, at),)


def _let_past(now: Rollout, docket: Docket, at: datetime) -> Followed:
    """The release that a security fix is for has begun: it is for no other."""
    mine = (one for one in docket.security_fixes if one.service == now.service and one.in_force(at))
    given = next((one for one in mine if one.lets(now.revision, now.id) and not one.used_by), None)
    if given is None:
        return NOTHING
    said = f"goes on with security fix {given.id} ({given.by}, approved by {given.approved_by}); it is to be reviewed"
    return (replace(given, used_by=(now.id,)),), (_event(now, "securityfix", said, at),)


def _used_up(now: Rollout, docket: Docket, at: datetime) -> Followed:
    """The release is over, and its security fix with it."""
    given = next((one for one in docket.security_fixes if now.id in one.used_by and one.in_force(at)), None)
    if given is None:
        return NOTHING
    said = f"security fix {given.id} ends with its release; review it: pithead review {now.service} {given.id}"
    return (replace(given, ended=at),), (_event(now, "securityfix", said, at),)


def load_tested(rollout: Rollout, result: CheckResult, docket: Docket) -> Followed:
    """A load test that failed locks the service, one that passed lifts that lock.

    One that goes on ending the same way for the same build is one paper.
    """
    name, mine = rollout.service, [one for one in docket.load_tests if one.service == rollout.service]
    last = mine[-1] if mine else None
    same = last is not None and (last.revision, last.passed) == (rollout.revision, result.passed)
    number = last.id if last is not None and same else next_id("load", docket.load_tests)
    test = LoadTest(number, name, rollout.revision, result.at, BY_ITSELF, result.passed, result.detail, result.peak_rps)
    if not result.passed:
        why = plain(f"the load test {result.name} of {rollout.revision} failed: {result.detail}")
        lock = after(LockCause.LOAD_TEST, name, why, result.at, docket.locks)
        said = f"locked ({lock.id}): {why}; one that passes lifts it, or pithead unlock {name}"
        new = all(lock.id != old.id for old in docket.locks)
        return (test, lock), ((_event(rollout, "lock", said, result.at),) if new else ())
    lifted = tuple(
        replace(old, lifted_by=BY_ITSELF, lifted=result.at)
        for old in docket.locks
        if old.service == name and old.cause is LockCause.LOAD_TEST and old.on(result.at)
    )
    events = tuple(
        _event(rollout, "unlock", f"{old.id} is lifted: the load test {result.name} passed", result.at)
        for old in sorted(lifted, key=number_of)
    )
    return (test, *lifted), events


def _event(rollout: Rollout, action: str, detail: str, at: datetime) -> Event:
    return Event(at, AUTO, rollout.service, rollout.id, rollout.revision, action, plain(detail))
