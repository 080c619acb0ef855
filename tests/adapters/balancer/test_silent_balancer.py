"""An HAProxy that does not answer for a while: the deploy waits for it, and no release is to blame."""

import asyncio
import os
import re

import pytest

from pipeline.events import Result
from tests.adapters.balancer.balancer_support import crowd, get, intent

DEADLINE_S = 12.0
FROZEN_S = 3.0


async def test_a_haproxy_frozen_for_three_seconds_costs_neither_the_deploy_nor_a_request(house) -> None:
    here = await house()
    haproxy = here.balancers[0]
    async with crowd(haproxy.front) as answers:
        haproxy.freeze()
        asyncio.get_running_loop().call_later(FROZEN_S, haproxy.thaw)
        outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert (outcome.result, outcome.detail) == (Result.DONE, "told done")
    assert [answer for answer in answers if answer.startswith("lost")] == []
    assert (here.fleet.told, await here.out(), dict(here.book.entries)) == (["web-1"], set(), {})


async def test_a_haproxy_frozen_in_mid_drain_is_waited_for_longer_than_the_drain(house) -> None:
    here = await house()
    here.drain_s = 0.3
    web, haproxy = here.webs["web-1"], here.balancers[0]
    web.hold = here.webs["web-2"].hold = asyncio.Event()
    slow = [asyncio.create_task(get(haproxy.front, "/slow")) for _ in range(2)]
    await web.until_slow()
    deploy = asyncio.create_task(here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S))
    await here.until_out("web-1")
    haproxy.freeze()
    web.hold.set()
    asyncio.get_running_loop().call_later(1.0, haproxy.thaw)
    outcome = await deploy
    assert (outcome.result, outcome.detail) == (Result.DONE, "told done")
    assert sorted([await one for one in slow]) == ["web-1 r1", "web-2 r1"]
    assert await here.out() == set()


async def test_a_haproxy_frozen_when_the_host_is_to_get_its_traffic_back_is_asked_again(house) -> None:
    here = await house()
    haproxy = here.balancers[0]
    here.fleet.gate = asyncio.Event()
    deploy = asyncio.create_task(here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S))
    await here.fleet.until_begun()
    haproxy.freeze()
    asyncio.get_running_loop().call_later(1.0, haproxy.thaw)
    here.fleet.gate.set()
    outcome = await deploy
    assert (outcome.result, outcome.detail) == (Result.DONE, "told done")
    assert (await here.out(), dict(here.book.entries)) == (set(), {})


async def test_after_half_of_the_deadline_it_is_said_how_long_there_was_no_answer(house) -> None:
    here = await house()
    here.balancers[0].freeze()
    began_s = asyncio.get_running_loop().time()
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, 2.0)
    took_s = asyncio.get_running_loop().time() - began_s
    said = re.match(r"nothing done: no answer for ([\d.]+) s: balancer \S+: no answer in 0.5 s: see ", outcome.detail)
    assert outcome.result is Result.HELD
    assert said is not None
    assert 1.0 <= float(said[1]) <= took_s + 0.01
    assert here.fleet.told == []


async def test_a_haproxy_that_is_started_within_the_time_is_no_failure(house) -> None:
    here = await house()
    haproxy = here.balancers[0]
    await haproxy.kill()
    deploy = asyncio.create_task(here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S))
    await haproxy.start()
    assert (await deploy).result is Result.DONE


@pytest.mark.parametrize("wrong", ["level", "name"])
async def test_a_refusal_is_said_at_once(house, wrong: str) -> None:
    here = await house(balancers=2)
    await here.balancers[1].kill()
    if wrong == "level":
        here.balancers[1].folder.joinpath("admin.sock").unlink()
        await here.balancers[1].start()
        here.balancers[0].folder.joinpath("admin.sock").unlink()
        os.link(here.balancers[0].operator, here.balancers[0].admin)
    else:
        here.hosts._seats = lambda host: here.seat("web-9")
    async with asyncio.timeout(2.0):
        outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, 60.0)
    assert outcome.result is Result.FAILED
    assert ("permission denied" if wrong == "level" else "no server web-9") in outcome.detail
