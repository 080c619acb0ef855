"""The real demo in a terminal, with the real keys; and how it ends."""

import signal
from pathlib import Path

import pytest

from tests.e2e.company import Company, processes_of, quick_config, until
from tests.e2e.terminal import PITHEAD, Terminal


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short path, which sockets need."""
    return tmp_path_factory.mktemp("e2e")


def test_keys_promote_resume_and_leave(place: Path) -> None:
    config = quick_config(place)
    demo = [*PITHEAD, "demo", "--config", str(config)]
    with Terminal(demo, place, columns=80, rows=24, TMPDIR=str(place)) as terminal:
        terminal.wait_for("A small company", "q leave")
        terminal.wait_for("SERVICE", "checkout", within_s=60)
        terminal.press("?")
        terminal.wait_for("promote", "roll back")
        terminal.press("\x1b")
        terminal.wait_for("pricing", "WAIT", within_s=90)
        terminal.press("/pricing\r")
        terminal.wait_for("1/1")
        terminal.press("P")
        terminal.wait_for("Promote pricing r451 to production?")
        terminal.wait_for("pricing")
        folder = next(place.glob("pithead-*"))
        assert processes_of(str(place)) != []
        terminal.press("q")
        assert terminal.wait_end() == 0
        terminal.wait_for("All of it is stopped and removed.")
    until(lambda: not folder.exists(), 10, "the folder is gone")
    assert processes_of(str(place)) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_whatever_ends_the_demo_leaves_nothing(number: signal.Signals, place: Path) -> None:
    company = Company(place)
    try:
        company.wait_ready()
        company.process.send_signal(number)
        company.wait_end(within_s=30)
        until(lambda: not processes_of(str(place)), 20, "its processes are gone")
        until(lambda: not [*place.glob("pithead-*")], 10, "its folder is gone")
    finally:
        company.close()
