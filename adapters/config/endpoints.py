"""Addresses as one machine and port, however they are written: `DB.example.:5432` is `db.example:5432`."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import inet_aton

KEPT = 1 << 16
"""Addresses of a large company: they are asked about again whenever a host is found."""
HERE = frozenset({"127.0.0.1", "::1"})
"""This very machine, where a company is tried out: that two share it says nothing."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    machine: str
    port: int
    """0 where none is written."""


@lru_cache(KEPT)
def endpoint(address: str) -> Endpoint:
    """Of `host:port`."""
    host, _, digits = address.rpartition(":")
    return Endpoint(_machine(host), int(digits) if digits.isdecimal() else 0)


@lru_cache(KEPT)
def is_ip(machine: str) -> bool:
    """Whether the machine of an endpoint is an address, and no name that is to be looked up."""
    try:
        ip_address(machine)
    except ValueError:
        return False
    return True


def _machine(host: str) -> str:
    """In lower case, without a root's dot and brackets; an IP address in its one usual form."""
    name = host.strip("[]").lower().removesuffix(".")
    if name == "localhost":
        return "127.0.0.1"
    found: IPv4Address | IPv6Address
    try:
        # As a connection reads it: 127.0.0.01 and 127.1 are addresses too.
        found = ip_address(name) if ":" in name else IPv4Address(inet_aton(name))
    except (OSError, ValueError):
        return name
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(found)
