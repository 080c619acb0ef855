"""What is forgotten in time: the judge's samples, slices and hours of budgets. The audit trail and releases are not."""

import sqlite3
from datetime import datetime, timedelta

from adapters.history.rows import instant

RECORDED_FOR = timedelta(days=3)
"""How long stretches of production are kept: three daily peaks to draw placebo canaries from."""
LOOKS_FOR = timedelta(days=180)
"""How long a release can be explained and judged again, after its newest look."""
SLICES_FOR = timedelta(days=35)
"""How long a budget can be corrected to the slice."""
HOURS_FOR = timedelta(days=400)
USE_FOR = timedelta(days=35)
"""How long use by day, and callers that are seen no more, are kept: readiness lists look 30 days back."""
DOWN_FOR = timedelta(days=1_200)
"""How long bad slices are kept: blocks of deploys are worked out of them, and each begins where the one before ended,
so that a block of today must not hang on what has just been forgotten."""
SWEEP_EVERY_S = 60.0
BEHIND_S = 2.0
"""Until the next sweep where one has not done it all: as much must go as comes, however large the fleet."""
BATCH = 500
"""Rows of each kind that one sweep takes at most: some 45 ms, in which nothing else is recorded."""


def forget(db: sqlite3.Connection, now: datetime) -> bool:
    """Inside a transaction: take out the oldest of what is too old; whether more of it may be left."""
    taken = db.execute(
        "DELETE FROM recorded WHERE (service, at) IN "
        "(SELECT service, at FROM recorded WHERE at < ? ORDER BY at LIMIT ?)",
        (instant(now - RECORDED_FOR), BATCH),
    ).rowcount
    full = taken == BATCH
    # Slices that a balance waits for must not go before it.
    db.execute("DELETE FROM budget_balances WHERE until < ?", (int((now - SLICES_FOR).timestamp()),))
    slices = _old("budget_slices", "service, slo, start", "start < ? AND down = 0")
    down = _old("budget_slices", "service, slo, start", "start < ? AND down = 1")
    hours = _old("budget_hours", "service, slo, start", "start < ?")
    for delete, age in ((slices, SLICES_FOR), (down, DOWN_FOR), (hours, HOURS_FOR)):
        full |= db.execute(delete, (int((now - age).timestamp()), BATCH)).rowcount == BATCH
    for table, key, at in (
        ("use_days", "service, resource, day", "day"),
        ("use_levels", "service, resource, day, level", "day"),
        ("callers", "service, name", "seen"),
    ):
        delete = _old(table, key, f"{at} < ?", at)
        full |= db.execute(delete, (int((now - USE_FOR).timestamp()), BATCH)).rowcount == BATCH
    left = BATCH
    while left > 0 and (release := _oldest(db, instant(now - LOOKS_FOR))) is not None:
        left -= _forget_release(db, release, left)
    return full or left <= 0


def _old(table: str, key: str, old: str, at: str = "start") -> str:
    return f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {old} ORDER BY {at} LIMIT ?)"  # noqa: S608


def _oldest(db: sqlite3.Connection, before: str) -> str | None:
    """The release whose trials are the oldest of those without a look since `before`, if there is one."""
    # A trial's newest look is that of the highest number, which its key finds at once.
    row = db.execute(
        "SELECT release FROM trials AS old WHERE at < ? AND NOT EXISTS ("
        "SELECT 1 FROM trials AS wave WHERE wave.release = old.release AND COALESCE((SELECT looks.at FROM looks "
        "WHERE looks.release = wave.release AND looks.wave = wave.wave ORDER BY looks.number DESC LIMIT 1), "
        "wave.at) >= ?) ORDER BY at LIMIT 1",
        (before, before),
    ).fetchone()
    return None if row is None else str(row[0])


def _forget_release(db: sqlite3.Connection, release: str, most: int) -> int:
    """Rows taken out, at most about `most`; the trial itself goes with its last look."""
    taken = db.execute(
        "DELETE FROM looks WHERE (release, wave, number) IN "
        "(SELECT release, wave, number FROM looks WHERE release = ? ORDER BY wave, number LIMIT ?)",
        (release, most),
    ).rowcount
    if taken < most:
        for table in ("evidence", "trials"):
            taken += db.execute(f"DELETE FROM {table} WHERE release = ?", (release,)).rowcount  # noqa: S608
    return taken
