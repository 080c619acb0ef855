"""A history of an older version goes on as one of this version."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from history_samples import Opener, event
from test_history_full_disk import Log

from adapters.history import opening
from adapters.history.opening import APPLICATION, VERSION
from pipeline.lifecycle import Phase
from pipeline.ports import Changes, HistoryError
from pipeline.slo.slices import Hour
from pipeline.view import HistoryQuery
from tests.adapters.history.judge_samples import look_record, trial_record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VERSION_1 = """
CREATE TABLE controllers (token INTEGER PRIMARY KEY, started TEXT NOT NULL);
CREATE TABLE rollouts (
    id        TEXT PRIMARY KEY,
    number    INTEGER NOT NULL UNIQUE,
    service   TEXT NOT NULL,
    phase     TEXT NOT NULL,
    submitted TEXT NOT NULL,
    body      TEXT NOT NULL
);
CREATE INDEX rollouts_by_service ON rollouts (service, number);
CREATE INDEX rollouts_by_phase ON rollouts (phase, service, number);
CREATE TABLE intents (
    operation TEXT PRIMARY KEY,
    release   TEXT NOT NULL REFERENCES rollouts (id),
    service   TEXT NOT NULL,
    host      TEXT NOT NULL,
    revision  TEXT NOT NULL,
    at        TEXT NOT NULL
);
CREATE INDEX intents_by_release ON intents (release);
CREATE TABLE outcomes (
    operation TEXT PRIMARY KEY REFERENCES intents (operation),
    result    TEXT NOT NULL,
    detail    TEXT NOT NULL,
    at        TEXT NOT NULL
);
CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    who      TEXT NOT NULL,
    uid      INTEGER,
    origin   TEXT NOT NULL,
    service  TEXT NOT NULL,
    release  TEXT NOT NULL,
    revision TEXT NOT NULL,
    action   TEXT NOT NULL,
    detail   TEXT NOT NULL,
    evidence TEXT NOT NULL,
    hash     TEXT NOT NULL
);
CREATE INDEX events_by_service ON events (service, id);
CREATE INDEX events_by_time ON events (at);
CREATE TABLE slices (
    start   TEXT NOT NULL,
    service TEXT NOT NULL,
    total   BIGINT NOT NULL,
    bad     BIGINT NOT NULL,
    PRIMARY KEY (start, service)
);
CREATE TABLE requests (
    request  TEXT PRIMARY KEY,
    service  TEXT NOT NULL,
    release  TEXT NOT NULL,
    said     TEXT NOT NULL,
    answered TEXT NOT NULL
);
"""
ROLLOUT_1 = (
    '{"id":"pricing-1","service":"pricing","revision":"r1","stable":"r0","phase":"canary-bake",'
    '"since":"2026-03-01T12:00:01Z","version":3,"by":"ana","submitted":"2026-03-01T12:00:01Z","seed":7,'
    '"canaries":["fra1-01"],"evidence":{"whole":{"looks":4,"candidate":{"host_s":40.0,"counters":{"requests":100.0},'
    '"gauges":{"rss":"nan"},"histograms":{"latency":{"edges":[0.1,"inf"],"counts":[90.0,9.0]}}}}},'
    '"reference":{},"bad_looks":1}'
)
EVENT_1 = (
    1,
    "2026-03-01T12:00:01.000000+00:00",
    "auto",
    None,
    "",
    "pricing",
    "pricing-1",
    "r1",
    "canary",
    "canary drawn: fra1-01",
    '["seed 7","1 of 9 hosts"]',
    "f7a3790638a7a2cbe3a417c6aead278901ef1ef7ad8e2d1cba71a567f4a449a0",
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A version-1 file with a release, its line of history and a token in it."""
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(
            f"PRAGMA journal_mode = WAL; {VERSION_1} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1;"
        )
        db.execute("INSERT INTO controllers VALUES (4, '2026-03-01T12:00:00.000000+00:00')")
        db.execute(
            "INSERT INTO rollouts VALUES ('pricing-1', 1, 'pricing', 'canary-bake', ?, ?)",
            ("2026-03-01T12:00:01.000000+00:00", ROLLOUT_1),
        )
        db.execute(f"INSERT INTO events VALUES ({', '.join('?' * 12)})", EVENT_1)
        db.commit()
    path.chmod(0o600)
    return path


def shape(path: Path) -> set[tuple[str, str]]:
    """Tables and indexes with their columns."""
    with closing(sqlite3.connect(path)) as db:
        names = db.execute("SELECT type, name, tbl_name FROM sqlite_master").fetchall()
        return {
            (
                f"{kind} {name}",
                str(db.execute(f'PRAGMA {"table" if kind == "table" else "index"}_info("{name}")').fetchall()),
            )
            for kind, name, _ in names
        }


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_a_version_1_history_is_moved_in_place_and_loses_nothing(opened: Opener, old: Path) -> None:
    history = opened(old)
    memory = history.start()
    assert memory.token == 5
    assert [(one.id, one.phase, one.canaries) for one in memory.rollouts] == [
        ("pricing-1", Phase.CANARY_BAKE, ("fra1-01",))
    ]
    assert history.events(HistoryQuery()).events[0].detail == "canary drawn: fra1-01"
    assert history.verify().bad is None

    history.record(Changes(events=(event(2),), trials=(trial_record(),), looks=(look_record(),)))
    history.close()
    again = opened(old)
    again.start()
    assert version(old) == VERSION == 5
    assert again.looks("pricing-1", 0, 0, 10) == (look_record(),)
    assert again.events(HistoryQuery()).total == 2


def test_slices_of_a_version_1_history_go_on_as_minutes_of_availability(opened: Opener, old: Path) -> None:
    rows = [
        ("2026-03-01T11:59:00.000000+00:00", "pricing", 100, 51),
        ("2026-03-01T12:00:00.000000+00:00", "pricing", 10, 5),
        # Of a short cycle, whose slices were shorter than a minute.
        ("2026-03-01T12:01:01.250000+00:00", "pricing", 4, 3),
        ("2026-03-01T12:01:02.500000+00:00", "pricing", 4, 2),
        ("2026-03-01T12:00:00.000000+00:00", "search", 0, 0),
    ]
    with closing(sqlite3.connect(old)) as db:
        db.executemany("INSERT INTO slices VALUES (?, ?, ?, ?)", rows)
        db.commit()
    history = opened(old)
    history.start()
    day = (NOON - timedelta(hours=12), NOON + timedelta(hours=12))
    assert [(one.start, one.total, one.bad, one.down, one.slo) for one in history.slices("pricing", *day)] == [
        (NOON - timedelta(minutes=1), 100, 51, True, "availability"),
        (NOON, 10, 5, False, "availability"),
        (NOON + timedelta(minutes=1), 8, 5, True, "availability"),
    ]
    assert history.hours(day[0]) == (
        Hour("pricing", "availability", NOON - timedelta(hours=1), 100, 51, 0, 0, 60),
        Hour("pricing", "availability", NOON, 18, 10, 60, 0, 60),
        Hour("search", "availability", NOON, 0, 0, 0, 60, 0),
    )
    assert len(history.downtime("pricing", day[0])) == 2


def test_a_moved_history_has_the_shape_of_a_new_one(opened: Opener, old: Path, tmp_path: Path) -> None:
    for path in (old, tmp_path / "new.db"):
        history = opened(path)
        history.start()
        history.close()
    assert shape(old) == shape(tmp_path / "new.db")


def test_a_move_that_breaks_off_leaves_the_old_version_whole(
    opened: Opener, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shape(old)
    with closing(sqlite3.connect(old)) as db:
        # In the way of the last table of the new version.
        db.execute("CREATE TABLE calibrations (other TEXT)")
    with pytest.raises(HistoryError, match="already exists"):
        opened(old, sink=Log()).start()
    assert version(old) == 1
    with closing(sqlite3.connect(old)) as db:
        db.execute("DROP TABLE calibrations")
    assert shape(old) == before
    assert opened(old).start().token == 5


def test_every_version_has_its_step() -> None:
    assert len(opening.STEPS) == VERSION
