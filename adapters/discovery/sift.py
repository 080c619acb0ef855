"""Which of the hosts that sources speak of are believed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from adapters.discovery.found import Unsound, listed
from pipeline.model import Host, Pool
from pipeline.text import plain

_STRANGER = "hosts of services that are not configured: add a [service.NAME], or leave them out with a matcher"

Hosts = Mapping[str, tuple[Host, ...]]
"""By service."""


@dataclass(frozen=True, slots=True)
class Configured:
    """What config.toml says; discovery adds hosts to its services, and never a service."""

    services: Hosts
    datacenters: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """Their region, country and provider, by name; where there are any, hosts are in one of them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A host that a source speaks of."""

    source: str
    service: str
    host: Host

    def doubt(self, why: str, shown: str = "") -> "Doubt":
        return Doubt(self.source, Unsound(self.host.name, self.host.address, plain(why, 300)), shown)


@dataclass(frozen=True, slots=True)
class Doubt:
    source: str
    about: Unsound
    shown: str = ""
    """How the entry is called in a list; "" is its name and address."""


_Identity = tuple[str, str, str, Pool, str]
"""What two sources must agree on."""

Sifted = tuple[list[Claim], list[Doubt]]


def placed(claims: Sequence[Claim], configured: Configured) -> Sifted:
    """Those of known services in known datacenters, with what the configuration says of these."""
    kept: list[Claim] = []
    doubts: list[Doubt] = []
    declared = configured.datacenters
    for claim in claims:
        place = declared.get(claim.host.datacenter)
        if claim.service not in configured.services:
            # A company's list names many services: all that are not ours make one line.
            doubts.append(claim.doubt(_STRANGER, claim.service))
        elif not declared:
            kept.append(claim)
        elif place is None:
            said = f'datacenter "{claim.host.datacenter}" is not declared' if claim.host.datacenter else "no datacenter"
            doubts.append(claim.doubt(f"{said}: expected {listed(sorted(declared))}"))
        else:
            kept.append(replace(claim, host=_told_place(claim.host, place)))
    return kept, doubts


def _told_place(host: Host, place: Mapping[str, str]) -> Host:
    return replace(
        host,
        region=place.get("region") or host.region,
        country=place.get("country") or host.country,
        provider=place.get("provider") or host.provider,
    )


def beside_configured(claims: Sequence[Claim], configured: Configured) -> Sifted:
    """Those that the configuration does not name itself."""
    by_name = {host.name: (service, host) for service, host in all_of(configured.services)}
    by_address = {host.address.lower(): (service, host) for service, host in all_of(configured.services)}
    kept: list[Claim] = []
    doubts: list[Doubt] = []
    for claim in claims:
        host = claim.host
        owner = by_name.get(host.name) or by_address.get(host.address.lower())
        if owner is None:
            kept.append(claim)
            continue
        service, known = owner
        if _identity(service, known) != _identity(claim.service, host):
            doubts.append(
                claim.doubt(
                    f"the configuration says {_described(service, known)}, not {_described(claim.service, host)}"
                )
            )
    return kept, doubts


def unique(claims: Sequence[Claim], _: Configured) -> Sifted:
    """Those whose name and address nobody else has; of two that differ none is believed.

    Where two sources agree on a host but for its region or how ssh calls it, the first is believed.
    """
    sharing: dict[tuple[str, str], dict[_Identity, Claim]] = {}
    for claim in claims:
        for key in keys(claim.host):
            sharing.setdefault(key, {}).setdefault(_identity(claim.service, claim.host), claim)
    kept: dict[_Identity, Claim] = {}
    doubts: list[Doubt] = []
    for claim in claims:
        rivals = max((sharing[key] for key in keys(claim.host)), key=len)
        if len(rivals) == 1:
            kept.setdefault(_identity(claim.service, claim.host), claim)
        else:
            told = listed([_described(rival.service, rival.host) for rival in rivals.values()], 3)
            doubts.append(claim.doubt(f"one name or address for several hosts: {told}"))
    return list(kept.values()), doubts


def all_of(hosts: Mapping[str, Iterable[Host]]) -> Iterator[tuple[str, Host]]:
    return ((service, host) for service, several in hosts.items() for host in several)


def keys(host: Host) -> tuple[tuple[str, str], tuple[str, str]]:
    """What is one host's alone."""
    return ("name", host.name), ("address", host.address.lower())


def _identity(service: str, host: Host) -> _Identity:
    return service, host.name, host.address.lower(), host.pool, host.datacenter


def _described(service: str, host: Host) -> str:
    return f"{host.name} at {host.address} of {service}, {host.pool}{f', {host.datacenter}' if host.datacenter else ''}"
