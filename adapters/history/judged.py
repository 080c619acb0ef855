"""What the judge needs kept: trials and their looks, evidence, recorded stretches, calibrations."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from adapters.history import packing
from adapters.history.rows import from_instant, instant
from pipeline.judge.look import Calibration, LookRecord, Recorded
from pipeline.judge.trial import Kept, TrialRecord
from pipeline.ports import Changes


def write(db: sqlite3.Connection, changes: Changes, now: datetime) -> None:
    """Inside a transaction. What is kept already under the same key gives way."""
    _trials(db, changes.trials, now)
    db.executemany(
        "INSERT INTO looks (release, wave, number, at, body) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (release, wave, number) DO UPDATE SET at = excluded.at, body = excluded.body",
        [
            (one.release, one.wave, one.number, instant(one.at), packing.pack_judged(one.look, one.judgement))
            for one in changes.looks
        ],
    )
    db.executemany(
        "INSERT INTO evidence (release, wave, looks, settings, body) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (release, wave) "
        "DO UPDATE SET looks = excluded.looks, settings = excluded.settings, body = excluded.body",
        [(one.release, one.wave, one.looks, one.settings, packing.deflated(one.body)) for one in changes.evidence],
    )
    db.executemany(
        "INSERT INTO recorded (service, at, body) VALUES (?, ?, ?) "
        "ON CONFLICT (service, at) DO UPDATE SET body = excluded.body",
        [(one.service, instant(one.at), packing.pack_look(one.look)) for one in changes.recorded],
    )
    if changes.calibration is not None:
        one = changes.calibration
        db.execute(
            "INSERT INTO calibrations (service, at, body) VALUES (?, ?, ?) "
            "ON CONFLICT (service, at) DO UPDATE SET body = excluded.body",
            (one.service, instant(one.at), packing.pack(one)),
        )


def _trials(db: sqlite3.Connection, trials: Iterable[TrialRecord], now: datetime) -> None:
    for record in trials:
        trial = record.trial
        # A trial that begins anew does not go on with what the old one has seen.
        for table in ("looks", "evidence"):
            db.execute(f"DELETE FROM {table} WHERE release = ? AND wave = ?", (trial.release, trial.wave))  # noqa: S608
        db.execute(
            "INSERT INTO trials (release, wave, at, body) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (release, wave) DO UPDATE SET at = excluded.at, body = excluded.body",
            (trial.release, trial.wave, instant(now), packing.pack(record)),
        )


def trial(db: sqlite3.Connection, release: str, wave: int) -> TrialRecord | None:
    row = db.execute("SELECT body FROM trials WHERE release = ? AND wave = ?", (release, wave)).fetchone()
    return None if row is None else packing.to_trial(row[0])


def kept(db: sqlite3.Connection, release: str, wave: int) -> Kept | None:
    row = db.execute(
        "SELECT looks, settings, body FROM evidence WHERE release = ? AND wave = ?", (release, wave)
    ).fetchone()
    return None if row is None else Kept(release, wave, row[0], row[1], packing.inflated(row[2]))


def looks(db: sqlite3.Connection, release: str, wave: int, after: int, limit: int) -> tuple[LookRecord, ...]:
    rows = db.execute(
        "SELECT number, at, body FROM looks WHERE release = ? AND wave = ? AND number > ? ORDER BY number LIMIT ?",
        (release, wave, after, max(limit, 0)),
    )
    return tuple(
        LookRecord(release, wave, number, from_instant(at), *packing.to_judged(body)) for number, at, body in rows
    )


def recorded(db: sqlite3.Connection, service: str, since: datetime, limit: int) -> tuple[Recorded, ...]:
    rows = db.execute(
        "SELECT at, body FROM recorded WHERE service = ? AND at > ? ORDER BY at LIMIT ?",
        (service, instant(since), max(limit, 0)),
    )
    return tuple(Recorded(service, from_instant(at), packing.to_look(body)) for at, body in rows)


def calibration(db: sqlite3.Connection, service: str) -> Calibration | None:
    row = db.execute("SELECT body FROM calibrations WHERE service = ? ORDER BY at DESC LIMIT 1", (service,)).fetchone()
    return None if row is None else packing.to_calibration(row[0])
