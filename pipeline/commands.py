"""What people may ask of the controller, and how it says no."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verb(StrEnum):
    SUBMIT = "submit"
    PROMOTE = "promote"
    PAUSE = "pause"
    RESUME = "resume"
    ROLLBACK = "rollback"
    CANCEL = "cancel"
    LOCK = "lock"
    UNLOCK = "unlock"
    RESERVE = "reserve"
    """Staging, for a while."""
    RELEASE = "release"
    """Give a reservation back before its end."""
    ATTEST = "attest"
    WAIVE = "waive"
    """Let a readiness row off until a day."""
    INCIDENT = "incident"
    """Declare one."""
    CLOSE = "close"
    """The incident is over."""
    BREAKGLASS = "breakglass"
    """Ask to skip waiting in a severe incident."""
    SECURITYFIX = "securityfix"
    """Ask to let one build past a spent budget or a payback."""
    APPROVE = "approve"
    """As the second person: a pass, a security fix, or a correction."""
    CORRECT = "correct"
    """What was measured, with a second person."""
    REVOKE = "revoke"
    """An attestation, a correction, a pass or a security fix, before its end."""
    REVIEW = "review"
    """A used pass or security fix, afterwards."""


OF_RELEASES = frozenset({Verb.SUBMIT, Verb.PROMOTE, Verb.PAUSE, Verb.RESUME, Verb.ROLLBACK, Verb.CANCEL})
"""The others are papers of the docket."""
SAFE = frozenset({Verb.PAUSE, Verb.ROLLBACK})
"""The direction that never loses a race: these need no version."""


@dataclass(frozen=True, slots=True)
class CiSaid:
    """What CI says of a build."""

    revision: str
    commit: str
    suites: tuple[tuple[str, bool], ...]
    """By name, whether each passed."""
    digest: str = ""
    """SHA-256 of the build: hex, or "sha256:HEX"."""
    url: str = ""
    """Where to read it."""


@dataclass(frozen=True, slots=True)
class Command:
    verb: Verb
    service: str
    request: str
    """Made by the client; a repeat of it is answered with the first result."""
    revision: str = ""
    """SUBMIT: what to release. SECURITYFIX: what may go. ATTEST: of which build, for what is about one."""
    release: str = ""
    """The release that the person saw; "" is the newest."""
    version: int | None = None
    """The rollout's version that the person saw; PROMOTE and RESUME must name it."""
    reason: str = ""
    subject: str = ""
    """Of the docket's verbs: a paper's id (UNLOCK, RELEASE, CLOSE, APPROVE, REVOKE, REVIEW; "" where there is only
    one), a readiness row or check (ATTEST, WAIVE), a severity (INCIDENT), an incident (BREAKGLASS), exclude, bad or
    good (CORRECT)."""
    start: datetime | None = None
    end: datetime | None = None
    """When it begins and lapses; None is now, and what the rules say."""
    evidence: str = ""
    """A link or a ticket. SECURITYFIX: the advisory."""
    also: tuple[str, ...] = ()
    """RESERVE: further services."""
    queue: bool = False
    """RESERVE: wait behind those who have it."""
    digest: str = ""
    """ATTEST, beside the revision: SHA-256 of the build."""
    ci: CiSaid | None = None
    """SUBMIT: what CI says of the build."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a correction would be about, before it is asked for."""

    kind: str
    """exclude, bad or good."""
    start: datetime
    end: datetime


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
