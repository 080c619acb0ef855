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
from pipeline.model import CheckRule, Service
from pipeline.text import plain

OUTPUT_KEPT = 4096
"""Bytes of the end of the output; what went wrong is said last."""
_PLACEHOLDER = re.compile(r"\{(revision|service|hosts)\}")


async def run_command(check: CheckRule, service: Service, revision: str) -> Finding:
    """Passes if the program ends with 0 before the deadline; everything it started is ended with it."""
    filling = {
        "revision": revision,
        "service": service.name,
        "hosts": ",".join(host.address for host in service.staging),
    }
    arguments = [filled(argument, filling) for argument in check.command]
    if not arguments:
        return Finding(False, "no command to run")
    async with _Output.opened() as output:
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
            return Finding(False, f"{plain(arguments[0], 100)} cannot be run: {reason}")
        status = await status_of(process, check.deadline_s)
    if status is None:
        return Finding(False, f"not done in {check.deadline_s:g} s, ended{output.said()}")
    if status < 0:
        return Finding(False, f"ended by {signal_name(-status)}{output.said()}")
    return Finding(status == 0, f"exit {status}{output.said()}")


def filled(argument: str, filling: Mapping[str, str]) -> str:
    """`argument` with its placeholders filled; other braces stay, and what is filled in is not filled again."""
    return _PLACEHOLDER.sub(lambda found: filling[found[1]], argument)


@dataclass(slots=True)
class _Output:
    """A pipe that a program writes to, of which the end is kept; it never waits for a reader.

    A pipe of our own, as asyncio's would bind the program's end to that of everyone who holds it.
    """

    write_end: int
    tail: bytearray = field(default_factory=bytearray)

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator["_Output"]:
        """Closed on the way out, once the program's last words are read."""
        read_end, write_end = os.pipe()
        output = cls(write_end)
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
            del self.tail[:-OUTPUT_KEPT]

    def said(self) -> str:
        """The last line that says anything, to stand behind the outcome."""
        return last_line(bytes(self.tail))
