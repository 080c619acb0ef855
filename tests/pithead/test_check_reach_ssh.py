"""`pithead check --reach` over ssh: whether the login gets in, and whether a recipe could do its work there."""

import os
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pithead.cli import main
from pithead.exits import Exit
from tests.neighbours.sshd import Sshd, sshd
from tests.pithead.reaching_support import Came, company, reaching, write

DOORS = {
    "plain": (),
    "late": ('ForceCommand PATH="$HOME/late:$PATH" exec sh -s',),
    "false": ("ForceCommand /bin/false",),
}
NO_HOST = "127.0.0.1:1"
DIGEST = "a" * 64
MAY = "let the login write there, or"


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    folder = Path(tempfile.mkdtemp(prefix="pithead-reach-"))
    try:
        with sshd(folder, DOORS) as running:
            late = running.home / "late"
            late.mkdir()
            (late / "date").write_text("#!/bin/sh\necho 1000000000\n")
            (late / "date").chmod(0o755)
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Site:
    """One service on two hosts behind one sshd, with a folder of releases each."""

    def __init__(self, folder: Path, server: Sshd) -> None:
        self.folder, self.server = folder, server
        self.key = "login_key"
        (folder / "builds").mkdir()
        for revision in ("r1", "r2"):
            (folder / "inside").write_text(revision)
            with tarfile.open(folder / "builds" / f"{revision}.tar.gz", "w:gz") as archive:
                archive.add(folder / "inside", "version")
        for host in ("cart-stg-1", "cart-1"):
            (self.root(host) / "releases" / "r1").mkdir(parents=True)
            (self.root(host) / "current").symlink_to("releases/r1")

    def root(self, host: str) -> Path:
        return self.folder / "srv" / host

    def text(self, reach: str = "", artifact: str = "", door: str = "plain") -> str:
        options = ["-F", str(self.server.config), "-i", str(self.server.folder / self.key)]
        options += ["-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={self.server.known_hosts}"]
        options += ["-o", "GlobalKnownHostsFile=none", "-o", "HostKeyAlias=pithead-test"]
        recipe = reach or f'recipe = "release-dir"\nroot = "{self.root("cart-1")}"'
        ssh = f"[ssh]\noptions = {options}\n"
        ways = f'[organisation.reach]\nby = "ssh"\ndirectory = "{self.folder}/kept/{{host}}"\n{recipe}\n'
        builds = artifact or f'directory = "{self.folder}/builds"'
        if "release-dir" in recipe:
            ways += f"[organisation.artifact]\n{builds}\n"
        return company({"cart-stg-1": NO_HOST, "cart-1": "127.0.0.2:1"}, ssh + ways, ssh=door)

    async def reached(self, reach: str = "", artifact: str = "", door: str = "plain") -> Came:
        came = await reaching(self.folder, self.text(reach, artifact, door))
        # They have no metrics page: that is another test's.
        return Came([each for each in came.found if each.kind != "metric"])

    def tree(self) -> list[tuple[str, int]]:
        """Every file below the folder and when it was changed."""
        return sorted((str(path), path.lstat().st_mtime_ns) for path in self.folder.rglob("*"))


@pytest.fixture
def site(server: Sshd, tmp_path: Path) -> Site:
    return Site(tmp_path, server)


async def test_a_host_that_is_well_is_reached_with_its_revision_and_builds(site: Site) -> None:
    came = await site.reached()
    assert came.lines == []
    assert came.of("host") == ["cart-stg-1: by ssh, runs r1", "cart-1: by ssh, runs r1"]
    assert came.of("artifact") == [f"{site.folder}/builds: 2 builds, the newest r2, r1"]
    assert came.summary == "hosts 2 of 2, artifacts 1 of 1"


async def test_nothing_is_changed_on_a_host(site: Site) -> None:
    write(site.folder, site.text())
    before = site.tree()
    await site.reached()
    after = [entry for entry in site.tree() if not entry[0].endswith("config.toml")]
    assert after == [entry for entry in before if not entry[0].endswith("config.toml")]
    assert not (site.folder / "kept").exists()


async def test_folders_that_nothing_can_be_put_in_are_told(site: Site) -> None:
    (site.folder / "file").write_text("")
    (site.folder / "kept").write_text("")
    came = await site.reached(f'recipe = "release-dir"\nroot = "{site.folder}/file/srv"')
    first = f"put what runs into {site.folder}/file/srv/releases/REVISION and link {site.folder}/file/srv/current to it"
    assert came.wrong("host")[3:] == [
        f"cart-1: cannot keep anything in {site.folder}/kept/cart-1: {MAY} set reach.directory to where it may",
        f"cart-1: no release can be put in {site.folder}/file/srv: {MAY} correct reach.root",
        f"cart-1: no revision runs there: {first}, or deploy one, or correct service.cart.reach",
    ]


async def test_the_hosts_name_is_filled_in_where_the_configuration_leaves_it_open(site: Site) -> None:
    (site.root("cart-1") / "current").unlink()
    came = await site.reached(f'recipe = "release-dir"\nroot = "{site.folder}/srv/{{host}}"')
    (line,) = came.wrong("host")
    assert f"put what runs into {site.root('cart-1')}/releases/REVISION and link {site.root('cart-1')}/current" in line


async def test_a_host_whose_last_restart_failed_is_told_with_the_reason(site: Site) -> None:
    kept = site.folder / "kept" / "cart-1"
    kept.mkdir(parents=True)
    (kept / "sick").write_text("restart failed: exit 1\n")
    came = await site.reached()
    assert came.wrong("host") == ["cart-1: not healthy: restart failed: exit 1: see the service's log on the host"]


def identity() -> str:
    """This very process, as the helper on a host names its worker."""
    started = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{os.getpid()}.{started}.{boot}\n"


async def test_a_host_in_mid_deploy_is_not_called_sick(site: Site) -> None:
    kept = site.folder / "kept" / "cart-1"
    (kept / "ops").mkdir(parents=True)
    (kept / "newest").write_text("op-7\n")
    (kept / "ops" / "op-7.pid").write_text(identity())
    came = await site.reached(f'recipe = "release-dir"\nroot = "{site.root("cart-1")}"\nhealth = ["false"]')
    assert came.of("host")[0].startswith("cart-stg-1: not healthy")
    assert came.of("host")[1] == "cart-1: by ssh, runs r1, a deploy is under way"


async def test_a_directory_that_is_another_hosts_is_told(site: Site) -> None:
    (site.folder / "kept" / "cart-1").mkdir(parents=True)
    (site.folder / "kept" / "cart-1" / "host").write_text("cart-7\n")
    came = await site.reached()
    assert "cart-1 is that of cart-7: give each host its own" in came.wrong("host")[0]


async def test_a_folder_in_the_place_of_the_link_is_told(site: Site) -> None:
    (site.root("cart-1") / "current").unlink()
    (site.root("cart-1") / "current").mkdir()
    came = await site.reached()
    assert any("current is no symbolic link: move it away" in line for line in came.wrong("host"))


async def test_programs_that_are_not_there_are_told_by_their_key(site: Site) -> None:
    recipe = f'recipe = "release-dir"\nroot = "{site.root("cart-1")}"\n'
    came = await site.reached(recipe + 'restart = ["/no/such", "{revision}"]\nhealth = ["no-such-check"]')
    assert "cart-1: the restart command's program /no/such is not there: install it, or correct reach.restart" in (
        came.wrong("host")
    )
    assert any("the health command's program no-such-check" in line for line in came.wrong("host"))
    assert any("not healthy: health command: exit 127" in line for line in came.wrong("host"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ('["sh", "-c", "exit 3"]', "state command: exit 3"),
        ('["echo", "not a revision"]', "state command: says no revision"),
        ('["no-such"]', "the state command's program no-such is not there"),
    ],
)
async def test_a_state_command_that_does_not_work_is_told(words: str, said: str, site: Site) -> None:
    came = await site.reached(f'recipe = "command"\ndeploy = ["true", "{{revision}}"]\nstate = {words}')
    assert any(line.startswith(f"cart-1: {said}") for line in came.wrong("host"))


async def test_a_state_command_that_works_tells_the_revision(site: Site) -> None:
    came = await site.reached('recipe = "command"\ndeploy = ["true"]\nstate = ["echo", "r77"]')
    assert came.of("host")[1] == "cart-1: by ssh, runs r77"


async def test_a_package_that_nobody_knows_is_told(site: Site) -> None:
    shutil.which("apt-get") or pytest.skip("needs apt-get (Debian: apt)")
    came = await site.reached('recipe = "package"\nmanager = "apt"\npackage = "pithead-no-such-package"')
    said = "the package manager there knows no package pithead-no-such-package: refresh the host's package lists"
    assert any(line.startswith(f"cart-1: {said}") for line in came.wrong("host"))


async def test_a_login_that_is_refused_is_told_with_what_to_try(site: Site) -> None:
    site.key = "other_login_key"
    came = await site.reached()
    line = came.wrong("host")[1]
    assert line.startswith("cart-1: no ssh: login refused (")
    assert f"see whether ssh -F {site.server.config} -i " in line
    assert "tried again" not in line


@pytest.mark.parametrize(
    ("door", "said"),
    [
        ("false", "no ssh: the login there runs no `sh -s`"),
        ("no-such-host.invalid", "no ssh: name not found"),
    ],
)
async def test_a_door_that_leads_nowhere_is_told(door: str, said: str, site: Site) -> None:
    came = await site.reached(door=door)
    assert all(said in line for line in came.wrong("host"))
    assert len(came.wrong("host")) == 2


async def test_a_clock_that_is_wrong_is_told(site: Site) -> None:
    came = await site.reached(door="late")
    assert all("behind of ours: have both keep time (NTP)" in line for line in came.wrong("host"))
    assert len(came.wrong("host")) == 2


@pytest.mark.parametrize(
    ("artifact", "said"),
    [
        ('directory = "/no/such/builds"', "/no/such/builds: No such file or directory: make it readable"),
        ('directory = "{}/builds"\nname = "cart-{{revision}}.zip"', "no build named cart-{revision}.zip: build one"),
        ("there = true", None),
    ],
)
async def test_builds_that_are_not_there_are_told(artifact: str, said: str | None, site: Site) -> None:
    came = await site.reached(artifact=artifact.replace("{}", str(site.folder)).replace("{{revision}}", "{revision}"))
    if said is None:
        assert came.of("artifact") == ["on the hosts: releases on 2 of 2 hosts"]
    else:
        assert any(said in line for line in came.wrong("artifact"))


async def test_hosts_without_a_release_are_told_where_others_put_them_there(site: Site) -> None:
    shutil.rmtree(site.root("cart-1") / "releases")
    came = await site.reached(artifact="there = true")
    assert "on the hosts: cart-1 has no release to run" in came.wrong("artifact")[1]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "r1.tar.gz").write_bytes(b"build")
    (folder / "r1.tar.gz.sha256").write_text(f"{DIGEST}  r1.tar.gz\n")
    (folder / "rubbish-r1").write_text("<html>welcome</html>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("name", "sums", "said"),
    [
        ("{revision}.tar.gz", "{revision}.tar.gz.sha256", []),
        ("{revision}.tar.gz", "{revision}.sums", ["r1.sums: HTTP 404: publish the checksum beside each build"]),
        ("{revision}.tar.gz", "rubbish-{revision}", ["no sha256 of r1.tar.gz in it: publish"]),
        ("{revision}.zip", "{revision}.tar.gz.sha256", ["r1.zip: HTTP 404: keep builds that run"]),
    ],
)
async def test_the_build_that_runs_is_asked_for_with_its_checksum(
    name: str, sums: str, said: list[str], site: Site, web: str
) -> None:
    came = await site.reached(artifact=f'url = "{web}/{name}"\nsha256_url = "{web}/{sums}"')
    wrong = came.wrong("artifact")
    assert len(wrong) == len(said)
    assert all(part in line for part, line in zip(said, wrong, strict=True))


async def test_a_web_server_that_is_not_there_is_told(site: Site) -> None:
    url = 'url = "http://127.0.0.1:1/{revision}.tar.gz"\nsha256_url = "http://127.0.0.1:1/{revision}.sha256"'
    came = await site.reached(artifact=url)
    assert [line.count("no connection") for line in came.wrong("artifact")] == [1, 1]


def test_connections_of_a_controller_are_left_alone(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "run" / "ssh"
    other.mkdir(parents=True)
    (other / "socket").write_text("")
    monkeypatch.setenv("PITHEAD_RUN_DIR", str(tmp_path / "run"))
    path = write(site.folder, site.text())
    assert main(["check", "--reach", "--json", str(path)]) == Exit.REFUSED
    assert (other / "socket").exists()
