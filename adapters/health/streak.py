"""How long a host has passed its check without a break: a small state machine, pure.

A host is healthy once it has passed for long enough since it last failed, or since what it runs changed. One that
passes when it is first seen, and that nobody told anything, is healthy at once: else each start of the controller
would look like an outage.
"""

from dataclasses import dataclass, replace

LONGEST_STEP_S = 30.0
"""Of the time between two looks, at most so much counts: nobody knows what was in a longer gap."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a host says that it runs; when any of it changes, its health is to be shown anew."""

    revision: str
    operation: str = ""
    ended: bool = True
    """False while the operation is under way."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a host."""

    at_s: float
    """On the monotonic clock."""
    passed: bool
    run: Run | None = None
    """None where the host did not say; such a look has not passed."""
    told: bool = False
    """We have told it something already."""


@dataclass(frozen=True, slots=True)
class Streak:
    """What a host's looks amount to."""

    at_s: float
    """The latest look."""
    run: Run | None
    passing: bool
    passed_s: float = 0.0
    """How long it has passed without a break."""
    trusted: bool = False
    """It has been well ever since it was first seen."""

    def healthy(self, for_s: float) -> bool:
        return self.passing and (self.trusted or self.passed_s >= for_s)


def after(was: Streak | None, look: Look) -> Streak:
    """The streak with one more look; looks that overlap may come in any order, and no time counts twice."""
    passed = look.passed and look.run is not None
    if was is None:
        untouched = look.run is not None and look.run.ended and not look.told
        return Streak(look.at_s, look.run, passed, trusted=passed and untouched)
    at_s = max(was.at_s, look.at_s)
    if not passed:
        return Streak(at_s, look.run or was.run, passing=False)
    if not was.passing or look.run != was.run:
        return Streak(at_s, look.run, passing=True)
    return replace(was, at_s=at_s, passed_s=was.passed_s + min(at_s - was.at_s, LONGEST_STEP_S))
