"""A command of the company's own as a check: run by argument list, never by a shell.

It gets a session of its own, so that all it has started can be ended with it, and nothing of the
controller's environment but what a program needs to be found and to run.
"""

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.checks.finding import Finding
from adapters.programs import DRAIN_S, environment, last_line, signal_name, status_of
from pipeline.checks import CheckRule
from pipeline.model import Service
from pipeline.text import plain

OUTPUT_KEPT = 4096
"""Bytes of the end of the output; what went wrong is said last."""
LINES_KEPT = 20
_PLACEHOLDER = re.compile(r"\{(revision|service|hosts)\}")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended."""

    passed: bool
    ended: str
    """"exit 1"."""
    output: bytes = b""
    """The end of it."""

    @property
    def said(self) -> str:
        """How it ended, and its last words: "exit 1: 3 failed"."""
        return f"{self.ended}{last_line(self.output)}"


async def run_command(check: CheckRule, service: Service, revision: str) -> Finding:
    """Passes if the program ends with 0 before the deadline; everything it started is ended with it."""
    ran = await ran_command(check, service, revision)
    return Finding(ran.passed, ran.said, output=() if ran.passed else last_words(ran.output))


async def ran_command(check: CheckRule, service: Service, revision: str, kept: int = OUTPUT_KEPT) -> Ran:
    """The check's program, run once; `kept` bytes of the end of its output."""
    filling = {
        "revision": revision,
        "service": service.name,
        "hosts": ",".join(host.address for host in service.staging),
    }
    arguments = [filled(argument, filling) for argument in check.command]
    if not arguments:
        return Ran(False, "no command to run")
    async with _Output.opened(kept) as output:
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=DEVNULL,
                stdout=output.write_end,
                stderr=STDOUT,
                start_new_session=True,
                env=environment(),
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Ran(False, f"{plain(arguments[0], 100)} cannot be run: {reason}")
        status = await status_of(process, check.deadline_s)
    tail = bytes(output.tail)
    if status is None:
        return Ran(False, f"not done in {check.deadline_s:g} s, ended", tail)
    if status < 0:
        return Ran(False, f"ended by {signal_name(-status)}", tail)
    return Ran(status == 0, f"exit {status}", tail)


def last_words(raw: bytes) -> tuple[str, ...]:
    """The last lines that say anything, safe to show."""
    said = [line for line in raw[-OUTPUT_KEPT:].splitlines() if line.strip()]
    return tuple(plain(line.rstrip(), 200) for line in said[-LINES_KEPT:])


def filled(argument: str, filling: Mapping[str, str]) -> str:
    """`argument` with its placeholders filled; other braces stay, and what is filled in is not filled again."""
    return _PLACEHOLDER.sub(lambda found: filling[found[1]], argument)


@dataclass(slots=True)
class _Output:
    """A pipe that a program writes to, of which the end is kept; it never waits for a reader.

    A pipe of our own, as asyncio's would bind the program's end to that of everyone who holds it.
    """

    write_end: int
    kept: int
    tail: bytearray = field(default_factory=bytearray)

    @classmethod
    @asynccontextmanager
    async def opened(cls, kept: int) -> AsyncIterator["_Output"]:
        """Closed on the way out, once the program's last words are read."""
        read_end, write_end = os.pipe()
        output = cls(write_end, kept)
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0)
        )
        reading = asyncio.create_task(output._read(reader))
        try:
            yield output
        finally:
            os.close(write_end)
            await asyncio.wait({reading}, timeout=DRAIN_S)
            reading.cancel()
            transport.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while part := await reader.read(64 * 1024):
            self.tail += part
            del self.tail[: -self.kept]
