"""What is left when the room itself fails: one line on the terminal, and a file with the trace.

The trace holds no values of variables: a token or a password in one must not end up on a screen.
"""

import os
import tempfile
import traceback
from pathlib import Path

from pipeline.text import plain


def keep_trace(error: BaseException, folder: Path | None = None) -> Path | None:
    """Write the trace of `error` to a new file that only its owner can read; None if that fails too."""
    lines = [plain(line, 2_000) for part in traceback.format_exception(error) for line in part.rstrip("\n").split("\n")]
    try:
        handle, name = tempfile.mkstemp(prefix="pithead-crash-", suffix=".txt", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    except OSError:
        return None
    return Path(name)


def last_words(error: BaseException, trace: Path | None) -> str:
    """The line for the terminal."""
    where = f"the trace is in {trace}" if trace else "the trace could not be written"
    return (
        f"pithead: the room closed: {plain(type(error).__name__)}: "
        f"{where}; rollouts go on without it, start pithead again"
    )
