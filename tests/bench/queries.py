"""One refresh of a large fleet out of a real Prometheus: `python -m tests.bench.queries`.

The series are made up and written as a block of the server's own; nothing is scraped while it is measured.
"""

import argparse
import asyncio
import json
import re
import resource
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from adapters.metrics.prometheus.answers import Series
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.metrics import PrometheusMetrics
from adapters.metrics.prometheus.presets import PRESETS
from adapters.metrics.prometheus.queries import Labels, ask
from adapters.metrics.prometheus.settings import ServerSettings
from pipeline.model import Host, Pool
from pipeline.signals import Reading
from pithead.clock import SystemClock
from pithead.compose import spare_the_collector
from tests.bench.company import EDGES, SHAPE
from tests.bench.disk import scratch
from tests.bench.tables import Spread, ms, number, show, times
from tests.bench.tick import resident_mib
from tests.neighbours.prometheus import prometheus

LONG_S = 120.0
LAG_S = 0.005
SIGNALS = tuple(PRESETS["prometheus"].values())
CODES = {"200": 0.97, "302": 0.02, "404": 0.008, "503": 0.002}


class Counted(PrometheusClient):
    """Counts what it asks, and keeps the queries."""

    def __init__(self, settings: ServerSettings, clock: SystemClock) -> None:
        super().__init__(settings, clock)
        self.asked: list[str] = []
        self.rows = 0

    async def instant(self, query: str, at: float | None, deadline_s: float) -> tuple[Series, ...]:
        series = await super().instant(query, at, deadline_s)
        self.asked.append(query)
        self.rows += len(series)
        return series


@dataclass(frozen=True, slots=True)
class Cost:
    queries: int
    rows: int
    client: Spread
    server: Spread
    wall: Spread
    lag: Spread
    """The longest that the event loop stood still."""


def fleet(services: int, hosts: int) -> list[Host]:
    return [
        Host(f"s{service}-{n}", f"s{service}-{n}:8080", Pool.PRODUCTION, "fra1")
        for service in range(services)
        for n in range(hosts)
    ]


def openmetrics(hosts: list[Host], at_s: float) -> Iterator[str]:
    """Family by family, as the format wants it: the server's `up` and the preset's signals."""

    def family(kind: str, name: str, series: list[tuple[str, float]], ending: str = "") -> Iterator[str]:
        yield f"# TYPE {name} {kind}"
        for at, host in enumerate(hosts):
            for labels, value in series:
                count = value * (1_000 + at % 500)
                yield f'{name}{ending}{{job="app",instance="{host.address}"{labels}}} {count:.0f} {at_s:.0f}'

    yield from (f'up{{job="app",instance="{host.address}"}} 1 {at_s:.0f}' for host in hosts)
    codes = [(f',code="{code}",route="/r{route}"', 50 * part) for code, part in CODES.items() for route in (1, 2)]
    yield from family("counter", "http_requests", codes, "_total")
    # The server would want a sum and a count of a histogram; without a type it takes buckets as they come.
    edges = ["+Inf" if edge == float("inf") else f"{edge:g}" for edge in EDGES]
    buckets = [(f',le="{edge}"', 100 * part) for edge, part in zip(edges, SHAPE, strict=True)]
    yield from family("unknown", "http_request_duration_seconds_bucket", buckets)
    yield from family("counter", "process_cpu_seconds", [("", 3.0)], "_total")
    yield from family("gauge", "process_resident_memory_bytes", [("", 4e5)])
    yield "# EOF"


def block(hosts: list[Host], folder: Path, at_s: float) -> int:
    """Write the server's data; how many series."""
    lines = 0
    with (folder / "fleet.om").open("w") as file:
        for line in openmetrics(hosts, at_s):
            file.write(line + "\n")
            lines += not line.startswith("#")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "fleet.om", "data"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise SystemExit(f"promtool: {(done.stdout + done.stderr)[-300:]}")
    (folder / "fleet.om").unlink()
    return lines


def server(url: str, name: str) -> float:
    """A number of the server's own metrics page."""
    page = httpx.get(f"{url}/metrics", timeout=LONG_S, trust_env=False).text
    found = re.search(rf"^{name} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def stalls(worst: list[float]) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(LAG_S)
        worst[0] = max(worst[0], time.perf_counter() - before - LAG_S)


async def cost(url: str, client: Counted, rounds: int, once: Callable[[], Awaitable[object]]) -> Cost:
    spent: list[tuple[float, float, float, float]] = []
    for _ in range(rounds):
        client.asked.clear()
        client.rows, worst = 0, [0.0]
        ticking = asyncio.create_task(stalls(worst))
        theirs, mine, wall = server(url, "process_cpu_seconds_total"), time.process_time(), time.perf_counter()
        await once()
        wall, mine = time.perf_counter() - wall, time.process_time() - mine
        ticking.cancel()
        spent.append((mine, server(url, "process_cpu_seconds_total") - theirs, wall, worst[0]))
    mine_, theirs_, wall_, lag_ = (Spread(tuple(column)) for column in zip(*spent, strict=True))
    return Cost(len(client.asked), client.rows, mine_, theirs_, wall_, lag_)


def plainly(url: str, queries: list[str], rounds: int) -> Spread:
    """CPU seconds of a plain client that asks the same and reads the JSON: the least that anyone pays."""
    spent = []
    with httpx.Client(timeout=LONG_S, trust_env=False) as client:
        for _ in range(rounds):
            before = time.process_time()
            for query in queries:
                json.loads(client.post(f"{url}/api/v1/query", data={"query": query}).content)
            spent.append(time.process_time() - before)
    return Spread(tuple(spent))


async def measure(services: int, hosts: int, rounds: int, folder: Path) -> None:
    everyone = fleet(services, hosts)
    series = block(everyone, folder, time.time() - 60)
    with prometheus(folder / "server", data=folder / "data", options=["--query.lookback-delta=2h"]) as url:
        clock = SystemClock()
        client = Counted(ServerSettings(url, read_s=LONG_S), clock)
        metrics = PrometheusMetrics(client, SIGNALS, Labels(), clock, every_s=LONG_S, stale_s=7_200.0)
        before_mib = resident_mib()
        spare_the_collector()

        async def look() -> None:
            found = await metrics.readings(everyone, LONG_S)
            missing = [fault for fault in found.values() if not isinstance(fault, Reading)]
            if missing:
                raise SystemExit(f"{len(missing)} hosts without data: {missing[0].why}")

        async def whole() -> None:
            metrics._whole_at_s = float("-inf")
            await look()
            # A look does not wait for the end of it where every host is known.
            if metrics._whole is not None:
                await metrics._whole

        first = await cost(url, client, 1, whole)
        fleet_cost = await cost(url, client, rounds, whole)
        queries = list(client.asked)
        after_mib = resident_mib()
        metrics.focus([host.name for host in everyone[: 50 * hosts]])
        focus_cost = await cost(url, client, rounds, look)
        one = [ask(signal, Labels(), [host.address for host in everyone[:hosts]]) for signal in SIGNALS]

        async def singly() -> None:
            for query in one * 50:
                await client.instant(query, None, LONG_S)

        singly_cost = await cost(url, client, 1, singly)
        plain = plainly(url, queries, rounds)
        theirs_mib = server(url, "process_resident_memory_bytes") / 2**20
        await metrics.close()
        await client.close()
    rows = [
        [
            what,
            str(one_.queries),
            f"{one_.rows:,}",
            ms(one_.client),
            ms(one_.server),
            ms(one_.wall),
            ms(one_.lag),
        ]
        for what, one_ in (
            ("the fleet, first time", first),
            ("the fleet", fleet_cost),
            ("50 services in focus", focus_cost),
            ("50 services, a query each and signal", singly_cost),
        )
    ]
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    beside = times(fleet_cost.client.median, plain.median)
    sizes = f"{number(before_mib)} MiB before, {number(after_mib)} after, {number(peak_mib)} at most"
    show(
        f"Metrics out of Prometheus: {services:,} services x {hosts} hosts, {series:,} series, {len(SIGNALS)} signals",
        ("", "queries", "rows", "CPU ms", "server's CPU ms", "wall ms", "loop stood ms"),
        rows,
        [
            f"httpx and json, the fleet's queries one after another: {ms(plain)} ms CPU; ours {beside}.",
            f"Resident: {sizes}; the server {number(theirs_mib)}.",
        ],
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--services", type=int, default=1_000)
    asked.add_argument("--hosts", type=int, default=10)
    asked.add_argument("--rounds", type=int, default=5)
    args = asked.parse_args()
    if not all(map(shutil.which, ("prometheus", "promtool"))):
        raise SystemExit("pithead: bench: needs prometheus and promtool: apt install prometheus")
    with TemporaryDirectory(dir=scratch(), prefix="pithead-bench-") as folder:
        asyncio.run(measure(args.services, args.hosts, args.rounds, Path(folder)))


if __name__ == "__main__":
    main()
