"""What is read back from the history."""

import sqlite3
from collections import Counter

from adapters.history.rows import (
    EVENT_COLUMNS,
    INTENT_COLUMNS,
    from_instant,
    instant,
    to_event,
    to_intent,
    to_rollout,
)
from pipeline.commands import Receipt
from pipeline.lifecycle import ENDED, Phase, Rollout
from pipeline.ports import Memory
from pipeline.view import HistoryPage, HistoryQuery

MOST = 1_000
"""Events on one page, whatever the query asks for."""

_SEARCHED = ("who", "service", "revision", "action", "detail")


def memory(db: sqlite3.Connection, token: int) -> Memory:
    rollouts = db.execute(
        "SELECT body FROM rollouts WHERE number IN (SELECT MAX(number) FROM rollouts GROUP BY service "
        "UNION SELECT MAX(number) FROM rollouts WHERE phase = ? GROUP BY service) ORDER BY number",
        (Phase.SETTLED.value,),
    )
    unanswered = db.execute(
        f"SELECT {INTENT_COLUMNS} FROM intents WHERE NOT EXISTS "  # noqa: S608
        "(SELECT 1 FROM outcomes WHERE outcomes.operation = intents.operation) ORDER BY at, operation"
    )
    ended = ", ".join("?" * len(ENDED))
    operations = db.execute(
        "SELECT intents.operation FROM rollouts JOIN intents ON intents.release = rollouts.id "  # noqa: S608
        f"WHERE rollouts.phase NOT IN ({ended})",
        [phase.value for phase in ENDED],
    )
    newest = db.execute(
        "SELECT MAX(at) FROM (SELECT MAX(at) AS at FROM events UNION ALL SELECT MAX(at) FROM intents "
        "UNION ALL SELECT MAX(at) FROM outcomes UNION ALL SELECT MAX(submitted) FROM rollouts) AS times"
    ).fetchone()[0]
    return Memory(
        rollouts=tuple(to_rollout(body) for (body,) in rollouts),
        open=tuple(map(to_intent, unanswered)),
        attempts=Counter(operation.rpartition(".")[0] for (operation,) in operations),
        releases=dict(db.execute("SELECT service, COUNT(*) FROM rollouts GROUP BY service").fetchall()),
        token=token,
        newest=None if newest is None else from_instant(newest),
    )


def receipt(db: sqlite3.Connection, request: str) -> Receipt | None:
    row = db.execute("SELECT service, release, said FROM requests WHERE request = ?", (request,)).fetchone()
    return None if row is None else Receipt(*row)


def releases(db: sqlite3.Connection, service: str, limit: int) -> tuple[Rollout, ...]:
    rows = db.execute("SELECT body FROM rollouts WHERE service = ? ORDER BY number DESC LIMIT ?", (service, limit))
    return tuple(to_rollout(body) for (body,) in rows)


def events(db: sqlite3.Connection, query: HistoryQuery) -> HistoryPage:
    wanted: list[str] = []
    values: list[str | int] = []
    if query.service:
        wanted.append("service = ?")
        values.append(query.service)
    if query.since is not None:
        wanted.append("at >= ?")
        values.append(instant(query.since))
    if query.text:
        # SQLite's LIKE takes no heed of case; on PostgreSQL this is ILIKE. LOWER() would double the cost.
        columns = " OR ".join(f"{column} LIKE ? ESCAPE '!'" for column in _SEARCHED)
        wanted.append(f"({columns})")
        values.extend([f"%{_literal(query.text)}%"] * len(_SEARCHED))
    total = db.execute(f"SELECT COUNT(*) FROM events{_where(wanted)}", values).fetchone()[0]  # noqa: S608
    if query.before_id is not None:
        wanted.append("id < ?")
        values.append(query.before_id)
    values.append(min(max(query.limit, 0), MOST))
    rows = db.execute(f"SELECT {EVENT_COLUMNS} FROM events{_where(wanted)} ORDER BY id DESC LIMIT ?", values)  # noqa: S608
    return HistoryPage(tuple(map(to_event, rows)), total)


def _where(wanted: list[str]) -> str:
    return f" WHERE {' AND '.join(wanted)}" if wanted else ""


def _literal(text: str) -> str:
    """`text` with the wildcards of LIKE escaped."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
