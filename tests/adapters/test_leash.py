"""A check's command on its leash: nothing of it outlives the deadline, nor the controller that is killed."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from adapters.checks.command import ran_command, unknown_placeholders
from adapters.leashing import leashed
from pipeline.checks import CheckKind, CheckRule
from tests.adapters.checks.replay_support import service

LONG_S = 30.0
ROOT = str(Path(__file__).resolve().parents[2])
HOLDS_ON = """
import os, signal, socket, sys
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
os.fork()
os.fork()
line.send(b"x")
while True:
    signal.pause()
"""
"""Four processes that heed no signal they can refuse, and hold one connection: it closes when all are gone."""
CONTROLLER = """
import asyncio, sys
from adapters.checks.command import ran_command
from pipeline.checks import CheckKind, CheckRule
from tests.adapters.checks.replay_support import service
check = CheckRule("smoke", CheckKind.COMMAND, command=tuple(sys.argv[1:]), deadline_s=600.0)
asyncio.run(ran_command(check, service(("h:1",)), "r2"))
"""
FINDER = """
import asyncio, sys
from adapters.discovery.run import output_of
asyncio.run(output_of(sys.argv[1:], 600.0, 1000))
"""
"""A controller whose hosts are found by a command."""


class Held:
    """The connection's other end."""

    def __init__(self) -> None:
        self.begun, self.gone = asyncio.Event(), asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)
        self.begun.set()
        try:
            await reader.read()
        finally:
            self.gone.set()


def command(*arguments: str, deadline_s: float = LONG_S) -> CheckRule:
    return CheckRule("smoke", CheckKind.COMMAND, command=arguments, deadline_s=deadline_s)


@pytest.mark.parametrize("controlling", [CONTROLLER, FINDER], ids=["check", "discovery"])
async def test_a_killed_controller_leaves_no_command_nor_anything_that_it_started(peers, controlling: str) -> None:
    held = Held()
    port = (await peers.talking(held)).split(":")[1]
    controller = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", controlling, sys.executable, "-c", HOLDS_ON, port),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    async with asyncio.timeout(LONG_S):
        await held.begun.wait()
        assert not held.gone.is_set()
        controller.kill()
        assert await controller.wait() == -signal.SIGKILL
        await held.gone.wait()


async def test_a_controller_that_is_stuck_does_not_keep_a_command_past_its_deadline() -> None:
    """Whoever is left of it holds its output open."""
    ours, theirs = socket.socketpair()
    script = "trap '' TERM; sleep 600 & sleep 600"
    with ours, theirs:
        leash = await asyncio.create_subprocess_exec(
            *leashed(("/bin/sh", "-c", script), 0.3), stdin=theirs.fileno(), stdout=PIPE, start_new_session=True
        )
        assert leash.stdout is not None
        async with asyncio.timeout(LONG_S):
            assert await leash.stdout.read() == b""
            assert await leash.wait() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("script", "ended"),
    [
        ("trap 'kill 0' EXIT; trap '' TERM; exit 3", "exit 3"),
        ("kill 0; sleep 60", "ended by SIGTERM"),
        ("kill -9 0", "ended by SIGKILL"),
        ("kill -9 $$", "ended by SIGKILL"),
        ("sleep 600 & exit 0", "exit 0"),
        ("exit 255", "exit 255"),
        ("cat; exit 4", "exit 4"),
        ("kill -s PIPE $$", "ended by SIGPIPE"),
    ],
)
async def test_a_leash_hands_on_how_the_command_ended_though_it_signals_its_whole_group(
    script: str, ended: str
) -> None:
    ran = await ran_command(command("/bin/sh", "-c", script), service(("h:1",)), "r2")
    assert (ran.passed, ran.ended) == (ended == "exit 0", ended)


async def test_a_command_finds_the_environment_that_it_was_given_and_nothing_of_its_leash(monkeypatch) -> None:
    for name in ("LANG", "LC_ALL", "TZ", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    ran = await ran_command(command("/usr/bin/env"), service(("h:1",)), "r2")
    names = {line.partition("=")[0] for line in ran.output.decode().splitlines()}
    assert names <= {"PATH", "HOME"}


def test_what_looks_like_a_misspelt_placeholder_is_named_and_other_braces_are_not() -> None:
    misspelt = ["{revison}", "x={Hosts},{host}", "{service}/{revision}", "{hosts} {revison}"]
    assert unknown_placeholders(misspelt) == ("{revison}", "{Hosts}", "{host}")
    assert unknown_placeholders(["awk", "{print}", "%{http_code}", "${HOSTS}", '{"a": 1}', "{}", "{0}", "{x}"]) == ()
