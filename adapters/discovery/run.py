"""A program run for its output: on a leash, with a deadline and a cap, and nothing left of it afterwards."""

import asyncio
import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.discovery.found import SourceFault
from adapters.leashing import NotRun, on_leash
from adapters.programs import DRAIN_S, end_all, last_line, signal_name
from pipeline.text import plain

WORDS_KEPT = 4096
"""Bytes of the end of what it says on standard error."""


async def output_of(arguments: Sequence[str], deadline_s: float, limit: int) -> bytes | SourceFault:
    """What the program writes to standard output, if it ends with 0 before the deadline and within `limit` bytes."""
    if not arguments:
        return SourceFault(plain("no command to run"))
    try:
        async with (
            _Pipe.opened() as out,
            _Pipe.opened() as err,
            on_leash(arguments, deadline_s, out.write_end, err.write_end) as program,
        ):
            out.handed_on()
            err.handed_on()
            words = asyncio.create_task(_tail(err.reader))
            output = asyncio.create_task(_head(out.reader, limit, program.process))
            try:
                status = await program.status(deadline_s)
                await asyncio.wait({output, words}, timeout=DRAIN_S)
                return _told(status, deadline_s, output, words, limit)
            finally:
                output.cancel()
                words.cancel()
    except NotRun as error:
        return SourceFault(plain(str(error)))
    except OSError as error:
        return SourceFault(plain(f"{plain(arguments[0], 100)} cannot be run: {error.strerror or error}"))


def _told(
    status: int | None, deadline_s: float, output: asyncio.Task[bytes], words: asyncio.Task[bytes], limit: int
) -> bytes | SourceFault:
    said = last_line(words.result()) if words.done() else ""
    if output.done() and len(output.result()) > limit:
        return SourceFault(plain(f"more than {limit / 1024 / 1024:g} MiB of output"))
    if status is None:
        return SourceFault(plain(f"not done in {deadline_s:g} s, ended{said}"))
    if status < 0:
        return SourceFault(plain(f"ended by {signal_name(-status)}{said}"))
    if status:
        return SourceFault(plain(f"exit {status}{said}"))
    if not output.done():
        return SourceFault(plain("it has ended, and something it started keeps its output open"))
    return output.result()


@dataclass(slots=True)
class _Pipe:
    """A pipe that a program writes to.

    One of our own, as asyncio's would bind the program's end to that of everyone who holds it.
    """

    reader: asyncio.StreamReader
    write_end: int

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator["_Pipe"]:
        read_end, write_end = os.pipe()
        pipe = cls(asyncio.StreamReader(), write_end)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(pipe.reader), os.fdopen(read_end, "rb", 0)
        )
        try:
            yield pipe
        finally:
            pipe.handed_on()
            transport.close()

    def handed_on(self) -> None:
        """Close our copy of the program's end, once: the number may be another file's by then."""
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1


async def _head(reader: asyncio.StreamReader, limit: int, process: Process) -> bytes:
    """All of it; who says more than `limit` bytes is ended, and the answer is longer than that."""
    kept = bytearray()
    while part := await reader.read(64 * 1024):
        kept += part
        if len(kept) > limit:
            end_all(process)
            break
    return bytes(kept)


async def _tail(reader: asyncio.StreamReader) -> bytes:
    kept = bytearray()
    while part := await reader.read(64 * 1024):
        kept += part
        del kept[:-WORDS_KEPT]
    return bytes(kept)
