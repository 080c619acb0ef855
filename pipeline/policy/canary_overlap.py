"""No canary while one of what the service cannot do without is in canary: each would be blamed for the other."""

from pipeline.gates import Answer, Gate
from pipeline.lifecycle import CANARY
from pipeline.model import Service
from pipeline.premises import Premises

NAME = "canary-overlap"


def canary_overlap(service: Service, premises: Premises) -> Gate:
    hard = [one.name for one in service.rules.staging.dependencies if one.hard]
    for name in hard:
        rollout = premises.related.get(name)
        if rollout is not None and rollout.phase in CANARY:
            why = f"{name}, which it cannot do without, has {rollout.revision} in canary"
            lifts = f"by itself, when {name} has left its canary"
            return Gate(NAME, Answer.HOLD, why, since=rollout.since, lifts=lifts)
    return Gate(NAME, Answer.PASS, "no hard dependency is in canary")
