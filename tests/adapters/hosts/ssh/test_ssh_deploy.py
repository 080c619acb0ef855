"""Deploys to a real host over a real sshd: what is done, and what is left alone when it cannot be."""

import asyncio
import os
import signal
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.hosts.ssh import Directory, There, Url, Way
from pipeline.events import Outcome, Result
from pipeline.observed import HostFault, HostState
from tests.neighbours.need import need

LONG_S = 20.0


async def deployed(site, revision: str, attempt: int = 1, *, token: int = 1, door: str = "plain") -> Outcome:
    site.build(revision)
    return await site.hosts.deploy(site.host(door), site.intent(revision, attempt), token, LONG_S)


async def state(site, door: str = "plain") -> HostState:
    found = (await site.hosts.states([site.host(door)], LONG_S))["cart-1"]
    assert isinstance(found, HostState), found
    return found


def text_of(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


async def appeared(path: Path, text: str = "") -> str:
    """What a file says once `text` is in it; the host writes it, and tells nobody."""
    until = time.monotonic() + 20
    while not (said := text_of(path)) or text not in said:
        assert time.monotonic() < until, f"{path} does not say {text}"
        await asyncio.sleep(0.01)
    return said


@pytest.mark.parametrize("door", ["plain", "bash", "busybox", "noisy"])
async def test_a_build_of_the_controllers_folder_is_deployed_and_rolled_back(site, door: str) -> None:
    if door == "busybox":
        need("busybox")
    assert (await deployed(site, "r1", 1, door=door)).result is Result.DONE
    second = await deployed(site, "r2", 2, door=door)
    assert (second.result, second.detail, site.current()) == (Result.DONE, "runs r2", "r2")
    now = await state(site, door)
    assert (now.revision, now.healthy, now.operation, now.result) == ("r2", True, second.operation, Result.DONE)
    (site.folder / "builds" / "r1.tar.gz").unlink()
    back = await site.hosts.deploy(site.host(door), site.intent("r1", 1, "back"), 1, LONG_S)
    assert (back.result, site.current(), site.restarts()) == (Result.DONE, "r1", ["r1", "r2", "r1"])
    assert (site.kept.stat().st_mode & 0o777, list((site.kept / "in").iterdir())) == (0o700, [])


@pytest.mark.parametrize("suffix", [".tar", ".tgz", ".tar.xz", ".zip", ".bin"])
async def test_every_kind_of_archive_is_unpacked(site, suffix: str) -> None:
    if suffix == ".zip":
        need("zip")
        need("unzip")
    site.by(artifact=Directory(str(site.folder / "builds"), f"{{revision}}{suffix}"))
    site.build("r1", suffix=suffix)
    outcome = await site.hosts.deploy(site.host(), site.intent("r1"), 1, LONG_S)
    assert outcome.result is Result.DONE, outcome
    name = "cart" if suffix == ".bin" else "version"
    assert (site.root / "current" / name).read_text() == "r1"


async def test_a_failed_restart_puts_the_old_revision_back_and_starts_it_again(site) -> None:
    await deployed(site, "r1")
    (site.folder / "bad-r2").touch()
    failed = await deployed(site, "r2", 2)
    assert failed.result is Result.FAILED
    assert failed.detail == "restart failed: exit 3: cannot bind: r2; r1 runs again"
    assert (site.current(), site.restarts()) == ("r1", ["r1", "r1"])
    now = await state(site)
    assert (now.revision, now.healthy, now.result) == ("r1", True, Result.FAILED)


async def test_a_wrong_checksum_beside_the_build_leaves_the_host_alone(site) -> None:
    await deployed(site, "r1")
    site.build("r2").with_name("r2.tar.gz.sha256").write_text(f"{'0' * 64}  r2.tar.gz\n")
    failed = await site.hosts.deploy(site.host(), site.intent("r2", 2), 1, LONG_S)
    assert failed.result is Result.FAILED
    assert failed.detail.startswith("nothing done: wrong checksum: ")
    assert ((await state(site)).revision, site.restarts()) == ("r1", ["r1"])


async def test_a_build_that_is_not_there_is_said_with_its_place(site) -> None:
    failed = await site.hosts.deploy(site.host(), site.intent("r9"), 1, LONG_S)
    where = site.folder / "builds" / "r9.tar.gz"
    assert (failed.result, failed.detail) == (
        Result.FAILED,
        f"nothing done: no artifact {where}: No such file or directory",
    )


async def test_an_archive_that_is_none_leaves_the_old_revision_running(site) -> None:
    await deployed(site, "r1")
    (site.folder / "builds" / "r2.tar.gz").write_bytes(b"not gzip")
    failed = await site.hosts.deploy(site.host(), site.intent("r2", 2), 1, LONG_S)
    assert failed.result is Result.FAILED
    assert failed.detail == "nothing done: cannot unpack: exit 2: gzip: stdin: not in gzip format"
    assert ((await state(site)).revision, site.releases()) == ("r1", ["r1"])


@pytest.mark.parametrize("content", [os.urandom(300_000), b"\0" * 2_000_000], ids=["brought", "unpacked"])
async def test_a_file_too_large_for_the_host_leaves_the_old_revision_running(site, content: bytes) -> None:
    await deployed(site, "r1", door="small")
    site.build("r2", content)
    failed = await site.hosts.deploy(site.host("small"), site.intent("r2", 2), 1, LONG_S)
    assert failed.result is Result.FAILED, failed
    assert failed.detail.startswith("nothing done: ")
    assert ((await state(site)).revision, site.releases()) == ("r1", ["r1"])
    assert list((site.kept / "in").iterdir()) == []


@pytest.mark.parametrize("kept", ["kept", "srv/kept"], ids=["releases", "everything"])
async def test_a_full_disk_leaves_the_old_revision_running_and_is_named(site, kept: str) -> None:
    site.root.mkdir()
    site.way = replace(site.way, directory=str(site.folder / kept))
    mount = await asyncio.create_subprocess_exec(
        "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(site.root), stderr=asyncio.subprocess.DEVNULL
    )
    if await mount.wait():
        pytest.skip("needs the right to mount")
    try:
        await deployed(site, "r1")
        site.build("r2", b"\0" * 2_000_000)
        failed = await site.hosts.deploy(site.host(), site.intent("r2", 2), 1, LONG_S)
        assert failed.result is Result.FAILED
        assert failed.detail.startswith("nothing done: cannot unpack: exit ")
        assert kept != "kept" or failed.detail.endswith(": the disk is full")
        now = await state(site)
        assert (now.revision, now.healthy, site.current()) == ("r1", True, "r1")
        assert site.releases() == ["r1"]
    finally:
        assert await (await asyncio.create_subprocess_exec("umount", str(site.root))).wait() == 0


async def test_a_repeat_is_answered_with_the_first_outcome_and_not_done_again(site) -> None:
    first = await deployed(site, "r1")
    again = await deployed(site, "r1")
    assert (first.result, again.result, again.detail) == (Result.DONE, Result.DONE, first.detail)
    other = await deployed(site, "r2")
    assert (other.result, other.detail) == (
        Result.FAILED,
        f"the host refuses: {first.operation} was for r1, not r2",
    )
    assert site.restarts() == ["r1"]


async def test_an_older_controller_is_refused(site) -> None:
    await deployed(site, "r1", 1, token=5)
    late = await deployed(site, "r2", 2, token=4)
    assert (late.result, late.detail) == (
        Result.FAILED,
        "a newer controller has taken over: token 4 is older than 5",
    )
    assert site.restarts() == ["r1"]


async def test_a_revision_that_runs_already_is_left_alone_but_for_a_restart(site) -> None:
    await deployed(site, "r1")
    same = await deployed(site, "r1", 2)
    assert (same.result, same.detail, site.restarts()) == (Result.DONE, "ran already", ["r1"])
    again = await site.hosts.deploy(site.host(), site.intent("r1", 1, "baseline"), 1, LONG_S)
    assert (again.result, again.detail, site.restarts()) == (Result.DONE, "runs r1", ["r1", "r1"])


WAITS = (
    'echo $$ >"$1/began"; tries=0; '
    'until [ -e "$1/go" ]; do tries=$((tries + 1)); [ $tries -lt 400 ] || exit 1; sleep 0.05; done; '
    'echo "$2" >>"$1/restarts"'
)


def slow(site) -> None:
    site.by(restart=("sh", "-c", WAITS, "restart", str(site.folder), "{revision}"))


async def begun(site) -> Outcome:
    """A deploy of r1 that does not end before its deadline."""
    slow(site)
    site.build("r1")
    deploy = asyncio.create_task(site.hosts.deploy(site.host(), site.intent("r1"), 1, 100.0))
    await appeared(site.folder / "began")
    await state(site)
    site.clock.passed_s += 100.0
    return await deploy


def cut(site) -> None:
    """End every connection of the server, as a lost network does."""
    for child in Path(f"/proc/{site.server.pid}/task/{site.server.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)


async def test_a_connection_cut_in_mid_deploy_loses_nothing(site) -> None:
    slow(site)
    site.build("r1")
    deploy = asyncio.create_task(site.hosts.deploy(site.host(), site.intent("r1"), 1, LONG_S))
    await appeared(site.folder / "began")
    cut(site)
    (site.folder / "go").touch()
    outcome = await deploy
    assert (outcome.result, outcome.detail, site.restarts()) == (Result.DONE, "runs r1", ["r1"])


async def test_a_build_that_was_cut_off_on_its_way_is_brought_again(site) -> None:
    site.build("r1", os.urandom(6_000_000))
    deploy = asyncio.create_task(site.hosts.deploy(site.host(), site.intent("r1"), 1, LONG_S))
    while not list((site.kept / "in").glob("*.part")):
        assert not deploy.done()
        await asyncio.sleep(0)
    cut(site)
    outcome = await deploy
    assert (outcome.result, outcome.detail, site.restarts()) == (Result.DONE, "runs r1", ["r1"])


async def test_without_an_outcome_at_the_deadline_it_is_unknown_and_found_later(site) -> None:
    unknown = await begun(site)
    assert (unknown.result, unknown.detail.partition(":")[0]) == (Result.UNKNOWN, "no outcome in 100 s")
    running = await state(site)
    assert (running.operation, running.result, running.healthy) == (unknown.operation, None, False)
    deploy = asyncio.create_task(site.hosts.deploy(site.host(), site.intent("r2", 2), 7, 100.0))
    await appeared(site.kept / "token", "7")
    await state(site)
    site.clock.passed_s += 100.0
    busy = await deploy
    assert (busy.result, busy.detail) == (Result.FAILED, f"nothing done: busy with {unknown.operation}")
    (site.folder / "go").touch()
    found = await site.hosts.deploy(site.host(), site.intent("r1"), 1, LONG_S)
    assert (found.result, site.restarts()) == (Result.DONE, ["r1"])


async def test_work_that_died_is_told_as_interrupted_and_does_not_block_the_next(site) -> None:
    assert (await begun(site)).result is Result.UNKNOWN
    began = int(await appeared(site.folder / "began"))
    worker = int((site.kept / "ops" / "op-cart-7.forward.cart-1.1.pid").read_text().split(".")[0])
    for process in (worker, began):
        os.killpg(process, signal.SIGKILL)
    died = await state(site)
    assert (died.result, died.healthy, died.revision) == (Result.FAILED, False, "")
    assert died.detail.startswith("interrupted: ")
    (site.folder / "go").touch()
    assert (await deployed(site, "r2", 2)).result is Result.DONE
    assert (await state(site)).healthy


async def test_the_newest_releases_are_kept_and_what_ran_before_is_among_them(site) -> None:
    site.by(keep=1)
    for number in range(1, 5):
        assert (await deployed(site, f"r{number}", number)).result is Result.DONE
    assert site.releases() == ["r3", "r4"]


@pytest.mark.parametrize("revision", ["..", ".", "r1.tmp"])
async def test_a_revision_that_would_be_another_folder_is_refused(site, revision: str) -> None:
    refused = await site.hosts.deploy(site.host(), site.intent(revision), 1, LONG_S)
    assert (refused.result, refused.detail) == (
        Result.FAILED,
        f'nothing done: revision "{revision}" cannot be a folder on the host',
    )


async def test_a_current_that_is_no_link_is_not_touched(site) -> None:
    (site.root / "current").mkdir(parents=True)
    failed = await deployed(site, "r1")
    assert failed.result is Result.FAILED
    assert "is no symbolic link" in failed.detail
    assert (site.root / "current").is_dir()


async def test_a_release_that_somebody_else_put_there_is_switched_to(site) -> None:
    site.by(artifact=There())
    (site.root / "releases" / "r1").mkdir(parents=True)
    missing = await site.hosts.deploy(site.host(), site.intent("r2"), 1, LONG_S)
    assert (missing.result, missing.detail) == (
        Result.FAILED,
        f"the host refuses: {site.root}/releases/r2 is not there",
    )
    assert (await site.hosts.deploy(site.host(), site.intent("r1", 2), 1, LONG_S)).result is Result.DONE
    assert (await state(site)).available == frozenset({"r1"})


@pytest.mark.parametrize("sums", ["of the controller", "of the web server"])
async def test_a_build_is_fetched_by_the_host_and_its_checksum_verified(site, web, sums: str) -> None:
    need("sha256sum")
    for revision in ("r1", "r2"):
        web.put(site.build(revision), right=revision == "r1")
    site.by(artifact=web.artifact() if sums == "of the web server" else web.artifact(site.folder / "sums"))
    first = await site.hosts.deploy(site.host(), site.intent("r1"), 1, LONG_S)
    assert (first.result, first.detail) == (Result.DONE, "runs r1")
    wrong = await site.hosts.deploy(site.host(), site.intent("r2", 2), 1, LONG_S)
    assert wrong.result is Result.FAILED
    assert wrong.detail.startswith("nothing done: wrong checksum: sha256 ")
    assert ((await state(site)).revision, site.restarts()) == ("r1", ["r1"])


async def test_the_way_back_needs_no_checksum_of_what_is_on_the_host(site, web) -> None:
    for revision in ("r1", "r2"):
        web.put(site.build(revision), right=True)
    site.by(artifact=web.artifact(site.folder / "sums"))
    for attempt, revision in enumerate(("r1", "r2")):
        assert (await site.hosts.deploy(site.host(), site.intent(revision, attempt), 1, LONG_S)).result is Result.DONE
    (site.folder / "sums").write_text("")
    back = await site.hosts.deploy(site.host(), site.intent("r1", 1, "back"), 1, LONG_S)
    assert (back.result, site.current()) == (Result.DONE, "r1")
    new = await site.hosts.deploy(site.host(), site.intent("r3", 3), 1, LONG_S)
    assert (new.result, new.detail) == (
        Result.FAILED,
        "nothing done: no sha256 of r3.tar.gz is in the list of checksums",
    )


async def test_a_build_that_the_web_does_not_have_is_said(site, web) -> None:
    site.by(artifact=web.artifact())
    failed = await site.hosts.deploy(site.host(), site.intent("r9"), 1, LONG_S)
    assert failed.result is Result.FAILED
    assert "r9.tar.gz" in failed.detail
    assert "404" in failed.detail or "exit" in failed.detail


async def test_the_lock_of_somebody_who_is_gone_is_broken(site) -> None:
    await deployed(site, "r1")
    (site.kept / "lock").symlink_to("4194999.77.gone")
    assert (await deployed(site, "r2", 2)).result is Result.DONE
    assert not (site.kept / "lock").is_symlink()


async def test_by_default_the_host_keeps_what_it_was_told_in_the_logins_home(site) -> None:
    site.way = Way("cart", site.way.recipe)
    assert (await deployed(site, "r1")).result is Result.DONE
    kept = site.server.home / ".pithead" / "cart"
    assert (text_of(kept / "host"), stat.S_IMODE(kept.stat().st_mode)) == ("cart-1", 0o700)


async def test_the_directory_of_another_host_is_not_mixed_up_with_ones_own(site) -> None:
    await deployed(site, "r1")
    found = (await site.hosts.states([site.host(name="cart-2")], LONG_S))["cart-2"]
    assert isinstance(found, HostFault)
    assert found.why == f"{site.kept} is that of cart-1: give each host its own, with {{host}} in its name"


def test_an_artifact_of_a_url_wants_one_checksum() -> None:
    with pytest.raises(ValueError, match="give one of"):
        Url("https://builds.example/{revision}.tar.gz")
