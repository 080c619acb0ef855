"""Hosts from a file of Prometheus' file_sd_configs, read again when it has changed."""

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from adapters.discovery.found import Found, Look, SourceFault
from adapters.discovery.labels import DEFAULT_NAMES, LabelNames
from adapters.discovery.sd_json import LIMIT, TOO_LONG, hosts_in
from adapters.metrics.source import Matcher
from pipeline.ports import Clock
from pipeline.text import plain

READ_S = 5.0
"""A file on a network share may hang."""
YOUNG_S = 2.0
"""A file changed so lately may change again without its times or size showing it."""

_State = tuple[int, ...]


class FileTargets:
    """`HostSource`. A file that is half written is a fault until it is whole; replace it by a rename."""

    def __init__(
        self, path: Path, clock: Clock, names: LabelNames = DEFAULT_NAMES, matchers: Sequence[Matcher] = ()
    ) -> None:
        self.name = plain(str(path), 200)
        self._path = path
        self._clock = clock
        self._names = names
        self._matchers = tuple(matchers)
        self._answer: Found | SourceFault = SourceFault(plain("not read yet"))
        self._state: _State | None = None
        """Of the file that `_answer` was read from; None if it has to be read again whatever it looks like."""
        self._reading: asyncio.Task[Found | SourceFault] | None = None

    async def look(self) -> Look:
        # One reader at a time: on a share that hangs, threads would pile up.
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(self._read))
        done, _ = await asyncio.wait({self._reading}, timeout=READ_S)
        if not done:
            return Look(SourceFault(plain(f"not read in {READ_S:g} s")), self._clock.monotonic())
        reading, self._reading = self._reading, None
        self._answer = reading.result()
        return Look(self._answer, self._clock.monotonic())

    def _read(self) -> Found | SourceFault:
        try:
            # Opening a pipe would wait for its other end.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                return self._of(descriptor)
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            self._state = None
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return SourceFault(plain(reason, 200))

    def _of(self, descriptor: int) -> Found | SourceFault:
        before = os.fstat(descriptor)
        if wrong := _unfit(before):
            self._state = None
            return SourceFault(plain(wrong))
        if self._state == _state(before):
            return self._answer
        self._state = None
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            raw = file.read(LIMIT + 1)
        after = os.fstat(descriptor)
        if _state(before) != _state(after):
            return SourceFault(plain("is being written"))
        answer = hosts_in(raw, self._names, self._matchers)
        if abs(self._clock.now().timestamp() - after.st_mtime) > YOUNG_S:
            self._state = _state(after)
        return self._answer if answer == self._answer else answer


def _state(found: os.stat_result) -> _State:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _unfit(found: os.stat_result) -> str:
    """Why such a file is not read; "" if it is."""
    if not stat.S_ISREG(found.st_mode):
        return "not a file"
    if found.st_mode & stat.S_IWOTH:
        return "anyone on this machine may write it: chmod o-w"
    return TOO_LONG if found.st_size > LIMIT else ""
