"""`pithead` itself: a controller is started where none answers, and outlives the room."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.api.first_look import ask
from adapters.config import demo_config_path
from tests.e2e.company import processes_of, until
from tests.e2e.terminal import PITHEAD, Terminal


@pytest.fixture
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company of whose hosts none answers, with its history and sockets in the same folder."""
    folder = tmp_path_factory.mktemp("e2e")
    text = demo_config_path().read_text().replace("127.77.", "127.3.")
    places = f'[controller]\nstate_dir = "{folder}/state"\nrun_dir = "{folder}/run"\n'
    assert "\n[controller]\n" in text
    path = folder / "config.toml"
    path.write_text(text.replace("\n[controller]\n", f"\n{places}"))
    path.chmod(0o600)
    return path


@pytest.fixture
def controllers(config: Path) -> Iterator[list[int]]:
    """Process ids to be told to stop at the end."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    until(lambda: not processes_of(str(config)), 20, "the controller has stopped")


def test_the_room_starts_a_controller_that_outlives_it(config: Path, controllers: list[int]) -> None:
    socket = config.parent / "run" / "pithead.sock"
    with Terminal([*PITHEAD, "--config", str(config)], config.parent) as terminal:
        terminal.wait_for("Pithead", "checkout", "profile")
        pid = json.loads(ask(socket, "/v1/health").result(5))["pid"]
        controllers.append(pid)
        terminal.press("q")
        assert terminal.wait_end() == 0
    with Terminal([*PITHEAD, "--config", str(config), "--read-only"], config.parent) as terminal:
        terminal.wait_for("Pithead", "checkout", "RO ")
    assert json.loads(ask(socket, "/v1/health").result(5))["pid"] == pid
    log = config.parent / "state" / "controller.log"
    assert all(json.loads(line)["said"] for line in log.read_text().splitlines())
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_room_whose_terminal_hangs_up_ends_every_time(config: Path, controllers: list[int]) -> None:
    for _ in range(5):  # It was one in five that stayed.
        with Terminal([*PITHEAD, "--config", str(config)], config.parent) as terminal:
            terminal.wait_for("Pithead", "checkout")
            if not controllers:
                socket = config.parent / "run" / "pithead.sock"
                controllers.append(json.loads(ask(socket, "/v1/health").result(5))["pid"])
            terminal.hang_up()
            terminal.process.wait(15)


def test_the_wallboard_shows_the_same_company(config: Path, controllers: list[int]) -> None:
    with Terminal([*PITHEAD, "wallboard", "--ascii", "--config", str(config)], config.parent) as terminal:
        terminal.wait_for("PITHEAD wallboard RO")
        controllers.append(json.loads(ask(config.parent / "run" / "view.sock", "/v1/health").result(5))["pid"])
        assert terminal.text.isascii()
        terminal.press("q")
        assert terminal.wait_end() == 0


def test_a_wrong_configuration_starts_nothing_and_tells_every_error(config: Path) -> None:
    text = config.read_text().replace('tick = "1s"', "tick = true").replace("tier = 1", "tier = 9")
    config.write_text(text)
    with Terminal([*PITHEAD, "--config", str(config)], config.parent, columns=200) as terminal:
        assert terminal.wait_end() == 2
        assert "controller.tick" in terminal.text
        assert "service.checkout.tier" in terminal.text
        assert "nothing was started" in terminal.text
    assert processes_of(str(config)) == []
    assert not (config.parent / "state").exists()
