"""A deploy behind real HAProxys: what is lost, what waits, what is put back."""

import asyncio
import os
import re

import pytest

from adapters.balancer.answers import Admin
from adapters.balancer.drained import DrainedHosts
from adapters.balancer.haproxy import HaproxySocket, Wanted
from adapters.health.checks import HealthRule, HttpCheck
from adapters.health.healthy import HealthyHosts
from adapters.wire import Wire
from pipeline.events import Result
from pipeline.observed import HostState
from pithead.clock import SystemClock
from tests.adapters.balancer.balancer_support import crowd, get, intent

DEADLINE_S = 8.0


async def test_clients_lose_no_request_while_every_host_is_drained_and_restarted(house) -> None:
    here = await house(hosts=3)
    async with crowd(here.balancers[0].front) as answers:
        for web in here.webs.values():
            outcome = await here.hosts.deploy(web.host, intent(web.name), 1, DEADLINE_S)
            assert (outcome.result, outcome.detail) == (Result.DONE, "told done")
    assert [answer for answer in answers if answer.startswith("lost")] == []
    assert {"web-1 r1", "web-1 r2"} <= set(answers)
    assert [web.restarts for web in here.webs.values()] == [1, 1, 1]
    assert await here.out() == set()
    assert here.book.entries == {}


async def test_the_same_restarts_without_a_drain_lose_requests(house) -> None:
    here = await house(hosts=3)
    async with crowd(here.balancers[0].front) as answers:
        for web in here.webs.values():
            await here.fleet.deploy(web.host, intent(web.name), 1, DEADLINE_S)
    assert any(answer.startswith("lost") for answer in answers)


async def test_hosts_deployed_to_at_once_take_turns_and_lose_nothing(house) -> None:
    here = await house(hosts=2)
    async with crowd(here.balancers[0].front) as answers:
        ends = await asyncio.gather(
            *(here.hosts.deploy(web.host, intent(web.name), 1, DEADLINE_S) for web in here.webs.values())
        )
    assert [end.result for end in ends] == [Result.DONE, Result.DONE]
    assert [answer for answer in answers if answer.startswith("lost")] == []


async def test_a_host_is_drained_on_every_balancer_before_it_is_told_anything(house) -> None:
    here = await house(balancers=2)
    here.fleet.gate = asyncio.Event()
    deploy = asyncio.create_task(here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S))
    await here.fleet.until_begun()
    assert [await here.out(n) for n in (0, 1)] == [{"web-1"}, {"web-1"}]
    assert list(here.book.entries) == ["web-1"]
    here.fleet.gate.set()
    assert (await deploy).result is Result.DONE
    assert [await here.out(n) for n in (0, 1)] == [set(), set()]


async def test_a_request_under_way_is_waited_for(house) -> None:
    here = await house()
    web = here.webs["web-1"]
    web.hold = here.webs["web-2"].hold = asyncio.Event()
    slow = [asyncio.create_task(get(here.balancers[0].front, "/slow")) for _ in range(2)]
    await web.until_slow()
    deploy = asyncio.create_task(here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S))
    await here.until_out("web-1")
    assert here.fleet.told == []
    web.hold.set()
    assert (await deploy).result is Result.DONE
    assert sorted([await one for one in slow]) == ["web-1 r1", "web-2 r1"]


async def test_sessions_that_do_not_end_are_waited_for_no_longer_than_asked_and_told_of(house) -> None:
    here = await house()
    here.drain_s = 0.3
    web = here.webs["web-1"]
    web.hold = here.webs["web-2"].hold = asyncio.Event()
    slow = [asyncio.create_task(get(here.balancers[0].front, "/slow")) for _ in range(2)]
    await web.until_slow()
    outcome = await here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S)
    assert (outcome.result, outcome.detail) == (
        Result.DONE,
        "told done; sessions left on be_web/web-1 after 0.3 s of drain: 1",
    )
    web.hold.set()
    await asyncio.gather(*slow)


async def test_a_drain_that_leaves_no_time_to_deploy_is_undone(house) -> None:
    here = await house()
    web = here.webs["web-1"]
    web.hold = here.webs["web-2"].hold = asyncio.Event()
    slow = [asyncio.create_task(get(here.balancers[0].front, "/slow")) for _ in range(2)]
    await web.until_slow()
    outcome = await here.hosts.deploy(web.host, intent("web-1"), 1, 0.4)
    assert outcome.result is Result.FAILED
    assert outcome.detail.startswith("nothing done: draining be_web/web-1 took all the time: ")
    assert (here.fleet.told, await here.out(), dict(here.book.entries)) == ([], set(), {})
    web.hold.set()
    await asyncio.gather(*slow)


async def test_the_hosts_own_deadline_is_what_draining_has_left_of_it(house) -> None:
    here = await house()
    await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert 0 < here.fleet.deadlines_s[0] < DEADLINE_S


async def test_the_balancers_own_check_is_waited_for(house) -> None:
    here = await house(options="check inter 50ms fastinter 20ms")
    async with crowd(here.balancers[0].front):
        outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert (outcome.result, outcome.detail) == (Result.DONE, "told done")
    assert (await HaproxySocket(here.balancers[0].admin).servers("be_web"))["web-1"].ready


async def test_traffic_comes_back_only_once_the_host_has_been_healthy_for_long_enough(house) -> None:
    here, wire, clock = await house(), Wire(), SystemClock()
    web = here.webs["web-1"]
    healthy = HealthyHosts(here.fleet, lambda _: HealthRule(HttpCheck("/", contains="web"), 0.5), clock, wire)
    here.hosts = DrainedHosts(healthy, lambda host: here.seat(host.name), here.book, clock)
    async with crowd(here.balancers[0].front) as answers:
        outcome = await here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S)
        took_s = asyncio.get_running_loop().time() - web.up_s
    await wire.close()
    assert (outcome.result, outcome.detail, await here.out()) == (Result.DONE, "told done", set())
    assert took_s >= 0.5
    assert [answer for answer in answers if answer.startswith("lost")] == []


async def test_a_host_that_cannot_be_drained_everywhere_is_not_told_and_gets_its_traffic_back(house) -> None:
    here = await house(balancers=2)
    await here.balancers[1].kill()
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, 0.6)
    why = f"balancer {here.balancers[1].admin}: refused: see whether HAProxy runs, and listens there"
    assert outcome.result is Result.HELD
    assert re.fullmatch(rf"nothing done: no answer for 0\.\d+ s: {re.escape(why)}", outcome.detail)
    assert (here.fleet.told, await here.out(0), dict(here.book.entries)) == ([], set(), {})


async def test_an_operator_level_socket_drains_nothing_and_says_what_to_do(house) -> None:
    here = await house()
    here.balancers[0].folder.joinpath("admin.sock").unlink()
    os.link(here.balancers[0].operator, here.balancers[0].admin)
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert outcome.result is Result.FAILED
    assert outcome.detail.startswith("nothing done: ")
    assert 'permission denied: give its "stats socket" line "level admin"' in outcome.detail
    assert (here.fleet.told, dict(here.book.entries)) == ([], {})


async def test_a_balancer_killed_in_mid_drain_stops_the_deploy_and_is_repaired_when_it_is_back(house) -> None:
    here = await house(balancers=2)
    here.drain_s = 0.5
    web = here.webs["web-1"]
    web.hold = here.webs["web-2"].hold = asyncio.Event()
    slow = [asyncio.create_task(get(here.balancers[0].front, "/slow")) for _ in range(2)]
    await web.until_slow()
    deploy = asyncio.create_task(here.hosts.deploy(web.host, intent("web-1"), 1, 2.0))
    await here.until_out("web-1")
    await here.until_out("web-1", balancer=1)
    await here.balancers[1].kill()
    outcome = await deploy
    assert outcome.result is Result.HELD
    assert outcome.detail.startswith("nothing done: no answer for ")
    assert f" s: balancer {here.balancers[1].admin}: refused" in outcome.detail
    assert (here.fleet.told, await here.out(0)) == ([], set())
    assert here.book.entries["web-1"].balancers == (here.balancers[1].admin,)
    seen = (await here.hosts.states([web.host], 1.0))["web-1"]
    assert not seen.healthy
    assert "refused" in seen.detail
    assert seen.detail.endswith("or make it ready there by hand")
    await here.balancers[1].start()
    assert (await here.hosts.states([web.host], 1.0))["web-1"].healthy
    assert here.book.entries == {}
    web.hold.set()
    await asyncio.gather(*slow)


async def test_a_balancer_started_anew_in_mid_drain_is_told_again(house) -> None:
    here = await house(balancers=2)
    web = here.webs["web-1"]
    web.hold = here.webs["web-2"].hold = asyncio.Event()
    slow = [asyncio.create_task(get(here.balancers[0].front, "/slow")) for _ in range(2)]
    await web.until_slow()
    deploy = asyncio.create_task(here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S))
    await here.until_out("web-1", balancer=1)
    await here.balancers[1].kill()
    await here.balancers[1].start()
    await here.until_out("web-1", balancer=1)
    web.hold.set()
    assert (await deploy).result is Result.DONE
    assert [await here.out(n) for n in (0, 1)] == [set(), set()]
    await asyncio.gather(*slow)


@pytest.mark.parametrize(("state", "how"), [(Wanted.DRAIN, "drained"), (Wanted.MAINT, "in maintenance")])
async def test_what_a_person_took_out_stays_out(house, state: Wanted, how: str) -> None:
    here = await house(balancers=2)
    person = HaproxySocket(here.balancers[0].admin)
    await person.set_state("be_web", "web-1", state)
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert (outcome.result, outcome.detail) == (
        Result.DONE,
        f"told done; be_web/web-1 was {how} in {here.balancers[0].admin} by someone else, and stays so",
    )
    server = (await person.servers("be_web"))["web-1"]
    assert server.admin == (Admin.DRAIN if state is Wanted.DRAIN else Admin.MAINT)
    assert (await here.out(1), dict(here.book.entries)) == (set(), {})


async def test_maintenance_that_a_person_begins_in_mid_deploy_stays(house) -> None:
    here = await house()
    here.fleet.gate = asyncio.Event()
    deploy = asyncio.create_task(here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S))
    await here.fleet.until_begun()
    await HaproxySocket(here.balancers[0].admin).set_state("be_web", "web-1", Wanted.MAINT)
    here.fleet.gate.set()
    assert (await deploy).result is Result.DONE
    assert (await here.out(), dict(here.book.entries)) == ({"web-1"}, {})


async def test_the_last_ready_server_is_refused_and_a_backend_of_one_is_not(house) -> None:
    here = await house()
    await HaproxySocket(here.balancers[0].admin).set_state("be_web", "web-2", Wanted.MAINT)
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert (outcome.result, outcome.detail) == (
        Result.FAILED,
        "nothing done: web-1 is the last ready server of be_web: make another one ready first",
    )
    assert (here.fleet.told, await here.out()) == ([], {"web-2"})
    out = await here.hosts.deploy(here.webs["web-2"].host, intent("web-2"), 1, DEADLINE_S)
    assert out.result is Result.DONE


async def test_the_only_server_of_a_backend_is_deployed_to(house) -> None:
    here = await house(hosts=1)
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert (outcome.result, await here.out()) == (Result.DONE, set())


async def test_a_server_that_is_not_there_is_named(house) -> None:
    here = await house()
    here.hosts._seats = lambda host: here.seat("web-9")
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert outcome.result is Result.FAILED
    assert "no server web-9 in backend be_web: correct the name here or in HAProxy's configuration" in outcome.detail


async def test_a_host_without_a_seat_is_deployed_to_as_it_is(house) -> None:
    here = await house()
    here.hosts._seats = lambda host: None
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert (outcome.result, outcome.detail) == (Result.DONE, "told done")
    state = (await here.hosts.states([here.webs["web-1"].host], 1.0))["web-1"]
    assert isinstance(state, HostState)
    assert state.healthy
