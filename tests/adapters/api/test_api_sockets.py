"""The sockets: whose they are, and what of a dead controller is in the way."""

import grp
import os
import socket
import stat
from pathlib import Path

import pytest
from api_desk import SmallDesk, SteadyClock

from adapters.api.client import ApiRoom
from adapters.api.server import ApiServer


def serving(desk: SmallDesk, run_dir: Path, group: str | None = None) -> ApiServer:
    return ApiServer(desk, run_dir, group=group, clock=SteadyClock())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: mode(path) for path in folder.iterdir()}


async def test_folder_and_sockets_are_for_their_owner_alone_and_gone_afterwards(desk: SmallDesk, run_dir: Path) -> None:
    api = serving(desk, run_dir)
    await api.start()
    assert mode(run_dir) == 0o700
    assert modes(run_dir) == {"pithead.sock": 0o600, "view.sock": 0o600}
    await api.stop()
    assert modes(run_dir) == {}


async def test_a_team_gets_in_by_its_group(desk: SmallDesk, run_dir: Path) -> None:
    team = grp.getgrgid(os.getgid()).gr_name
    api = serving(desk, run_dir, team)
    await api.start()
    assert mode(run_dir) == 0o750
    assert mode(run_dir / "pithead.sock") == 0o660
    assert (run_dir / "pithead.sock").stat().st_gid == os.getgid()
    await api.stop()


async def test_an_unknown_group_is_refused_and_nothing_left_behind(desk: SmallDesk, run_dir: Path) -> None:
    with pytest.raises(OSError, match="there is no group 'nosuch': put `group` right"):
        await serving(desk, run_dir, "nosuch").start()
    assert modes(run_dir) == {}


async def test_a_socket_left_by_a_dead_controller_is_replaced(desk: SmallDesk, run_dir: Path) -> None:
    os.mkdir(run_dir)  # noqa: PTH102
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(run_dir / "pithead.sock"))
    api = serving(desk, run_dir)
    await api.start()
    room = ApiRoom(run_dir / "pithead.sock")
    assert (await room.health()).token == 7
    await room.close()
    await api.stop()


async def test_a_socket_on_which_someone_answers_is_left_alone(desk: SmallDesk, run_dir: Path) -> None:
    first = serving(desk, run_dir)
    await first.start()
    with pytest.raises(OSError, match="another controller answers there"):
        await serving(desk, run_dir).start()
    room = ApiRoom(run_dir / "view.sock")
    assert (await room.health()).read_only
    await room.close()
    await first.stop()


async def test_when_the_second_socket_cannot_be_had_the_first_is_given_back(desk: SmallDesk, run_dir: Path) -> None:
    os.mkdir(run_dir)  # noqa: PTH102
    (run_dir / "view.sock").write_text("somebody's file")
    with pytest.raises(OSError, match=r"view\.sock: is no socket: move it away"):
        await serving(desk, run_dir).start()
    assert list(modes(run_dir)) == ["view.sock"]


async def test_a_planted_folder_link_or_a_path_too_long_is_refused(desk: SmallDesk, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OSError, match="is a link or file"):
        await serving(desk, tmp_path / "link").start()
    with pytest.raises(OSError, match="longer than the 107 bytes"):
        await serving(desk, tmp_path / ("long" * 30)).start()
