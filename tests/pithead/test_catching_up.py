"""Requests of the time without a controller, read from a real Prometheus."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest

from adapters.history.sqlite import SqliteHistory
from adapters.metrics.prometheus.answers import Kind as Fault
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.presets import PRESETS
from adapters.metrics.prometheus.queries import Labels
from adapters.metrics.prometheus.returning import LEAST_S
from adapters.metrics.prometheus.settings import ServerSettings
from pipeline.model import Host, Pool, Rules, Service
from pipeline.ports import Changes
from pipeline.slo.rules import Kind, Objective
from pipeline.slo.slices import Slice
from pithead.catching_up import EVERY_S, LATE_S, Asked, catch_up, stay_caught_up
from pithead.clock import SystemClock
from tests.neighbours.need import need
from tests.neighbours.prometheus import prometheus

RATE, BAD = 5, 1
"""Requests a second and bad ones a ten seconds, of each host."""
SLOW = 2
"""Requests a second that take longer than the objective wants."""
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
    lines.append("# TYPE http_request_duration_seconds histogram")
    for host in HOSTS:
        for edge, rate in (("0.25", 1), ("0.5", RATE - SLOW), ("+Inf", RATE)):
            where = f'{{instance="{host}",le="{edge}"}}'
            lines += [
                f"http_request_duration_seconds_bucket{where} {rate * 10 * step} {begin + 10 * step}"
                for step in range(MINUTES * 6)
            ]
    text = folder / "past.om"
    text.write_text("\n".join(lines) + "\n# EOF\n")
    import subprocess

    made = [need("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "data")]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    return folder / "data"


def summed(history: SqliteHistory, now: datetime, slo: str = "availability") -> tuple[int, int, int]:
    """Of the last day: slices, requests, bad ones."""
    found = [one for one in history.slices("web", now - timedelta(days=1), now) if one.slo == slo]
    return len(found), sum(one.total for one in found), sum(one.bad for one in found)


@pytest.fixture
async def filled(tmp_path: Path):
    need("prometheus")
    now = time.time()
    data = past(tmp_path, now)
    clock = SystemClock()
    history = SqliteHistory(tmp_path / "history.db", clock)
    history.start()
    hosts = tuple(Host(f"web-{n}", address, Pool.PRODUCTION, "fra1") for n, address in enumerate(HOSTS))
    quick = Objective("quick", Kind.LATENCY, Decimal("0.9"), of="latency", over_s=0.3)
    unknown = Objective("other", Kind.LATENCY, Decimal("0.9"), of="nowhere", over_s=0.3)
    rules = Rules(slos=(quick, unknown))
    services = MappingProxyType({"web": Service("web", hosts, "r1", rules=rules)})
    told: list[str] = []
    asked: Asked = {}
    with prometheus(tmp_path / "server", data=data) as url:
        client = PrometheusClient(ServerSettings(url), clock)

        async def run(until: datetime) -> int:
            signals = dict(PRESETS["prometheus"])
            value_of, told_to = (lambda host: host.address), told.extend
            return await catch_up(services, history, client, signals, Labels(), value_of, told_to, until, asked)

        yield history, run, datetime.fromtimestamp(now, UTC), told, asked
        await client.close()
    history.close()


async def test_a_gap_is_filled_with_what_the_server_remembers_and_only_the_gap(filled) -> None:
    history, run, now, told, _ = filled
    newest = (now - timedelta(minutes=20)).replace(second=0, microsecond=0)
    history.record(Changes(slices=(Slice("web", newest, 1, 0), Slice("web", newest, 1, 0, "quick"))))
    async with asyncio.timeout(30):
        got = await run(now)
    assert told == ["web", "web"]
    for slo, share in (("availability", BAD / 10), ("quick", SLOW)):
        minutes, total, bad = summed(history, now, slo)
        assert 15 <= minutes <= 20
        each = (minutes - 1) * 60 * len(HOSTS)
        assert total == pytest.approx(each * (RATE + BAD / 10 if slo == "availability" else RATE), rel=0.02)
        assert bad == pytest.approx(each * share, rel=0.1)
    assert got == sum(summed(history, now, slo)[0] - 1 for slo in ("availability", "quick"))
    assert history.slices("web", newest, newest + timedelta(seconds=1))[0].total == 1
    before = summed(history, now)
    async with asyncio.timeout(30):
        assert await run(now) == 0
    assert summed(history, now) == before


async def test_a_service_that_nothing_is_kept_of_is_looked_up_a_day_back(filled) -> None:
    history, run, now, _, asked = filled
    async with asyncio.timeout(60):
        await run(now)
    minutes, total, _ = summed(history, now)
    assert MINUTES - 6 <= minutes <= MINUTES
    assert total > 0
    # Whole hours are not asked for again, whatever is still missing of them.
    assert set(asked) == {("web", "availability"), ("web", "quick")}
    assert all(hour + timedelta(hours=1) <= now for hours in asked.values() for hour in hours)
    assert all(len(hours) in {23, 24} for hours in asked.values())


async def test_a_hole_between_slices_that_were_counted_is_filled_and_they_stay_as_they_are(filled) -> None:
    history, run, now, _, _ = filled
    begin = (now - timedelta(minutes=MINUTES - 5)).replace(second=0, microsecond=0)
    # All in one hour.
    first = 10 if (begin.minute + 10) % 60 <= 50 else 20
    hole = range(first, first + 10)
    counted = [begin + timedelta(minutes=at) for at in range(MINUTES - 5) if at not in hole]
    mine = tuple(Slice("web", at, 7, 7, slo, down=True) for at in counted for slo in ("availability", "quick"))
    history.record(Changes(slices=mine))
    async with asyncio.timeout(30):
        assert await run(now) == 20
    found = [one for one in history.slices("web", begin, now) if one.slo == "availability"]
    assert [one.start for one in found] == [begin + timedelta(minutes=at) for at in range(MINUTES - 5)]
    assert [one.backfill for one in found] == [at in hole for at in range(MINUTES - 5)]
    assert all((one.total, one.bad, one.down) == (7, 7, True) for one in found if not one.backfill)
    assert sum(hour.bad_s for hour in history.hours(begin - timedelta(hours=1)) if hour.slo == "quick") == 25 * 60


class Hurried(SystemClock):
    """Short waits are over at once; long ones when it is said, and are told of."""

    def __init__(self) -> None:
        self.long: asyncio.Queue[float] = asyncio.Queue()
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds > LEAST_S:
            self.long.put_nowait(seconds + LEAST_S)
            await self.over.wait()
            self.over.clear()


async def test_after_a_start_and_when_a_server_answers_again_the_end_of_the_gap_is_asked_for_a_little_later(
    tmp_path: Path,
) -> None:
    clock = Hurried()
    history = SqliteHistory(tmp_path / "history.db", clock)
    history.start()
    client = PrometheusClient(ServerSettings("http://127.0.0.1:1/"), clock)
    work = asyncio.ensure_future(stay_caught_up({}, history, client, {}, Labels(), str, clock, list))
    async with asyncio.timeout(30):
        assert await clock.long.get() == LATE_S
        clock.over.set()
        assert await clock.long.get() == EVERY_S
        client.returning.failed(Fault.REFUSED)
        client.returning.well()
        assert await clock.long.get() == LATE_S
    work.cancel()
    await client.close()
    history.close()
