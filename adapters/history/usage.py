"""What readiness lists go by over weeks: levels of CPU and memory by day, and who was seen to call."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

from pipeline.readiness.callers import Caller
from pipeline.readiness.use import DAY_MIN, Resource, Use


def write(db: sqlite3.Connection, uses: Iterable[Use], callers: Iterable[Caller]) -> None:
    """Inside a transaction. A use adds to what is kept of its day; a caller's newest time counts."""
    for one in uses:
        key = (one.service, one.resource.value, int(one.day.timestamp()))
        db.execute(
            "INSERT INTO use_days (service, resource, day, minutes) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (service, resource, day) DO UPDATE SET "
            "minutes = MIN(use_days.minutes + excluded.minutes, ?)",
            (*key, one.minutes, DAY_MIN),
        )
        db.executemany(
            "INSERT INTO use_levels (service, resource, day, level, count) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (service, resource, day, level) DO UPDATE SET count = use_levels.count + excluded.count",
            [(*key, level, count) for level, count in one.counts.items()],
        )
    db.executemany(
        "INSERT INTO callers (service, name, seen) VALUES (?, ?, ?) "
        "ON CONFLICT (service, name) DO UPDATE SET seen = excluded.seen WHERE excluded.seen > callers.seen",
        [(one.service, one.name, int(one.at.timestamp())) for one in callers],
    )


def uses(db: sqlite3.Connection, service: str, since: datetime) -> tuple[Use, ...]:
    """Of the days that start at or after `since`, oldest first."""
    day = int(since.timestamp())
    counts: defaultdict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    for resource, at, level, count in db.execute(
        "SELECT resource, day, level, count FROM use_levels WHERE service = ? AND day >= ?", (service, day)
    ):
        counts[resource, at][level] = count
    rows = db.execute(
        "SELECT resource, day, minutes FROM use_days WHERE service = ? AND day >= ? ORDER BY day, resource",
        (service, day),
    )
    return tuple(
        Use(service, Resource(resource), datetime.fromtimestamp(at, UTC), minutes, counts[resource, at])
        for resource, at, minutes in rows
    )


def callers(db: sqlite3.Connection, service: str, since: datetime) -> tuple[Caller, ...]:
    """Those that were seen at or after `since`, by name."""
    rows = db.execute(
        "SELECT name, seen FROM callers WHERE service = ? AND seen >= ? ORDER BY name",
        (service, int(since.timestamp())),
    )
    return tuple(Caller(service, name, datetime.fromtimestamp(seen, UTC)) for name, seen in rows)
