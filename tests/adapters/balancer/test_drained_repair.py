"""Deploys that end badly, controllers that start anew, and balancers that hang."""

import asyncio
import os
import time
from datetime import UTC, datetime

from adapters.balancer.book import Drained
from adapters.balancer.haproxy import HaproxySocket, Wanted
from pipeline.events import Result
from tests.adapters.balancer.balancer_support import intent

DEADLINE_S = 4.0
OUT = "be_web/web-1 is drained by pithead for web-7.forward.web-1.1"


async def test_a_failed_deploy_to_a_host_that_is_well_is_undone(house) -> None:
    here = await house()
    here.fleet.ends["web-1"] = Result.FAILED
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert (outcome.result, outcome.detail) == (Result.FAILED, "told failed")
    assert (await here.out(), dict(here.book.entries)) == (set(), {})


async def test_a_failed_deploy_to_a_host_that_is_sick_leaves_it_drained_until_it_is_well(house) -> None:
    here = await house()
    web = here.webs["web-1"]
    here.fleet.ends["web-1"], here.fleet.sick = Result.FAILED, {"web-1"}
    outcome = await here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S)
    assert outcome.result is Result.FAILED
    assert outcome.detail.startswith("told failed; be_web/web-1 stays drained until the host is healthy: ")
    assert await here.out() == {"web-1"}
    seen = (await here.hosts.states([web.host], 1.0))["web-1"]
    assert (seen.healthy, seen.detail) == (False, f"{OUT}: until the host is healthy")
    web.healthy = True
    assert (await here.hosts.states([web.host], 1.0))["web-1"].healthy
    assert (await here.out(), dict(here.book.entries)) == (set(), {})


async def test_a_deploy_that_is_done_on_a_host_that_is_sick_leaves_it_drained(house) -> None:
    here = await house()
    here.fleet.sick = {"web-1"}
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, 0.7)
    assert outcome.result is Result.DONE
    assert "; be_web/web-1 stays drained until the host is healthy: " in outcome.detail
    assert await here.out() == {"web-1"}


async def test_the_way_back_of_a_drained_sick_host_is_open_and_puts_it_back(house) -> None:
    here = await house()
    web = here.webs["web-1"]
    here.fleet.sick = {"web-1"}
    await here.hosts.deploy(web.host, intent("web-1"), 1, 0.7)
    here.fleet.sick = set()
    outcome = await here.hosts.deploy(web.host, intent("web-1", "r1"), 1, DEADLINE_S)
    assert (outcome.result, outcome.detail, web.revision) == (Result.DONE, "told done", "r1")
    assert (await here.out(), dict(here.book.entries)) == (set(), {})


async def test_a_sick_host_stays_drained_where_the_way_back_finds_a_balancer_dead(house) -> None:
    here = await house(balancers=2)
    web = here.webs["web-1"]
    here.fleet.sick = {"web-1"}
    await here.hosts.deploy(web.host, intent("web-1"), 1, 0.7)
    await here.balancers[1].kill()
    outcome = await here.hosts.deploy(web.host, intent("web-1", "r1"), 1, 0.6)
    assert outcome.detail.startswith("nothing done: ")
    assert await here.out(0) == {"web-1"}
    assert len(here.book.entries["web-1"].balancers) == 2


async def test_an_unknown_outcome_leaves_the_host_drained_and_booked(house) -> None:
    here = await house()
    web = here.webs["web-1"]
    here.fleet.ends["web-1"] = Result.UNKNOWN
    outcome = await here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S)
    assert (outcome.result, outcome.detail) == (
        Result.UNKNOWN,
        "told unknown; be_web/web-1 stays drained until the host is seen healthy",
    )
    for _ in range(2):
        # It is healthy, but in the middle of its operation.
        assert not (await here.hosts.states([web.host], 1.0))["web-1"].healthy
    assert (await here.out(), list(here.book.entries)) == ({"web-1"}, ["web-1"])
    web.result = Result.FAILED
    assert (await here.hosts.states([web.host], 1.0))["web-1"].healthy
    assert await here.out() == set()


async def test_a_controller_that_starts_anew_puts_back_what_the_last_one_drained_and_nothing_else(house) -> None:
    here = await house(hosts=3)
    here.fleet.gate = asyncio.Event()
    await HaproxySocket(here.balancers[0].admin).set_state("be_web", "web-2", Wanted.DRAIN)
    web = here.webs["web-1"]
    deploy = asyncio.create_task(here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S))
    await here.fleet.until_begun()
    deploy.cancel()
    await asyncio.gather(deploy, return_exceptions=True)
    here.restarted()
    assert await here.out() == {"web-1", "web-2"}
    seen = await here.hosts.states([web.host for web in here.webs.values()], 1.0)
    assert all(state.healthy for state in seen.values())
    assert await here.out() == {"web-2"}
    here.restarted()
    assert here.book.entries == {}


async def test_a_host_with_a_deploy_under_way_is_not_repaired(house) -> None:
    here = await house()
    web = here.webs["web-1"]
    here.fleet.gate = asyncio.Event()
    deploy = asyncio.create_task(here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S))
    await here.fleet.until_begun()
    assert (await here.hosts.states([web.host], 1.0))["web-1"].healthy
    assert await here.out() == {"web-1"}
    second = await here.hosts.deploy(web.host, intent("web-1", "r1"), 1, DEADLINE_S)
    assert second.detail == "nothing done: web-7.forward.web-1.1 is still under way on web-1"
    here.fleet.gate.set()
    assert (await deploy).result is Result.DONE


async def test_a_frozen_balancer_does_not_delay_the_states(house) -> None:
    here = await house()
    web = here.webs["web-1"]
    here.fleet.ends["web-1"] = Result.UNKNOWN
    await here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S)
    web.result = Result.DONE
    here.balancers[0].freeze()
    began = time.monotonic()
    seen = (await here.hosts.states([web.host], 0.1))["web-1"]
    took_s = time.monotonic() - began
    assert (seen.healthy, seen.detail) == (False, f"{OUT}: about to be put back")
    assert took_s < 0.4, "the balancer's own time-out is 0.5 s"
    seen = (await here.hosts.states([web.host], 1.0))["web-1"]
    assert "no answer in 0.5 s: see whether HAProxy runs and is not frozen" in seen.detail


async def test_a_lost_level_of_rights_is_said_on_the_host_with_what_to_do(house) -> None:
    here = await house()
    web = here.webs["web-1"]
    here.fleet.ends["web-1"] = Result.UNKNOWN
    await here.hosts.deploy(web.host, intent("web-1"), 1, DEADLINE_S)
    web.result = Result.DONE
    folder = here.balancers[0].folder
    (folder / "admin.sock").rename(folder / "kept.sock")
    os.link(here.balancers[0].operator, here.balancers[0].admin)
    seen = (await here.hosts.states([web.host], 1.0))["web-1"]
    assert not seen.healthy
    assert 'permission denied: give its "stats socket" line "level admin"; or make it ready' in seen.detail
    (folder / "kept.sock").replace(folder / "admin.sock")
    assert (await here.hosts.states([web.host], 1.0))["web-1"].healthy


async def test_a_seat_that_is_not_there_any_more_is_struck(house) -> None:
    here = await house()
    web = here.webs["web-1"]
    at, address = datetime(2026, 1, 5, tzinfo=UTC), here.balancers[0].admin
    for backend, server in (("be_old", "web-1"), ("be_web", "web-9")):
        here.book.put(Drained("web-1", "web-7.forward.web-1.1", backend, server, (address,), at))
        assert (await here.hosts.states([web.host], 1.0))["web-1"].healthy
        assert here.book.entries == {}


async def test_a_book_that_cannot_be_written_does_not_stop_a_deploy_and_is_told_of(house, tmp_path) -> None:
    here = await house()
    (tmp_path / "drains.json.new").mkdir()
    outcome = await here.hosts.deploy(here.webs["web-1"].host, intent("web-1"), 1, DEADLINE_S)
    assert outcome.result is Result.DONE
    assert "drains.json cannot be written: Is a directory: if pithead is stopped meanwhile" in outcome.detail
    assert await here.out() == set()
