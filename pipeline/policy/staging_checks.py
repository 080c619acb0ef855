"""Staging checks: all must pass, for this very build; what no machine can see, a person vouches for."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipeline.checks import CheckKind, CheckRule
from pipeline.docket import Docket
from pipeline.gates import Answer, Gate
from pipeline.lifecycle import CheckResult, Rollout
from pipeline.policy.wording import at, clock_s

AGAIN_S = 30.0
"""A failed check is asked again after this: the build may still be warming up, or its neighbour."""


def staging_checks(rules: Sequence[CheckRule], rollout: Rollout, docket: Docket, now: datetime) -> tuple[Gate, ...]:
    """One gate a check. One that has not ended is under way: that is known, and holds."""
    found = {result.name: result for result in rollout.checks}
    return tuple(
        _vouched(rule, rollout, docket, now)
        if rule.kind is CheckKind.MANUAL
        else _ran(rule, found.get(rule.name), rollout, now)
        for rule in rules
    )


def run_by_machine(rules: Sequence[CheckRule]) -> tuple[CheckRule, ...]:
    """Those that the crew runs."""
    return tuple(rule for rule in rules if rule.kind is not CheckKind.MANUAL)


def _ran(rule: CheckRule, result: CheckResult | None, rollout: Rollout, now: datetime) -> Gate:
    name = f"check {rule.name}"
    if result is None:
        if rollout.pause is not None:
            why = "not ended yet; while the release is paused none is begun"
            return Gate(name, Answer.HOLD, why, rollout.since, lifts="by itself, once it is resumed")
        return _under_way(name, rollout.since, rollout.since + timedelta(seconds=rule.deadline_s), now)
    if result.passed:
        return Gate(name, Answer.PASS, result.detail, since=result.at)
    return Gate(
        name,
        Answer.FAIL,
        result.detail,
        since=result.at,
        lifts=f"when it passes, it is asked every {AGAIN_S:.0f} s; or roll back and mend the build",
    )


def _under_way(name: str, since: datetime, latest: datetime, now: datetime) -> Gate:
    lifts = "by itself, when it passes"
    if now < latest:
        why = f"under way since {clock_s(since)}, until {clock_s(latest)} at the latest"
        return Gate(name, Answer.HOLD, why, since, latest, lifts)
    # Whoever ran it has gone: a controller that stopped; or it waited for a resume.
    return Gate(name, Answer.HOLD, f"not ended since {clock_s(since)}: begun anew", since, None, lifts)


def _vouched(rule: CheckRule, rollout: Rollout, docket: Docket, now: datetime) -> Gate:
    """The newest word on this build; a waiver lets off readiness rows only."""
    name = f"check {rule.name}"
    words = [
        one
        for one in docket.attestations
        if one.item == rule.name and one.revision == rollout.revision and not one.waived and one.revoked is None
    ]
    lifts = f"a person: pithead attest {rollout.service} {rule.name} --reason ..."
    if not words:
        why = f"waits for a person who has looked at {rollout.revision}"
        return Gate(name, Answer.HOLD, why, since=rollout.since, lifts=lifts)
    word = words[-1]
    if not word.holds(now):
        ended = at(word.expires) if word.expires is not None else "its end"
        why = f"{word.by}'s word on {rollout.revision} has expired at {ended}"
        return Gate(name, Answer.HOLD, why, since=word.expires, lifts=lifts)
    evidence = f" ({word.evidence})" if word.evidence else ""
    why = f"{word.by} vouches for {rollout.revision}: {word.reason}{evidence}"
    return Gate(name, Answer.PASS, why, since=word.at, until=word.expires)
