"""Balances: each service's sums as of an instant, dropped with the transaction that changes what they are sums of."""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

from adapters.history.packing import deflated, inflated
from pipeline.slo.slices import Balance, Slice


def drop(db: sqlite3.Connection, slices: Iterable[Slice]) -> None:
    """Inside the transaction that has written `slices`."""
    oldest: dict[str, int] = {}
    for one in slices:
        start_s = int(one.start.timestamp())
        oldest[one.service] = min(oldest.get(one.service, start_s), start_s)
    db.executemany("DELETE FROM budget_balances WHERE service = ? AND until > ?", oldest.items())


def write(db: sqlite3.Connection, balances: Iterable[Balance]) -> None:
    """Inside a transaction."""
    db.executemany(
        "INSERT INTO budget_balances (service, until, basis, body) VALUES (?, ?, ?, ?) ON CONFLICT (service) DO UPDATE "
        "SET until = excluded.until, basis = excluded.basis, body = excluded.body",
        [(one.service, int(one.until.timestamp()), one.basis, deflated(one.body)) for one in balances],
    )


def balance(db: sqlite3.Connection, service: str) -> Balance | None:
    """A damaged one is none: it can be made again."""
    row = db.execute("SELECT until, basis, body FROM budget_balances WHERE service = ?", (service,)).fetchone()
    if row is None:
        return None
    until_s, basis, body = row
    try:
        return Balance(service, datetime.fromtimestamp(until_s, UTC), basis, inflated(body))
    except ValueError:
        return None
