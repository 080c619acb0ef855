"""How far a long computation has come, for the person who waits: on standard error, apart from the result."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from pipeline.text import plain
from pipeline.words import duration
from pithead.judging.ending import beats

REWRITE_S = 0.2
"""On a terminal one line is written over this often."""
LINE_S = 5.0
"""Elsewhere a new line is written this often."""
BEAT_S = 1.0
"""How often it is looked whether that is due while a single step takes long."""
WIDEST = 79


class Progress:
    """`done` of `of`, and about how long the rest takes."""

    def __init__(self, stream: IO[str] | None = None, seconds: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._seconds = seconds
        self._rewrites = self._stream.isatty()
        self._began = self._told = seconds()
        self._shown = self._writing = False
        self._newest: tuple[str, int, int | None] | None = None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside, what was told last is told again while nothing newer is, so that a long step is seen to be one."""
        with beats(self._again, BEAT_S):
            yield

    def _again(self) -> None:
        # The beat may come in the middle of `tell`.
        if self._newest is not None and not self._writing:
            self.tell(*self._newest)

    def tell(self, what: str, done: int, of: int | None = None) -> None:
        """`of` None: nobody knows how many there will be."""
        self._newest = what, done, of
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
        self._shown, self._newest = False, None
        self._began = self._told = self._seconds()

    def _write(self, text: str) -> None:
        self._writing = True
        self._stream.write(text.encode("ascii", "replace").decode("ascii"))
        self._stream.flush()
        self._writing = False
