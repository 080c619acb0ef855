"""Checks of a host's health: an HTTP answer, a TCP connection, or the host's own word."""

import asyncio
import errno
import socket
from dataclasses import dataclass

from adapters.wire import Wire, WireError
from pipeline.model import Host
from pipeline.text import plain


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """A GET at the host's address."""

    path: str
    status: int = 200
    contains: str = ""
    """Text that the answer's body must hold."""


@dataclass(frozen=True, slots=True)
class TcpCheck:
    """The host's address takes a connection."""


@dataclass(frozen=True, slots=True)
class InnerCheck:
    """What the fleet itself says of the host: an agent's word, a command over ssh."""


HealthCheck = HttpCheck | TcpCheck | InnerCheck


@dataclass(frozen=True, slots=True)
class HealthRule:
    """When a host is healthy. Its own word counts too: a host that calls itself sick is sick."""

    check: HealthCheck
    healthy_for_s: float = 10.0
    """How long it must pass without a break."""


_NO_WORD = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.ETIMEDOUT})


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check of a host came to."""

    wrong: str = ""
    """As one plain line; "" where it passes."""
    answered: bool = True
    """False: nobody knows how the host is, as nothing came back. A refused connection is an answer."""


async def examined(check: HealthCheck, host: Host, wire: Wire, timeout_s: float) -> Finding:
    """The host by `check`, within about `timeout_s`."""
    if isinstance(check, HttpCheck):
        found = await _http(check, host, wire, timeout_s)
    elif isinstance(check, TcpCheck):
        found = await _tcp(host, timeout_s)
    else:
        return Finding()
    return Finding(plain(found.wrong), found.answered)


async def lack(check: HealthCheck, host: Host, wire: Wire, timeout_s: float) -> str:
    """What is wrong with the host by `check`, as one plain line; "" where it passes. Within about `timeout_s`."""
    return (await examined(check, host, wire, timeout_s)).wrong


def _answers(error: BaseException | None) -> bool:
    """Whether the host itself gave this error, not the way to it."""
    if isinstance(error, TimeoutError | socket.gaierror):
        return False
    return not isinstance(error, OSError) or error.errno not in _NO_WORD


async def _http(check: HttpCheck, host: Host, wire: Wire, timeout_s: float) -> Finding:
    asked = f"GET {check.path}"
    try:
        answer = await wire.request(host.address, "GET", check.path, timeout_s=timeout_s)
    except WireError as error:
        return Finding(f"{asked}: {error.why}", _answers(error.__cause__))
    if answer.status != check.status:
        expected = "" if check.status == 200 else f", expected {check.status}"
        return Finding(f"{asked}: HTTP {answer.status}{expected}")
    if check.contains and check.contains not in answer.body.decode("utf-8", "replace"):
        return Finding(f'{asked}: HTTP {answer.status} without "{check.contains}"')
    return Finding()


async def _tcp(host: Host, timeout_s: float) -> Finding:
    name, _, port = host.address.rpartition(":")
    asked = f"connecting to {host.address}"
    if not name or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        return Finding(f"{asked}: not host:port")
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(name.strip("[]"), int(port))
    except TimeoutError:
        return Finding(f"{asked}: no answer in {timeout_s:g} s", answered=False)
    except ConnectionRefusedError:
        return Finding(f"{asked}: refused")
    except OSError as error:
        return Finding(f"{asked}: {error.strerror or error}", _answers(error))
    writer.transport.abort()
    # It gives up its socket in the loop's next turn.
    await asyncio.sleep(0)
    return Finding()
