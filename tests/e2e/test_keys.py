"""The real demo in a terminal, with the real keys; and how it ends."""

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.company import Company, processes_of, quick_config, until
from tests.e2e.terminal import PITHEAD, Terminal


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short path, which sockets need."""
    return tmp_path_factory.mktemp("e2e")


def choose(terminal: Terminal, service: str) -> None:
    """Filter the fleet for `service`, which selects it."""
    terminal.press("/")
    terminal.wait_for("/ _")
    terminal.press(service)
    terminal.wait_for(f"/ {service}_")
    terminal.press("\r")
    terminal.wait_for("1 of 12 services", f"/{service}")


def test_keys_resume_roll_back_promote_and_leave(place: Path) -> None:
    demo = [*PITHEAD, "demo", "--config", str(quick_config(place))]
    with Terminal(demo, place, columns=80, rows=24, TMPDIR=str(place)) as terminal:
        terminal.wait_for("A small company", "q leave")
        terminal.wait_for("SERVICE", "checkout", within_s=60)
        terminal.press("?")
        terminal.wait_for("keys of this view")
        terminal.press("\x1b")
        terminal.wait_for("SERVICE")

        choose(terminal, "cart")
        terminal.wait_for(" PAUSED ", "campaign", within_s=90)
        terminal.press("p")
        terminal.wait_for("cart r512 goes on")
        terminal.wait_for(" BAKE ")
        terminal.press("R")
        terminal.wait_for("Roll back cart r512 to r511?")
        terminal.press_until("y", "cart r512 goes back to r511")
        terminal.press("\x1b")
        terminal.wait_for(" LOCK ")

        terminal.press("\x1b")
        terminal.wait_for("payments")
        choose(terminal, "pricing")
        terminal.wait_for(" WAIT ", within_s=90)
        terminal.press("P")
        terminal.wait_for("Promote pricing r451 to production?", "Type the service's name")
        terminal.press_until("p", "name:  p_")
        terminal.press("ricing")
        terminal.wait_for("[ Promote ]")
        terminal.press("\r")
        terminal.wait_for("pricing r451 is promoted into production", "[ Close ]")
        for _ in range(20):
            # A key of a dialog's first moments is not taken.
            terminal.press("\x1b")
            terminal.read(0.5)
            if "[ Close ]" not in terminal.text:
                break
        terminal.wait_for("pricing")

        (folder,) = place.glob("pithead-*")
        assert processes_of(str(folder)) != []
        assert terminal.wait_end(key="q") == 0
        assert "All of it is stopped and removed." in terminal.text
    assert not folder.exists()
    assert processes_of(str(folder)) == []


def test_a_terminal_that_hangs_up_takes_the_demo_with_it(place: Path) -> None:
    with Terminal([*PITHEAD, "demo"], place, TMPDIR=str(place)) as terminal:
        terminal.wait_for("SERVICE", "checkout", within_s=60)
        assert [*place.glob("pithead-*")]
        terminal.hang_up()
        terminal.process.wait(15)
    until(lambda: not processes_of(str(place)), 20, "its processes are gone")
    until(lambda: not [*place.glob("pithead-*")], 10, "its folder is gone")


@pytest.mark.parametrize("numbers", [(signal.SIGKILL, signal.SIGHUP), (signal.SIGTERM, signal.SIGINT)])
def test_whatever_ends_the_demo_leaves_nothing(numbers: tuple[signal.Signals, ...], place: Path) -> None:
    with ExitStack() as stack:
        companies = []
        for name, number in zip("ab", numbers, strict=True):
            company = Company(_folder(place, name))
            stack.callback(company.close)
            companies.append((company, number))
        for company, _ in companies:
            company.wait_ready()
        for company, number in companies:
            company.process.send_signal(number)
            company.wait_end(within_s=30)
            folder = company.folder
            until(lambda folder=folder: not processes_of(str(folder)), 20, "its processes are gone")
            until(lambda folder=folder: not [*folder.glob("pithead-*")], 10, "its folder is gone")


def _folder(place: Path, name: str) -> Path:
    folder = place / name
    folder.mkdir()
    return folder
