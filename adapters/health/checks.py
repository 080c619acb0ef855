"""Checks of a host's health: an HTTP answer, a TCP connection, or the host's own word."""

import asyncio
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


async def lack(check: HealthCheck, host: Host, wire: Wire, timeout_s: float) -> str:
    """What is wrong with the host by `check`, as one plain line; "" where it passes. Within about `timeout_s`."""
    if isinstance(check, HttpCheck):
        return plain(await _http(check, host, wire, timeout_s))
    if isinstance(check, TcpCheck):
        return plain(await _tcp(host, timeout_s))
    return ""


async def _http(check: HttpCheck, host: Host, wire: Wire, timeout_s: float) -> str:
    asked = f"GET {check.path}"
    try:
        answer = await wire.request(host.address, "GET", check.path, timeout_s=timeout_s)
    except WireError as error:
        return f"{asked}: {error.why}"
    if answer.status != check.status:
        expected = "" if check.status == 200 else f", expected {check.status}"
        return f"{asked}: HTTP {answer.status}{expected}"
    if check.contains and check.contains not in answer.body.decode("utf-8", "replace"):
        return f'{asked}: HTTP {answer.status} without "{check.contains}"'
    return ""


async def _tcp(host: Host, timeout_s: float) -> str:
    name, _, port = host.address.rpartition(":")
    asked = f"connecting to {host.address}"
    if not name or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        return f"{asked}: not host:port"
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(name.strip("[]"), int(port))
    except TimeoutError:
        return f"{asked}: no answer in {timeout_s:g} s"
    except ConnectionRefusedError:
        return f"{asked}: refused"
    except OSError as error:
        return f"{asked}: {error.strerror or error}"
    writer.transport.abort()
    # It gives up its socket in the loop's next turn.
    await asyncio.sleep(0)
    return ""
