"""What a transaction of the history writes; each function runs inside one."""

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from adapters.exact import to_json
from adapters.history import balances, budgets, judged, papers, usage
from adapters.history.chain import GENESIS, link
from adapters.history.rows import EVENT_COLUMNS, INTENT_COLUMNS, event_row, instant
from pipeline.events import Event, Intent, Outcome
from pipeline.lifecycle import Rollout
from pipeline.ports import Changes


def write(db: sqlite3.Connection, changes: Changes, now: datetime) -> tuple[Event, ...]:
    """`changes`, and their events with the ids that they were given."""
    _rollouts(db, changes.rollouts)
    _intents(db, changes.intents)
    _outcomes(db, changes.outcomes)
    balances.write(db, changes.balances)
    budgets.write(db, changes.slices)
    balances.drop(db, changes.slices)
    budgets.promise(db, changes.targets)
    budgets.count_by(db, changes.zones)
    judged.write(db, changes, now)
    usage.write(db, changes.uses, changes.callers)
    papers.write(db, changes.papers, now)
    if changes.receipt is not None:
        answer = changes.receipt
        db.execute(
            "INSERT INTO requests (request, service, release, said, answered) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (request) DO NOTHING",
            (changes.request, answer.service, answer.release, answer.said, instant(now)),
        )
    return _events(db, changes.events)


def next_token(db: sqlite3.Connection, now: datetime) -> int:
    token: int = db.execute("SELECT COALESCE(MAX(token), 0) + 1 FROM controllers").fetchone()[0]
    db.execute("INSERT INTO controllers (token, started) VALUES (?, ?)", (token, instant(now)))
    return token


def _rollouts(db: sqlite3.Connection, rollouts: Iterable[Rollout]) -> None:
    db.executemany(
        "INSERT INTO rollouts (id, number, service, phase, submitted, body) "
        "VALUES (?, (SELECT COALESCE(MAX(number), 0) + 1 FROM rollouts), ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, body = excluded.body",
        [(one.id, one.service, one.phase.value, instant(one.submitted), to_json(one)) for one in rollouts],
    )


def _intents(db: sqlite3.Connection, intents: Iterable[Intent]) -> None:
    db.executemany(
        f"INSERT INTO intents ({INTENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (operation) DO NOTHING",  # noqa: S608
        [(one.operation, one.release, one.service, one.host, one.revision, instant(one.at)) for one in intents],
    )


def _outcomes(db: sqlite3.Connection, outcomes: Iterable[Outcome]) -> None:
    # The first word counts, save that "unknown" may be resolved.
    db.executemany(
        "INSERT INTO outcomes (operation, result, detail, at) VALUES (?, ?, ?, ?) ON CONFLICT (operation) "
        "DO UPDATE SET result = excluded.result, detail = excluded.detail, at = excluded.at "
        "WHERE outcomes.result = 'unknown'",
        [(one.operation, one.result.value, one.detail, instant(one.at)) for one in outcomes],
    )


def _events(db: sqlite3.Connection, events: Iterable[Event]) -> tuple[Event, ...]:
    newest = db.execute("SELECT id, hash FROM events ORDER BY id DESC LIMIT 1").fetchone()
    last, head = newest or (0, GENESIS)
    kept, rows = [], []
    for number, event in enumerate(events, last + 1):
        kept.append(replace(event, id=number))
        row = event_row(kept[-1])
        head = link(head, row)
        rows.append((*row, head))
    marks = ", ".join("?" * 12)
    db.executemany(f"INSERT INTO events ({EVENT_COLUMNS}, hash) VALUES ({marks})", rows)  # noqa: S608
    return tuple(kept)
