"""The load-test lock: a build failed under load, and nothing goes on until one has passed."""

from datetime import datetime

from pipeline.checks import CheckKind
from pipeline.docket import Docket, LockCause
from pipeline.gates import Answer, Gate
from pipeline.model import Service
from pipeline.policy.wording import at

NAME = "load-test"
ONLY_STAGING = "a mended build may go to staging; nothing goes further until a load test passes"


def load_test(service: Service, docket: Docket, now: datetime, *, entrance: bool = False) -> Gate:
    """`entrance`: into staging, where a service's own load test runs: the build that is to pass it must come so far."""
    on = [lock for lock in docket.locks_on(now) if lock.cause is LockCause.LOAD_TEST]
    if not on:
        return Gate(NAME, Answer.PASS, "no failed load test")
    lock = on[-1]
    why = f"{lock.id} since {at(lock.at)}: {lock.reason}"
    lifts = f"when a load test passes, or a person: pithead unlock {service.name}"
    if entrance and any(check.kind is CheckKind.LOAD for check in service.rules.checks):
        return Gate(NAME, Answer.PASS, why, lock.at, lock.ends, lifts, f"{why}: {ONLY_STAGING}")
    return Gate(NAME, Answer.HOLD, why, lock.at, lock.ends, lifts)
