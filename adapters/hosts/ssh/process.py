"""One run of a local program that is fed and heard: bounded in time and in what it may say."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

OUTPUT_LIMIT = 256 * 1024
ERRORS_LIMIT = 16 * 1024
READ_BYTES = 64 * 1024
GRACE_S = 0.5
"""A program that is to end may tidy up; and one that has ended may leave its output in other hands."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What goes to stdin. `go` and `body` follow only once `ready` was heard: before that, nothing has begun."""

    text: bytes = b""
    ready: bytes = b""
    go: bytes = b""
    body: Path | None = None
    end: bytes = b""
    """Once this was heard, nothing more is waited for."""


@dataclass(frozen=True, slots=True)
class Heard:
    status: int | None
    """Exit status; None: it was ended, at the deadline, for saying too much, or when it had said all."""
    out: bytes
    err: bytes
    begun: bool
    """`ready` was heard, so what follows it was sent; without a `ready`, it was from the start."""
    flooded: bool = False


@dataclass(slots=True)
class _Ear:
    """A pipe that a program writes to. Of our own, as asyncio's would wait for all who hold its end."""

    write_end: int
    limit: int
    changed: Callable[[], None]
    kept: bytearray = field(default_factory=bytearray)
    over: bool = False
    reading: "asyncio.Task[None]" = field(init=False)

    @classmethod
    @asynccontextmanager
    async def opened(cls, limit: int, changed: Callable[[], None]) -> AsyncIterator["_Ear"]:
        read_end, write_end = os.pipe()
        ear = cls(write_end, limit, changed)
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0)
        )
        ear.reading = asyncio.create_task(ear._read(reader))
        try:
            yield ear
        finally:
            ear.let_go()
            ear.reading.cancel()
            transport.close()

    def let_go(self) -> None:
        """Once the program holds its end, ours is closed."""
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while part := await reader.read(READ_BYTES):
            room = self.limit - len(self.kept)
            self.kept += part[:room]
            self.over = self.over or len(part) > room
            self.changed()


async def heard(argv: Sequence[str], feed: Feed, *, deadline_s: float, cwd: Path) -> Heard:
    """Run `argv` in a session of its own. Raises `OSError` or `ValueError` if it cannot be started."""
    ready, enough = asyncio.Event(), asyncio.Event()

    def listen() -> None:
        if feed.ready in out.kept:
            ready.set()
        if out.over or (feed.end and feed.end in out.kept):
            enough.set()

    async with _Ear.opened(OUTPUT_LIMIT, listen) as out, _Ear.opened(ERRORS_LIMIT, lambda: None) as err:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=PIPE, stdout=out.write_end, stderr=err.write_end, cwd=cwd, start_new_session=True
        )
        out.let_go()
        err.let_go()
        if not feed.ready:
            ready.set()
        feeding = asyncio.create_task(_feed(process, feed, ready))
        status = None
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(deadline_s):
                    status = await _status(process, enough)
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await _end(process)
        # What was said before the end may still be on its way, or in the hands of somebody who says no more.
        await asyncio.wait([ear.reading for ear in (out, err)], timeout=GRACE_S)
        return Heard(status, bytes(out.kept), bytes(err.kept), ready.is_set(), out.over)


async def _feed(process: Process, feed: Feed, ready: asyncio.Event) -> None:
    """A program that takes no more, or has gone, is none of ours to raise for: its status tells."""
    stdin = process.stdin
    if stdin is None:
        return
    with suppress(OSError):
        stdin.write(feed.text)
        await stdin.drain()
        await ready.wait()
        stdin.write(feed.go)
        if feed.body is not None:
            with await asyncio.to_thread(feed.body.open, "rb") as reader:
                while part := await asyncio.to_thread(reader.read, READ_BYTES):
                    stdin.write(part)
                    await stdin.drain()
        await stdin.drain()
    stdin.close()


async def _status(process: Process, enough: asyncio.Event) -> int | None:
    """Its exit status; None if it was heard out before it ended by itself."""
    ending = asyncio.create_task(process.wait())
    hearing = asyncio.create_task(enough.wait())
    try:
        await asyncio.wait({ending, hearing}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({ending}, timeout=GRACE_S)
        return ending.result() if ending.done() else None
    finally:
        ending.cancel()
        hearing.cancel()


async def _end(process: Process) -> None:
    """End the program with its session, and reap it.

    One that has ended by itself leaves what it left: the shared connection's way through a jump host is of its session.
    """
    if process.returncode is not None:
        return
    _signal(process, signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            await process.wait()
    _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
