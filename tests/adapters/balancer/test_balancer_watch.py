"""Servers that people took out of the traffic are told of on their hosts; those that Pithead drained are not."""

import asyncio
import time
from dataclasses import dataclass, field

from adapters.balancer.answers import Admin, Server
from adapters.balancer.book import DrainBook
from adapters.balancer.drained import DrainedHosts
from adapters.balancer.haproxy import HaproxySocket, Wanted
from adapters.balancer.seat import Seat
from adapters.balancer.watch import EVERY_S, SILENT_S, Watch
from pipeline.events import Result
from pithead.clock import SystemClock
from tests.adapters.balancer.balancer_support import WAIT_S, intent

MAINT = "web-2 is in maintenance in be_web (not by pithead): it gets no traffic"


@dataclass
class Ahead(SystemClock):
    """The system's clock, put forward by a test."""

    ahead_s: float = field(default=0.0)

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead_s


def ahead(here) -> Ahead:
    clock = Ahead()
    here.hosts = DrainedHosts(here.fleet, lambda host: here.seat(host.name), here.book, clock)
    return clock


async def details(here) -> dict[str, str]:
    seen = await here.hosts.states([web.host for web in here.webs.values()], 1.0)
    assert all(state.healthy for state in seen.values())
    return {name: state.detail for name, state in seen.items()}


async def test_a_host_that_a_person_put_into_maintenance_says_so_and_stays_healthy(house) -> None:
    here = await house()
    await HaproxySocket(here.balancers[0].admin).set_state("be_web", "web-2", Wanted.MAINT)
    assert await details(here) == {"web-1": "", "web-2": MAINT}


async def test_it_is_looked_at_again_after_ten_seconds_and_not_before(house) -> None:
    here = await house()
    clock, person = ahead(here), HaproxySocket(here.balancers[0].admin)
    await person.set_state("be_web", "web-2", Wanted.MAINT)
    assert (await details(here))["web-2"] == MAINT
    await person.set_state("be_web", "web-2", Wanted.READY)
    assert (await details(here))["web-2"] == MAINT
    clock.ahead_s += EVERY_S
    assert (await details(here))["web-2"] == ""


async def test_a_server_that_only_one_balancer_has_out_names_it(house) -> None:
    here = await house(balancers=2)
    address = here.balancers[1].admin
    await HaproxySocket(address).set_state("be_web", "web-2", Wanted.DRAIN)
    said = f"web-2 is drained in be_web of {address} (not by pithead): it gets no traffic from there"
    assert await details(here) == {"web-1": "", "web-2": said}


async def test_what_pithead_drained_is_not_told_of_as_a_persons(house) -> None:
    here = await house()
    here.fleet.gate = asyncio.Event()
    deploy = asyncio.create_task(here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, WAIT_S))
    await here.fleet.until_begun()
    assert await details(here) == {"web-1": "", "web-2": ""}
    here.fleet.gate.set()
    await deploy
    assert await details(here) == {"web-1": "", "web-2": ""}


async def test_a_frozen_balancer_delays_no_states_and_is_not_asked_twice_at_once(house) -> None:
    here = await house()
    here.balancers[0].freeze()
    began_s = time.monotonic()
    seen = await here.hosts.states([web.host for web in here.webs.values()], 0.1)
    assert time.monotonic() - began_s < 0.4, "the balancer's own time-out is 0.5 s"
    assert {state.detail for state in seen.values()} == {""}
    assert len(here.hosts._watch._looks) == 1
    await here.hosts.states([web.host for web in here.webs.values()], 0.1)
    assert len(here.hosts._watch._looks) == 1


class Counted(HaproxySocket):
    """A balancer of many hosts that counts what it is asked."""

    __slots__ = ("asked",)

    async def servers(self, backend: str) -> dict[str, Server]:
        self.asked.append(backend)
        return {"web-2": Server("web-2", up=True, admin=Admin.MAINT, weight=1)}


async def test_a_backend_is_asked_for_once_however_many_hosts_sit_there(house, tmp_path) -> None:
    here = await house(hosts=3)
    socket, asked = Counted("/none"), []
    object.__setattr__(socket, "asked", asked)
    watch = Watch(lambda host: Seat((socket,), "be_web", host.name), DrainBook(tmp_path / "none.json"), SystemClock())
    hosts = [web.host for web in here.webs.values()]
    await asyncio.wait(watch.look(hosts))
    assert not watch.look(hosts)
    assert asked == ["be_web"]
    assert [watch.note(host) for host in hosts] == ["", MAINT, ""]


async def held(here) -> set[str]:
    """What keeps hosts from being deployed to, once looks under way have ended."""
    hosts = [web.host for web in here.webs.values()]
    await here.hosts.states(hosts, 1.0)
    await asyncio.gather(*here.hosts._watch._looks)
    seen = await here.hosts.states(hosts, 1.0)
    assert all(state.healthy for state in seen.values())
    return {state.held for state in seen.values()}


async def test_hosts_behind_a_silent_balancer_are_held_until_it_answers_again(house) -> None:
    here = await house(balancers=2)
    clock, haproxy = ahead(here), here.balancers[1]
    assert await held(here) == {""}
    await haproxy.kill()
    assert await held(here) == {""}
    clock.ahead_s += EVERY_S
    refused = f"balancer {haproxy.admin} does not answer for {{}}: refused: see whether HAProxy runs, and listens there"
    assert await held(here) == {refused.format("0 s")}
    clock.ahead_s += 20.0
    assert await held(here) == {refused.format("20 s")}
    await haproxy.start()
    clock.ahead_s += SILENT_S
    assert await held(here) == {""}


async def test_a_deploy_that_finds_its_balancer_silent_has_it_looked_at_at_once(house) -> None:
    here = await house()
    ahead(here)
    assert await held(here) == {""}
    await here.balancers[0].kill()
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, 0.2)
    assert outcome.result is Result.HELD
    assert len(await held(here)) == 1
    assert "" not in await held(here)


async def test_a_balancer_that_refuses_holds_nobody_by_its_silence(house) -> None:
    here = await house()
    here.hosts._seats = here.hosts._watch._seats = lambda host: here.seat("web-9")
    assert await held(here) == {""}
