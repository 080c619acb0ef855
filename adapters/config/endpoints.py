"""Addresses as one machine and port, however they are written: `DB.example.:5432` is `db.example:5432`."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import inet_aton

HERE = frozenset({"127.0.0.1", "::1"})
"""This very machine, where a company is tried out: that two share it says nothing."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    machine: str
    port: int
    """0 where none is written."""


def endpoint(address: str) -> Endpoint:
    """Of `host:port`."""
    host, _, digits = address.rpartition(":")
    return Endpoint(_machine(host), int(digits) if digits.isdecimal() else 0)


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
