"""Who opens the door: a stage that waits for an operator says so, and since when."""

from datetime import datetime

from pipeline.gates import Answer, Gate
from pipeline.lifecycle import Phase, Rollout
from pipeline.model import Promotion, Promotions
from pipeline.words import duration

NEXT = {Phase.STAGING_CHECKS: "canary", Phase.CANARY_BAKE: "production", Phase.WAVE_SOAK: "waves"}
"""The door that each waiting phase ends at, by its name in `Promotions`."""


def promotion(rollout: Rollout, rules: Promotions) -> Gate:
    door = NEXT[rollout.phase]
    who: Promotion = getattr(rules, door)
    into = "the next wave" if door == "waves" else door
    if who is Promotion.AUTOMATIC:
        return Gate("promote", Answer.PASS, f"into {into} by itself")
    if rollout.approved:
        return Gate("promote", Answer.PASS, f"into {into}, by an operator")
    return Gate(
        "promote",
        Answer.HOLD,
        f"waits for an operator's promote into {into}",
        since=rollout.since,
        lifts=f"an operator: P on the screen, or pithead promote {rollout.service}",
    )


def paused(rollout: Rollout) -> Gate:
    if rollout.pause is None:
        return Gate("pause", Answer.PASS, "not paused")
    said = f": {rollout.pause.reason}" if rollout.pause.reason else ""
    return Gate(
        "pause",
        Answer.HOLD,
        f"paused by {rollout.pause.by} at {rollout.pause.at:%H:%M:%S} UTC{said}",
        since=rollout.pause.at,
        lifts=f"an operator: p on the screen, or pithead resume {rollout.service}",
    )


def waited(name: str, seconds: float, of_s: float, until: datetime) -> Gate:
    """A wait that counts only time with data: between two waves, and until a release is settled."""
    why = f"{duration(min(seconds, of_s))} of {duration(of_s)}"
    if seconds >= of_s:
        return Gate(name, Answer.PASS, why)
    return Gate(name, Answer.HOLD, why, until=until, lifts="by itself")
