"""A full disk: forward stops, backward goes on."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from history_samples import Opener, event, intent, rollout

from adapters.history.reserve import Reserve
from adapters.history.sink import to_syslog
from adapters.history.sqlite import SqliteHistory
from pipeline.commands import Receipt
from pipeline.lifecycle import Phase
from pipeline.ports import Changes, HistoryError
from pipeline.view import HistoryQuery

BIG = Changes(events=tuple(event(number, detail="x" * 400) for number in range(300)))
BACK = Changes(
    rollouts=(rollout(phase=Phase.ROLLING_BACK),),
    events=(event(7, detail="rolled back"),),
    request="q1",
    receipt=Receipt("pricing", "pricing-1", "rolling back"),
)


class Log(list[str]):
    """A second sink that can break."""

    broken = False

    def __call__(self, line: str) -> None:
        if self.broken:
            raise ConnectionRefusedError("no log daemon")
        self.append(line)


def limit_pages(history: SqliteHistory, more: int | None) -> None:
    """Let the database grow by `more` pages and then be full."""
    db = history._opened()
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {2**30 if more is None else pages + more}")


@contextmanager
def held(history: SqliteHistory) -> Iterator[None]:
    """While another program writes, and this one has no patience."""
    history._opened().execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(history.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def test_on_a_full_disk_a_record_is_refused_whole_and_reads_go_on(opened: Opener) -> None:
    history = opened(sink=Log())
    history.start()
    history.record(Changes(events=(event(),)))
    limit_pages(history, 0)
    with pytest.raises(HistoryError, match="the disk is full: free space on it; it goes on by itself"):
        history.record(BIG)
    assert history.events(HistoryQuery()).total == 1
    limit_pages(history, None)
    assert history.record(BIG)[0].id == 2


def test_what_is_safe_goes_to_the_second_sink_and_joins_the_history_later(opened: Opener) -> None:
    log = Log()
    history = opened(sink=log)
    history.start()
    limit_pages(history, 0)
    safe = replace(BACK, events=BIG.events + BACK.events)

    marked = history.record(safe, safe=True)

    assert [one.id for one in marked] == [0] * 301
    assert "first kept in the system log" in marked[-1].evidence[-1]
    line = json.loads(log[0])
    assert line["rollouts"][0]["phase"] == "rolling-back"
    assert line["events"][-1]["detail"] == "rolled back"
    assert "\n" not in log[0]
    assert history.receipt("q1") == BACK.receipt
    assert history.events(HistoryQuery()).total == 0

    limit_pages(history, None)
    kept = history.record(Changes(events=(event(9, detail="after"),)))
    assert kept[0].id == 302
    assert history.events(HistoryQuery(text="rolled back")).events == (replace(marked[-1], id=301),)
    assert history.releases("pricing", 1) == BACK.rollouts
    assert history.record(Changes(events=(event(10),)))[0].id == 303
    assert history.verify().bad is None


def test_where_the_second_sink_fails_too_nothing_is_claimed(opened: Opener) -> None:
    log = Log()
    log.broken = True
    history = opened(sink=log)
    history.start()
    limit_pages(history, 0)
    with pytest.raises(HistoryError, match=r"the disk is full: .*; nor does the system log take it"):
        history.record(BIG, safe=True)
    limit_pages(history, None)
    assert history.record(Changes(events=(event(),)))[0].id == 1


def test_a_locked_database_does_not_hold_up_a_rollback(opened: Opener) -> None:
    log = Log()
    history = opened(sink=log)
    history.start()
    with held(history):
        history.record(BACK, safe=True)
    assert len(log) == 1
    history.record(Changes(events=(event(),)))
    assert history.events(HistoryQuery()).total == 2


def test_a_safe_change_that_contradicts_the_history_is_refused_and_bars_nothing(opened: Opener) -> None:
    log = Log()
    history = opened(sink=log)
    history.start()
    contradiction = Changes(events=(event(),), intents=(intent(number=99),))
    with pytest.raises(HistoryError, match="contradicts what is kept"):
        history.record(contradiction, safe=True)
    assert log == []

    with held(history):
        history.record(contradiction, safe=True)
    assert len(log) == 1
    assert history.record(Changes(events=(event(),)))[0].id == 1


def test_a_log_daemon_gets_one_datagram_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "log"))
        daemon.settimeout(5)
        to_syslog('{"a":1}', tmp_path / "log")
        assert daemon.recv(100) == f'<85>pithead[{os.getpid()}]: {{"a":1}}'.encode()
    with pytest.raises(OSError, match="refused"):
        to_syslog("{}", tmp_path / "log")


def test_the_reserve_takes_real_blocks_and_is_given_up_whole(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 64 * 1024)
    reserve.fill()
    assert reserve.kept
    assert reserve.path.stat().st_blocks * 512 >= 64 * 1024
    reserve.give_up()
    assert not reserve.kept
    assert not reserve.path.exists()


def test_no_reserve_is_taken_from_a_disk_that_has_little_left(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 2**60)
    reserve.fill()
    assert not reserve.kept
    assert not reserve.path.exists()


ON_A_SMALL_DISK = """
import sys
from pathlib import Path
from history_samples import event
from test_history_full_disk import BACK, BIG, Log
from adapters.history.reserve import Reserve
from adapters.history.sqlite import SqliteHistory
from pipeline.ports import Changes, HistoryError

disk, log = Path(sys.argv[1]), Log()
history = SqliteHistory(disk / "state" / "history.db", sink=log)
history._reserve = Reserve(history._reserve.path, 1 << 20)
history.start()
assert history._reserve.kept
filler = (disk / "filler").open("wb", buffering=0)
try:
    while filler.write(b"x" * 4096) == 4096:
        pass
except OSError:
    pass
refused = False
for _ in range(100):
    try:
        history.record(BIG)
    except HistoryError as exc:
        assert "full" in str(exc), exc
        refused = True
        break
assert refused
assert history._reserve.kept
kept = history.record(BACK, safe=True)
assert kept[0].id > 0 and not log, "the reserve was not used"
assert not history._reserve.kept
# A controller that dies now must be able to start again.
history.close()
assert history.start().rollouts == BACK.rollouts
filler.close()
(disk / "filler").unlink()
history._refill_at = 0.0
history.record(Changes(events=(event(),)))
assert history._reserve.kept
assert history.verify().bad is None
history.close()
print("went on")
"""


def test_on_a_disk_that_is_really_full_a_rollback_is_recorded_from_the_reserve(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = 'mount -t tmpfs -o size=4m none "$1" && shift && exec "$@"'
    inside = ["unshare", "-rm", "sh", "-c", mounted, "sh", str(disk)]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here")
    here = Path(__file__).parent
    ran = subprocess.run(
        [*inside, sys.executable, "-c", ON_A_SMALL_DISK, str(disk)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{here}:{here.parents[2]}"},
    )
    assert (ran.stdout, ran.stderr) == ("went on\n", "")
