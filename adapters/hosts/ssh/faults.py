"""What goes wrong on the way to a host, in one line each."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.text import PlainText, plain


class Kind(StrEnum):
    UNREACHABLE = "unreachable"
    REFUSED = "connection refused"
    TIMED_OUT = "timed out"
    NAME = "name not found"
    KEY_UNKNOWN = "host key not known"
    KEY_CHANGED = "host key has changed"
    DENIED = "login refused"
    TOO_MANY = "closed before the login"
    LOST = "connection lost"
    BUSY = "not asked"
    """Others had their turn first."""
    LOCAL = "ssh cannot be run"
    OTHER = "ssh failed"


LASTING = frozenset({Kind.KEY_UNKNOWN, Kind.KEY_CHANGED, Kind.DENIED})
"""A person must act; trying again soon makes it worse, as servers shut out who fails to log in."""


@dataclass(frozen=True, slots=True)
class SshFault:
    """No answer of the helper."""

    kind: Kind
    why: PlainText
    reached: bool = False
    """The host may have done as it was told."""


_SIGNS: tuple[tuple[Kind, str], ...] = (
    (Kind.KEY_CHANGED, r"host identification has changed|revoked host key|host key for .* has changed"),
    (Kind.KEY_UNKNOWN, r"no .*host key is known for|host key verification failed"),
    (Kind.DENIED, r"permission denied|too many authentication failures|no supported authentication methods"),
    (Kind.NAME, r"could not resolve hostname"),
    (Kind.REFUSED, r"connection refused"),
    (Kind.TIMED_OUT, r"(?:connection|operation) timed out|timeout, server .* not responding"),
    (
        Kind.UNREACHABLE,
        r"closed by UNKNOWN port|no route to host|(?:network|host) is (?:unreachable|down)|stdio forwarding failed",
    ),
    (
        Kind.TOO_MANY,
        r"exceeded maxstartups|(?:kex_exchange_identification|banner exchange): |connection (?:closed|reset)",
    ),
    (Kind.LOCAL, r"bad configuration option|terminating, \d+ bad configuration|no such file or directory|bad owner"),
)
_SIGNS_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _SIGNS)
_UNTOLD = b"closed by unknown port"
_NOISE = re.compile(r"@{3,}|warning: permanently added|debug\d: ", re.IGNORECASE)


def hidden(said: bytes) -> bool:
    """Whether the way to the host ended before it, and ssh does not say why: a shared connection hides that."""
    return _UNTOLD in said.lower()


def classified(said: bytes, by_hand: Callable[..., str]) -> SshFault:
    """What ssh means by its own words on stderr, before the helper had begun.

    The worst sign counts, not the first: a changed key also ends in "verification failed". `by_hand` gives the
    command that a person types to go there, with more options of ssh's where it is given them.
    """
    lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line and not _NOISE.search(line)]
    for kind, sign in _SIGNS_COMPILED:
        for line in reversed(lines):
            if sign.search(line):
                return SshFault(kind, plain(_told(kind, line, by_hand)))
    return SshFault(Kind.OTHER, plain(f"{Kind.OTHER}: {lines[-1] if lines else 'it said nothing'}", 300))


def _told(kind: Kind, line: str, by_hand: Callable[..., str]) -> str:
    short = line[:150]
    if kind is Kind.KEY_CHANGED:
        return f"the host key has changed: {by_hand()} shows it; if that is right, renew it in known_hosts"
    if kind is Kind.KEY_UNKNOWN:
        return f"host key not known ({short}): check it and accept it once with {by_hand()}"
    if kind is Kind.DENIED:
        return f"login refused ({short}): see whether {by_hand('-o', 'BatchMode=yes')} gets in"
    if hidden(line.encode()):
        by_itself = by_hand("-o", "ControlPath=none")
        return f"the jump host or ProxyCommand ended before the login: see what {by_itself} says"
    if kind is Kind.TOO_MANY:
        return f"closed before the login, as by too many connections at once ({short})"
    return f"{kind.value}: {short}"
