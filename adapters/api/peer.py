"""Who is at the other end of a unix socket: the kernel's word."""

import asyncio
import pwd
import socket
import struct

from pipeline.events import Who
from pipeline.text import plain

LOOKUP_S = 1.0
ORIGIN = "Pithead-Origin"
"""Header in which a client says where its user sits; for reading, not for rights."""

_UCRED = struct.Struct("3i")


def uid(line: socket.socket) -> int:
    """The user who connected, as it was then. Raises `OSError` for what is no unix socket."""
    _, peer, _ = _UCRED.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return int(peer)


class People:
    """Names of users, each asked for once."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    async def who(self, peer: int, origin: str) -> Who:
        return Who(await self._name(peer), peer, plain(origin, 100))

    async def _name(self, peer: int) -> str:
        if peer not in self._names:
            # A directory service may hang; the controller's loop and a rollback must not wait for it.
            try:
                async with asyncio.timeout(LOOKUP_S):
                    self._names[peer] = plain((await asyncio.to_thread(pwd.getpwuid, peer)).pw_name, 100)
            except KeyError:
                self._names[peer] = f"uid {peer}"
            except TimeoutError:
                return f"uid {peer}"
        return self._names[peer]
