"""A fleet like one that exists: hosts behind a real sshd, Prometheus, HAProxy, and a controller over them."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from adapters.api.first_look import ask
from pipeline.ports import ControllerLost
from pipeline.view import ServiceRow
from tests.e2e import webapp
from tests.e2e.terminal import PITHEAD
from tests.neighbours.haproxy import Haproxy, free_ports, haproxy
from tests.neighbours.prometheus import free_address, prometheus
from tests.neighbours.sshd import Sshd, sshd

BUILDS = {"r1": 0.002, "r2": 0.002, "r3": 0.4, "r4": 0.002, "r5": 0.002, "r6": 0.002}
"""By revision: the ratio of errors it answers with."""
PRODUCTION = tuple(f"web-{number}" for number in range(1, 6))
HOSTS = ("web-stg-1", *PRODUCTION)

RESTART = """\
import os, signal, socket, subprocess, sys, time
folder = sys.argv[1]
address = open(os.path.join(folder, "address")).read()
pid_file = os.path.join(folder, "pid")
try:
    old = int(open(pid_file).read())
    os.kill(old, signal.SIGTERM)
    while os.path.exists(f"/proc/{old}") and "Z" not in open(f"/proc/{old}/stat").read().split(") ")[1][:1]:
        time.sleep(0.02)
except (OSError, ValueError):
    pass
quiet = subprocess.DEVNULL
app = os.path.realpath(os.path.join(folder, "current", "webapp.py"))
new = subprocess.Popen([sys.executable, app, address], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
open(pid_file, "w").write(str(new.pid))
host, _, port = address.rpartition(":")
for _ in range(200):
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        sys.exit(0)
    except OSError:
        time.sleep(0.05)
sys.exit("it does not listen")
"""

TRUST = """\
Host *
  IdentityFile {folder}/login_key
  IdentitiesOnly yes
  UserKnownHostsFile {known_hosts}
  HostKeyAlias pithead-test
"""

CONFIG = """\
[controller]
tick = "500ms"
host_timeout = "5s"
state_dir = "{folder}/state"
[ssh]
options = ["-F", "{ssh_config}"]
[prometheus]
url = "{prometheus}"
scrape = "1s"
every = "1s"
stale = "5s"
pace = "0s"
[haproxy.edge]
sockets = ["{socket}"]
[datacenter.fra1]
region = "eu"
[signals]
requests = {{ preset = "prometheus" }}
errors = {{ preset = "prometheus" }}
latency = {{ preset = "prometheus" }}
[organisation]
waves = ["50%", "100%"]
[organisation.promotions]
production = "automatic"
[organisation.cycle]
duration = "3s"
requests = 20
peak_ratio = 0.2
shorter_because = "a test waits for it"
[organisation.deploy]
at_once = 3
deadline = "40s"
soak = "1s"
settle = "1s"
[organisation.judge]
warmup = "1s"
stale = "4s"
no_data_limit = "10m"
[organisation.budget]
objective = "90%"
slice = "1s"

[organisation.staging]
mode = "full"
[organisation.metrics]
errors = {{ kind = "ratio", bad = "errors", total = "requests", tolerance = 0.02, min_samples = 10 }}
[organisation.checks]
healthz = {{ path = "/healthz" }}
[service.web]
revision = "r1"
hosts = [
{hosts}
]
[service.web.reach]
by = "ssh"
recipe = "release-dir"
root = "{folder}/hosts/{{host}}"
directory = "{folder}/hosts/{{host}}/.pithead"
restart = ["{python}", "{folder}/restart.py", "{folder}/hosts/{{host}}"]
[service.web.artifact]
directory = "{folder}/builds"
name = "web-{{revision}}.tar.gz"
[service.web.health]
path = "/healthz"
healthy_for = "500ms"
[service.web.balancer]
haproxy = "edge"
backend = "be_web"
drain = "5s"
[service.web.logs]
command = ["tail", "-n", "50", "{folder}/hosts/{{host}}/log"]
"""


@dataclass
class Traffic:
    """Clients that never stop; what they were not answered is what a user would have lost."""

    address: str
    lost: list[str] = field(default_factory=list)
    answered: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, clients: int = 5) -> None:
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        host, _, port = self.address.rpartition(":")
        while not self._stop.wait(0.02):
            connection = HTTPConnection(host, int(port), timeout=5)
            try:
                connection.request("GET", "/")
                status = connection.getresponse().status
                if status in (200, 500):
                    self.answered += 1
                else:
                    self.lost.append(f"HTTP {status}")
            except (OSError, HTTPException) as error:
                self.lost.append(f"{type(error).__name__}: {error}")
            finally:
                connection.close()


@dataclass
class RealFleet:
    folder: Path
    addresses: dict[str, str]
    door: Sshd
    balancer: Haproxy
    traffic: Traffic
    config: Path
    prometheus: "Scraper"
    process: subprocess.Popen[bytes] | None = None

    def revision(self, host: str) -> str:
        return (self.folder / "hosts" / host / "current").readlink().name

    def revisions(self) -> dict[str, str]:
        return {host: self.revision(host) for host in HOSTS}

    def controller(self) -> None:
        with (self.folder / "controller.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*PITHEAD, "--config", str(self.config), "controller"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.until(lambda row: True, 40.0)

    def verb(self, *words: str, within_s: float = 180.0) -> subprocess.CompletedProcess[str]:
        command = [*PITHEAD, "--config", str(self.config), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=within_s, check=False)

    def row(self) -> ServiceRow:
        return ask(self.folder / "state" / "run" / "pithead.sock").fleet(5.0).services[0]

    def until(self, met: Callable[[ServiceRow], bool], within_s: float = 90.0) -> ServiceRow:
        end = time.monotonic() + within_s
        row: ServiceRow | None = None
        while time.monotonic() < end:
            with contextlib.suppress(ControllerLost, OSError):
                row = self.row()
                if met(row):
                    return row
            assert self.process is None or self.process.poll() is None, self.log()
            time.sleep(0.1)
        raise AssertionError(f"not within {within_s} s: {row}\n{self.log()}")

    def log(self) -> str:
        return (self.folder / "controller.log").read_text(errors="replace")[-4_000:]

    def close(self) -> None:
        self.traffic.stop()
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)


class Scraper:
    """A Prometheus that can be stopped and started anew at the same place."""

    def __init__(self, folder: Path, targets: Sequence[tuple[str, Mapping[str, str]]]) -> None:
        self._folder, self._targets = folder, targets
        self._stack = ExitStack()
        self.address = free_address()
        self.start()

    def start(self) -> None:
        self._stack.enter_context(prometheus(self._folder, self._targets, address=self.address))

    def stop(self) -> None:
        self._stack.close()


@contextmanager
def real_fleet(folder: Path) -> Iterator[RealFleet]:
    """Six hosts on revision r1 behind all neighbours, with traffic, and a controller over them."""
    with ExitStack() as stack:
        addresses = dict(zip(HOSTS, free_ports(len(HOSTS)), strict=True))
        _build(folder / "builds")
        (folder / "restart.py").write_text(RESTART)
        for host, address in addresses.items():
            _install(folder, host, address)
        stack.callback(_end_hosts, folder)
        door = stack.enter_context(sshd(folder / "sshd", dict.fromkeys(HOSTS, ())))
        with door.config.open("a") as config_of_ssh:
            config_of_ssh.write(TRUST.format(folder=door.folder, known_hosts=door.known_hosts))
        balancer = _balanced(folder / "haproxy", {host: addresses[host] for host in PRODUCTION}, stack)
        scraper = Scraper(folder / "prometheus", [(address, {}) for address in addresses.values()])
        stack.callback(scraper.stop)
        config = folder / "config.toml"
        config.write_text(
            CONFIG.format(
                folder=folder,
                ssh_config=door.config,
                prometheus=f"http://{scraper.address}",
                socket=balancer.admin,
                python=sys.executable,
                hosts="\n".join(_line(host, address) for host, address in addresses.items()),
            )
        )
        config.chmod(0o600)
        fleet = RealFleet(folder, addresses, door, balancer, Traffic(balancer.front), config, scraper)
        stack.callback(fleet.close)
        fleet.traffic.start()
        fleet.controller()
        yield fleet


def _line(host: str, address: str) -> str:
    pool = 'pool = "staging", ' if "stg" in host else ""
    return f'    {{ {pool}datacenter = "fra1", name = "{host}", address = "{address}" }},'


def _build(folder: Path) -> None:
    folder.mkdir()
    for revision, error_ratio in BUILDS.items():
        behaviour = folder / "behaviour"
        behaviour.write_text(str(error_ratio))
        with tarfile.open(folder / f"web-{revision}.tar.gz", "w:gz") as build:
            build.add(webapp.__file__, "webapp.py")
            build.add(behaviour, "behaviour")


def _install(folder: Path, host: str, address: str) -> None:
    here = folder / "hosts" / host
    release = here / "releases" / "r1"
    release.mkdir(parents=True)
    with tarfile.open(folder / "builds" / "web-r1.tar.gz") as build:
        build.extractall(release, filter="data")
    (here / "current").symlink_to("releases/r1")
    (here / "address").write_text(address)
    (here / "log").write_text(f"{host} began\n")
    subprocess.run([sys.executable, str(folder / "restart.py"), str(here)], check=True, timeout=30)


def _balanced(folder: Path, servers: Mapping[str, str], stack: ExitStack) -> Haproxy:
    runner = stack.enter_context(asyncio.Runner())
    context = haproxy(folder, servers)
    balancer = runner.run(context.__aenter__())
    stack.callback(lambda: runner.run(context.__aexit__(None, None, None)))
    return balancer


def _end_hosts(folder: Path) -> None:
    for host in HOSTS:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((folder / "hosts" / host / "pid").read_text()), signal.SIGKILL)
