"""A real Alertmanager on loopback, without notifications and without peers."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters import http
from tests.neighbours.need import need

READY_S = 20.0

CONFIG = """
route:
  receiver: nobody
receivers:
  - name: nobody
inhibit_rules:
  - source_matchers: [alertname = DatacenterDown]
    target_matchers: [severity = warning]
    equal: [datacenter]
"""


@dataclass(frozen=True)
class Alertmanager:
    url: str
    client: http.AsyncClient

    async def fire(self, alerts: Sequence[dict[str, object]]) -> None:
        """Alerts as Prometheus sends them."""
        (await self.client.post(f"{self.url}/api/v2/alerts", json=list(alerts))).raise_for_status()

    async def silence(self, label: str, value: str) -> None:
        matcher = {"name": label, "value": value, "isRegex": False, "isEqual": True}
        silence = {
            "matchers": [matcher],
            "startsAt": "2020-01-01T00:00:00Z",
            "endsAt": "2999-01-01T00:00:00Z",
            "createdBy": "test",
            "comment": "test",
        }
        (await self.client.post(f"{self.url}/api/v2/silences", json=silence)).raise_for_status()


@contextlib.asynccontextmanager
async def alertmanager(folder: Path, prefix: str = "", web: str = "") -> AsyncIterator[Alertmanager]:
    """One that answers below the path `prefix`; `web` is its --web.config.file's text."""
    program = need("prometheus-alertmanager")
    (folder / "alertmanager.yml").write_text(CONFIG)
    (folder / "web.yml").write_text(web)
    address = _free_address()
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/data",
        f"--web.listen-address={address}",
        f"--web.config.file={folder}/web.yml",
        f"--web.external-url=http://{address}{prefix}",
        "--cluster.listen-address=",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    client = http.client()
    try:
        async with asyncio.timeout(READY_S):
            while not await _is_ready(client, f"http://{address}{prefix}/-/ready"):
                assert process.returncode is None, "alertmanager does not start: see its configuration"
                await asyncio.sleep(0.02)
        yield Alertmanager(f"http://{address}{prefix}", client)
    finally:
        await client.aclose()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _is_ready(client: http.AsyncClient, url: str) -> bool:
    try:
        answer = await client.get(url)
    except http.HTTPError:
        return False
    # One that asks for a password is up too.
    return answer.status_code in (200, 401)


def _free_address() -> str:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{holder.getsockname()[1]}"


def alert(name: str, starts: str = "2026-01-05T00:00:00Z", summary: str = "", **labels: str) -> dict[str, object]:
    """One that fires until further notice."""
    return {
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": summary} if summary else {},
        "startsAt": starts,
        "endsAt": "2999-01-01T00:00:00Z",
    }
