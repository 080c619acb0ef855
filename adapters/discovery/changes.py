"""What has become of a service's hosts, in a line."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.discovery.found import listed
from pipeline.model import Host

_NUMBER = re.compile(r"([0-9]+)")
_SHOWN = ("address", "pool", "datacenter", "region", "country", "provider", "ssh")


@dataclass(frozen=True, slots=True)
class ServiceChange:
    service: str
    added: tuple[Host, ...] = ()
    vanished: tuple[Host, ...] = ()
    changed: tuple[tuple[Host, Host], ...] = ()
    """Hosts of the same name that are elsewhere or otherwise now: (as it was, as it is)."""

    @classmethod
    def between(cls, service: str, before: Sequence[Host], now: Sequence[Host]) -> "ServiceChange | None":
        """None where nothing has changed but the order."""
        was = {host.name: host for host in before}
        names = {host.name for host in now}
        change = cls(
            service,
            tuple(host for host in now if host.name not in was),
            tuple(host for host in before if host.name not in names),
            tuple((was[host.name], host) for host in now if was.get(host.name, host) != host),
        )
        return change if change.added or change.vanished or change.changed else None

    def __str__(self) -> str:
        parts = [
            f"{what} {listed([host.name for host in hosts])}"
            for what, hosts in (("added", self.added), ("vanished", self.vanished))
            if hosts
        ]
        if self.changed:
            parts.append(f"changed {listed([_difference(was, now) for was, now in self.changed], 3)}")
        return f"{self.service}: {'; '.join(parts)}"


def in_order(hosts: Iterable[Host]) -> list[Host]:
    """By name, and web-2 before web-10."""
    return sorted(hosts, key=lambda host: [(int(part), "") if part.isdigit() else (-1, part) for part in _parts(host)])


def _parts(host: Host) -> list[str]:
    return [part for part in _NUMBER.split(host.name) if part]


def _difference(was: Host, now: Host) -> str:
    told = [
        f"{what} {getattr(was, what) or 'none'} -> {getattr(now, what) or 'none'}"
        for what in _SHOWN
        if getattr(was, what) != getattr(now, what)
    ]
    return f"{now.name} ({', '.join(told)})"
