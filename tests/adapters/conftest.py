"""Real neighbours on loopback: some answer well, most do not."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Reply = Callable[[str, str, bytes], bytes | None]
"""(method, path, body) to a whole answer; None hangs."""


@dataclass
class SteppedClock:
    """Time that passes only by waiting."""

    elapsed_s: float = 1_000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 5, tzinfo=UTC) + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        self.elapsed_s += seconds
        await asyncio.sleep(0)


@dataclass
class Peers:
    """Servers for one test, each on a port that the kernel chose."""

    connections: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    servers: list[asyncio.Server] = field(default_factory=list)
    talks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def talking(self, talk: Talk) -> str:
        """A server that does `talk` with each connection; its address."""

        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = asyncio.current_task()
            assert task is not None
            self.talks.add(task)
            try:
                await talk(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                self.talks.discard(task)
                writer.transport.abort()

        server = await asyncio.start_server(met, "127.0.0.1", 0)
        self.servers.append(server)
        host, port = server.sockets[0].getsockname()
        return f"{host}:{port}"

    async def saying(self, raw: bytes, *, then_hang: bool = False) -> str:
        """A server that reads a request and says `raw`."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(raw)
            await writer.drain()
            if then_hang:
                await asyncio.Event().wait()
            writer.close()
            await writer.wait_closed()

        return await self.talking(talk)

    async def answering(self, reply: Reply) -> str:
        """A server with kept connections."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                method, path, body = await read_request(reader)
                self.requests.append((method, path))
                answer = reply(method, path, body)
                if answer is None:
                    await asyncio.Event().wait()
                    return
                writer.write(answer)
                await writer.drain()

        return await self.talking(talk)

    async def refusing(self) -> str:
        """An address where nobody listens."""
        server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        server.close()
        await server.wait_closed()
        return f"{host}:{port}"

    async def close(self) -> None:
        for server in self.servers:
            server.close()
        talks = list(self.talks)
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, path, _ = head.split("\r\n")[0].split(" ")
    length = 0
    for line in head.split("\r\n")[1:]:
        if line.lower().startswith("content-length:"):
            length = int(line.split(":")[1])
    return method, path, await reader.readexactly(length)


def http(status: int, body: str | bytes | dict[str, object], extra: str = "") -> bytes:
    """A whole answer."""
    if isinstance(body, dict):
        body = json.dumps(body)
    raw = body if isinstance(body, bytes) else body.encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(raw)}\r\n{extra}\r\n".encode() + raw


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    here = Peers()
    yield here
    await here.close()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def http_answer() -> Callable[..., bytes]:
    return http
