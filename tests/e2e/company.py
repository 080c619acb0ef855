"""The real demo without a terminal, as tests see it: run, asked, disturbed."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.api.first_look import ask
from adapters.config import demo_config_path, load, shifted
from pipeline.model import Host
from pipeline.ports import ControllerLost
from pipeline.view import FleetView, ServiceRow, State
from tests.e2e.terminal import PITHEAD

FASTER = {
    'duration = "40s"': 'duration = "8s"',
    "requests = 120": "requests = 20",
    # In a day of ten seconds, one late second is a peak that never comes again.
    "peak_ratio = 0.8": 'peak_ratio = 0.3\nshorter_because = "a test waits for it"',
    'day = "': 'day = "10s" # "',
    'soak = "6s"': 'soak = "2s"',
    'settle = "15s"': 'settle = "3s"',
}
"""What makes the demo's configuration quick enough to be waited for."""


SOONER = """
[service.checkout.cycle]
duration = "15s"
peak_ratio = 0.2
shorter_because = "a test waits for it"

[service.checkout.deploy]
soak = "3s"
settle = "3s"

[service.pricing.cycle]
duration = "15s"
peak_ratio = 0.2
shorter_because = "a test waits for it"
"""
"""Brings the demo's good releases through before its bad ones are found; those stay as the demo has them."""


def quick_config(folder: Path) -> Path:
    """The demo's configuration with a traffic cycle of seconds."""
    text = demo_config_path().read_text()
    for old, new in FASTER.items():
        assert old in text, old
        text = text.replace(old, new)
    return _written(folder, text)


def sooner_config(folder: Path) -> Path:
    """The demo's configuration, with `SOONER`."""
    return _written(folder, demo_config_path().read_text() + SOONER)


def _written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    path.chmod(0o600)
    shutil.copytree(demo_config_path().parent / "recordings", folder / "recordings")
    return path


class Company:
    """`pithead demo --headless` with these options; `read` is what it prints."""

    def __init__(self, folder: Path, *options: str) -> None:
        env = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder)}
        self._err = folder / "demo.err"
        self._out = folder / "demo.out"
        self.folder = folder
        with self._err.open("wb") as err, self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [*PITHEAD, "demo", "--headless", *options], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
        self.run_dir = Path()

    def wait_ready(self, within_s: float = 60.0) -> None:
        said: list[str] = []

        def told() -> bool:
            assert self.process.poll() is None, self._err.read_text()
            said[:] = re.findall(r"--run-dir (\S+) status\n", self._err.read_text())
            return bool(said)

        until(told, within_s, "the company runs")
        self.run_dir = Path(said[0])

    def fleet(self) -> FleetView:
        return ask(self.run_dir / "pithead.sock").fleet(5.0)

    def row(self, service: str) -> ServiceRow:
        return next(row for row in self.fleet().services if row.name == service)

    def until(self, service: str, *states: State, within_s: float = 120.0) -> ServiceRow:
        """The service's row once it is in one of `states`; a controller that is away is waited for."""
        found: list[ServiceRow] = []

        def there() -> bool:
            try:
                found[:] = [self.row(service)]
            except ControllerLost:
                return False
            return found[0].state in states

        until(there, within_s, lambda: f"{service} in {states}: {found}")
        return found[0]

    def health(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(ask(self.run_dir / "pithead.sock", "/v1/health").result(5.0))
        return told

    def hosts(self, service: str) -> tuple[Host, ...]:
        """With the addresses that this company has taken."""
        command = Path(f"/proc/{self.health()['pid']}/cmdline").read_text().split("\0")
        octet = int(command[command.index("--second-octet") + 1])
        return shifted(load(demo_config_path()), octet).fleet.services[service].production

    def verb(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*PITHEAD, "--run-dir", str(self.run_dir), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def wait_end(self, within_s: float) -> int:
        return self.process.wait(within_s)

    def read(self) -> str:
        return self._out.read_text()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def page(host: Host, path: str) -> str:
    """What `host` says at `path`."""
    with urllib.request.urlopen(f"http://{host.address}{path}", timeout=5) as answer:
        text: str = answer.read().decode()
    return text


def started(host: Host) -> str:
    """When the process that runs on `host` began, in its own words: another one after each deploy."""
    found = re.search(r"^process_start_time_seconds (\S+)$", page(host, "/metrics"), re.MULTILINE)
    assert found is not None
    return found[1]


def agent(host: Host) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(page(host, "/agent/v1/state"))
    return told


def until(met: Callable[[], bool], within_s: float, what: str | Callable[[], str]) -> None:
    end = time.monotonic() + within_s
    while not met():
        assert time.monotonic() < end, f"not within {within_s} s: {what() if callable(what) else what}"
        time.sleep(0.1)


def processes_of(marker: str) -> list[str]:
    """Command lines of all processes on this machine that name `marker`, but for this one."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            if marker in line:
                found.append(line)
    return found
