"""Signals from hosts' own pages, and from pages that are none."""

import math
from collections.abc import AsyncIterator

import pytest

from adapters.metrics.scrape import ScrapedMetrics
from adapters.metrics.source import SignalKind, SignalSource, parse_selector
from pipeline.model import Host, MetricKind, MetricRule, Pool
from pipeline.observed import HostFault
from pipeline.signals import Histogram, Reading, between, value

LONG_S = 30.0
PAGE = """\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200",method="GET"} 90
http_requests_total{code="200",method="PUT"} 7 1700000000000
http_requests_total{code="503",method="GET"} 3
# TYPE took_seconds histogram
took_seconds_bucket{path="/a",le="0.1"} 1
took_seconds_bucket{path="/a",le="+Inf"} 3
took_seconds_sum{path="/a"} 9.5
took_seconds_count{path="/a"} 3
took_seconds_bucket{path="/b",le="+Inf"} 10
took_seconds_bucket{path="/b",le="0.1"} 5
# TYPE memory_bytes gauge
memory_bytes 1.5e+08
# TYPE restarts counter
"""


def source(name: str, kind: SignalKind, selector: str, path: str = "/metrics") -> SignalSource:
    return SignalSource(name, kind, *parse_selector(selector), path)


REQUESTS = source("requests", SignalKind.COUNTER, "http_requests_total")
ERRORS = source("errors", SignalKind.COUNTER, 'http_requests_total{code=~"5.."}')
LATENCY = source("latency", SignalKind.HISTOGRAM, "took_seconds")
MEMORY = source("memory", SignalKind.GAUGE, "memory_bytes")
ALL = (REQUESTS, ERRORS, LATENCY, MEMORY)


def host(address: str, name: str = "cart-1") -> Host:
    return Host(name, address, Pool.PRODUCTION, "fra1")


@pytest.fixture
async def scrape(peers, http_answer, clock) -> AsyncIterator[object]:
    """Scrapes one page, given as text, for some signals."""
    open_: list[ScrapedMetrics] = []

    async def once(page: str | bytes, *signals: SignalSource) -> Reading | HostFault:
        metrics = ScrapedMetrics(signals, clock)
        open_.append(metrics)
        address = await peers.answering(lambda *_: http_answer(200, page))
        found = await metrics.readings([host(address)], LONG_S)
        return found["cart-1"]

    yield once
    for metrics in open_:
        await metrics.close()


async def test_a_page_becomes_signals_summed_over_the_series_that_match(scrape, clock) -> None:
    reading = await scrape(PAGE, *ALL)
    assert reading == Reading(
        clock.monotonic(),
        {"requests": 100.0, "errors": 3.0},
        {"memory": 1.5e8},
        {"latency": Histogram((0.1, math.inf), (6.0, 13.0))},
    )


async def test_a_counter_without_a_series_that_matches_is_nought_if_its_family_is_there(scrape) -> None:
    reading = await scrape(
        PAGE,
        source("teapots", SignalKind.COUNTER, 'http_requests_total{code="418"}'),
        source("restarts", SignalKind.COUNTER, "restarts"),
        source("restarted", SignalKind.COUNTER, "restarts_total"),
        source("unheard", SignalKind.COUNTER, "unheard_total"),
    )
    assert reading.counters == {"teapots": 0.0, "restarts": 0.0, "restarted": 0.0}


async def test_gauges_and_histograms_without_a_series_that_matches_are_left_out(scrape) -> None:
    reading = await scrape(
        PAGE,
        REQUESTS,
        source("memory", SignalKind.GAUGE, 'memory_bytes{area="heap"}'),
        source("latency", SignalKind.HISTOGRAM, 'took_seconds{path="/c"}'),
    )
    assert (reading.gauges, reading.histograms) == ({}, {})


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "one", "", '1e308\nhttp_requests_total{b=""} 1e308'])
async def test_a_counter_in_numbers_that_are_none_is_left_out(scrape, value: str) -> None:
    page = f'http_requests_total{{a="1"}} 5\nhttp_requests_total{{a="2"}} {value}\nmemory_bytes 1\n'
    if value.startswith("1e308"):
        page = page.replace("} 5\n", "} 1e308\n")
    reading = await scrape(page, REQUESTS, MEMORY)
    assert (reading.counters, reading.gauges) == ({}, {"memory": 1.0})


async def test_a_gauge_may_be_negative_but_must_be_a_number(scrape) -> None:
    assert (await scrape("memory_bytes -5\n", MEMORY)).gauges == {"memory": -5.0}
    assert isinstance(await scrape("memory_bytes NaN\n", MEMORY), HostFault)


@pytest.mark.parametrize(
    "buckets",
    [
        {"0.1": 1},
        {"0.1": 3, "+Inf": 2},
        {"0.1": -1, "+Inf": 2},
        {"0.1": "NaN", "+Inf": 2},
        {"0.1": 1, "+Inf": "+Inf"},
        {"fast": 1, "+Inf": 2},
        {"0.1": 1, "0.10": 1, "+Inf": 2},
        {"": 1},
    ],
)
async def test_a_histogram_that_cannot_be_one_is_left_out(scrape, buckets: dict[str, object]) -> None:
    page = "".join(f'took_seconds_bucket{{le="{edge}"}} {count}\n' for edge, count in buckets.items())
    reading = await scrape(page + "memory_bytes 1\n", LATENCY, MEMORY)
    assert (reading.histograms, reading.gauges) == ({}, {"memory": 1.0})


async def test_series_of_different_edges_are_not_summed(scrape) -> None:
    page = (
        'took_seconds_bucket{p="a",le="1"} 1\ntook_seconds_bucket{p="a",le="+Inf"} 2\n'
        'took_seconds_bucket{p="b",le="2"} 1\ntook_seconds_bucket{p="b",le="+Inf"} 2\nmemory_bytes 1\n'
    )
    assert (await scrape(page, LATENCY, MEMORY)).histograms == {}


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("", "/metrics: an empty metrics page"),
        ("http_requests_total 1", "/metrics: a metrics page that breaks off in mid-line"),
        ("<html>\n\x1b[2J</html>\n", "none of the wanted metrics on /metrics"),
        (b"\xff\xfe\x00\n", "none of the wanted metrics on /metrics"),
        ("x" * 100_000 + "\n", "none of the wanted metrics on /metrics"),
        ("x 1\n" * 1_100_000, "malformed answer: a body of more than 4 MiB"),
    ],
)
async def test_a_page_that_is_none_is_a_fault(scrape, page: str | bytes, why: str) -> None:
    assert (await scrape(page, *ALL)).why == why


async def test_every_host_has_an_entry_whatever_the_others_do(peers, http_answer, clock) -> None:
    metrics = ScrapedMetrics(ALL, clock)
    fleet = [
        host(await peers.answering(lambda *_: http_answer(200, PAGE)), "cart-1"),
        host(await peers.answering(lambda *_: http_answer(404, "")), "cart-2"),
        host(await peers.refusing(), "cart-3"),
        host(await peers.answering(lambda *_: None), "cart-4"),
    ]
    found = await metrics.readings(fleet, 1.0)
    assert isinstance(found["cart-1"], Reading)
    assert {name: fault.why for name, fault in found.items() if isinstance(fault, HostFault)} == {
        "cart-2": "HTTP 404 from /metrics",
        "cart-3": "refused",
        "cart-4": "no answer in 1 s",
    }
    await metrics.close()


async def test_one_of_two_pages_missing_is_a_fault_as_half_a_ratio_is_no_data(peers, http_answer, clock) -> None:
    other = source("errors", SignalKind.COUNTER, "errors_total", "/errors")
    metrics = ScrapedMetrics((REQUESTS, other), clock)
    status = 200
    pages = {"/metrics": PAGE, "/errors": "errors_total 4\n"}
    address = await peers.answering(
        lambda _method, path, _body: http_answer(status if path == "/errors" else 200, pages[path])
    )
    assert (await metrics.readings([host(address)], LONG_S))["cart-1"].counters == {"requests": 100.0, "errors": 4.0}
    status = 500
    assert (await metrics.readings([host(address)], LONG_S))["cart-1"].why == "HTTP 500 from /errors"
    await metrics.close()


async def test_without_signals_there_is_nothing_to_read(clock) -> None:
    metrics = ScrapedMetrics((), clock)
    found = await metrics.readings([host("127.0.0.1:1")], LONG_S)
    assert found["cart-1"].why == "none of the wanted metrics on any page"
    await metrics.close()


async def test_requests_whose_errors_cannot_be_read_have_no_error_ratio(scrape, clock) -> None:
    errors = source("errors", SignalKind.COUNTER, "errors_total")
    ratio = MetricRule("errors", "errors", MetricKind.RATIO, bad="errors", total="requests")
    before = await scrape("http_requests_total 5\nerrors_total NaN\n", REQUESTS, errors)
    await clock.sleep(1.0)
    after = await scrape("http_requests_total 9\nerrors_total NaN\n", REQUESTS, errors)
    sample = between(before, after)
    assert sample is not None
    assert (sample.counters, value(ratio, sample)) == ({"requests": 4.0}, None)
