"""A command of the company's own as a check: run by argument list, never by a shell.

It gets a session of its own, so that all it has started can be ended with it, a leash (`leash.py`) that ends it
should the controller be killed, and nothing of the controller's environment but what a program needs to be found
and to run.
"""

import asyncio
import os
import re
import socket
import sys
from asyncio.subprocess import STDOUT
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches

from adapters.checks import leash
from adapters.checks.finding import Finding
from adapters.programs import DRAIN_S, environment, last_line, signal_name, status_of
from pipeline.checks import CheckRule
from pipeline.model import Service
from pipeline.text import plain

OUTPUT_KEPT = 4096
"""Bytes of the end of the output; what went wrong is said last."""
LINES_KEPT = 20
LATER_S = 5.0
"""After the deadline, that is kept here, a leash keeps it too: a controller may be stopped or stuck."""
FILLED = ("revision", "service", "hosts")
_PLACEHOLDER = re.compile(rf"\{{({'|'.join(FILLED)})\}}")
_LIKE_ONE = re.compile(r"(?<![$%{])\{ ?[A-Za-z][A-Za-z_-]{1,30} ?\}")
"""A name in braces; `${NAME}` is a shell's, `%{name}` curl's."""
LIKENESS = 0.5
"""Of a name to one of ours, as `difflib` has it: "rev" is near to "revision"."""


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
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        async with _Output.opened(kept) as output:
            try:
                process = await asyncio.create_subprocess_exec(
                    *leashed(arguments, check.deadline_s + LATER_S),
                    stdin=theirs.fileno(),
                    stdout=output.write_end,
                    stderr=STDOUT,
                    start_new_session=True,
                    env=environment(),
                )
                # Its end is the leash's alone from now on.
                theirs.close()
            except (OSError, ValueError) as error:
                return Ran(False, _not_run(arguments, error))
            status = await status_of(process, check.deadline_s)
        tail = bytes(output.tail)
        if status is None:
            return Ran(False, f"not done in {check.deadline_s:g} s, ended", tail)
        word, _, number = _told(ours).partition(" ")
    if word == "errno":
        return Ran(False, _not_run(arguments, OSError(int(number), os.strerror(int(number)))))
    if word == "exit":
        status = int(number)
    elif status >= 0:
        # Its leash says nothing and ends in peace: Python itself could not be run.
        return Ran(False, f"{plain(arguments[0], 100)} cannot be run: exit {status} of its leash", tail)
    if status < 0:
        return Ran(False, f"ended by {signal_name(-status)}", tail)
    return Ran(status == 0, f"exit {status}", tail)


def leashed(arguments: Sequence[str], deadline_s: float) -> tuple[str, ...]:
    """By its file, without site packages: it starts soon, and wherever the controller was started."""
    return (sys.executable, "-I", "-S", leash.__file__, f"{deadline_s:.3f}", *arguments)


def unknown_placeholders(arguments: Sequence[str]) -> tuple[str, ...]:
    """What looks like a misspelt placeholder, as "{revison}", each once: it would reach the command as it stands.

    Other braces are left alone: `{print}` is awk's.
    """
    found = dict.fromkeys(each for argument in arguments for each in _LIKE_ONE.findall(argument))
    return tuple(
        each
        for each in found
        if each[1:-1] not in FILLED and get_close_matches(each[1:-1].strip().lower(), FILLED, n=1, cutoff=LIKENESS)
    )


def _told(line: socket.socket) -> str:
    """What the leash has said; it has ended."""
    try:
        return line.recv(100).decode("ascii", "replace")
    except OSError:
        return ""


def _not_run(arguments: Sequence[str], error: OSError | ValueError) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"{plain(arguments[0], 100)} cannot be run: {reason}"


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
