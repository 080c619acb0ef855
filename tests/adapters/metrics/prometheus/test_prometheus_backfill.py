"""The past of a service, minute by minute, out of a real Prometheus with blocks of the test's own."""

import json
import math
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from adapters.metrics.prometheus.backfill import POINTS, BackfillQueries, backfill
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.presets import PRESETS
from adapters.metrics.prometheus.queries import Labels
from adapters.metrics.prometheus.settings import ServerSettings
from pipeline.slo.rules import Kind, Objective
from pipeline.slo.slices import Slice
from pithead.clock import SystemClock
from tests.neighbours.need import need
from tests.neighbours.prometheus import prometheus

# Blocks end on full hours, and the server holds what is too new for a block to be foreign.
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=8)
SIGNALS = PRESETS["prometheus"]
OWNERS = {"cart-1": "cart", "cart-2": "cart", "pay-1": "pay", "never-1": "pay"}
AVAILABILITY = Objective()
QUERIES = BackfillQueries(AVAILABILITY, (SIGNALS["requests"], SIGNALS["errors"]), Labels(), OWNERS)
LATENCY = Objective("quick", Kind.LATENCY, slice_s=120, bad_slice=Decimal("0.2"), of="latency", over_s=0.3)
SLOW = BackfillQueries(LATENCY, (SIGNALS["latency"],), Labels(), OWNERS)
NONE = float("nan")
GOOD: Mapping[str, Sequence[float]] = {
    "cart-1": (0, 60, 120, 180, 240, 300),
    "cart-2": (1_000, 1_010, 5, 25, 30, 40),
    "pay-1": (0, 10, NONE, 40, 50, 70),
}
"""Counts each minute: cart-2 restarts, pay-1 is not known in the third."""
BAD: Mapping[str, Sequence[float]] = {"cart-1": (NONE, NONE, NONE, 6, 6, 9)}
BUCKETS: Mapping[tuple[str, str], Sequence[float]] = {
    ("cart-1", "0.1"): (0, 10, 20, 30, 40, 50),
    ("cart-1", "0.5"): (0, 50, 100, 150, 190, 200),
    ("cart-1", "+Inf"): (0, 60, 120, 180, 240, 300),
    # Of other edges; the process begins anew in the third minute.
    ("cart-2", "0.3"): (500, 600, 40, 80, 100, 120),
    ("cart-2", "+Inf"): (500, 600, 50, 100, 120, 140),
    # No edge at or above the threshold.
    ("pay-1", "0.25"): (0, 1, 2, 3, 4, 5),
    ("pay-1", "+Inf"): (0, 10, 20, 30, 40, 50),
}


def openmetrics() -> str:
    lines = ["# TYPE http_requests counter"]
    for code, hosts in (("200", GOOD), ("500", BAD)):
        for host, counts in hosts.items():
            for minute, count in enumerate(counts):
                at_s = START.timestamp() + 60 * minute
                value = "NaN" if math.isnan(count) else f"{count:g}"
                if not (math.isnan(count) and code == "500"):
                    lines.append(f'http_requests_total{{instance="{host}",code="{code}"}} {value} {at_s:.0f}')
    lines.append("# TYPE http_request_duration_seconds histogram")
    for (host, edge), counts in BUCKETS.items():
        where = f'{{instance="{host}",le="{edge}"}}'
        for minute, count in enumerate(counts):
            lines.append(f"http_request_duration_seconds_bucket{where} {count:g} {START.timestamp() + 60 * minute:.0f}")
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("past")
    (folder / "past.om").write_text(openmetrics())
    command = [need("promtool"), "tsdb", "create-blocks-from", "openmetrics", "past.om", "data"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=True)
    with prometheus(folder / "server", data=folder / "data") as address:
        yield address


async def slices(
    client: PrometheusClient, start: datetime, end: datetime, queries: BackfillQueries = QUERIES
) -> list[tuple[Slice, ...]]:
    got = [part async for part in backfill(client, queries, start, end, pace_s=0.0)]
    await client.close()
    return got


async def test_increases_a_minute_and_service_with_restarts_and_without_what_is_not_known(url: str) -> None:
    client = PrometheusClient(ServerSettings(url), SystemClock())
    (got,) = await slices(client, START - timedelta(seconds=30), START + timedelta(minutes=5, seconds=59))
    by_service = {name: [(one.total, one.bad) for one in got if one.service == name] for name in ("cart", "pay")}
    # cart-1's errors come up from nought with 6 of 66 requests, cart-2 begins anew in the second minute.
    assert by_service["cart"] == [(70, 0), (65, 0), (86, 6), (65, 0), (73, 3)]
    assert by_service["pay"] == [(10, 0), (10, 0), (20, 0)]
    assert [one.start for one in got if one.service == "cart"] == [START + timedelta(minutes=at) for at in range(5)]
    assert [one.start for one in got if one.service == "pay"] == [START + timedelta(minutes=at) for at in (0, 3, 4)]


async def test_what_was_down_then_is_marked_and_every_row_says_that_it_was_read_afterwards(url: str) -> None:
    strict = replace(AVAILABILITY, bad_slice=Decimal("0.05"))
    client = PrometheusClient(ServerSettings(url), SystemClock())
    (got,) = await slices(client, START, START + timedelta(minutes=5), replace(QUERIES, objective=strict))
    assert [one.down for one in got if one.service == "cart"] == [False, False, True, False, False]
    assert {(one.slo, one.backfill, one.length_s) for one in got} == {("availability", True, 60)}


async def test_slow_requests_are_counted_from_each_hosts_first_edge_at_or_above_the_threshold(url: str) -> None:
    client = PrometheusClient(ServerSettings(url), SystemClock())
    (got,) = await slices(client, START, START + timedelta(minutes=5, seconds=59), SLOW)
    # Minutes 0 and 1, 2 and 3; cart-2 shows 50 requests since its restart, 40 of them quick. pay cannot be told.
    assert [(one.service, one.total, one.bad, one.down) for one in got] == [
        ("cart", 120 + 50, 20 + 10, False),
        ("cart", 120 + 70, 30 + 10, True),
    ]
    assert {(one.slo, one.length_s) for one in got} == {("quick", 120)}


async def test_stretches_are_small_meet_and_are_asked_for_one_after_another(peers, http_answer, clock) -> None:
    asked: list[tuple[float, float]] = []

    def reply(_method: str, _path: str, body: bytes) -> bytes:
        form = parse_qs(body.decode())
        asked.append((float(form["start"][0]), float(form["end"][0])))
        first, last = (int(at) for at in asked[-1])
        values = [[at, str(at)] for at in range(first, last + 60, 60)]
        result = [{"metric": {"instance": host}, "values": values} for host in OWNERS]
        return http_answer(200, json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}))

    client = PrometheusClient(ServerSettings(f"http://{await peers.answering(reply)}"), clock)
    end = START + timedelta(days=5)
    before = clock.monotonic()
    got = [part async for part in backfill(client, QUERIES, START, end, pace_s=2.0)]
    await client.close()
    steps = POINTS // len(OWNERS)
    assert all((to_s - from_s) / 60 + 1 <= steps for from_s, to_s in asked)
    assert asked[::2] == asked[1::2]
    stretches = asked[::2]
    assert [from_s for from_s, _ in stretches[1:]] == [to_s for _, to_s in stretches[:-1]]
    assert sum(len(part) for part in got) == 2 * 5 * 24 * 60
    assert {(one.service, one.total, one.bad) for part in got for one in part} == {
        ("cart", 120, 120),
        ("pay", 120, 120),
    }
    assert clock.monotonic() - before == 2.0 * (len(stretches) - 1)


async def test_a_host_of_which_there_are_several_series_gives_nothing(peers, http_answer, clock) -> None:
    rows = [{"metric": {"instance": "pay-1"}, "values": [[0, "1"], [60, "2"]]}] * 2
    told = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}})
    address = await peers.answering(lambda *_: http_answer(200, told))
    client = PrometheusClient(ServerSettings(f"http://{address}"), clock)
    zero = datetime.fromtimestamp(0, UTC)
    assert await slices(client, zero, zero + timedelta(minutes=1)) == [()]


@pytest.mark.parametrize(
    ("lost", "idle"), [(True, [60, 120, 180, 240, 300]), (False, [60 * at for at in range(1, 11)])]
)
async def test_a_count_that_stands_still_until_it_is_lost_is_unknown_and_one_that_goes_on_is_idle(
    peers, http_answer, clock, lost: bool, idle: list[int]
) -> None:
    values = [[60 * at, str(min(at, 1) * 10)] for at in range(12)]
    rows = [{"metric": {"instance": "pay-1"}, "values": values}]
    told = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}})
    client = PrometheusClient(
        ServerSettings(f"http://{await peers.answering(lambda *_: http_answer(200, told))}"), clock
    )
    zero = datetime.fromtimestamp(0, UTC)
    (got,) = await slices(client, zero, zero + timedelta(minutes=20 if lost else 11))
    assert [(one.start.timestamp(), one.total) for one in got] == [(0, 10), *((at, 0) for at in idle)]


async def test_no_whole_step_is_no_question(clock) -> None:
    client = PrometheusClient(ServerSettings("http://127.0.0.1:1"), clock)
    assert await slices(client, START + timedelta(seconds=1), START + timedelta(seconds=119)) == []
