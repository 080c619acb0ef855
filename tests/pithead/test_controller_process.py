"""The controller as a process: how it begins, what it says, and that it leaves nothing behind."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.api.first_look import ask
from adapters.config import Settings, demo_config_path
from adapters.history.lock import WriterLock
from adapters.hosts.ssh import Command, Way
from adapters.means import Means
from pipeline.model import Fleet
from pipeline.ports import HistoryError
from pithead.compose import serve
from pithead.daemon import Detached
from pithead.exits import Exit, Failure
from pithead.logs import JsonLines
from pithead.places import Places
from pithead.sockets import Heard, hear

CONFIG = demo_config_path().read_text().replace("127.77.", "127.3.").replace('tick = "1s"', 'tick = "100ms"')
"""A company of whose hosts none answers."""


@pytest.fixture
def there(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder = tmp_path_factory.mktemp("c")
    folder.chmod(0o700)
    path = folder / "config.toml"
    path.write_text(CONFIG)
    path.chmod(0o600)
    return Places(folder / "state", folder / "run", path)


def test_it_comes_up_detached_and_stops_when_told(there: Places) -> None:
    started = Detached(there)
    started.wait()
    told = json.loads(ask(there.socket(read_only=True), "/v1/health").result(5))
    assert os.getsid(told["pid"]) == told["pid"]
    os.kill(told["pid"], signal.SIGHUP)
    assert [row.name for row in ask(there.socket(read_only=False)).fleet(5).services][:2] == ["checkout", "payments"]
    os.kill(told["pid"], signal.SIGTERM)
    assert started.process.wait(20) == Exit.DONE
    assert hear(there.socket(read_only=False)) is Heard.SILENCE
    assert not [*there.run.iterdir()]


def test_one_that_cannot_start_says_why(there: Places) -> None:
    there.config.write_text(CONFIG.replace('revision = "r1203"', 'revision = ""'))
    with pytest.raises(Failure, match=r"service\.checkout\.revision") as told:
        Detached(there).wait()
    assert told.value.code == Exit.USAGE


def test_a_second_one_on_the_same_sockets_is_refused(there: Places) -> None:
    started = Detached(there)
    started.wait()
    try:
        command = [sys.executable, "-m", "pithead", "controller", "--config", str(there.config)]
        command += ["--run-dir", str(there.run), "--state-dir", str(there.state)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == Exit.REFUSED
        assert "another one answers" in second.stderr
    finally:
        started.process.terminate()
        started.process.wait(20)


def test_stop_waits_for_its_end_and_says_so_where_none_runs(there: Places) -> None:
    started = Detached(there)
    started.wait()
    command = [sys.executable, "-m", "pithead", "controller", "--stop", "--config", str(there.config)]
    command += ["--run-dir", str(there.run)]
    stopped = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert stopped.stdout == f"controller {started.process.pid} has stopped; what runs on hosts goes on\n"
    assert stopped.returncode == Exit.DONE
    assert started.process.poll() == Exit.DONE
    again = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == Exit.UNKNOWN
    assert again.stderr == f"pithead: controller: no controller answers in {there.run}: there is nothing to stop\n"


async def test_a_history_that_cannot_be_opened_ends_it_with_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (folder / "history.db").write_bytes(b"this is no database" * 100)
    (folder / "history.db").chmod(0o600)
    with pytest.raises(HistoryError, match=r"history\.db"):
        await serve(Settings(Path(), Fleet(), ()), Places(folder, tmp_path / "run", Path()), asyncio.Event())


async def test_a_second_one_on_the_same_history_touches_nothing_else(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    first = WriterLock(state / "history.db.lock")
    first.take()
    by_ssh = {"cart": Means(way=Way("cart", Command(("true",))))}
    settings = replace(Settings(Path(), Fleet(), ()), means=by_ssh)
    with pytest.raises(HistoryError, match="another controller runs on this history"):
        await serve(settings, Places(state, tmp_path / "run", Path()), asyncio.Event())
    first.release()
    assert not (tmp_path / "run").exists()


def test_a_drain_book_that_cannot_be_read_ends_it_with_the_reason(there: Places) -> None:
    seat = '[haproxy.edge]\nsockets = ["/nowhere.sock"]\n[service.cart.balancer]\nhaproxy = "edge"\nbackend = "be"\n'
    there.config.write_text(CONFIG + seat)
    there.state.mkdir(mode=0o700)
    (there.state / "drained.json").write_text("{")
    with pytest.raises(Failure, match=r"drain book .*: malformed: .*start it again; no host was touched"):
        Detached(there).wait()


def test_the_log_does_not_tell_of_every_request_that_went_well() -> None:
    code = (
        "import logging; from pithead.logs import begin; begin();"
        "logging.getLogger('httpx').info('HTTP/1.1 200 OK');"
        "logging.getLogger('httpx').warning('odd'); logging.getLogger('pithead.controller').info('kept')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert [json.loads(line)["said"] for line in ran.stderr.splitlines()] == ["odd", "kept"]


def test_the_log_is_json_and_moves_no_terminal() -> None:
    try:
        raise ValueError("\x1b]0;owned\x07\n{forged}")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("a\x1bb", logging.ERROR, "f", 1, "said %s", ("\x9b2J\n\x7f",), info)
    line = JsonLines().format(record)
    assert line.isascii()
    assert line.isprintable()
    told = json.loads(line)
    assert (told["level"], told["said"]) == ("error", "said \ufffd2J \ufffd")
    assert told["trace"][-1] == "{forged}"
