"""How long a host has passed its check without a break: a small state machine, pure.

A host is healthy once it has passed for long enough since it last failed, or since what it runs changed. One that
passes when it is first seen, and that nobody told anything, is healthy at once: else each start of the controller
would look like an outage. A look without an answer is no failure: nobody knows how the host is. For a while it stays
what it was; after that it is not healthy any more, and has to show its health anew.
"""

from dataclasses import dataclass, replace

LONGEST_STEP_S = 30.0
"""Of the time between two looks, at most so much counts: nobody knows what was in a longer gap.

Nor does what was known of a host hold longer than that without an answer.
"""


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
    passed: bool | None
    """None where its check was not answered."""
    run: Run | None = None
    """None where the host did not say; such a look has not passed."""
    told: bool = False
    """We have told it something already."""

    @property
    def silent(self) -> bool:
        """Whether it shows nothing: no answer, or no word on what the host runs and nothing wrong."""
        return self.passed is None or (self.passed and self.run is None)


@dataclass(frozen=True, slots=True)
class Streak:
    """What a host's looks amount to."""

    at_s: float
    """The latest look."""
    heard_s: float
    """The latest look that was answered, or the first one where none was."""
    run: Run | None
    passing: bool
    passed_s: float = 0.0
    """How long it has passed without a break; time without an answer does not count."""
    trusted: bool = False
    """It has been well ever since it was first seen."""
    silent: bool = False
    """The latest look was not answered."""
    unheard: bool = False
    """None was, ever."""

    @property
    def lapsed(self) -> bool:
        """Whether it has been silent for so long that nothing is known of it any more."""
        return self.at_s - self.heard_s > LONGEST_STEP_S

    @property
    def settling(self) -> bool:
        """It passes, whether or not for long enough yet."""
        return self.passing and not self.lapsed

    def healthy(self, for_s: float) -> bool:
        return self.settling and (self.trusted or self.passed_s >= for_s)


def after(was: Streak | None, look: Look) -> Streak:
    """The streak with one more look; looks that overlap may come in any order, and no time counts twice."""
    at_s = look.at_s if was is None else max(was.at_s, look.at_s)
    if look.silent:
        return _silent(was, look, at_s)
    passed = look.passed is True
    heard_s = at_s if was is None else max(was.heard_s, look.at_s)
    if was is None or (was.unheard and at_s - was.heard_s <= LONGEST_STEP_S):
        untouched = look.run is not None and look.run.ended and not look.told
        return Streak(at_s, heard_s, look.run, passed, trusted=passed and untouched)
    if not passed:
        return Streak(at_s, heard_s, look.run or was.run, passing=False)
    gone = was.silent and at_s - was.heard_s > LONGEST_STEP_S
    if not was.passing or look.run != was.run or gone:
        return Streak(at_s, heard_s, look.run, passing=True)
    passed_s = was.passed_s + min(at_s - was.at_s, LONGEST_STEP_S)
    return replace(was, at_s=at_s, heard_s=heard_s, passed_s=passed_s, silent=False)


def _silent(was: Streak | None, look: Look, at_s: float) -> Streak:
    """A look that shows nothing of the host's health, though perhaps what it runs."""
    if was is None:
        return Streak(at_s, at_s, look.run, passing=False, silent=True, unheard=True)
    if look.run is not None and was.run is not None and look.run != was.run:
        return Streak(at_s, at_s, look.run, passing=False, silent=True)
    return replace(was, at_s=at_s, silent=True)
