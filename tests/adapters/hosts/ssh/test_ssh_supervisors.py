"""Restarts by programs that watch over services: supervisord and runit, each the real one."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.events import Result
from tests.neighbours.need import need

LONG_S = 60.0
RUN = """#!/bin/sh
read -r version <"{root}/current/version" || exit 1
case $version in bad*) echo "cannot bind" >&2; exit 3 ;; esac
echo "$version" >>"{at}/began"
exec sleep 1000
"""
CHECK = """#!/bin/sh
test "$(tail -n 1 "{at}/began")" = "$(cat "{root}/current/version")"
"""
SUPERVISORD = """
[unix_http_server]
file={at}/s
[supervisord]
nodaemon=true
logfile={at}/log
pidfile={at}/pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{at}/s
[program:cart]
command={at}/cart/run
autostart=false
startsecs=1
startretries=0
"""


@contextmanager
def watching(command: Sequence[str], there: Path) -> Iterator[None]:
    """A program that watches over services, from when `there` exists on; what it began ends with it."""
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + LONG_S
        while not there.exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(LONG_S)


@pytest.fixture
def run(site) -> Path:
    """The service's folder, as runit has it."""
    folder: Path = site.folder / "cart"
    folder.mkdir()
    (folder / "run").write_text(RUN.format(root=site.root, at=site.folder))
    (folder / "run").chmod(0o755)
    return folder


async def goes_up_and_not_to_a_build_that_does_not_start(site, restart: tuple[str, ...], failed: str) -> None:
    site.by(restart=restart)
    for revision in ("r1", "bad2"):
        site.build(revision, f"{revision}\n".encode())
    good = await site.hosts.deploy(site.host(), site.intent("r1"), 1, LONG_S)
    assert (good.result, good.detail) == (Result.DONE, "runs r1")
    bad = await site.hosts.deploy(site.host(), site.intent("bad2", 2), 1, LONG_S)
    assert bad.result is Result.FAILED
    assert bad.detail.startswith(f"restart failed: {failed}")
    assert bad.detail.endswith("; r1 runs again")
    assert set((site.folder / "began").read_text().split()) == {"r1"}


async def test_supervisord_says_whether_a_build_has_started(site, run: Path) -> None:
    at = site.folder
    (at / "conf").write_text(SUPERVISORD.format(at=at))
    restart = (need("supervisorctl"), "-c", str(at / "conf"), "restart", "cart")
    with watching([need("supervisord"), "-c", str(at / "conf")], at / "s"):
        await goes_up_and_not_to_a_build_that_does_not_start(site, restart, "exit 7: cart: ERROR (spawn error)")


async def test_runit_says_whether_a_build_has_started_where_the_service_has_a_check(site, run: Path) -> None:
    (run / "check").write_text(CHECK.format(root=site.root, at=site.folder))
    (run / "check").chmod(0o755)
    restart = (need("sv"), "-w", "3", "restart", str(run))
    with watching([need("runsv"), str(run)], run / "supervise" / "ok"):
        await goes_up_and_not_to_a_build_that_does_not_start(site, restart, "exit 1: timeout: ")
