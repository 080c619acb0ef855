"""A service while nothing is on its way, in words: what locks it, what is wrong with its hosts."""

from datetime import datetime

from pipeline.docket import Lock, LockCause
from pipeline.gates import Answer
from pipeline.lifecycle import Phase
from pipeline.service.station import Station
from pipeline.service.wellness import Unwell, unwell
from pipeline.view import Deploy, State


def stays_out(station: Station) -> bool:
    """Whether the newest release was rolled back, and nobody has unlocked the service since."""
    rollout = station.rollout
    if rollout is None or rollout.phase is not Phase.ROLLED_BACK:
        return False
    return rollout.untaken or rollout.revision in station.undone


def trouble(station: Station) -> str:
    """What is wrong with a service's hosts while no release is on its way; "" if nothing is."""
    if station.fault:
        return station.fault
    drift = station.drift
    if drift is not None and drift.answer is Answer.HOLD:
        return drift.why
    found = _production(station)
    if found.count > station.service.rules.deploy.max_unreachable:
        return found.said()
    return drift.why if drift is not None and drift.answer is not Answer.PASS else ""


def _production(station: Station) -> Unwell:
    return unwell([host.name for host in station.service.production], station.telemetry.seen)


def pays_back(station: Station) -> bool:
    """Whether its downtime blocks releases: for months, so that the row's word says it."""
    paid = station.report.payback if station.report is not None else None
    return paid is not None and paid.block is not None


def at_rest(station: Station, word: State, now: datetime) -> str:
    hosts = _production(station).said()
    if word is State.LOCK:
        return "; ".join(filter(None, (_stays(station), *_locks(station, now), hosts)))
    if word is State.HOLD:
        return trouble(station)
    return hosts or f"{station.stable} is stable; {_may_not(station) or 'nothing is on its way'}"


def _may_not(station: Station) -> str:
    """What would keep a release from beginning; "" where nothing would, or nobody has asked yet."""
    asked = station.admission
    return f"may not deploy: {asked.why}" if asked is not None and asked.deploy not in {Deploy.OK, Deploy.WARN} else ""


def _stays(station: Station) -> str:
    rollout = station.rollout
    if rollout is None or not stays_out(station):
        return ""
    if rollout.untaken:
        return f"{rollout.revision} came to nothing: {rollout.why}; mend that and submit it again"
    back = f"{rollout.revision} was rolled back to {rollout.stable}"
    return f"{back}: {rollout.why}; submit a newer revision, or unlock it"


def _locks(station: Station, now: datetime) -> tuple[str, ...]:
    return tuple(
        f"locked by {lock.by} {_lasts(lock)}: {lock.reason} ({lock.id})" for lock in station.docket.locks_on(now)
    )


def _lasts(lock: Lock) -> str:
    if lock.ends is not None:
        return f"until {lock.ends:%Y-%m-%d %H:%M} UTC"
    return "until a load test passes" if lock.cause is LockCause.LOAD_TEST else "until it is unlocked"
