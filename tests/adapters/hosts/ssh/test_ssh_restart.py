"""Restarts that fail, for the old revision too: what the host says then, and that the way back ends once mended."""

import subprocess
from dataclasses import replace
from importlib.resources import files

import pytest

from adapters.hosts.ssh import Command
from pipeline.events import Outcome, Result
from pipeline.observed import HostState
from pipeline.release.hostwork import ATTEMPTS, Journal, Standing, Step, Wish, work

LONG_S = 20.0
AGAIN_S = 60.0


async def deployed(site, revision: str, attempt: int = 1, step: str = "forward") -> Outcome:
    site.build(revision)
    return await site.hosts.deploy(site.host(), site.intent(revision, attempt, step), 1, LONG_S)


async def state(site) -> HostState:
    found = (await site.hosts.states([site.host()], LONG_S))["cart-1"]
    assert isinstance(found, HostState), found
    return found


def broken(site, *revisions: str) -> None:
    """No restart of these works, each for a reason of its own."""
    for revision in revisions:
        (site.folder / f"bad-{revision}").touch()


def mended(site) -> None:
    for file in site.folder.glob("bad-*"):
        file.unlink()


async def both_failed(site) -> Outcome:
    await deployed(site, "r1")
    broken(site, "r1", "r2")
    return await deployed(site, "r2", 2)


class Way:
    """A release's way on one host, told as the controller tells it: round for round."""

    def __init__(self, site, step: Step, revision: str) -> None:
        self.site, self.step = site, step
        self.wish = Wish("cart-7", "cart", step, revision, ["cart-1"], AGAIN_S)
        self.attempts: dict[str, int] = {}
        self.told_s: dict[str, float] = {}
        self.now_s = 1_000.0

    async def round(self) -> Standing:
        """One look, and what follows from it; how the host stood."""
        seen = {"cart-1": await state(self.site)}
        journal = Journal({}, frozenset(), self.attempts, self.told_s)
        todo = work(self.wish, seen, journal, 1, self.site.clock.now(), self.now_s)
        for intent in todo.orders:
            key = intent.operation.rpartition(".")[0]
            self.attempts[key] = self.attempts.get(key, 0) + 1
            self.told_s[intent.host] = self.now_s
            self.site.build(intent.revision)
            await self.site.hosts.deploy(self.site.host(), intent, 1, LONG_S)
        return todo.standings["cart-1"]


async def test_where_neither_revision_starts_the_host_says_that_nothing_runs_for_certain(site) -> None:
    failed = await both_failed(site)
    assert failed.detail == (
        "restart failed: exit 3: cannot bind: r2; and r1 did not start again: exit 3: cannot bind: r1"
    )
    now = await state(site)
    assert (now.revision, now.healthy, now.detail) == ("", False, failed.detail)
    assert site.current() == "r1"


async def test_one_reason_for_both_is_told_once(site) -> None:
    await deployed(site, "r1")
    site.by(restart=("sh", "-c", "echo 'sudo: a password is required' >&2; exit 1"))
    failed = await deployed(site, "r2", 2)
    assert failed.detail == (
        "restart failed: sudo asks for a password there: allow the command without one (NOPASSWD); "
        "and r1 did not start again for the same reason"
    )
    assert (await state(site)).detail == failed.detail


async def test_the_way_back_is_tried_until_the_restart_is_mended_and_then_ends_by_itself(site) -> None:
    await both_failed(site)
    back = Way(site, Step.BACK, "r1")
    assert [await back.round() for _ in range(3)] == [Standing.MISSING, Standing.MISSING, Standing.FAILED]
    mended(site)
    assert await back.round() is Standing.FAILED
    back.now_s += AGAIN_S
    assert [await back.round() for _ in range(2)] == [Standing.MISSING, Standing.THERE]
    assert (site.current(), site.restarts()) == ("r1", ["r1", "r1"])
    assert (await state(site)).detail == "runs r1"


async def test_on_the_way_forward_it_is_given_up_after_two_attempts(site) -> None:
    await deployed(site, "r1")
    broken(site, "r1", "r2")
    forward = Way(site, Step.FORWARD, "r2")
    for _ in range(ATTEMPTS):
        assert await forward.round() is Standing.MISSING
    mended(site)
    forward.now_s += 10 * AGAIN_S
    assert await forward.round() is Standing.FAILED


async def test_a_health_command_decides_whether_what_did_not_restart_runs(site) -> None:
    site.by(health=("sh", "-c", 'test ! -e "$1/ill"', "x", str(site.folder)))
    failed = await both_failed(site)
    now = await state(site)
    assert (now.revision, now.healthy) == ("r1", True)
    (site.folder / "ill").touch()
    now = await state(site)
    assert (now.revision, now.healthy, now.detail) == ("", False, f"{failed.detail}; health command: exit 1")


async def test_a_deploy_that_does_nothing_makes_no_host_well_that_was_not(site) -> None:
    await both_failed(site)
    (site.folder / "builds" / "r3.tar.gz").write_bytes(b"not gzip")
    await site.hosts.deploy(site.host(), site.intent("r3", 3), 1, LONG_S)
    now = await state(site)
    assert (now.revision, now.healthy) == ("", False)
    assert "r1 did not start again" in now.detail


@pytest.mark.parametrize("ill", [False, True], ids=["well", "ill"])
async def test_a_deploy_command_that_changes_nothing_leaves_the_host_as_it_was(site, ill: bool) -> None:
    at = str(site.folder)
    recipe = Command(
        deploy=("sh", "-c", 'test ! -e "$1/bad-$2"', "x", at, "{revision}"),
        restart=("sh", "-c", 'test ! -e "$1/ill"', "x", at),
    )
    site.way = replace(site.way, recipe=recipe)
    assert (await deployed(site, "r1")).result is Result.DONE
    if ill:
        (site.folder / "ill").touch()
        assert (await deployed(site, "r1", 1, "baseline")).detail == "restart failed: exit 1"
    broken(site, "r2")
    assert (await deployed(site, "r2", 2)).detail == "deploy command: exit 1"
    now = await state(site)
    assert (now.revision, now.healthy) == (("", False) if ill else ("r1", True))


TAR = "\ngzip: stdin: not in gzip format\ntar: Child returned status 1\ntar: Error is not recoverable: exiting now\n"
APT = "W: Some index files failed\nE: Version '2' for 'cart' was not found\n"
PYTHON = "Traceback (most recent call last):\n  File x, line 1\nOSError: cannot bind\n"
SYSTEMD = 'Job for cart.service failed.\nSee "systemctl status cart.service" for details.\n'


@pytest.mark.parametrize(
    ("out", "err", "said"),
    [
        ("", TAR, "gzip: stdin: not in gzip format"),
        ("", "tar: Error is not recoverable: exiting now\n", "tar: Error is not recoverable: exiting now"),
        ("Reading package lists...\n", APT, "E: Version '2' for 'cart' was not found"),
        ("", PYTHON, "OSError: cannot bind"),
        ("", SYSTEMD, "Job for cart.service failed."),
        ("one\ntwo\n", "", "two"),
        ("", "sh: warning: setlocale: cannot change locale\n\n  \0no\ttab\r", "no tab"),
        ("", "", ""),
    ],
)
def test_the_line_that_says_what_went_wrong_is_picked(tmp_path, out: str, err: str, said: str) -> None:
    (tmp_path / "out").write_text(out)
    (tmp_path / "err").write_text(err)
    script = (files("adapters.hosts.ssh") / "common.sh").read_text() + 'what_said "$1" "$2"\n'
    command = ["sh", "-s", tmp_path / "out", tmp_path / "err"]
    ran = subprocess.run(command, input=script, capture_output=True, timeout=20, text=True, check=True)
    assert (ran.stdout.strip(), ran.stderr) == (said, "")
