"""A program started on its leash (`leash.py`), and how it ended.

It gets a session of its own, so that all it has started can be ended with it, a leash that ends it should the
controller be killed, and nothing of the controller's environment but what a program needs to be found and to run.
"""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters import leash
from adapters.programs import environment, status_of
from pipeline.text import plain

LATER_S = 5.0
"""After the deadline, that is kept here, a leash keeps it too: a controller may be stopped or stuck."""


class NotRun(Exception):
    """The program could not be started."""


@dataclass(frozen=True, slots=True)
class OnLeash:
    process: Process
    _line: socket.socket
    _called: str

    async def status(self, deadline_s: float) -> int | None:
        """The program's exit status, a negative signal, or None if it had to be ended at the deadline.

        Nothing that it started is left. Raises `NotRun`.
        """
        status = await status_of(self.process, deadline_s)
        if status is None:
            return None
        word, _, number = self._told().partition(" ")
        if word == "errno":
            raise NotRun(f"{self._called} cannot be run: {os.strerror(int(number))}")
        if word == "exit":
            return int(number)
        if status >= 0:
            # Its leash says nothing and ends in peace: Python itself could not be run.
            raise NotRun(f"{self._called} cannot be run: exit {status} of its leash")
        return status

    def _told(self) -> str:
        """What the leash has said; it has ended."""
        try:
            return self._line.recv(100).decode("ascii", "replace")
        except OSError:
            return ""


@asynccontextmanager
async def on_leash(arguments: Sequence[str], deadline_s: float, stdout: int, stderr: int) -> AsyncIterator[OnLeash]:
    """`arguments`, never by a shell, under way; the leash lets go `LATER_S` after the deadline. Raises `NotRun`."""
    called = plain(arguments[0], 100)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        try:
            process = await asyncio.create_subprocess_exec(
                *leashed(arguments, deadline_s + LATER_S),
                stdin=theirs.fileno(),
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                env=environment(),
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise NotRun(f"{called} cannot be run: {reason}") from error
        # Its end is the leash's alone from now on.
        theirs.close()
        yield OnLeash(process, ours, called)


def leashed(arguments: Sequence[str], deadline_s: float) -> tuple[str, ...]:
    """By its file, without site packages: it starts soon, and wherever the controller was started."""
    return (sys.executable, "-I", "-S", leash.__file__, f"{deadline_s:.3f}", *arguments)
