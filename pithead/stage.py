"""`pithead demo`'s end of the line to what runs behind it (`pithead.backstage`)."""

import json
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline.text import plain
from pithead.exits import Exit, Failure

LEAVE_S = 15.0


class Stage:
    """The demo's helper process: it sees this object's end, however that comes, by its standard input."""

    def __init__(self, config: Path, limit_s: float | None = None) -> None:
        command = [sys.executable, "-m", "pithead.backstage", "--config", str(config)]
        if limit_s is not None:
            command += ["--limit", str(limit_s)]
        # A session of its own: Ctrl+C and a hang-up of the terminal are for the room, which tells it.
        self._helper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.folder: Path | None = None
        self.run_dir = Path()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait_ready(self) -> None:
        """Until the company and its controller answer. Raises `Failure`."""
        ready = self._hear("ready")
        self.folder, self.run_dir = Path(ready["folder"]), Path(ready["run_dir"])

    def wait_outcomes(self) -> list[dict[str, Any]]:
        """What became of each release; as `adapters.demo.outcomes.ReleaseOutcome`."""
        outcomes: list[dict[str, Any]] = self._hear("outcomes")
        return outcomes

    def _hear(self, what: str) -> Any:
        assert self._helper.stdout is not None  # noqa: S101 - a pipe was asked for
        line = self._helper.stdout.readline()
        said = json.loads(line) if line.startswith(b"{") else {}
        if what in said:
            return said[what]
        why = plain(said.get("failed") or f"its helper ended ({self._helper.wait(LEAVE_S)})")
        raise Failure("demo", why, "try again; the company is gone", Exit.REFUSED)

    def close(self) -> None:
        """Have everything stopped and removed, and wait for it."""
        for pipe in (self._helper.stdin, self._helper.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._helper.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            self._helper.kill()
            self._helper.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
