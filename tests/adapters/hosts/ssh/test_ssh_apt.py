"""Packages by the real apt and dpkg, in a folder of their own: the machine's packages are not touched."""

import asyncio
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.hosts.ssh import Package, Way
from pipeline.events import Outcome, Result
from pipeline.observed import HostState
from tests.neighbours.need import need

LONG_S = 20.0
VERSIONS = ("1.0", "1.1")
FOLDERS = (
    *(f"var/lib/dpkg/{name}" for name in ("info", "updates", "triggers")),
    "var/lib/apt/lists/partial",
    "var/cache/apt/archives/partial",
    *(f"etc/apt/{name}.d" for name in ("preferences", "sources.list", "apt.conf", "trusted.gpg")),
    "var/log/apt",
)
CONFIGURATION = """
Dir::Etc "{root}/etc/apt";
Dir::State "{root}/var/lib/apt";
Dir::State::status "{root}/var/lib/dpkg/status";
Dir::Cache "{root}/var/cache/apt";
Dir::Log "{root}/var/log/apt";
DPkg::Options {{ "--root={root}"; "--force-not-root"; "--force-script-chrootless"; "--log=/dev/null"; }};
APT::Sandbox::User "root";
"""


@pytest.fixture
def apt(server) -> Iterator[Path]:
    """What it installs, in a root with nothing installed, and an archive with two versions of a package."""
    for program in ("apt-get", "dpkg-query", "dpkg-deb"):
        need(program)
    at = server.home / "apt"
    root = at / "root"
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (at / "archive").mkdir()
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:{at}/archive ./\n")
    (at / "conf").write_text(CONFIGURATION.format(root=root))
    (at / "archive" / "Packages").write_text("".join(packaged(at, version) for version in VERSIONS))
    yield root / "opt" / "cart"
    shutil.rmtree(at)


def packaged(at: Path, version: str) -> str:
    """Build the package; its entry in the archive's list."""
    tree = at / f"cart-{version}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "opt").mkdir()
    (tree / "opt" / "cart").write_text(version)
    control = (
        f"Package: pithead-cart\nVersion: 1:{version}-1\nArchitecture: all\n"
        "Maintainer: nobody <nobody@example.com>\nDescription: a service\n"
    )
    (tree / "DEBIAN" / "control").write_text(control)
    file = at / "archive" / f"cart-{version}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", tree, file], check=True, timeout=20, stdout=subprocess.DEVNULL
    )
    content = file.read_bytes()
    return f"{control}Filename: ./{file.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n\n"


async def deployed(site, revision: str, attempt: int) -> Outcome:
    return await site.hosts.deploy(site.host("apt"), site.intent(revision, attempt), 1, LONG_S)


async def state(site) -> HostState:
    found = (await site.hosts.states([site.host("apt")], LONG_S))["cart-1"]
    assert isinstance(found, HostState), found
    return found


async def test_a_package_is_installed_at_its_version_and_a_failed_restart_brings_the_old_one_back(site, apt) -> None:
    restart = ("sh", "-c", 'test ! -e "$1/bad-$2"', "restart", str(site.folder), "{revision}")
    recipe = Package("apt", "pithead-cart", restart, version="1:{revision}-1")
    site.way = Way("cart", recipe, directory=str(site.kept))
    assert (await state(site)).revision == ""
    first = await deployed(site, "1.0", 1)
    assert (first.result, first.detail, apt.read_text()) == (Result.DONE, "runs 1.0", "1.0")
    missing = await deployed(site, "1.2", 2)
    assert missing.result is Result.FAILED
    assert missing.detail == "not installed: exit 100: E: Version '1:1.2-1' for 'pithead-cart' was not found; 1.0 is"
    now = await state(site)
    assert (now.revision, now.healthy) == ("1.0", True)
    (site.folder / "bad-1.1").touch()
    failed = await deployed(site, "1.1", 3)
    assert (failed.result, failed.detail) == (Result.FAILED, "restart failed: exit 1; 1.0 runs again")
    assert ((await state(site)).revision, apt.read_text()) == ("1.0", "1.0")


def pinned(site) -> None:
    site.way = Way("cart", Package("apt", "pithead-cart", version="1:{revision}-1"), directory=str(site.kept))


async def test_a_package_goes_up_and_down(site, apt) -> None:
    pinned(site)
    for attempt, revision in enumerate(("1.0", "1.1", "1.0"), 1):
        outcome = await deployed(site, revision, attempt)
        assert (outcome.result, outcome.detail) == (Result.DONE, f"runs {revision}")
        assert apt.read_text() == revision


async def test_a_version_that_has_just_been_published_is_found(site, apt) -> None:
    pinned(site)
    await deployed(site, "1.0", 1)
    at = site.server.home / "apt"
    with (at / "archive" / "Packages").open("a") as listed:
        listed.write(packaged(at, "1.2"))
    outcome = await deployed(site, "1.2", 2)
    assert (outcome.result, outcome.detail, apt.read_text()) == (Result.DONE, "runs 1.2", "1.2")


async def test_a_package_that_somebody_holds_stays_and_is_said_so(site, apt) -> None:
    pinned(site)
    await deployed(site, "1.0", 1)
    root = site.server.home / "apt" / "root"
    held = ["dpkg", f"--root={root}", "--force-not-root", "--log=/dev/null", "--set-selections"]
    process = await asyncio.create_subprocess_exec(*held, stdin=asyncio.subprocess.PIPE)
    await process.communicate(b"pithead-cart hold\n")
    failed = await deployed(site, "1.1", 2)
    assert failed.result is Result.FAILED
    assert failed.detail.startswith("not installed: exit 100: E: Held packages were changed and -y was used without ")
    assert failed.detail.endswith("; 1.0 is")
    now = await state(site)
    assert (now.revision, now.healthy) == ("1.0", True)


async def test_somebody_elses_upgrade_is_waited_for(site, apt) -> None:
    pinned(site)
    await deployed(site, "1.0", 1)
    lock = os.open(site.server.home / "apt/root/var/lib/dpkg/lock-frontend", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    fcntl.lockf(lock, fcntl.LOCK_EX)
    deploy = asyncio.create_task(deployed(site, "1.1", 2))
    async with asyncio.timeout(LONG_S):
        while b"Could not get lock" not in (site.kept / "out.log").read_bytes() + (site.kept / "err.log").read_bytes():
            assert not deploy.done(), deploy.result()
            await asyncio.sleep(0.02)
    os.close(lock)
    outcome = await deploy
    assert (outcome.result, outcome.detail) == (Result.DONE, "runs 1.1")
