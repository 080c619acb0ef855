"""Locks that people lay on a service, and the one after a rollback: nothing moves forward until they are off."""

from datetime import datetime

from pipeline.docket import Docket, Lock, LockCause
from pipeline.gates import Answer, Gate
from pipeline.model import Service
from pipeline.policy.wording import and_more, at, from_to

NAME = "lock"


def locks(service: Service, docket: Docket, now: datetime) -> Gate:
    """Of several the one that ends last."""
    on = [lock for lock in docket.locks_on(now) if lock.cause is not LockCause.LOAD_TEST]
    if not on:
        return Gate(NAME, Answer.PASS, "no lock")
    last = max(on, key=lambda lock: (lock.ends is None, lock.ends or lock.at))
    since, end = from_to(last.at, last.ends) if last.ends is not None else (at(last.at), "")
    until = f" until {end}" if end else ""
    more = and_more(on)
    why = f"{last.id}{more}: {_who(last, since)}{until}: {last.reason}"
    itself = "by itself at its end, or " if last.ends is not None else ""
    which = f" {last.id}" if more else ""
    return Gate(NAME, Answer.HOLD, why, last.at, last.ends, f"{itself}a person: pithead unlock {service.name}{which}")


def _who(lock: Lock, since: str) -> str:
    if lock.cause is LockCause.ROLLBACK:
        return f"after the rollback of {since}, a person must look first"
    return f"locked by {lock.by} at {since}"
