"""The audit trail shows where it was tampered with."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from history_samples import Opener, event

from pipeline.ports import Changes


def tampered(opened: Opener, path: Path, *statements: str) -> tuple[int, int | None, str]:
    history = opened(path)
    history.start()
    for number in range(1, 6):
        history.record(Changes(events=(event(number), event(number, "search"))))
    history.close()
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            db.execute(statement)
    history.start()
    found = history.verify()
    return found.rows, found.bad, found.why


def test_an_untouched_trail_is_sound_and_grows_on_from_its_head(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    assert tampered(opened, path) == (10, None, "")


@pytest.mark.parametrize(
    "change",
    [
        "who = 'nobody'",
        "uid = 0",
        "at = '2026-03-01T12:00:04.000001+00:00'",
        "detail = detail || ' '",
        "evidence = '[]'",
        "hash = 'f' || substr(hash, 2) || 'x'",
        "detail = CAST(x'ff' AS TEXT)",
        "detail = x'00'",
        "service = 'x' || service",
    ],
)
def test_the_first_altered_row_is_named(opened: Opener, tmp_path: Path, change: str) -> None:
    found = tampered(opened, tmp_path / "history.db", f"UPDATE events SET {change} WHERE id IN (4, 8)")
    assert found == (3, 4, "row 4 is not as it was written")


def test_a_row_taken_out_or_moved_is_named(opened: Opener, tmp_path: Path) -> None:
    cut = tampered(opened, tmp_path / "cut.db", "DELETE FROM events WHERE id = 4")
    assert cut == (3, 4, "row 4 is missing: the next one is 5")
    moved = tampered(
        opened, tmp_path / "moved.db", "DELETE FROM events WHERE id = 4", "UPDATE events SET id = 4 WHERE id = 5"
    )
    assert moved == (3, 4, "row 4 is not as it was written")


def test_a_cut_tail_shows_by_its_head(opened: Opener, tmp_path: Path) -> None:
    history = opened(tmp_path / "history.db")
    history.start()
    history.record(Changes(events=(event(1),)))
    early = history.verify().head
    history.record(Changes(events=(event(2),)))
    assert history.verify().head != early
