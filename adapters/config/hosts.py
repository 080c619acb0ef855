"""A service's hosts, written compactly: one line may name many."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from adapters.config.endpoints import Endpoint, endpoint
from adapters.config.errors import Spot, nearest
from adapters.config.schema import Values
from adapters.config.waves import Places
from pipeline.model import Host, Pool

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Registry:
    """What the whole file knows of hosts: the datacenters, and which names and addresses are taken."""

    datacenters: Mapping[str, Mapping[str, str]]
    names: dict[str, Spot] = field(default_factory=dict)
    addresses: dict[Endpoint, Spot] = field(default_factory=dict)

    def places(self) -> Places:
        """What the datacenters, and the regions, countries and providers they are in, are called."""
        places = Places()
        for name, datacenter in self.datacenters.items():
            places.add("datacenter", name)
            for kind, place in datacenter.items():
                places.add(kind, place)
        return places

    def hosts(self, said: Mapping[int, Values], spot: Spot) -> tuple[Host, ...]:
        """The hosts of one service; what is wrong is reported."""
        return tuple(host for place, values in said.items() for host in self._entry(values, spot / place))

    def _entry(self, values: Values, spot: Spot) -> list[Host]:
        names, addresses = values["name"], values["address"]
        if len(names) != len(addresses):
            spot.wrong(f"expected as many names as addresses, got {len(names):,} and {len(addresses):,}")
            return []
        datacenter = values["datacenter"]
        if datacenter not in self.datacenters:
            (spot / "datacenter").wrong(
                f'expected the name of a [datacenter.NAME], got "{datacenter}": {nearest(datacenter, self.datacenters)}'
            )
        place = self.datacenters.get(datacenter, {})
        pool = values.get("pool", Pool.PRODUCTION)
        destinations = values.get("ssh", ("",) * len(names))
        if len(destinations) != len(names):
            (spot / "ssh").wrong(f"expected as many as names, got {len(destinations):,} and {len(names):,}")
            return []
        hosts = []
        for name, address, ssh in zip(names, addresses, destinations, strict=True):
            once = _once(self.names, name, name, spot / "name")
            if _once(self.addresses, endpoint(address), address, spot / "address") and once:
                hosts.append(Host(name, address, pool, datacenter, **place, ssh=ssh))
        return hosts


def _once(taken: dict[K, Spot], key: K, shown: str, spot: Spot) -> bool:
    first = taken.setdefault(key, spot)
    if first is spot:
        return True
    spot.wrong(f"{shown} is taken: it stands already in line {first.line}")
    return False
