"""What an organisation calls severe, and what may be done then."""

from dataclasses import dataclass
from enum import StrEnum


class AfterRollback(StrEnum):
    """What a service needs after a rollback before it releases again."""

    NEWER = "newer"
    """Another revision."""
    PERSON = "person"
    """Another revision, and a person who unlocks it."""


@dataclass(frozen=True, slots=True)
class EmergencyRules:
    severities: tuple[str, ...] = ("sev1", "sev2", "sev3", "sev4")
    """Gravest first."""
    severe: tuple[str, ...] = ("sev1",)
    """In which waiting may be skipped."""
    pass_s: float = 3_600.0
    """How long a pass lasts."""
    approvers: tuple[str, ...] = ()
    """Who may approve as the second person; empty is everybody but who asked."""
    after_rollback: AfterRollback = AfterRollback.NEWER
    hotfix_s: float = 86_400.0
    """A release that settled or is on its way since so long is recent: while production is unhealthy after it, a
    new one is a hotfix."""
