"""What is known of one name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class NameFault(Exception):
    """A name that was not resolved, and why."""

    def __init__(self, why: str, *, missing: bool = False) -> None:
        self.why, self.missing = why, missing
        super().__init__(why)


class Resolver(Protocol):
    async def addresses(self, name: str) -> frozenset[str]:
        """IP addresses of `name`, one at least, within a deadline of its own. Raises `NameFault`."""
        ...


@dataclass(frozen=True, slots=True)
class Lookup:
    """Addresses, or why nobody knows them."""

    addresses: frozenset[str] = frozenset()
    fault: str = ""
    since: datetime | None = None
    """Of a fault: when the addresses were known last, or else when it was first seen."""
    missing: bool = False
    """The fault is an answer: there is no such name."""


NOT_YET = Lookup(fault="not looked up yet")
Lookups = Mapping[str, Lookup]
"""By name, in lower case and without a root's dot."""
