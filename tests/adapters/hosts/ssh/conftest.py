"""One sshd for all of these tests, with doors that answer well and doors that do not."""

import hashlib
import random
import shutil
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from adapters.hosts.ssh import Directory, ReleaseDir, SshClient, SshHosts, SshSettings, Url, Way
from pipeline.events import Intent
from pipeline.model import Host, Pool
from pithead.clock import SystemClock
from tests.neighbours.sshd import Sshd, sshd

NOISE = r"printf 'Welcome!\nPITHEAD-0 revision r9\n\377\376\033[31m no line end'; echo 'stty: no tty' >&2; "
DOORS = {
    "plain": (),
    "noisy": (f'ForceCommand {NOISE} exec sh -c "$SSH_ORIGINAL_COMMAND"',),
    "false": ("ForceCommand /bin/false",),
    "forced": ("ForceCommand echo 'This account is not available.'",),
    "hang": ("ForceCommand exec cat >/dev/null",),
    "flood": ("ForceCommand exec yes",),
    "bash": ("ForceCommand exec bash --posix -s",),
    "busybox": ('ForceCommand mkdir -p "$HOME/bb"; busybox --install -s "$HOME/bb"; PATH="$HOME/bb" exec sh -s',),
    "small": ("ForceCommand ulimit -f 200; exec sh -s",),
    "apt": ('ForceCommand export APT_CONFIG="$HOME/apt/conf" DPKG_ADMINDIR="$HOME/apt/root/var/lib/dpkg"; exec sh -s',),
    "dnf": ('ForceCommand PATH="$HOME/dnf/bin:$PATH" exec sh -s',),
    "fake": ('ForceCommand PATH="$HOME/fake:$PATH" exec sh -s',),
}


@pytest.fixture(scope="session")
def server() -> Iterator[Sshd]:
    folder = Path(tempfile.mkdtemp(prefix="pithead-sshd-"))
    try:
        with sshd(folder, DOORS, "MaxStartups 8:100:8") as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class ShiftedClock(SystemClock):
    """The machine's own, but time can be made to have passed."""

    passed_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.passed_s


@dataclass
class Site:
    """A service's builds, its way and its hosts, below one folder."""

    folder: Path
    server: Sshd
    client: SshClient
    hosts: SshHosts
    way: Way
    clock: ShiftedClock

    @property
    def root(self) -> Path:
        return self.folder / "srv"

    @property
    def kept(self) -> Path:
        return self.folder / "kept"

    def host(self, door: str = "plain", name: str = "cart-1") -> Host:
        return Host(name, "127.0.0.1:1", Pool.PRODUCTION, "fra1", ssh=door)

    def intent(self, revision: str, attempt: int = 1, step: str = "forward") -> Intent:
        operation = f"cart-7.{step}.cart-1.{attempt}"
        return Intent(operation, "cart-7", "cart", "cart-1", revision, self.clock.now())

    def build(self, revision: str, content: bytes = b"", suffix: str = ".tar.gz") -> Path:
        """An artifact with a file `version` in it."""
        inside = self.folder / "inside"
        inside.mkdir(exist_ok=True)
        (inside / "version").write_bytes(content or revision.encode())
        file = self.folder / "builds" / f"{revision}{suffix}"
        if suffix == ".zip":
            subprocess.run(["zip", "-q", "-j", file, inside / "version"], check=True, timeout=20)
        elif ".t" in suffix:
            mode = {".tar": "w", ".tar.xz": "w:xz"}.get(suffix, "w:gz")
            with tarfile.open(file, mode) as archive:  # type: ignore[call-overload]
                archive.add(inside / "version", "version")
        else:
            file.write_bytes((inside / "version").read_bytes())
        return file

    def restarts(self) -> list[str]:
        """The revisions that were started, in order."""
        log = self.folder / "restarts"
        return log.read_text().split() if log.exists() else []

    def by(self, **changes: object) -> None:
        """Another recipe, where it differs."""
        self.way = replace(self.way, recipe=replace(self.way.recipe, **changes))  # type: ignore[type-var, arg-type]

    def releases(self) -> list[str]:
        return sorted(folder.name for folder in (self.root / "releases").iterdir())

    def current(self) -> str:
        return (self.root / "current" / "version").read_text()


RESTART = 'test ! -e "$1/bad-$2" || { echo "cannot bind: $2" >&2; exit 3; }; echo "$2" >>"$1/restarts"'


@pytest.fixture
def settings(server: Sshd) -> SshSettings:
    options = ("-F", str(server.config), "-i", str(server.folder / "login_key"), "-o", "IdentitiesOnly=yes")
    known = ("-o", f"UserKnownHostsFile={server.known_hosts}", "-o", "GlobalKnownHostsFile=none")
    return SshSettings(options=(*options, *known, "-o", "HostKeyAlias=pithead-test"))


@pytest.fixture
async def site(server: Sshd, settings: SshSettings, tmp_path: Path) -> AsyncIterator[Site]:
    (tmp_path / "builds").mkdir()
    recipe = ReleaseDir(
        str(tmp_path / "srv"),
        Directory(str(tmp_path / "builds")),
        restart=("sh", "-c", RESTART, "restart", str(tmp_path), "{revision}"),
    )
    clock = ShiftedClock()
    client = SshClient(settings, tmp_path / "run", clock, random.Random(7))
    way = Way("cart", recipe, directory=str(tmp_path / "kept"))
    here = Site(tmp_path, server, client, SshHosts(client, lambda _: here.way, clock), way, clock)
    yield here
    await here.hosts.close()


@pytest.fixture
def other_client(settings: SshSettings, tmp_path: Path) -> Callable[..., SshClient]:
    def made(**changes: object) -> SshClient:
        return SshClient(replace(settings, **changes), tmp_path / "other", SystemClock(), random.Random(8))  # type: ignore[arg-type]

    return made


@dataclass
class Web:
    """A web server with builds and their checksums."""

    folder: Path
    port: int

    def put(self, build: Path, *, right: bool) -> None:
        content = build.read_bytes()
        digest = hashlib.sha256(content if right else b"").hexdigest()
        (self.folder / build.name).write_bytes(content)
        (self.folder / f"{build.name}.sha256").write_text(f"{digest}  {build.name}\n")
        with (self.folder.parent / "sums").open("a") as sums:
            sums.write(f"{digest} *{build.name}\n")

    def artifact(self, sums: Path | None = None) -> Url:
        url = f"http://127.0.0.1:{self.port}/{{revision}}.tar.gz"
        return Url(url, sha256_file=str(sums)) if sums else Url(url, f"{url}.sha256")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: the tests look at what was done."""


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    folder = tmp_path / "web"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        yield Web(folder, httpd.server_port)
        httpd.shutdown()
        thread.join()
