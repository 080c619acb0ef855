"""Hosts out of targets and their labels, the way Prometheus' service discovery writes them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from adapters.addresses import is_address, is_destination
from adapters.discovery.found import Found, Unsound
from adapters.metrics.source import Matcher
from pipeline.model import Host, Pool
from pipeline.text import PlainText, is_identifier, plain

Target = tuple[Mapping[str, str], str]
"""(labels, address)."""


@dataclass(frozen=True, slots=True)
class LabelNames:
    """Which label says what; "" is none. Names such as `__meta_consul_dc` will do."""

    service: str = "service"
    name: str = "name"
    """A target without it is called like its machine: 10.0.0.1:7077 is 10.0.0.1."""
    datacenter: str = "datacenter"
    pool: str = "pool"
    """A target without it is of production, as in config.toml."""
    region: str = "region"
    country: str = "country"
    provider: str = "provider"
    ssh: str = "ssh"
    address: str = ""
    """`host:port` where the host answers HTTP, where that is not the target itself."""
    staging: tuple[str, ...] = ("staging",)
    """What the label `pool` says of a staging host."""
    production: tuple[str, ...] = ("production",)


DEFAULT_NAMES = LabelNames()


class _Unfit(Exception):
    """Why a target is no host."""

    def __init__(self, why: str) -> None:
        self.why: PlainText = plain(why, 200)
        super().__init__(self.why)


def hosts_of(targets: Iterable[Target], names: LabelNames, matchers: Sequence[Matcher] = ()) -> Found:
    """Those of `targets` that all `matchers` match, by service; what is wrong with one costs no other."""
    hosts: dict[str, dict[Host, None]] = {}
    unsound: dict[Unsound, None] = {}
    for labels, target in targets:
        if not all(matcher.matches(labels) for matcher in matchers):
            continue
        address = labels.get(names.address, "") or target
        name = labels.get(names.name, "") or address.rpartition(":")[0]
        try:
            service, host = _service(labels, names), _host(name, address, labels, names)
        except _Unfit as unfit:
            unsound[Unsound(name if is_identifier(name) else "", plain(address, 100), unfit.why)] = None
        else:
            # Prometheus may scrape one target in several jobs: an entry that repeats another adds nothing.
            hosts.setdefault(service, {})[host] = None
    return Found({service: tuple(found) for service, found in hosts.items()}, tuple(unsound))


def _service(labels: Mapping[str, str], names: LabelNames) -> str:
    service = labels.get(names.service, "")
    if not service:
        raise _Unfit(f'no label "{names.service}": set it, or leave such targets out with a matcher')
    return _identifier("service", service)


def _host(name: str, address: str, labels: Mapping[str, str], names: LabelNames) -> Host:
    if not is_address(address):
        raise _Unfit("the address is not host:port")
    if not is_identifier(name):
        raise _Unfit(f'no name of a host: label "{names.name}" takes letters, digits, ".", "_" and "-"')
    ssh = labels.get(names.ssh, "")
    if ssh and not is_destination(ssh):
        raise _Unfit(f'label "{names.ssh}" is not what ssh is called with, such as web-1 or deploy@web-1')
    place = {kind: labels.get(getattr(names, kind), "") for kind in ("datacenter", "region", "country", "provider")}
    for kind, said in place.items():
        if said:
            _identifier(kind, said)
    return Host(name, address, _pool(labels.get(names.pool, ""), names), **place, ssh=ssh)


def _pool(said: str, names: LabelNames) -> Pool:
    if not said or said in names.production:
        return Pool.PRODUCTION
    if said in names.staging:
        return Pool.STAGING
    known = " or ".join(f'"{word}"' for word in (*names.staging, *names.production))
    raise _Unfit(f'pool "{plain(said, 40)}", expected {known}')


def _identifier(what: str, said: str) -> str:
    if not is_identifier(said):
        raise _Unfit(f'{what} "{plain(said, 60)}" is not a name of letters, digits, ".", "_" and "-"')
    return said
