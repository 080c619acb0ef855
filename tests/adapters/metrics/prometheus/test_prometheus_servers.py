"""Readings from a real Prometheus and a real VictoriaMetrics that scrape pages of the test."""

import asyncio
import math
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from urllib.error import HTTPError

import pytest

from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.metrics import PrometheusMetrics
from adapters.metrics.prometheus.queries import Labels, OwnQuery, Signal
from adapters.metrics.prometheus.settings import ServerSettings
from adapters.metrics.prometheus.targets import targets
from adapters.metrics.source import Matcher, Op, SignalKind, SignalSource, parse_selector
from pipeline.model import Host, Pool
from pipeline.observed import HostFault
from pipeline.signals import Histogram, Reading, between
from pithead.clock import SystemClock
from tests.adapters.metrics.prometheus.pages import page, pages
from tests.adapters.metrics.prometheus.scraping import HOSTS, ODD, Scraping, fill
from tests.neighbours.victoria import victoria

LONG_S = 15.0
REQUESTS = SignalSource("requests", SignalKind.COUNTER, "http_requests_total")
ERRORS = SignalSource("errors", SignalKind.COUNTER, *parse_selector('http_requests_total{code=~"5.."}'))
LATENCY = SignalSource("latency", SignalKind.HISTOGRAM, "http_request_duration_seconds")
MEMORY = SignalSource("memory", SignalKind.GAUGE, "process_resident_memory_bytes")
ALL = (REQUESTS, ERRORS, LATENCY, MEMORY)
JOB = Labels(extra=(Matcher("job", Op.EQUAL, "app"),))


@pytest.fixture(scope="module", params=["prometheus", "victoria"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraping]:
    if request.param == "prometheus":
        yield request.getfixturevalue("scraping")
        return
    with pages() as texts, victoria(tmp_path_factory.mktemp("victoria"), fill(texts)) as url:
        here = Scraping(url, texts, "")
        here.wait()
        flush(here)
        yield here


def flush(server: Scraping) -> None:
    """VictoriaMetrics shows what it has scraped a second later, new series up to ten, or when it is told to."""
    with suppress(HTTPError), urllib.request.urlopen(f"{server.url}/internal/force_flush", timeout=LONG_S):
        pass


def host(name: str) -> Host:
    return Host(name, f"{name}:80", Pool.PRODUCTION, "fra1")


def named(one: Host) -> str:
    return one.name


@pytest.fixture
async def client(server: Scraping) -> AsyncIterator[PrometheusClient]:
    here = PrometheusClient(ServerSettings(server.url), SystemClock())
    yield here
    await here.close()


Look = Callable[..., Awaitable["dict[str, Reading | HostFault]"]]
Metered = Callable[..., PrometheusMetrics]


@pytest.fixture
async def metered(client: PrometheusClient) -> AsyncIterator[Metered]:
    made: list[PrometheusMetrics] = []

    def make(*signals: Signal, labels: Labels = JOB, every_s: float = 0.0, stale_s: float = 5.0) -> PrometheusMetrics:
        one = PrometheusMetrics(
            client, signals or ALL, labels, client.clock, value_of=named, every_s=every_s or LONG_S, stale_s=stale_s
        )
        made.append(one)
        return one

    yield make
    for one in made:
        await one.close()


async def until(
    server: Scraping, metrics: PrometheusMetrics, hosts: list[Host], holds: Callable[[Reading | HostFault], bool]
) -> Reading:
    """Look again and again at the first of `hosts`, in focus, until `holds` of it."""
    metrics.focus([hosts[0].name])
    async with asyncio.timeout(LONG_S):
        while True:
            seen = (await metrics.readings(hosts, LONG_S))[hosts[0].name]
            if holds(seen):
                assert isinstance(seen, Reading)
                return seen
            await asyncio.sleep(0.05)
            await asyncio.to_thread(flush, server)


def shows(requests: float) -> Callable[[Reading | HostFault], bool]:
    return lambda seen: isinstance(seen, Reading) and seen.counters.get("requests") == requests


async def test_a_host_s_signals_are_its_raw_counts_as_of_its_scrape(server: Scraping, metered: Metered) -> None:
    server.pages.texts["cart-1"] = page(1_000, 20)
    metrics = metered()
    reading = await until(server, metrics, [host("cart-1"), host("cart-2")], shows(1_000))
    assert reading.counters == {"requests": 1_000.0, "errors": 20.0}
    assert reading.gauges == {"memory": 1e8}
    assert reading.histograms == {"latency": Histogram((0.1, 1.0, math.inf), (500.0, 900.0, 1_000.0))}
    assert -0.1 <= SystemClock().monotonic() - reading.at_s <= 1.5


async def test_a_counter_without_a_series_that_matches_is_nought_where_the_family_is(
    server: Scraping, metered: Metered
) -> None:
    server.pages.texts["cart-1"] = page(7)
    none = SignalSource("none", SignalKind.COUNTER, *parse_selector('unheard_total{code="1"}'))
    reading = await until(server, metered(*ALL, none), [host("cart-1")], shows(7))
    assert reading.counters == {"requests": 7.0, "errors": 0.0}


async def test_two_readings_make_a_sample_of_what_happened_in_between(server: Scraping, metered: Metered) -> None:
    server.pages.texts["cart-1"] = page(100)
    metrics, hosts = metered(), [host("cart-1")]
    before = await until(server, metrics, hosts, shows(100))
    server.pages.texts["cart-1"] = page(160, 6)
    after = await until(server, metrics, hosts, shows(160))
    sample = between(before, after)
    assert sample is not None
    assert sample.counters == {"requests": 60.0, "errors": 6.0}
    assert sample.histograms["latency"].counts == (30.0, 24.0, 6.0)
    assert 0.1 < sample.host_s < LONG_S


async def test_a_restarted_host_is_differenced_from_nought(server: Scraping, metered: Metered) -> None:
    server.pages.texts["cart-1"] = page(500, 5)
    metrics, hosts = metered(), [host("cart-1")]
    before = await until(server, metrics, hosts, shows(500))
    server.pages.texts["cart-1"] = page(12)
    sample = between(before, await until(server, metrics, hosts, shows(12)))
    assert sample is not None
    assert (sample.counters, sample.restarts) == ({"requests": 12.0, "errors": 0.0}, 1.0)


async def test_no_newer_scrape_is_the_same_reading(server: Scraping, metered: Metered) -> None:
    metrics, fleet = metered(), [host("cart-1"), host("cart-2")]
    await until(server, metrics, fleet, lambda seen: isinstance(seen, Reading))
    await until(server, metrics, fleet[1:], lambda seen: isinstance(seen, Reading))
    first = await metrics.readings(fleet, LONG_S)
    metrics.focus(["cart-1"])
    second = await metrics.readings(fleet, LONG_S)
    assert second["cart-2"] is first["cart-2"]
    assert isinstance(second["cart-1"], Reading)


async def test_names_that_look_like_patterns_are_names(server: Scraping, metered: Metered) -> None:
    reading = await until(server, metered(), [host(ODD)], lambda seen: isinstance(seen, Reading))
    assert reading.counters["requests"] == 100.0


async def test_every_host_without_data_says_why_in_a_line(server: Scraping, metered: Metered) -> None:
    metrics = metered()
    fleet = [host("cart-1"), host("gone-1"), host("twice-1"), host("never-1")]
    await until(server, metrics, fleet, lambda seen: isinstance(seen, Reading))
    metrics.focus([one.name for one in fleet])
    seen = await metrics.readings(fleet, LONG_S)
    assert {name: fault.why for name, fault in seen.items() if isinstance(fault, HostFault)} == {
        "gone-1": 'up is 0 where instance="gone-1": down, or it cannot be scraped',
        "twice-1": '2 scrape targets with instance="twice-1": track is "" and "canary": '
        "name one of them among the labels",
        "never-1": 'no scrape target with instance="never-1" in the last minutes',
    }


async def test_two_tracks_are_told_apart_by_one_more_label(server: Scraping, metered: Metered) -> None:
    canary = Labels(extra=(Matcher("track", Op.EQUAL, "canary"),))
    reading = await until(server, metered(labels=canary), [host("twice-1")], lambda seen: isinstance(seen, Reading))
    assert reading.counters["requests"] == 100.0


async def test_a_signal_may_have_a_query_of_its_own_restricted_to_the_hosts(server: Scraping, metered: Metered) -> None:
    server.pages.texts["cart-1"] = page(40, 4)
    own = OwnQuery("bad", SignalKind.COUNTER, 'sum by (instance) (http_requests_total{code!="200",$hosts})')
    metrics, fleet = metered(REQUESTS, own), [host("cart-1")]
    reading = await until(
        server, metrics, fleet, lambda seen: shows(40)(seen) and "bad" in getattr(seen, "counters", {})
    )
    assert reading.counters == {"requests": 40.0, "bad": 4.0}


@pytest.mark.parametrize(
    ("promql", "why"),
    [
        ("sum by (instance) (", "query refused"),
        ("http_requests_total", "several series of own where instance"),
        ("sum(http_requests_total)", "none of the wanted metrics where instance"),
    ],
)
async def test_a_query_that_is_none_is_a_fault_of_every_host(
    server: Scraping, metered: Metered, promql: str, why: str
) -> None:
    server.pages.texts["cart-1"] = page(40, 4)
    server.pages.texts["cart-2"] = page(40, 4)
    fleet = [host("cart-1"), host("cart-2")]
    async with asyncio.timeout(LONG_S):
        while True:
            seen = await metered(OwnQuery("own", SignalKind.COUNTER, promql)).readings(fleet, LONG_S)
            if all(isinstance(fault, HostFault) and why in fault.why for fault in seen.values()):
                return
            await asyncio.sleep(0.05)
            await asyncio.to_thread(flush, server)


async def test_targets_are_told_with_labels_and_address(server: Scraping, client: PrometheusClient) -> None:
    told = {target.labels["instance"]: target for target in await targets(client, LONG_S)}
    assert told.keys() >= set(HOSTS)
    assert told["cart-1"].address == server.pages.address
    assert told["cart-1"].labels["job"] == "app"
