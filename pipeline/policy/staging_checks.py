"""Staging checks: all must pass, for this very build."""

from collections.abc import Sequence

from pipeline.gates import Answer, Gate
from pipeline.lifecycle import CheckResult
from pipeline.model import CheckRule

AGAIN_S = 30.0
"""A failed check is asked again after this: the build may still be warming up, or its neighbour."""


def staging_checks(rules: Sequence[CheckRule], results: Sequence[CheckResult]) -> tuple[Gate, ...]:
    """One gate a check: unknown until it ran."""
    found = {result.name: result for result in results}
    return tuple(_gate(rule, found.get(rule.name)) for rule in rules)


def _gate(rule: CheckRule, result: CheckResult | None) -> Gate:
    name = f"check {rule.name}"
    if result is None:
        return Gate(name, Answer.UNKNOWN, "has not ended yet", lifts="by itself, when it passes")
    if result.passed:
        return Gate(name, Answer.PASS, result.detail, since=result.at)
    return Gate(
        name,
        Answer.FAIL,
        result.detail,
        since=result.at,
        lifts=f"when it passes, it is asked every {AGAIN_S:.0f} s; or roll back and mend the build",
    )
