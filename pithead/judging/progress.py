"""How far a long computation has come, for the person who waits: on standard error, apart from the result."""

import sys
import time
from collections.abc import Callable
from typing import IO

from pipeline.text import plain
from pipeline.words import duration

REWRITE_S = 0.2
"""On a terminal one line is written over this often."""
LINE_S = 10.0
"""Elsewhere a new line is written this often."""
WIDEST = 79


class Progress:
    """`done` of `of`, and about how long the rest takes."""

    def __init__(self, stream: IO[str] | None = None, seconds: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._seconds = seconds
        self._rewrites = self._stream.isatty()
        self._began = self._told = seconds()
        self._shown = False

    def tell(self, what: str, done: int, of: int | None = None) -> None:
        """`of` None: nobody knows how many there will be."""
        now = self._seconds()
        if now - self._told < (REWRITE_S if self._rewrites else LINE_S):
            return
        self._told = now
        text = plain(f"{what}: {done:,}{'' if of is None else f' of {of:,}'}{self._left(now, done, of)}", WIDEST)
        self._write(f"\r{text}\x1b[K" if self._rewrites else f"{text}\n")
        self._shown = self._rewrites

    def _left(self, now: float, done: int, of: int | None) -> str:
        if of is None or not 0 < done < of:
            return ""
        return f", about {duration((now - self._began) / done * (of - done))} left"

    def over(self) -> None:
        """Leave the terminal's line as it was; the next stretch begins now."""
        if self._shown:
            self._write("\r\x1b[K")
        self._shown = False
        self._began = self._told = self._seconds()

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("ascii", "replace").decode("ascii"))
        self._stream.flush()
