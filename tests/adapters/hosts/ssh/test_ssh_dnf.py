"""Packages by the real dnf and rpm, in a root of their own: the machine's packages are not touched."""

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

LONG_S = 60.0
SPEC = """
Name: pithead-cart
Version: {version}
Release: 3
Summary: a service
License: none
BuildArch: noarch
%description
a service
%install
mkdir -p %{{buildroot}}/opt
echo {version} >%{{buildroot}}/opt/cart
%files
/opt/cart
"""
REPOSITORY = "[cart]\nname=cart\nbaseurl=file://{at}/repo\ngpgcheck=0\n"
DNF = (
    '#!/bin/sh\necho "$1 $2" >>{at}/asked\nexec {dnf} --installroot={at}/root --setopt=reposdir={at}/repos '
    '--setopt=varsdir={at}/repos --setopt=cachedir={at}/cache --releasever=9 "$@"\n'
)
RPM = '#!/bin/sh\nexec {rpm} --root={at}/root "$@"\n'


@pytest.fixture
def dnf(server) -> Iterator[Path]:
    """A root with nothing installed, and an archive with one version of a package."""
    programs = {name: need(name) for name in ("dnf", "rpm", "rpmbuild", "createrepo_c")}
    if os.geteuid():
        pytest.skip("dnf installs as root only")
    at = server.home / "dnf"
    for folder in ("root", "repo", "repos", "bin"):
        (at / folder).mkdir(parents=True)
    (at / "repos" / "cart.repo").write_text(REPOSITORY.format(at=at))
    for name, text in {"dnf": DNF, "rpm": RPM}.items():
        (at / "bin" / name).write_text(text.format(at=at, **programs))
        (at / "bin" / name).chmod(0o755)
    published(at, "1.0")
    yield at
    shutil.rmtree(at)


def published(at: Path, version: str) -> None:
    (at / "cart.spec").write_text(SPEC.format(version=version))
    defined = {"_topdir": f"{at}/top", "_rpmdir": f"{at}/repo", "_dbpath": f"{at}/top/db"}
    options = [word for name, value in defined.items() for word in ("--define", f"{name} {value}")]
    environment = {**os.environ, "HOME": str(at)}
    for command in (["rpmbuild", "-bb", "--quiet", *options, at / "cart.spec"], ["createrepo_c", "-q", at / "repo"]):
        subprocess.run(command, check=True, timeout=LONG_S, env=environment, capture_output=True)


async def deployed(site, revision: str, attempt: int) -> Outcome:
    return await site.hosts.deploy(site.host("dnf"), site.intent(revision, attempt), 1, LONG_S)


async def test_an_rpm_goes_up_and_down_and_what_was_just_published_is_found(site, dnf) -> None:
    site.way = Way("cart", Package("dnf", "pithead-cart"), directory=str(site.kept))
    assert (await deployed(site, "1.0", 1)).detail == "runs 1.0"
    # What dnf knows of the archive is of before.
    published(dnf, "1.1")
    up = await deployed(site, "1.1", 2)
    assert (up.result, up.detail, (dnf / "root/opt/cart").read_text()) == (Result.DONE, "runs 1.1", "1.1\n")
    (dnf / "asked").unlink()
    back = await deployed(site, "1.0", 3)
    assert (back.result, back.detail, (dnf / "root/opt/cart").read_text()) == (Result.DONE, "runs 1.0", "1.0\n")
    assert (dnf / "asked").read_text() == "install -y\n"
    missing = await deployed(site, "1.2", 4)
    assert missing.result is Result.FAILED
    assert missing.detail == "not installed: exit 1: Error: Unable to find a match: pithead-cart-1.2; 1.0 is"
    (now,) = (await site.hosts.states([site.host("dnf")], LONG_S)).values()
    assert isinstance(now, HostState)
    assert (now.revision, now.healthy) == ("1.0", True)
