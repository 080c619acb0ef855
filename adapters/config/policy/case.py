"""What a rule of staging, canary and observation is asked about, and how it says what it found."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from adapters.config.errors import Spot
from adapters.config.schema import Values
from adapters.means import Means
from pipeline.model import Service
from pipeline.staging import Access, Dependency, Level, StagingMode


@dataclass(frozen=True, slots=True)
class Company:
    """What the whole file says, for every service the same."""

    services: Mapping[str, Service]
    production: Mapping[str, str]
    """The service that a production host's address, in lower case, belongs to."""
    said: Values
    root: Spot


@dataclass(frozen=True, slots=True)
class Case:
    """One service."""

    service: Service
    means: Means
    company: Company

    @property
    def own(self) -> Spot:
        return self.company.root / "service" / self.service.name

    @property
    def common(self) -> Spot:
        return self.company.root / "organisation"

    def said(self, *path: str) -> bool:
        return any(_stands(spot.within(path)) for spot in (self.own, self.common))

    def at(self, *path: str) -> Spot:
        """Where it is said: by the service, or else by the organisation, or else as much of it as is said."""
        for length in range(len(path), 0, -1):
            for spot in (self.own, self.common):
                if _stands(spot.within(path[:length])):
                    return spot.within(path[:length])
        return self.common if _stands(self.common) else self.own

    def key(self, name: str) -> Spot:
        """Of the service itself."""
        return self.own / name

    def in_mode(self, mode: StagingMode) -> bool:
        """Where no mode is stated, that is told, and nothing that depends on it."""
        return self.said("staging", "mode") and self.service.rules.staging.mode is mode

    def dependency(self, its: Dependency, key: str = "") -> Spot:
        return self.at("staging", "dependencies", its.name, *([key] if key else []))

    def states_access(self, its: Dependency) -> bool:
        return its.access is not Access.READ or self.said("staging", "dependencies", its.name, "access")


def _stands(spot: Spot) -> bool:
    return spot.path in spot.problems.lines


@dataclass(frozen=True, slots=True)
class Found:
    why: str
    mend: str
    at: Spot
    level: Level | None = None
    """None is the rule's."""


Ask = Callable[[Case], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    level: Level
    says: str
    find: Ask | None = None
    """None: a configuration cannot decide it."""
    kept: str = ""
    """Where the part of it is kept that only a running system decides."""


def machine(address: str) -> str:
    """Of `host:port`, the host."""
    return address.rpartition(":")[0].strip("[]").lower()


def port(address: str) -> int:
    """Of `host:port`; 0 where that is none."""
    digits = address.rpartition(":")[2]
    return int(digits) if digits.isdecimal() else 0
