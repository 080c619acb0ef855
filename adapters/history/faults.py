"""What SQLite says, as `HistoryError`s: what, why, what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import MsgspecError

from pipeline.ports import HistoryError

_MEANING = {
    sqlite3.SQLITE_FULL: ("the disk is full", "free space on it; it goes on by itself then"),
    sqlite3.SQLITE_BUSY: ("another program keeps it locked", "close that program, `fuser` names it"),
    sqlite3.SQLITE_LOCKED: ("another program keeps it locked", "close that program, `fuser` names it"),
    sqlite3.SQLITE_NOTADB: ("is not a database", "move it away, or put a backup in its place"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "keep it for a look, and put a backup in its place"),
    sqlite3.SQLITE_READONLY: ("may not be written", "give this user write rights to it and its folder"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "see that it is a file which this user may read and write"),
    sqlite3.SQLITE_IOERR: ("the disk fails or is full", "look at its space (df) and the kernel's log (dmesg)"),
    sqlite3.SQLITE_CONSTRAINT: ("the change contradicts what is kept", "report this: it is a fault of pithead"),
}


def explained(path: Path, exc: sqlite3.Error) -> HistoryError:
    why, mend = _MEANING.get(primary(exc), (str(exc), "look at the file and its disk"))
    detail = f" ({exc})" if primary(exc) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CONSTRAINT) else ""
    return HistoryError(f"{path}: {why}{detail}: {mend}")


def primary(exc: Exception) -> int:
    """SQLite's primary result code; 0 where the error did not come from SQLite."""
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF


def out_of_room(exc: Exception) -> bool:
    # A full disk shows as IOERR where the wal-index cannot grow or a file-size limit is met.
    return primary(exc) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def at_fault(exc: Exception) -> bool:
    """Whether the change itself is wrong, so that trying again can never help."""
    return isinstance(exc, (ValueError, OverflowError)) or primary(exc) in (
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_TOOBIG,
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong inside into `HistoryError`."""
    try:
        yield
    except sqlite3.Error as exc:
        raise explained(path, exc) from exc
    except (MsgspecError, ValueError) as exc:
        raise HistoryError(f"{path}: a row cannot be read ({exc}): put a backup in its place") from exc
