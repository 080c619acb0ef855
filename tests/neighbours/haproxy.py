"""A real HAProxy on loopback: one frontend, one backend, and stats sockets of every level."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import randrange

from tests.neighbours.need import need

READY_S = 10.0

CONFIG = """
global
    stats socket {folder}/admin.sock level admin mode 600
    stats socket {folder}/operator.sock level operator mode 600
    stats socket ipv4@{stats} level admin
    nbthread 2
    maxconn 200
    hard-stop-after 1s
defaults
    mode http
    retries 0
    timeout connect 2s
    timeout client 5s
    timeout server 5s
    timeout queue 2s
frontend fe_web
    bind {front}
    default_backend be_web
backend be_web
    balance roundrobin
    {servers}
"""
"""No retries and no checks of its own: what a restart loses is lost, unless somebody drained."""


@dataclass
class Haproxy:
    """One HAProxy; it is started, killed and started anew on the same ports."""

    folder: Path
    front: str
    stats: str
    """Its TCP socket for the runtime API."""
    process: asyncio.subprocess.Process | None = None

    @property
    def admin(self) -> str:
        return str(self.folder / "admin.sock")

    @property
    def operator(self) -> str:
        return str(self.folder / "operator.sock")

    async def start(self) -> None:
        """Returns when its front and its sockets take connections."""
        self.process = await asyncio.create_subprocess_exec(
            need("haproxy"),
            "-db",
            "-f",
            str(self.folder / "haproxy.cfg"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        host, _, port = self.front.rpartition(":")
        async with asyncio.timeout(READY_S):
            while True:
                assert self.process.returncode is None, "haproxy does not start: see its configuration"
                with contextlib.suppress(OSError):
                    # It begins to listen on the front before its unix sockets get their names.
                    for _, writer in (
                        await asyncio.open_unix_connection(self.operator),
                        await asyncio.open_unix_connection(self.admin),
                        await asyncio.open_connection(host, int(port)),
                    ):
                        writer.transport.abort()
                    return
                await asyncio.sleep(0.01)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """It keeps its sockets open and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        # Its threads may still answer until all of them have stopped.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        """It goes on, with all that it was asked meanwhile."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(how)
            await process.wait()


@contextlib.asynccontextmanager
async def haproxy(folder: Path, servers: Mapping[str, str]) -> AsyncIterator[Haproxy]:
    """An HAProxy before `servers`: by name in be_web, "host:port" and options."""
    here = _configured(folder, servers)
    try:
        await here.start()
        yield here
    finally:
        await here.stop()


def _configured(folder: Path, servers: Mapping[str, str]) -> Haproxy:
    folder.mkdir(parents=True, exist_ok=True)
    front, stats = free_ports(2)
    lines = "\n    ".join(f"server {name} {rest}" for name, rest in servers.items())
    written = CONFIG.format(folder=folder, front=front, stats=stats, servers=lines)
    (folder / "haproxy.cfg").write_text(written)
    return Haproxy(folder, front, stats)


def free_ports(count: int) -> list[str]:
    """Addresses on which nobody listens, and that no outgoing connection takes while their server restarts."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.bind((f"127.{randrange(1, 255)}.{randrange(1, 255)}.{randrange(1, 255)}", 0))
        return ["{}:{}".format(*holder.getsockname()) for holder in holders]
    finally:
        for holder in holders:
            holder.close()
