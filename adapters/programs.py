"""Programs of the company's own: how one is ended with all that it started, and what is said of its end."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from contextlib import suppress

from pipeline.text import plain

DRAIN_S = 1.0
"""How long a program that has ended may leave its output open, in hands that left its session."""
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


def environment() -> dict[str, str]:
    """Nothing of the controller's own but what a program needs to be found and to run."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


async def status_of(process: Process, deadline_s: float) -> int | None:
    """The exit status, or None if it had to be ended; nothing of its session is left either way."""
    try:
        async with asyncio.timeout(deadline_s):
            return await process.wait()
    except TimeoutError:
        return None
    finally:
        end_all(process)
        await process.wait()


def end_all(process: Process) -> None:
    """End what is left of the program's session; its first process may be gone already."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def last_line(raw: bytes) -> str:
    """The last line that says anything, to stand behind the outcome; what went wrong is said last."""
    lines = [line for line in raw.splitlines() if line.strip()]
    return f": {plain(lines[-1].strip(), 200)}" if lines else ""


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
