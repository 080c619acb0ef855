"""Open a database, or refuse it and leave it as it is."""

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from pipeline.ports import HistoryError

STEPS = ("schema.sql", "schema-2.sql", "schema-3.sql", "schema-4.sql", "schema-5.sql")
"""What made each version out of the one before."""
VERSION = len(STEPS)
APPLICATION = 0x50697448
"""Marks the file as a history of ours: "PitH"."""
BULK = frozenset({"looks", "recorded", "budget_slices", "budget_hours", "budget_balances", "use_levels"})
"""Not read whole at a start: they are samples, by the gigabyte, and a rollback must not wait for them."""
BUSY_S = 1.0
WAL_LIMIT_BYTES = 16 * 2**20


def open_database(path: Path) -> sqlite3.Connection:
    """A connection to the history at `path`, whose file exists; an empty one is given its tables, an old one
    those that it lacks.

    Raises `HistoryError` for a file that is not ours, too new or damaged, `sqlite3.Error` for the rest.
    """
    _refuse_foreign(path)
    # Statements are committed by hand: the module's own transactions begin too late, when the first row is written.
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        _set_up(path, db)
    except BaseException:
        db.close()
        raise
    return db


def _refuse_foreign(path: Path) -> None:
    # Read-only, so that a file that is refused is not even checkpointed.
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as db:
        version = int(_pragma(db, "user_version"))
        application = _pragma(db, "application_id")
        tables = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    if tables and application != APPLICATION:
        raise HistoryError(f"{path}: is a database of another program: move it away, or set another state_dir")
    if version > VERSION:
        raise HistoryError(
            f"{path}: was written by a newer pithead (version {version}, this one knows {VERSION}): "
            "run that one, or set another state_dir"
        )


def _set_up(path: Path, db: sqlite3.Connection) -> None:
    db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    mode = _pragma(db, "journal_mode = WAL")
    if mode != "wal":
        raise HistoryError(f"{path}: its disk allows no write-ahead log ({mode}): set state_dir to a local disk")
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
        found = "ok" if table in BULK else _pragma(db, f'quick_check("{table}")')
        if found != "ok":
            raise HistoryError(f"{path}: is damaged ({found}): keep it for a look, and put a backup in its place")
    version = int(_pragma(db, "user_version"))
    if version < VERSION:
        folder = files("adapters.history")
        schema = "".join(folder.joinpath(step).read_text("utf-8") for step in STEPS[version:])
        db.executescript(
            f"BEGIN IMMEDIATE; {schema} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
        )


def _pragma(db: sqlite3.Connection, name: str) -> int | str:
    value: int | str = db.execute(f"PRAGMA {name}").fetchone()[0]
    return value
