"""What people may ask of the controller, and how it says no."""

from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    SUBMIT = "submit"
    PROMOTE = "promote"
    PAUSE = "pause"
    RESUME = "resume"
    ROLLBACK = "rollback"
    CANCEL = "cancel"


SAFE = frozenset({Verb.PAUSE, Verb.ROLLBACK})
"""The direction that never loses a race: these need no version."""


@dataclass(frozen=True, slots=True)
class Command:
    verb: Verb
    service: str
    request: str
    """Made by the client; a repeat of it is answered with the first result."""
    revision: str = ""
    """SUBMIT: what to release."""
    release: str = ""
    """The release that the person saw; "" is the newest."""
    version: int | None = None
    """The rollout's version that the person saw; PROMOTE and RESUME must name it."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A command that was taken: recorded, and under way."""

    service: str
    release: str
    said: str
    """One plain line: what happens now."""


class Refused(Exception):
    """A command that was not taken; nothing has changed.

    Shown as `pithead: WHAT: WHY: MEND`, in the same words on the screen and in the shell.
    """

    def __init__(self, what: str, why: str, mend: str) -> None:
        super().__init__(f"{what}: {why}: {mend}")
        self.what = what
        self.why = why
        self.mend = mend
