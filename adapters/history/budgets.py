"""Slices of every objective and their hourly sums, which a transaction keeps in step.

A slice is whole: another of the same time is told again only where the clock went back, and then adds to it, once
down always down. What was read from the metrics server afterwards never changes what was counted here, and gives
way to it.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from adapters.history.rows import from_instant, instant
from pipeline.slo.slices import Hour, Slice, SliceState, Target, Zone

HOUR_S = 3_600
_COLUMNS = "service, slo, start, seconds, total, bad, backfill, down"
_KEY = "service = ? AND slo = ? AND start = ?"
_SUM = ("total", "bad", "good_s", "idle_s", "bad_s")


def write(db: sqlite3.Connection, slices: Iterable[Slice]) -> None:
    """Inside a transaction. Raises `ValueError` for what is no slice."""
    hours: dict[tuple[str, str, int], list[int]] = {}
    for one in slices:
        row = _row(one)
        before = db.execute(
            f"INSERT INTO budget_slices ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608
            "ON CONFLICT (service, slo, start) DO NOTHING",
            row,
        ).rowcount
        if before == 1:
            _add(hours, row, 1)
        elif not one.backfill:
            _met(db, hours, row)
    db.executemany(
        "INSERT INTO budget_hours (service, slo, start, total, bad, good_s, idle_s, bad_s) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (service, slo, start) DO UPDATE SET "
        + ", ".join(f"{name} = budget_hours.{name} + excluded.{name}" for name in _SUM),
        [(*key, *sums) for key, sums in hours.items()],
    )


def _met(db: sqlite3.Connection, hours: dict[tuple[str, str, int], list[int]], row: tuple[Any, ...]) -> None:
    """A slice of which a row is kept already."""
    service, slo, start, seconds, total, bad, _, down = row
    old = db.execute(f"SELECT {_COLUMNS} FROM budget_slices WHERE {_KEY}", (service, slo, start)).fetchone()  # noqa: S608
    if not old[6]:
        seconds, total, bad, down = max(seconds, old[3]), total + old[4], bad + old[5], max(down, old[7])
    new = (service, slo, start, seconds, total, bad, 0, down)
    db.execute(
        f"UPDATE budget_slices SET seconds = ?, total = ?, bad = ?, backfill = ?, down = ? WHERE {_KEY}",  # noqa: S608
        (*new[3:], service, slo, start),
    )
    _add(hours, old, -1)
    _add(hours, new, 1)


def _row(one: Slice) -> tuple[str, str, int, int, int, int, int, int]:
    if type(one.total) is not int or type(one.bad) is not int:
        raise ValueError(f"{one.service}: {one.total!r} and {one.bad!r} requests are not whole numbers")
    if one.start.tzinfo is None or one.start.timestamp() % 1 or one.length_s < 1:
        raise ValueError(f"{one.service}: {one.start} for {one.length_s} s is no slice of whole seconds, UTC")
    at_s = int(one.start.timestamp())
    return one.service, one.slo, at_s, one.length_s, one.total, one.bad, int(one.backfill), int(one.down)


def _add(hours: dict[tuple[str, str, int], list[int]], row: Sequence[Any], sign: int) -> None:
    one = _slice(row)
    sums = hours.setdefault((one.service, one.slo, row[2] // HOUR_S * HOUR_S), [0] * len(_SUM))
    sums[0] += sign * one.total
    sums[1] += sign * one.bad
    sums[{SliceState.GOOD: 2, SliceState.IDLE: 3, SliceState.BAD: 4}[one.state]] += sign * one.length_s


def promise(db: sqlite3.Connection, targets: Iterable[Target]) -> None:
    """Inside a transaction."""
    db.executemany(
        "INSERT INTO budget_targets (service, slo, since, target) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (service, slo, since) DO UPDATE SET target = excluded.target",
        [(one.service, one.slo, instant(one.since), str(one.target)) for one in targets],
    )


def targets(db: sqlite3.Connection) -> tuple[Target, ...]:
    rows = db.execute("SELECT service, slo, since, target FROM budget_targets ORDER BY since, service, slo")
    return tuple(Target(service, slo, from_instant(since), Decimal(target)) for service, slo, since, target in rows)


def count_by(db: sqlite3.Connection, zones: Iterable[Zone]) -> None:
    """Inside a transaction."""
    db.executemany(
        "INSERT INTO budget_zones (service, since, timezone) VALUES (?, ?, ?) "
        "ON CONFLICT (service, since) DO UPDATE SET timezone = excluded.timezone",
        [(one.service, instant(one.since), one.timezone) for one in zones],
    )


def zones(db: sqlite3.Connection) -> tuple[Zone, ...]:
    rows = db.execute("SELECT service, since, timezone FROM budget_zones ORDER BY since, service")
    return tuple(Zone(service, from_instant(since), timezone) for service, since, timezone in rows)


def slices(db: sqlite3.Connection, service: str, since: datetime, until: datetime) -> tuple[Slice, ...]:
    found = db.execute(
        f"SELECT {_COLUMNS} FROM budget_slices WHERE service = ? AND slo IN "  # noqa: S608
        "(SELECT DISTINCT slo FROM budget_hours WHERE service = ? AND start > ? AND start < ?) "
        "AND start >= ? AND start < ? ORDER BY start, slo",
        (service, service, _s(since) - HOUR_S, _s(until), _s(since), _s(until)),
    )
    return tuple(map(_slice, found))


def since(db: sqlite3.Connection, service: str, slo: str, since: datetime, limit: int) -> tuple[Slice, ...]:
    found = db.execute(
        f"SELECT {_COLUMNS} FROM budget_slices WHERE service = ? AND slo = ? AND start >= ? ORDER BY start LIMIT ?",  # noqa: S608
        (service, slo, _s(since), limit),
    )
    return tuple(map(_slice, found))


def downtime(db: sqlite3.Connection, service: str, since: datetime) -> tuple[Slice, ...]:
    found = db.execute(
        f"SELECT {_COLUMNS} FROM budget_slices WHERE service = ? AND slo = 'availability' AND down = 1 "  # noqa: S608
        "AND start >= ? ORDER BY start",
        (service, _s(since)),
    )
    return tuple(map(_slice, found))


def hours(db: sqlite3.Connection, since: datetime, service: str = "") -> tuple[Hour, ...]:
    of, which = ("AND service = ?", (service,)) if service else ("", ())
    found = db.execute(
        f"SELECT service, slo, start, total, bad, good_s, idle_s, bad_s FROM budget_hours "  # noqa: S608
        f"WHERE start >= ? {of} ORDER BY start, service, slo",
        (_s(since), *which),
    )
    return tuple(Hour(row[0], row[1], _at(row[2]), *row[3:]) for row in found)


def measured(db: sqlite3.Connection, service: str, slo: str) -> tuple[datetime, datetime] | None:
    """From the oldest kept slice to the end of the newest."""
    # Each alone is one step into the index.
    oldest, newest = (
        db.execute(
            f"SELECT start, seconds FROM budget_slices WHERE service = ? AND slo = ? "  # noqa: S608
            f"ORDER BY start {way} LIMIT 1",
            (service, slo),
        ).fetchone()
        for way in ("ASC", "DESC")
    )
    return None if oldest is None else (_at(oldest[0]), _at(newest[0] + newest[1]))


def _slice(row: Sequence[Any]) -> Slice:
    service, slo, start, seconds, total, bad, backfill, down = row
    return Slice(service, _at(start), total, bad, slo, bool(backfill), seconds, bool(down))


def _s(at: datetime) -> int:
    """Raises `ValueError` for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    whole, rest = divmod(at.timestamp(), 1)
    return int(whole) + (1 if rest else 0)


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
