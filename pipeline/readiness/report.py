"""The checklist as it stands."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RowState(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    EXPIRED = "expired"
    WAIVED = "waived"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    """"STB-1"."""
    title: str
    """What is checked, in a few words."""
    state: RowState
    why: str
    """What was found, and by whom or what."""
    expires: datetime | None = None
    lifts: str = ""
    """What would make it pass, and the command for it."""


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    service: str
    at: datetime
    binding: bool
    """Of a business-critical service: releases are held until every row passes or is waived."""
    rows: tuple[Row, ...]
    build: str = ""
    """The revision that rows about one build ask of."""
    digest: str = ""
    """Of that build, SHA-256 in hex, where it is known."""

    @property
    def missing(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.state not in {RowState.PASS, RowState.WAIVED})
