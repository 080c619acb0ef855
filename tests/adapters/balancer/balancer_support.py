"""Small web servers that are hosts, and clients that count what they lose."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pipeline.events import Intent, Outcome, Result
from pipeline.model import Host, Pool
from pipeline.observed import HostFault, HostState, Observation

WAIT_S = 5.0
TURNS = 5
DOWN_S = 0.1
"""How long a restart takes."""
OPERATION = "web-7.forward.{}.1"


@dataclass
class Web:
    """A web server that is told to restart, and then loses what it is doing."""

    name: str
    address: str
    revision: str = "r1"
    healthy: bool = True
    operation: str = ""
    result: Result | None = None
    hold: asyncio.Event | None = None
    """Requests for /slow wait for it."""
    served: int = 0
    slow: asyncio.Event = field(default_factory=asyncio.Event)
    """A request for /slow has come."""
    restarts: int = 0
    up_s: float = 0.0
    """When its last restart was over, on the loop's clock."""
    _server: asyncio.Server | None = None
    _talks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def host(self) -> Host:
        return Host(self.name, self.address, Pool.PRODUCTION, "fra1")

    async def until_slow(self) -> None:
        async with asyncio.timeout(WAIT_S):
            await self.slow.wait()

    async def start(self) -> None:
        host, _, port = self.address.rpartition(":")
        self._server = await asyncio.start_server(self._met, host, int(port))

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        loop = asyncio.get_running_loop()
        for listener in server.sockets:
            loop.remove_reader(listener.fileno())
        # asyncio trips over a server that is closed while it takes a connection: those few come in first.
        await self._cut()
        server.close()
        await self._cut()

    async def _cut(self) -> None:
        """End every connection."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
            talks = list(self._talks)
            for talk in talks:
                talk.cancel()
            await asyncio.gather(*talks, return_exceptions=True)

    async def restart(self, revision: str) -> None:
        self.restarts += 1
        await self.stop()
        await asyncio.sleep(DOWN_S)
        self.revision = revision
        await self.start()
        self.up_s = asyncio.get_running_loop().time()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            while self._server is not None:
                head = await reader.readuntil(b"\r\n\r\n")
                if b" /slow " in head.split(b"\r\n")[0] and self.hold is not None:
                    self.slow.set()
                    await self.hold.wait()
                else:
                    await asyncio.sleep(0.01)
                self.served += 1
                body = f"{self.name} {self.revision}".encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._talks.discard(task)
            writer.transport.abort()


@dataclass
class Webs:
    """`HostFleet` over web servers of this process; a deploy is a restart, or what `scripts` says."""

    webs: Mapping[str, Web]
    clock_s: float = 0.0
    ends: dict[str, Result] = field(default_factory=dict)
    """By host: how its next deploys end, in place of DONE."""
    sick: set[str] = field(default_factory=set)
    """Hosts that are not healthy after a deploy."""
    silent: bool = False
    told: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event | None = None
    """A deploy waits for it before it does anything."""
    deadlines_s: list[float] = field(default_factory=list)

    async def until_begun(self) -> None:
        async with asyncio.timeout(WAIT_S):
            await self.begun.wait()

    async def states(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Observation]:
        return {host.name: self._state(host) for host in hosts}

    def _state(self, host: Host) -> Observation:
        if self.silent:
            return HostFault(self.clock_s, "refused")
        web = self.webs[host.name]
        return HostState(self.clock_s, web.revision, web.healthy, web.operation, web.result)

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        self.told.append(host.name)
        self.deadlines_s.append(deadline_s)
        self.begun.set()
        if self.gate is not None:
            await self.gate.wait()
        web, end = self.webs[host.name], self.ends.get(host.name, Result.DONE)
        web.operation, web.result = intent.operation, None
        if end is Result.DONE:
            await web.restart(intent.revision)
        web.healthy = host.name not in self.sick
        web.result = None if end is Result.UNKNOWN else end
        return Outcome(intent.operation, end, f"told {end}", intent.at)


def intent(host: str, revision: str = "r2") -> Intent:
    return Intent(OPERATION.format(host), "web-7", "web", host, revision, datetime(2026, 1, 5, tzinfo=UTC))


async def get(front: str, path: str = "/") -> str:
    """A GET over a connection of its own: the body, or what was lost."""
    host, _, port = front.rpartition(":")
    try:
        reader, writer = await asyncio.open_connection(host, int(port))
    except OSError as error:
        return f"lost: {error}"
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n".encode())
        raw = await reader.read()
    except OSError as error:
        return f"lost: {error}"
    finally:
        writer.transport.abort()
    head, _, body = raw.partition(b"\r\n\r\n")
    return body.decode() if head.startswith(b"HTTP/1.1 200 ") else f"lost: {head[:40]!r}"


@contextlib.asynccontextmanager
async def crowd(front: str, size: int = 4) -> AsyncIterator[list[str]]:
    """So many clients that ask one request after the other; all that they were answered."""
    answers: list[str] = []
    going = True

    async def client() -> None:
        while going:
            answers.append(await get(front))

    clients = [asyncio.create_task(client()) for _ in range(size)]
    try:
        yield answers
    finally:
        going = False
        await asyncio.gather(*clients)
