"""What the command prints: plain lines to standard output and error, or JSON."""

import json
import sys
from collections.abc import Sequence
from typing import IO, Any

from pipeline.text import plain

LONGEST = 2_000


class Out:
    """Standard output and error; whatever is handed to it is safe to show in a terminal."""

    def __init__(self, stdout: IO[str] | None = None, stderr: IO[str] | None = None) -> None:
        self._stdout = stdout if stdout is not None else sys.stdout
        self._stderr = stderr if stderr is not None else sys.stderr

    def line(self, text: str = "") -> None:
        _write(self._stdout, plain(text, LONGEST).rstrip())

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Columns as wide as their widest cell; the last one as long as it is."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
        for row in rows:
            self.line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))

    def json(self, value: object, *, indent: int | None = None) -> None:
        """`value` (frozen dataclasses too) as JSON in ASCII, where no control character survives."""
        _write(self._stdout, dumps(value, indent=indent))

    def note(self, text: str) -> None:
        """A line for the person at the terminal, apart from what a script reads."""
        _write(self._stderr, plain(text, LONGEST).rstrip())

    def error(self, text: str) -> None:
        _write(self._stderr, f"pithead: {plain(text, LONGEST)}")


def dumps(value: object, *, indent: int | None = None) -> str:
    import msgspec

    built: Any = msgspec.to_builtins(value)
    # DEL is the one control character that ASCII JSON leaves as it is.
    return json.dumps(_finite(built), indent=indent).replace("\x7f", "\\u007f")


def _finite(value: Any) -> Any:
    """NaN and infinities are no JSON; they are unknown, and so null."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def _write(stream: IO[str], text: str) -> None:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
