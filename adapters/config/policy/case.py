"""What a rule of staging, canary and observation is asked about, and how it says what it found."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapters.config.endpoints import HERE, Endpoint, endpoint, is_ip
from adapters.config.errors import Spot
from adapters.config.schema import Values
from adapters.means import Means
from adapters.names.lookup import NOT_YET, Lookup, Lookups
from pipeline.model import Service
from pipeline.staging import Access, Dependency, Level, StagingMode


@dataclass(frozen=True, slots=True)
class Company:
    """What the whole file says, and which hosts there are, for every service the same."""

    services: Mapping[str, Service]
    production: "Production"
    said: Values
    root: Spot
    apart_s: float
    """Between two readings of a host."""
    day_s: float
    """Of traffic, on the demo's network."""
    names: "Names"
    complete: bool = True
    """Whether every source of hosts has answered once."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Something of production."""

    said: str
    """"production's db"."""
    owner: str = ""
    """The service whose host it is; "" where it is only stated as a dependency's."""


@dataclass(frozen=True, slots=True)
class Names:
    """What names resolve to; None is that nobody looks them up, and they are compared as they are written."""

    known: Lookups | None = None
    _places: dict[str, tuple[Endpoint, ...]] = field(default_factory=dict, repr=False, compare=False)

    def places(self, address: str) -> tuple[Endpoint, ...]:
        """Where `host:port` is: as it is written, and by each address of its name."""
        places = self._places.get(address)
        if places is None:
            at = endpoint(address)
            found = self.known.get(at.machine, NOT_YET).addresses if self.known is not None else ()
            places = self._places[address] = (at, *(endpoint(f"{each}:{at.port}") for each in sorted(found)))
        return places

    def unknown(self, address: str) -> Lookup | None:
        """Why nobody knows where it is; None if somebody does, or nobody asks."""
        at = endpoint(address)
        if self.known is None or is_ip(at.machine):
            return None
        found = self.known.get(at.machine, NOT_YET)
        return found if found.fault else None


@dataclass(frozen=True, slots=True)
class Production:
    """All of production that is known: hosts of services, and what any service states of a dependency.

    With the addresses of names, where they are looked up.
    """

    endpoints: Mapping[Endpoint, Whose]
    stated: Mapping[Endpoint, Whose]
    """Of `endpoints`, those that are stated as a dependency's."""
    machines: Mapping[str, Mapping[str, Whose]]
    """By machine, and then by service ("" for what is stated); this very machine is left out."""
    unknown: tuple[tuple[str, Whose, Lookup], ...] = ()
    """Addresses of production that might be anywhere, as the resolver is in trouble: (address, whose, why)."""


def production_of(services: Mapping[str, Service], names: Names) -> Production:
    stated: dict[Endpoint, Whose] = {}
    hosts: dict[Endpoint, Whose] = {}
    unknown: dict[str, tuple[str, Whose, Lookup]] = {}
    for address, whose in _of_production(services):
        for at in names.places(address):
            (hosts if whose.owner else stated).setdefault(at, whose)
        trouble = names.unknown(address)
        # What has no name anywhere is at no address: a host may be called as ssh knows it.
        if trouble is not None and not trouble.missing:
            unknown.setdefault(address, (address, whose, trouble))
    machines: dict[str, dict[str, Whose]] = {}
    for at, whose in (*hosts.items(), *stated.items()):
        if at.machine not in HERE:
            machines.setdefault(at.machine, {}).setdefault(whose.owner, whose)
    return Production({**stated, **hosts}, stated, machines, tuple(unknown.values()))


def _of_production(services: Mapping[str, Service]) -> Iterator[tuple[str, Whose]]:
    for service in services.values():
        for host in service.production:
            yield host.address, Whose(f"a host of {service.name}", service.name)
        for its in service.rules.staging.dependencies:
            if its.production:
                yield its.production, Whose(f"production's {its.name}")


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
    since: datetime | None = None


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
