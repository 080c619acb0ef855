"""`pithead judge` while it works: seen to be alive without a terminal, and ended at once with all its processes."""

import io
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pithead.judging import placebo, progress, replay, simulate
from pithead.judging.ending import ENDS, ends_at_once
from pithead.judging.means import Means
from pithead.judging.progress import Progress
from tests.pithead.test_judge_verbs import BEGIN, SERVICE, Heard, room, typed

DEADLINE_S = 20.0
COMMAND = """
import asyncio, os, sys, time
from pithead import cli
from pithead.judging.crowd import each
from pithead.judging.ending import ends_at_once

def work(number):
    if {shared} and number == 0:
        time.sleep(0.01)
        return
    print(os.getpid(), flush=True)
    time.sleep(600)

async def verb():
    with ends_at_once():
        await each(work, range(5), lambda done: None, cores={cores}, clock=iter(range(1, 999)).__next__)

cli._dispatch = lambda args, out: asyncio.run(verb())
sys.exit(cli.main(["status"]))
"""
"""The command around work without end: of three processes where it is shared, of one where it is not."""


class Stepping:
    """A clock on which something takes a minute whenever it is looked at."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        self.at += 60.0
        return self.at


def begun(tidy: list[int], *, shared: bool) -> tuple["subprocess.Popen[bytes]", list[int]]:
    """The command, and the processes that do its work once they are at it."""
    code = COMMAND.format(shared=shared, cores=2 if shared else 1)
    command = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    tidy.append(command.pid)
    assert command.stdout is not None
    said, wanted = b"", 2 if shared else 1
    while said.count(b"\n") < wanted:
        ready, _, _ = select.select([command.stdout], [], [], DEADLINE_S)
        more = os.read(command.stdout.fileno(), 4_096) if ready else b""
        assert more, "no work has begun"
        said += more
    return command, [int(line) for line in said.split()]


def runs(process: int) -> bool:
    """Whether it is there and no corpse that nobody has buried."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def gone(processes: list[int]) -> bool:
    until = time.monotonic() + DEADLINE_S
    while any(map(runs, processes)) and time.monotonic() < until:
        os.sched_yield()
    return not any(map(runs, processes))


@pytest.fixture
def tidy() -> Iterator[list[int]]:
    """Processes that must not outlive the test, whatever it finds."""
    processes: list[int] = []
    yield processes
    for process in processes:
        if runs(process):
            os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "alone"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_command_at_once_with_all_its_processes(
    number: signal.Signals, code: int, shared: bool, tidy: list[int]
) -> None:
    command, working = begun(tidy, shared=shared)
    tidy += working
    command.send_signal(number)
    said = command.communicate(timeout=DEADLINE_S)[1]
    assert command.returncode == code
    assert said == b""
    assert gone(working)


def test_workers_do_not_outlive_a_command_that_was_killed(tidy: list[int]) -> None:
    command, working = begun(tidy, shared=True)
    tidy += working
    command.kill()
    command.wait(DEADLINE_S)
    assert gone(working)
    command.communicate()


def test_signals_are_as_before_when_the_work_is_over() -> None:
    before = [signal.getsignal(number) for number in ENDS]
    with ends_at_once():
        assert all(signal.getsignal(number) is not old for number, old in zip(ENDS, before, strict=True))
    assert [signal.getsignal(number) for number in ENDS] == before


def test_a_step_that_takes_long_is_told_to_be_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "BEAT_S", 0.01)
    stream = io.StringIO()
    told = Progress(stream, Stepping())
    before = signal.getsignal(signal.SIGALRM)
    until = time.monotonic() + DEADLINE_S
    with told.at_work():
        told.tell("releases", 0, 600)
        while stream.getvalue().count("\n") < 3 and time.monotonic() < until:
            sum(range(1_000))
    lines = stream.getvalue().splitlines()
    assert lines[:3] == ["releases: 0 of 600"] * 3
    assert signal.getsignal(signal.SIGALRM) == before


def test_what_is_over_is_not_told_again() -> None:
    stream = io.StringIO()
    told = Progress(stream, Stepping())
    told.tell("releases", 1, 2)
    told.over()
    written = stream.getvalue()
    told._again()
    assert stream.getvalue() == written


def means(stream: io.StringIO) -> Means:
    return Means(Progress(stream, Stepping()), 1, True, time.monotonic, lambda: BEGIN)


@pytest.mark.parametrize(
    ("words", "first", "last"),
    [
        (("simulate", "--hosts", "8", "--canaries", "1", "--looks", "3", "--runs", "1", "--faults", "none"), 0, 5),
        (("placebo", SERVICE, "--canaries", "3", "--looks", "5"), 0, 3),
        (("replay", SERVICE), 1, 20),
    ],
)
async def test_each_part_tells_its_progress_on_a_pipe_from_its_begin_to_its_end(
    words: tuple[str, ...], first: int, last: int
) -> None:
    parts = {"simulate": simulate.run, "placebo": placebo.run, "replay": replay.run}
    stream, out = io.StringIO(), Heard()
    await parts[words[0]](typed(*words), None if words[0] == "simulate" else room(), out, means(stream))  # type: ignore[operator]
    counted = [line for line in stream.getvalue().splitlines() if not line.startswith("history")]
    done = [int(line.partition(": ")[2].partition(" ")[0].rstrip(",")) for line in counted]
    # A beat may come between two steps.
    assert list(dict.fromkeys(done)) == list(range(first, last + 1))
