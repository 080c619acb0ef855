"""A command of the company's own as a check: run by argument list, never by a shell, on a leash (`leashing`)."""

import asyncio
import os
import re
from asyncio.subprocess import STDOUT
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches

from adapters.checks.finding import Finding
from adapters.leashing import NotRun, on_leash
from adapters.programs import DRAIN_S, last_line, signal_name
from pipeline.checks import CheckRule
from pipeline.model import Service
from pipeline.text import plain

OUTPUT_KEPT = 4096
"""Bytes of the end of the output; what went wrong is said last."""
LINES_KEPT = 20
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
    async with _Output.opened(kept) as output:
        try:
            async with on_leash(arguments, check.deadline_s, output.write_end, STDOUT) as program:
                status = await program.status(check.deadline_s)
        except NotRun as error:
            not_run = str(error)
        else:
            not_run = ""
    tail = bytes(output.tail)
    if not_run:
        return Ran(False, not_run, tail)
    if status is None:
        return Ran(False, f"not done in {check.deadline_s:g} s, ended", tail)
    if status < 0:
        return Ran(False, f"ended by {signal_name(-status)}", tail)
    return Ran(status == 0, f"exit {status}", tail)


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
