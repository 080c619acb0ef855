"""`pithead check --reach` of balancers, Prometheus and Alertmanager, each of them real."""

import asyncio
import io
import json
import re
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.balancer.haproxy import HaproxySocket, Wanted
from adapters.config import load
from pithead.clock import SystemClock
from pithead.reaching.progress import Progress
from pithead.reaching.run import reach
from tests.adapters.metrics.prometheus.pages import Pages, page, pages
from tests.neighbours.alertmanager import alert, alertmanager
from tests.neighbours.haproxy import Haproxy, haproxy
from tests.neighbours.prometheus import prometheus
from tests.pithead.reaching_support import Came, company, reaching, write

HOSTS = {"cart-stg-1": "127.0.0.1:1", "cart-1": "127.0.0.2:1", "cart-2": "127.0.0.3:1"}
LIMIT_S = 20.0


@pytest.fixture
async def balancing(tmp_path: Path) -> AsyncIterator[Haproxy]:
    async with haproxy(tmp_path / "haproxy", HOSTS) as running:
        yield running


async def balanced(
    folder: Path, *sockets: str, backend: str = "be_web", server: str = "{host}", staging: bool = False
) -> Came:
    more = f'[haproxy.edge]\nsockets = {json.dumps(sockets)}\n[organisation.balancer]\nhaproxy = "edge"\n'
    more += f'backend = "{backend}"\nserver = "{server}"\nstaging = {str(staging).lower()}\n'
    return await reaching(folder, company(HOSTS, more))


async def test_a_balancer_is_reached_with_its_level_and_servers(balancing: Haproxy, tmp_path: Path) -> None:
    came = await balanced(tmp_path, balancing.admin, balancing.stats)
    well = "level admin, backend be_web: 2 of 2 servers up"
    assert came.of("balancer") == [f"{balancing.admin}: {well}", f"{balancing.stats}: {well}"]
    assert "balancers 2 of 2" in came.summary


async def test_staging_hosts_are_looked_for_where_they_sit_there_too(balancing: Haproxy, tmp_path: Path) -> None:
    came = await balanced(tmp_path, balancing.admin, staging=True)
    assert came.of("balancer") == [f"{balancing.admin}: level admin, backend be_web: 3 of 3 servers up"]


async def test_a_socket_that_lets_nobody_drain_is_told(balancing: Haproxy, tmp_path: Path) -> None:
    came = await balanced(tmp_path, balancing.operator)
    [line] = came.wrong("balancer")
    assert 'level "operator": it lets nobody drain: give its "stats socket" line "level admin"' in line


async def test_servers_that_get_no_requests_are_told_and_left_so(balancing: Haproxy, tmp_path: Path) -> None:
    admin = HaproxySocket(balancing.admin)
    await admin.set_state("be_web", "cart-1", Wanted.DRAIN)
    await admin.set_state("be_web", "cart-2", Wanted.MAINT)
    came = await balanced(tmp_path, balancing.admin)
    drained, maint = came.wrong("balancer")
    assert "be_web/cart-1 (cart-1) is drained: set server be_web/cart-1 state ready" in drained
    assert "be_web/cart-2 (cart-2) is in maintenance" in maint
    servers = await admin.servers("be_web")
    assert (servers["cart-1"].drained, servers["cart-2"].maint) == (True, True)


async def test_a_backend_or_a_server_that_is_not_there_is_told(balancing: Haproxy, tmp_path: Path) -> None:
    [backend] = (await balanced(tmp_path, balancing.admin, backend="be_none")).wrong("balancer")
    assert "no backend be_none: correct the name here or in HAProxy's configuration" in backend
    servers = (await balanced(tmp_path, balancing.admin, server="web-{host}")).wrong("balancer")
    assert len(servers) == 2
    assert "no server be_web/web-cart-1 (cart-1): correct balancer.server" in servers[0]


async def test_a_socket_that_is_not_there_is_told(tmp_path: Path) -> None:
    [line] = (await balanced(tmp_path, "/no/such.sock")).wrong("balancer")
    assert line == ('/no/such.sock: no such socket: see whether HAProxy runs, with "stats socket" at this path')


@dataclass(frozen=True)
class Measuring:
    url: str
    pages: Pages


@pytest.fixture(scope="module")
def measuring() -> Iterator[Measuring]:
    """A Prometheus that scrapes cart-stg-1 and cart-1 whole, and of cart-2 a page without latency."""
    with tempfile.TemporaryDirectory(prefix="pithead-reach-") as folder, pages() as texts:
        texts.texts |= {"cart-stg-1": page(50, 1), "cart-1": page(100, 2)}
        texts.texts["cart-2"] = 'http_requests_total{code="200"} 7\n'
        with prometheus(Path(folder), [texts.target(name) for name in HOSTS]) as url:
            _await_scrapes(url)
            yield Measuring(url, texts)


def _await_scrapes(url: str) -> None:
    end = time.monotonic() + LIMIT_S
    while True:
        with urllib.request.urlopen(f"{url}/api/v1/query?query=up", timeout=LIMIT_S) as answer:
            up = [row["value"][1] for row in json.load(answer)["data"]["result"]]
        if up == ["1"] * len(HOSTS):
            return
        assert time.monotonic() < end, "nothing is scraped"
        time.sleep(0.05)


def asking(url: str, more: str = "") -> str:
    return f'[prometheus]\nurl = "{url}"\nhost_is = "name"\nscrape = "200ms"\n{more}\n'


async def test_metrics_are_looked_for_in_prometheus(measuring: Measuring, tmp_path: Path) -> None:
    came = await reaching(tmp_path, company(HOSTS, asking(measuring.url)))
    assert came.of("prometheus") == [f"{measuring.url}: answers"]
    assert "errors on production: 2 of 2 production hosts" in came.of("metric")
    [line] = came.wrong("metric")
    series = 'http_request_duration_seconds_bucket{instance="cart-2"}'
    assert line.startswith(f"p99 on production: 1 of 2 production hosts; cart-2: no series {series}: ")
    assert line.endswith("see whether the service exposes it and the server keeps it, or correct signals.latency")
    assert "prometheus 1 of 1, metrics 5 of 6" in came.summary


async def test_hosts_that_nobody_scrapes_are_told_with_the_label_that_is_looked_for(
    measuring: Measuring, tmp_path: Path
) -> None:
    hosts = {**HOSTS, "cart-8": "127.0.0.8:1", "cart-9": "127.0.0.9:1"}
    came = await reaching(tmp_path, company(hosts, asking(measuring.url)))
    [line] = [line for line in came.wrong("metric") if line.startswith("errors")]
    assert line.startswith("errors on production: 2 of 4 production hosts; cart-8, cart-9: no scrape target with")
    assert line.endswith("have the server scrape it with instance = its name (prometheus.host_label, host_is)")


async def test_a_query_that_the_server_refuses_is_told_with_its_words(measuring: Measuring, tmp_path: Path) -> None:
    own = '[signals.load]\nkind = "gauge"\npromql = "sum by (instance) ("\n'
    metric = '[service.cart.metrics]\nload = { kind = "gauge", of = "load" }\n'
    came = await reaching(tmp_path, company(HOSTS, asking(measuring.url, own)), metric)
    line = came.wrong("metric")[0]
    assert "parse error" in line
    assert "see whether the server takes each query of [signals.NAME]" in line


@pytest.mark.parametrize(
    ("query", "said", "mend"),
    [
        ("sum by (instance) (http_requests_total) * NaN", "no usable number of requests", "NaN, or less than 0"),
        ("http_requests_total", "several series of requests", "choose one by prometheus.matchers, or by labels"),
    ],
)
async def test_series_that_cannot_be_used_are_told_with_what_is_wrong_with_them(
    measuring: Measuring, tmp_path: Path, query: str, said: str, mend: str
) -> None:
    own = f'[signals]\nrequests = {{ kind = "counter", promql = "{query}" }}\n'
    own += 'errors = { kind = "counter", series = "no_such_total" }\n'
    own += 'latency = { kind = "histogram", series = "no_such" }\n'
    path = tmp_path / "config.toml"
    whole = write(tmp_path, company(HOSTS, asking(measuring.url))).read_text()
    path.write_text(re.sub(r"\[signals\]\n(?:\w+ = .*\n)+", lambda _: own, whole))
    settings = load(path)
    came = Came(await reach(settings, frozenset(), SystemClock(), Progress(io.StringIO())))
    [line] = [line for line in came.wrong("metric") if line.startswith("errors on staging")]
    assert said in line
    assert mend in line


async def test_hosts_are_found_among_what_prometheus_scrapes(measuring: Measuring, tmp_path: Path) -> None:
    more = asking(measuring.url, "[discovery.scraped]\nprometheus = true\n")
    came = await reaching(tmp_path, company(HOSTS, more))
    [line] = came.wrong("discovery")
    assert 'no label "service": set it, or leave such targets out with a matcher' in line


async def test_a_server_that_is_down_is_told_once_beside_the_metrics(tmp_path: Path) -> None:
    came = await reaching(tmp_path, company(HOSTS, asking("http://127.0.0.1:1")))
    [line] = came.wrong("prometheus")
    assert line.startswith("http://127.0.0.1:1: connection refused: ")
    assert line.endswith("see whether it runs and the way to it is open, or correct prometheus.url")
    lines = [line for line in came.lines if line.startswith("metric ")]
    assert len(lines) == 2
    assert all("not asked for, as http://127.0.0.1:1 gives no answer" in line for line in lines)
    assert all(line.endswith("mend the server first: its own line says how") for line in lines)


async def test_an_alertmanager_is_reached_with_what_fires(tmp_path: Path) -> None:
    async with alertmanager(tmp_path) as running:
        await running.fire([alert("Down", service="cart"), alert("Full")])
        more = f'[alertmanager]\nurl = "{running.url}"\n'
        async with asyncio.timeout(LIMIT_S):
            came = await reaching(tmp_path, company(HOSTS, more))
    assert came.of("alertmanager") == [f"{running.url}: answers, 2 alerts fire, 1 of them without a service"]


async def test_an_alertmanager_that_is_not_there_is_told(tmp_path: Path) -> None:
    came = await reaching(tmp_path, company(HOSTS, '[alertmanager]\nurl = "http://127.0.0.1:1"\n'))
    [line] = came.wrong("alertmanager")
    assert "no connection" in line
    assert "see whether it runs, and the url and access of [alertmanager]" in line
