"""Starting a controller that outlives the terminal it was started from, and knowing whether it came up."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from pithead.exits import Exit, Failure
from pithead.places import Places
from pithead.sockets import Heard, closed_to_us, hear

COMING_UP_S = 20.0
LOOK_EVERY_S = 0.05
LAST_LINES = 5
LONGEST_LOG = 10 * 2**20
"""Beyond this many bytes the log of earlier controllers is put aside as `controller.log.1`."""


class Detached:
    """A controller process in a session of its own; its output goes to `log`."""

    def __init__(self, places: Places) -> None:
        self._socket = places.socket(read_only=False)
        if hear(self._socket) is Heard.FORBIDDEN:
            raise Failure("controller", *closed_to_us(self._socket), Exit.UNKNOWN)
        self.log = places.state / "controller.log"
        command = [sys.executable, "-m", "pithead", "controller", "--detached"]
        command += ["--state-dir", str(places.state), "--run-dir", str(places.run), "--config", str(places.config)]
        try:
            places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _opened(self.log) as log:
                self._began = log.tell()
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
                )
        except OSError as error:
            why = f"{error.strerror}: {error.filename or self.log}"
            raise Failure("controller", why, "make the folder writable, or set state_dir", Exit.USAGE) from error

    def wait(self, timeout_s: float = COMING_UP_S) -> None:
        """Until it answers. Raises `Failure` with the last lines of its log if it does not."""
        until = time.monotonic() + timeout_s
        while hear(self._socket) is not Heard.ANSWER:
            ended = self.process.poll()
            # One that lost the race to another controller ends; the other one answers.
            if ended is not None and hear(self._socket) is not Heard.ANSWER:
                code = Exit.USAGE if ended == Exit.USAGE else Exit.UNKNOWN
                raise Failure("controller", f"it ended with {ended}: {self._last()}", f"see {self.log}", code)
            if time.monotonic() > until:
                why = f"it does not answer after {timeout_s:.0f} s: {self._last()}"
                raise Failure("controller", why, f"see {self.log}", Exit.UNKNOWN)
            time.sleep(LOOK_EVERY_S)

    def _last(self) -> str:
        """The end of what this controller has said."""
        with self.log.open("rb") as log:
            log.seek(self._began)
            said = log.read(64 * 1024).decode("utf-8", "replace").strip().splitlines()
        return " / ".join(said[-LAST_LINES:]) or "it said nothing"


def _opened(log: Path) -> IO[bytes]:
    """The log, at its end; a planted link is not followed."""
    if log.is_file() and log.stat().st_size > LONGEST_LOG:
        log.replace(f"{log}.1")
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), "ab")
