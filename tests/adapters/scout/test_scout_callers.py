"""Callers by a label of the request counter: from hosts' own pages, and from a real Prometheus by one query."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.queries import Labels
from adapters.metrics.prometheus.settings import ServerSettings
from adapters.metrics.source import Matcher, Op, SignalKind, SignalSource
from adapters.scout.callers import MOST_CALLERS, PageCallers, ServerCallers
from pipeline.model import Host, Pool, Rules, Service
from pipeline.readiness.callers import called
from pipeline.readiness.rules import ReadinessRules
from pithead.clock import SystemClock
from tests.adapters.metrics.prometheus.pages import Pages, pages
from tests.neighbours.prometheus import prometheus

REQUESTS = SignalSource("requests", SignalKind.COUNTER, "http_requests_total", (Matcher("probe", Op.EQUAL, ""),))
READY_S = 20.0


def page(**clients: float) -> str:
    rows = [f'http_requests_total{{code="200",client="{name}"}} {count:g}' for name, count in clients.items()]
    return "\n".join([*rows, 'http_requests_total{code="200",probe="1",client="prober"} 9', "other 1", ""])


def service(name: str, *hosts: str, address: str = "", label: str = "client") -> Service:
    production = tuple(Host(host, address or host, Pool.PRODUCTION, "fra1") for host in hosts)
    return Service(name, production, "r1", rules=Rules(readiness=ReadinessRules(clients=("web",), client_label=label)))


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Pages]]:
    with pages() as texts:
        texts.texts |= {
            "web-1": page(app=1, bot=2),
            "web-2": page(app=5),
            "pay-1": 'http_requests_total{code="200"} 3\n',
        }
        targets = [texts.target(name) for name in texts.texts]
        folder: Path = tmp_path_factory.mktemp("callers")
        with prometheus(folder, targets) as url:
            yield url, texts


async def asked(url: str, *services: Service) -> dict[str, object]:
    client = PrometheusClient(ServerSettings(url), SystemClock())
    try:
        found = await ServerCallers(client, (REQUESTS,), Labels(), lambda host: host.name).counts(services)
        return dict(found)
    finally:
        await client.close()


async def test_a_server_tells_who_calls_by_host_and_by_service(scraped: tuple[str, Pages]) -> None:
    web, pay = service("web", "web-1", "web-2"), service("pay", "pay-1")
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        found = await asked(scraped[0], web, pay)
        if found == {
            "web": {"web-1": {"app": 1.0, "bot": 2.0}, "web-2": {"app": 5.0}},
            "pay": {"pay-1": {"": 3.0}},
        }:
            break
    else:
        pytest.fail(str(found))
    # As a probe's requests are no requests of the signal, its name is not there.
    before = found["web"]
    scraped[1].texts["web-2"] = page(app=6, cron=1)
    while time.monotonic() < end:
        after = (await asked(scraped[0], web))["web"]
        if called(before, after):  # type: ignore[arg-type]
            break
    assert called(before, after) == {"app", "cron"}  # type: ignore[arg-type]


async def test_a_server_that_does_not_answer_is_a_fault_of_every_service() -> None:
    found = await asked("http://127.0.0.1:9", service("web", "web-1"))
    assert isinstance(found["web"], str)
    assert found["web"].startswith("http://127.0.0.1:9: ")


async def test_hosts_pages_tell_the_same(peers, http_answer) -> None:  # type: ignore[no-untyped-def]
    address = await peers.answering(lambda *_: http_answer(200, page(app=1, bot=2)))
    dead = await peers.refusing()
    callers = PageCallers((REQUESTS,))
    web = service("web", "web-1", address=address)
    dark = service("dark", "dark-1", address=dead)
    half = replace(web, name="half", hosts=(*web.hosts, *dark.hosts))
    found = await callers.counts([web, dark, half])
    await callers.close()
    assert found == {
        "web": {"web-1": {"app": 1.0, "bot": 2.0}},
        "dark": "dark-1: refused",
        "half": {"web-1": {"app": 1.0, "bot": 2.0}},
    }


async def test_a_label_that_holds_anything_names_no_callers(peers, http_answer) -> None:  # type: ignore[no-untyped-def]
    body = page(**{f"c{n}": 1 for n in range(MOST_CALLERS + 1)})
    address = await peers.answering(lambda *_: http_answer(200, body))
    callers = PageCallers((REQUESTS,))
    found = await callers.counts([service("web", "web-1", address=address)])
    await callers.close()
    assert "label client has more than 1,000 values" in str(found["web"])


async def test_a_counter_that_is_a_query_has_no_labels() -> None:
    for callers in (PageCallers(()),):
        assert await callers.counts([service("web", "web-1")]) == {
            "web": "requests is no series: no label can be read of it"
        }
        await callers.close()
