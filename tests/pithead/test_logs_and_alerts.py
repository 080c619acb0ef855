"""Logs by ssh and alerts of Alertmanager, all the way: real neighbours, a real controller, the command."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.api.client import ApiRoom
from pipeline.view import ServiceView
from pithead.cli import main
from pithead.daemon import Detached
from pithead.exits import Exit
from pithead.places import Places
from tests.neighbours.alertmanager import alert, alertmanager
from tests.neighbours.sshd import sshd

LONG_S = 30.0


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="pithead-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def config(folder: Path, options: list[str], url: str) -> str:
    return f"""
[controller]
tick = "200ms"
host_timeout = "200ms"
[ssh]
options = [{", ".join(f'"{option}"' for option in options)}]
[alertmanager]
url = "{url}"
every = "1s"
[datacenter.fra1]
region = "eu"
[signals]
requests = {{ kind = "counter", series = "http_requests_total" }}
errors = {{ kind = "counter", series = 'http_requests_total{{code=~"5.."}}' }}
[organisation.staging]
mode = "full"
[organisation.metrics]
errors = {{ kind = "ratio", bad = "errors", total = "requests" }}
[organisation.alerts]
fail = ["critical"]
[service.cart]
revision = "r1"
hosts = [
  {{ pool = "staging", datacenter = "fra1", name = "cart-stg", address = "127.9.0.1:80", ssh = "plain" }},
  {{ datacenter = "fra1", name = "cart-1", address = "127.9.0.2:80", ssh = "plain" }},
]
[service.cart.reach]
by = "ssh"
recipe = "command"
deploy = ["true"]
directory = "{folder}/kept"
[service.cart.logs]
file = "{folder}/cart.log"
"""


async def shown(room: ApiRoom) -> ServiceView:
    """The service's page once it has alerts on it."""
    async with asyncio.timeout(LONG_S):
        async for view in room.service("cart"):
            if view.alerts:
                return view
    raise AssertionError("no page")


async def test_lines_of_a_host_and_alerts_about_its_service_reach_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "cart.log").write_bytes(b"2026-01-09T14:07:30Z GET /\n2026-01-09T14:07:31Z \x1b[31mPOST /\n")
    (folder / "am").mkdir()
    async with alertmanager(folder / "am") as server:
        with sshd(folder / "sshd", {"plain": ()}) as door:
            options = ["-F", str(door.config), "-i", str(door.folder / "login_key"), "-o", "HostKeyAlias=pithead-test"]
            options += ["-o", f"UserKnownHostsFile={door.known_hosts}", "-o", "GlobalKnownHostsFile=none"]
            (folder / "config.toml").write_text(config(folder, options, server.url))
            (folder / "config.toml").chmod(0o600)
            places = Places(folder / "state", folder / "run", folder / "config.toml")
            await server.fire([alert("HighErrors", summary="5 % fail", service="cart", track="canary", env="prod")])
            started = Detached(places)
            try:
                started.wait()
                room = ApiRoom(places.socket(read_only=True))
                view = await shown(room)
                assert [(one.name, one.track, one.environment) for one in view.alerts] == [
                    ("HighErrors", "canary", "prod")
                ]
                assert view.row.alerts == 1
                await room.close()
                asked = ["--run-dir", str(places.run), "--config", str(places.config)]
                code = await asyncio.to_thread(main, ["logs", "cart", "--lines", "1", *asked])
                assert (code, capsys.readouterr().out) == (
                    Exit.DONE,
                    "production cart-1 | 2026-01-09T14:07:31Z \ufffd[31mPOST /\n",
                )
                assert await asyncio.to_thread(main, ["logs", "cart", "--host", "cart-9", *asked]) == Exit.REFUSED
                assert "logs cart: it has no host cart-9" in capsys.readouterr().err
            finally:
                started.process.terminate()
                assert await asyncio.to_thread(started.process.wait, LONG_S) == Exit.DONE
    assert list(places.run.iterdir()) == []
