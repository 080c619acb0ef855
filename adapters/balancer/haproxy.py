"""HAProxy's runtime API over its stats socket, unix or TCP: one command a connection.

A socket needs `level admin` to drain (`stats socket PATH mode 660 group GROUP level admin`). The API knows no
password: a TCP socket is for loopback or a network of its own.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from adapters.balancer.answers import (
    BalancerFault,
    Load,
    Server,
    is_name,
    load,
    no_backend,
    no_server,
    servers,
)
from pipeline.text import plain

ANSWER_LIMIT = 4 * 1024 * 1024
"""Thousands of servers; a balancer that says more is not listened to."""
SERVERS_ONLY = 4
"""The object type of a server in "show stat"."""


class Wanted(StrEnum):
    """What a server's administrative state is set to."""

    READY = "ready"
    DRAIN = "drain"
    MAINT = "maint"


@dataclass(frozen=True, slots=True)
class HaproxySocket:
    """One balancer. Every call ends within about `timeout_s`, and raises `BalancerFault` for whatever goes wrong."""

    address: str
    """`/path/to.sock`, or `host:port`."""
    timeout_s: float = 2.0

    async def servers(self, backend: str) -> Mapping[str, Server]:
        """The servers of a backend by name; an unknown backend is a fault."""
        answer = await self._ask(f"show servers state {_checked(backend)}")
        try:
            return servers(answer, backend)
        except BalancerFault as fault:
            raise self._here(_refusal(answer, backend, "") or fault) from None

    async def load(self, backend: str, server: str) -> Load:
        """Sessions on a server, and requests that wait for it."""
        _checked(server)
        answer = await self._ask(f"show stat {_checked(backend)} {SERVERS_ONLY} -1")
        try:
            return load(answer, backend, server)
        except BalancerFault as fault:
            raise self._here(_refusal(answer, backend, server) or fault) from None

    async def set_state(self, backend: str, server: str, wanted: Wanted) -> None:
        """Set it; to set what is set already changes nothing. DRAIN and READY lift maintenance."""
        answer = await self._ask(f"set server {_checked(backend)}/{_checked(server)} state {wanted}")
        if answer.strip():
            said = f'"set server ... state {wanted}" was answered "{plain(answer.strip(), 100)}"'
            raise self._here(_refusal(answer, backend, server) or BalancerFault(said))

    async def _ask(self, command: str) -> str:
        """The whole answer to a command whose every word is ours or was checked."""
        raw = bytearray()
        try:
            async with asyncio.timeout(self.timeout_s):
                reader, writer = await self._connected()
                try:
                    writer.write(command.encode("ascii") + b"\n")
                    await writer.drain()
                    while piece := await reader.read(65_536):
                        raw += piece
                        if len(raw) > ANSWER_LIMIT:
                            raise self._fault(f"an answer of more than {ANSWER_LIMIT // 1024**2} MiB")
                finally:
                    writer.transport.abort()
        except TimeoutError:
            raise self._fault(
                f"no answer in {self.timeout_s:g} s: see whether HAProxy runs and is not frozen", silent=True
            ) from None
        except FileNotFoundError:
            what = 'no such socket: see whether HAProxy runs, with "stats socket" at this path'
            raise self._fault(what, silent=True) from None
        except PermissionError:
            what = 'the socket cannot be opened: give its "stats socket" line a mode and group that let this user in'
            raise self._fault(what) from None
        except ConnectionRefusedError:
            raise self._fault("refused: see whether HAProxy runs, and listens there", silent=True) from None
        except (ConnectionError, asyncio.IncompleteReadError):
            raise self._fault("the connection broke in mid-answer: see whether HAProxy runs", silent=True) from None
        except OSError as error:
            raise self._fault(f"cannot be reached: {error.strerror or error}", silent=True) from None
        if not raw.endswith(b"\n"):
            raise self._fault("the connection was closed in mid-answer: see whether HAProxy runs", silent=True)
        return raw.decode("utf-8", "replace")

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.address.startswith("/"):
            return await asyncio.open_unix_connection(self.address)
        host, _, port = self.address.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
            raise self._fault("not the address of a socket: give /path/to.sock or host:port")
        return await asyncio.open_connection(host.strip("[]"), int(port))

    def _fault(self, why: str, *, silent: bool = False) -> BalancerFault:
        return self._here(BalancerFault(why, silent=silent))

    def _here(self, fault: BalancerFault) -> BalancerFault:
        return BalancerFault(f"balancer {self.address}: {fault.why}", absent=fault.absent, silent=fault.silent)


def _checked(name: str) -> str:
    """`name`, which is part of a command from here on: a blank or a semicolon would be another command."""
    if not is_name(name):
        raise BalancerFault(f'"{plain(name, 60)}" cannot name a backend or server: use A-Z a-z 0-9 _ . : -')
    return name


def _refusal(answer: str, backend: str, server: str) -> BalancerFault | None:
    """HAProxy's own refusal in words that help; None where it is none of those that are known."""
    said = answer.strip().lower()
    if said.startswith("permission denied"):
        return BalancerFault('permission denied: give its "stats socket" line "level admin"')
    if said.startswith(("can't find backend", "no such backend", "no such proxy")):
        return no_backend(backend)
    if said.startswith("no such server"):
        return no_server(backend, server)
    if said.startswith("unknown command"):
        return BalancerFault("it does not know the command: HAProxy 1.8 or newer is needed")
    return None
