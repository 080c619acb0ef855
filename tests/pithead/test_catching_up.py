"""Requests of the time without a controller, read from a real Prometheus."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from adapters.history.sqlite import SqliteHistory
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.presets import PRESETS
from adapters.metrics.prometheus.queries import Labels
from adapters.metrics.prometheus.settings import ServerSettings
from pipeline.model import Host, Pool, Service
from pipeline.ports import Changes, Slice
from pithead.catching_up import STEP_S, catch_up
from pithead.clock import SystemClock
from tests.neighbours.need import need
from tests.neighbours.prometheus import prometheus

RATE, BAD = 5, 1
"""Requests a second and bad ones a ten seconds, of each host."""
HOSTS = ("10.0.0.1:80", "10.0.0.2:80")
MINUTES = 40


def past(folder: Path, now: float) -> Path:
    """Blocks of the last `MINUTES`, a sample every ten seconds."""
    lines = ["# TYPE http_requests counter"]
    begin = now - MINUTES * 60
    for host in HOSTS:
        for code, share in (("200", RATE), ("500", BAD / 10)):
            labels = f'{{instance="{host}",code="{code}"}}'
            lines += [
                f"http_requests_total{labels} {share * 10 * step} {begin + 10 * step}" for step in range(MINUTES * 6)
            ]
    text = folder / "past.om"
    text.write_text("\n".join(lines) + "\n# EOF\n")
    import subprocess

    made = [need("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "data")]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    return folder / "data"


@pytest.fixture
async def filled(tmp_path: Path):
    need("prometheus")
    now = time.time()
    data = past(tmp_path, now)
    clock = SystemClock()
    history = SqliteHistory(tmp_path / "history.db", clock)
    history.start()
    hosts = tuple(Host(f"web-{n}", address, Pool.PRODUCTION, "fra1") for n, address in enumerate(HOSTS))
    services = MappingProxyType({"web": Service("web", hosts, "r1")})
    with prometheus(tmp_path / "server", data=data) as url:
        client = PrometheusClient(ServerSettings(url), clock)

        async def run() -> int:
            signals = dict(PRESETS["prometheus"])
            return await catch_up(services, history, client, signals, Labels(), lambda host: host.address, clock)

        yield history, run, datetime.fromtimestamp(now, UTC)
        await client.close()
    history.close()


async def test_a_gap_is_filled_with_what_the_server_remembers_and_only_the_gap(filled) -> None:
    history, run, now = filled
    newest = (now - timedelta(minutes=20)).replace(second=0, microsecond=0)
    history.record(Changes(slices=(Slice("web", newest, 1, 0),)))
    async with asyncio.timeout(30):
        told = await run()
    assert 14 <= told <= 20
    total, bad = history.requests(newest + timedelta(seconds=STEP_S))["web"]
    assert total == pytest.approx(told * 60 * (RATE + BAD / 10) * len(HOSTS), rel=0.02)
    assert bad == pytest.approx(told * 60 * BAD / 10 * len(HOSTS), rel=0.1)
    before = history.requests(newest - timedelta(days=1))["web"]
    async with asyncio.timeout(30):
        await run()
    assert history.requests(newest - timedelta(days=1))["web"] == before


async def test_a_service_that_nothing_is_kept_of_is_looked_up_a_day_back(filled) -> None:
    history, run, now = filled
    async with asyncio.timeout(60):
        told = await run()
    assert MINUTES - 6 <= told <= MINUTES
    assert history.requests(now - timedelta(days=1))["web"][0] > 0
