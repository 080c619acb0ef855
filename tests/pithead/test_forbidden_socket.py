"""A controller whose socket is there, and not for us: it is said so, and no second one is started beside it."""

import grp
import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.config import Settings
from pipeline.model import Fleet
from pithead import daemon
from pithead.cli import main
from pithead.connect import Found
from pithead.exits import Exit, Failure
from pithead.places import FULL, VIEW, Places
from pithead.sockets import Heard, closed_to_us, hear
from pithead.verbs import room
from tests.pithead.test_verbs import Heard as Told
from tests.pithead.test_verbs import typed

ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A run folder whose sockets refuse us, as they do whoever is not in their group."""
    monkeypatch.setattr("socket.socket.connect", _denied, raising=False)
    lines = []
    for name in (FULL, VIEW):
        lines.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        lines[-1].bind(str(tmp_path / name))
        (tmp_path / name).chmod(0o660)
    yield tmp_path
    for line in lines:
        line.close()


def _denied(line: socket.socket, address: str) -> None:
    """As the kernel answers for want of a permission, which root never meets."""
    if not Path(address).exists():
        raise FileNotFoundError(address)
    raise PermissionError(13, "Permission denied", address)


def test_a_verb_names_the_socket_who_we_are_and_its_group(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hear(run / FULL) is Heard.FORBIDDEN
    for words in (["status"], ["--read-only", "status"]):
        assert main(["--run-dir", str(run), *words]) == Exit.UNKNOWN
        said = capsys.readouterr().err
        assert f"a controller's socket is there ({run}/" in said
        assert f"but you ({ME}) may not use it: join its group ({grp.getgrgid(run.stat().st_gid).gr_name}), or" in said
        assert f"ask its owner ({ME})" in said
        assert "start one" not in said


def test_a_socket_of_its_owner_alone_has_no_group_to_join(run: Path) -> None:
    (run / FULL).chmod(0o600)
    assert "join" not in " ".join(closed_to_us(run / FULL))
    assert "share it with a group" in closed_to_us(run / FULL)[1]


def test_a_folder_that_cannot_be_looked_into_is_told_by_the_nearest_that_can(tmp_path: Path) -> None:
    assert f"({ME})" in closed_to_us(tmp_path / "no" / FULL)[1]


def test_the_room_starts_no_second_controller(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("started")

    there = Places(run / "state", run, run / "config.toml")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr(room, "look_up", lambda _: Found(Settings(Path(), Fleet(), ()), there, may_start=True))
    monkeypatch.setattr("subprocess.Popen", never)
    with pytest.raises(Failure, match="may not use it") as told:
        room.run(typed(), Told())
    assert told.value.code == Exit.UNKNOWN
    with pytest.raises(Failure, match="may not use it"):
        daemon.Detached(there)
    assert not there.state.exists()
