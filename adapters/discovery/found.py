"""What a source of hosts says when it is asked, and how it is asked."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from pipeline.model import Host
from pipeline.text import PlainText, plain

SHOWN = 6
"""Names that one line lists; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Unsound:
    """An entry that cannot be a host as it stands."""

    name: str
    """"" where even that is not known."""
    address: str
    why: PlainText
    """The same words for the same mistake, so that a thousand of them make one line."""


@dataclass(frozen=True, slots=True)
class Found:
    """A source's whole answer."""

    hosts: Mapping[str, tuple[Host, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """By the name of the service."""
    unsound: tuple[Unsound, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.hosts.values()))


@dataclass(frozen=True, slots=True)
class SourceFault:
    """A source that gave no usable answer."""

    why: PlainText


@dataclass(frozen=True, slots=True)
class Look:
    """What a source says now; `answer` is the same object while nothing has changed."""

    answer: Found | SourceFault
    at_s: float
    """When the answer was had or last confirmed, on the controller's monotonic clock."""


class HostSource(Protocol):
    @property
    def name(self) -> PlainText:
        """As problems call it."""
        ...

    async def look(self) -> Look:
        """Ends within a deadline of its own and raises nothing for what the outside does."""
        ...


def listed(names: Collection[str], most: int = SHOWN) -> PlainText:
    """`a, b, c and 12 more`."""
    shown = ", ".join(name for name, _ in zip(names, range(most), strict=False))
    return plain(f"{shown} and {len(names) - most:,} more" if len(names) > most else shown)
