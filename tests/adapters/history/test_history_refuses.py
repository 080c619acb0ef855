"""A history that cannot be trusted is refused in words, and left as it is."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from history_samples import Opener, event

from adapters.history.opening import VERSION
from adapters.history.place import REMOTE, file_system
from adapters.history.reserve import Reserve
from adapters.history.sqlite import SqliteHistory
from pipeline.ports import Changes, HistoryError
from pipeline.view import HistoryQuery
from tests.adapters.history.judge_samples import look_record

HOLD_EXCLUSIVE = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""
HOLD_AS_CONTROLLER = """
import sys
from pathlib import Path
from adapters.history.sqlite import SqliteHistory
history = SqliteHistory(Path(sys.argv[1]))
history.start()
print("held", flush=True)
sys.stdin.read()
"""


def filled(path: Path) -> None:
    history = SqliteHistory(path, reserve=Reserve(Path(f"{path}.reserve"), 4096))
    history.start()
    history.record(Changes(events=(event(),)))
    history.close()


def held(program: str, path: Path) -> "subprocess.Popen[str]":
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_database_of_a_newer_version_is_left_as_it_is(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    filled(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    told = rf"written by a newer pithead \(version {VERSION + 1}, this one knows {VERSION}\): run that one"
    with pytest.raises(HistoryError, match=told):
        opened(path).start()
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_as_it_is(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(b"a letter to a friend\n" * 500)
    with pytest.raises(HistoryError, match=r"history\.db: is not a database: move it away"):
        opened(path).start()
    assert path.read_bytes() == b"a letter to a friend\n" * 500


def test_a_database_of_another_program_is_left_as_it_is(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="of another program"):
        opened(path).start()
    assert path.read_bytes() == before


def test_a_damaged_database_is_refused(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    filled(path)
    pages = bytearray(path.read_bytes())
    pages[3 * 4096 : 5 * 4096] = b"\x5a" * 8192
    path.write_bytes(pages)
    with pytest.raises(HistoryError, match="is damaged"):
        opened(path).start()
    assert path.read_bytes() == bytes(pages)


def test_damaged_samples_keep_no_controller_from_starting_and_are_told_when_they_are_read(
    opened: Opener, tmp_path: Path
) -> None:
    path = tmp_path / "history.db"
    filled(path)
    with closing(sqlite3.connect(path)) as db:
        root = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'looks'").fetchone()[0]
    pages = bytearray(path.read_bytes())
    pages[(root - 1) * 4096 : root * 4096] = b"\x5a" * 4096
    path.write_bytes(pages)
    history = opened(path)
    history.start()
    assert history.record(Changes(events=(event(2),)))[0].id == 2
    with pytest.raises(HistoryError, match="is damaged"):
        history.record(Changes(looks=(look_record(),)))


def test_a_folder_in_its_place_is_refused(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "history.db").mkdir()
    with pytest.raises(HistoryError, match="is not a file"):
        opened(tmp_path / "history.db").start()


def test_a_folder_that_cannot_be_made_is_refused(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(HistoryError, match=r"history\.db: .*: make its folder writable for this user"):
        opened(tmp_path / "state" / "history.db").start()


def test_a_database_locked_by_another_program_is_refused_and_usable_afterwards(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    filled(path)
    with held(HOLD_EXCLUSIVE, path) as holder:
        with pytest.raises(HistoryError, match="another program keeps it locked"):
            opened(path).start()
        holder.communicate()
    history = opened(path)
    history.start()
    assert history.events(HistoryQuery()).total == 1


def test_a_second_controller_is_told_who_has_the_history(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with held(HOLD_AS_CONTROLLER, path) as holder:
        with pytest.raises(HistoryError, match=rf"another controller runs on this history \(pid {holder.pid}\)"):
            opened(path).start()
        holder.communicate()
    assert opened(path).start().token == 2


def test_a_second_controller_in_the_same_process_is_refused_without_harm(opened: Opener) -> None:
    first = opened()
    first.start()
    with pytest.raises(HistoryError, match=rf"pid {os.getpid()}"):
        opened().start()
    assert first.record(Changes(events=(event(),)))[0].id == 1


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", ".lock", ".reserve"])
def test_a_planted_link_is_not_followed(opened: Opener, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / f"history.db{suffix}").symlink_to(target)
    with pytest.raises(HistoryError, match="is a symbolic link"):
        opened(tmp_path / "history.db").start()
    assert target.read_text() == "precious"


def test_a_folder_that_anyone_may_write_to_is_refused(opened: Opener, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(HistoryError, match=r"anyone may write to it, .*: chmod o-w"):
        opened(shared / "history.db").start()
    with pytest.raises(HistoryError, match=r"anyone may write to .*shared, so anyone could swap it"):
        opened(shared / "mine" / "history.db").start()
    assert not list(shared.glob("history*"))


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "ceph"])
def test_a_network_file_system_is_refused(opened: Opener, tmp_path: Path, kind: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {tmp_path}/far\\040away {kind} rw 0 0\n")
    there = tmp_path / "far away" / "state" / "history.db"
    with pytest.raises(HistoryError, match=rf"network file system \({kind}\)"):
        opened(there, mounts=mounts).start()
    assert not there.exists()


def test_the_innermost_and_newest_mount_says_the_kind(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"s:/ {tmp_path} nfs rw 0 0\nnone {tmp_path} tmpfs rw 0 0\nnone {tmp_path}/state2 cifs rw 0 0\n")
    assert file_system(tmp_path / "state", mounts) == "tmpfs"
    assert file_system(tmp_path, tmp_path / "none such") == ""
    assert not REMOTE.fullmatch("ext4")
    assert not REMOTE.fullmatch("overlay")
