"""No hotfix: while production is unhealthy after a recent release, the way is back, not another build on top."""

from datetime import datetime, timedelta

from pipeline.gates import Answer, Gate
from pipeline.model import Service
from pipeline.policy.wording import at
from pipeline.premises import Premises

NAME = "hotfix"


def hotfix(service: Service, premises: Premises, now: datetime) -> Gate:
    if not premises.unhealthy:
        return Gate(NAME, Answer.PASS, "production is not known to be unhealthy")
    said, bad = f"production is unhealthy: {premises.unhealthy}", premises.settled
    recent = timedelta(seconds=service.rules.emergency.hotfix_s)
    if bad is None or now - bad.since >= recent:
        return Gate(NAME, Answer.PASS, f"{said}; not after a recent release", warns=said)
    if premises.stable and bad.revision != premises.stable:
        return Gate(NAME, Answer.PASS, f"{said}; {bad.revision} is rolled back already", warns=said)
    if bad.stable == bad.revision:
        return Gate(NAME, Answer.PASS, f"{said}; there is nothing before {bad.revision} to go back to", warns=said)
    why = (
        f"{said}, after {bad.revision} settled at {at(bad.since)}; "
        f"roll back to {bad.stable} (last stable) first: pithead rollback {service.name}"
    )
    lifts = f"when production is healthy again, or {bad.revision} is rolled back"
    return Gate(NAME, Answer.HOLD, why, since=bad.since, until=bad.since + recent, lifts=lifts)
