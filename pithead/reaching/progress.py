"""How many have been reached, for the person who waits: on standard error, apart from the result."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

from pipeline.text import plain

REWRITE_S = 0.2
"""On a terminal one line is written over this often."""
LINE_S = 5.0
"""Elsewhere a new line is written this often."""
WIDEST = 79


class Progress:
    """Told by those who reach; shown in a rhythm of its own, so that a thing that takes long is seen to."""

    def __init__(self, stream: IO[str], line_s: float = LINE_S) -> None:
        self._stream, self._line_s = stream, line_s
        self._rewrites = stream.isatty()
        self._done = self._of = 0
        self._waiting: dict[str, None] = {}

    def expect(self, more: int) -> None:
        self._of += more

    def begin(self, name: str) -> None:
        self._waiting[name] = None

    def end(self, name: str) -> None:
        self._waiting.pop(name, None)
        self._done += 1

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        telling = asyncio.create_task(self._tell(), name="progress")
        try:
            yield
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            if self._rewrites:
                self._write("\r\x1b[K")

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(REWRITE_S if self._rewrites else self._line_s)
            # The one that has been waited for the longest.
            who = next(iter(self._waiting), "")
            text = plain(f"reaching {self._done:,} of {self._of:,}{': ' if who else ''}{who}", WIDEST)
            self._write(f"\r{text}\x1b[K" if self._rewrites else f"{text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("ascii", "replace").decode("ascii"))
        self._stream.flush()
