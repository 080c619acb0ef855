"""Requests find healthy hosts, whatever becomes of the others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from random import Random

import pytest

from adapters.demo.balancer import LOST, Balancer
from adapters.demo.builds import Fault
from adapters.demo.host import DemoHost
from adapters.demo.traffic import Traffic
from pipeline.model import Service
from tests.adapters.demo.demo_support import until


@pytest.fixture
async def balanced(demo_host: Callable[..., DemoHost]) -> AsyncIterator[tuple[Balancer, list[DemoHost]]]:
    hosts = [demo_host("profile", "r100", index) for index in (1, 2, 3)]
    for host in hosts:
        await host.start()
    balancer = Balancer([("profile", host.host.address) for host in hosts], Random(4))
    balancer.check_all()
    await until(lambda: all(backend.healthy for backend in balancer.backends))
    yield balancer, hosts
    balancer.close()
    await asyncio.sleep(0)


def ended(balancer: Balancer) -> int:
    return sum(balancer.counts.values()) + sum(balancer.shed.values())


def handled(host: DemoHost) -> int:
    assert host.process is not None
    return int(host.process.exposition().split("_count{")[1].split("} ")[1].split("\n")[0])


async def asked(balancer: Balancer, requests: int) -> None:
    before = ended(balancer)
    for sent in range(1, requests + 1):
        balancer.send("profile")
        if sent % 10 == 0:
            await until(lambda sent=sent: ended(balancer) == before + sent)
    await until(lambda: ended(balancer) == before + requests)


async def test_requests_are_spread_over_healthy_hosts_and_counted_by_their_code(balanced) -> None:
    balancer, hosts = balanced
    await asked(balancer, 60)
    assert sum(balancer.counts.values()) == 60
    assert {code for _, code in balancer.counts} <= {200, 500}
    assert sum(handled(host) for host in hosts) == 60
    assert min(handled(host) for host in hosts) > 5
    assert sum(backend.open for backend in balancer.backends) <= 24


async def test_a_host_that_refuses_costs_no_answer_and_gets_nothing_more(balanced) -> None:
    balancer, hosts = balanced
    await asked(balancer, 30)
    await hosts[0].become(Fault.REFUSE)
    await asked(balancer, 30)
    assert ("profile", LOST) not in balancer.counts
    assert not balancer.backends[0].healthy
    await hosts[0].become(Fault.NONE)
    balancer.check_all()
    await until(lambda: balancer.backends[0].healthy)


async def test_rubbish_is_no_answer_and_is_asked_for_elsewhere(balanced) -> None:
    balancer, hosts = balanced
    await hosts[0].become(Fault.RUBBISH)
    await asked(balancer, 30)
    assert ("profile", LOST) not in balancer.counts
    assert not balancer.backends[0].healthy


async def test_without_a_healthy_host_requests_are_not_taken_and_nothing_is_raised(balanced) -> None:
    balancer, hosts = balanced
    for host in hosts:
        await host.become(Fault.REFUSE)
    await asked(balancer, 20)
    assert balancer.shed["profile"] > 0
    assert not any(code == 200 for _, code in balancer.counts)


async def test_traffic_runs_until_it_is_cancelled_and_closes_its_connections(demo_host) -> None:
    host = demo_host("profile", "r100")
    await host.start()
    service = Service("profile", (host.host,), "r100")
    traffic = Traffic([service], peak_rps=400.0, day_s=2.0, seed=3)
    running = asyncio.create_task(traffic.run())
    await until(lambda: traffic.balancer.counts["profile", 200] > 20)
    running.cancel()
    await asyncio.wait((running,))
    await until(lambda: not traffic.balancer.backends[0].open)
    assert "profile: 200 " in traffic.account()
