"""Checks of real servers on loopback, and a host's health over time."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from adapters.health.checks import HealthRule, HttpCheck, InnerCheck, TcpCheck
from adapters.health.healthy import HealthyHosts
from adapters.health.streak import LONGEST_STEP_S
from adapters.wire import Wire
from pipeline.events import Intent, Outcome, Result
from pipeline.model import Host, Pool
from pipeline.observed import HostFault, HostState, Observation

LOOK_S = 5.0


@dataclass
class Inner:
    """`HostFleet`: what the test says, at the test's time."""

    clock: object
    said: dict[str, Observation] = field(default_factory=dict)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Event | None = None

    async def states(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Observation]:
        self.asked.set()
        if self.answer is not None:
            await self.answer.wait()
        now_s = self.clock.monotonic()
        well = HostState(now_s, "r1", True, detail="")
        return {host.name: replace(self.said.get(host.name, well), at_s=now_s) for host in hosts}

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        return Outcome(intent.operation, Result.DONE, f"{host.name} {token} {deadline_s:g}", intent.at)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    here = Wire()
    yield here
    await here.close()


@pytest.fixture
def inner(clock) -> Inner:
    return Inner(clock)


def web(address: str, name: str = "web-1") -> Host:
    return Host(name, address, Pool.PRODUCTION, "fra1")


def order() -> Intent:
    return Intent("web-7.forward.web-1.1", "web-7", "web", "web-1", "r2", datetime(2026, 1, 5, tzinfo=UTC))


async def test_each_host_is_judged_by_its_own_check(peers, http_answer, inner, clock, wire) -> None:
    good = await peers.answering(lambda *_: http_answer(200, "all is well"))
    bad = await peers.answering(lambda *_: http_answer(503, "no"))
    refusing = await peers.refusing()
    checks = {
        web(good, "web-1"): HttpCheck("/healthz", contains="well"),
        web(bad, "web-2"): HttpCheck("/healthz"),
        web(bad, "web-3"): HttpCheck("/healthz", status=503),
        web(good, "web-4"): HttpCheck("/healthz", contains="superb"),
        web(good, "web-5"): HttpCheck("/healthz", status=204),
        web(refusing, "web-6"): HttpCheck("/healthz"),
        web(await peers.answering(lambda *_: None), "web-7"): HttpCheck("/healthz"),
        web(good, "web-8"): TcpCheck(),
        web(refusing, "web-9"): TcpCheck(),
        web("nowhere", "web-10"): TcpCheck(),
        web(refusing, "web-11"): InnerCheck(),
        web(refusing, "web-12"): None,
    }

    def rule(host: Host) -> HealthRule | None:
        check = checks[host]
        return HealthRule(check) if check is not None else None

    seen = await HealthyHosts(inner, rule, clock, wire).states(list(checks), 0.3)
    assert list(seen) == [host.name for host in checks]
    assert {name: state.detail for name, state in seen.items() if not state.healthy} == {
        "web-2": "GET /healthz: HTTP 503",
        "web-4": 'GET /healthz: HTTP 200 without "superb"',
        "web-5": "GET /healthz: HTTP 200, expected 204",
        "web-6": "GET /healthz: refused",
        "web-7": "GET /healthz: no answer in 0.3 s",
        "web-9": f"connecting to {refusing}: refused",
        "web-10": "connecting to nowhere: not host:port",
    }


async def test_a_host_that_failed_is_healthy_again_only_after_its_time(peers, http_answer, inner, clock, wire) -> None:
    status = 200
    address = await peers.answering(lambda *_: http_answer(status, "x"))
    hosts = HealthyHosts(inner, lambda _: HealthRule(HttpCheck("/healthz"), 10.0), clock, wire)

    async def look() -> tuple[bool, str]:
        state = (await hosts.states([web(address)], LOOK_S))["web-1"]
        return state.healthy, state.detail

    assert await look() == (True, "")
    status = 500
    assert await look() == (False, "GET /healthz: HTTP 500")
    status = 200
    assert await look() == (False, "healthy for 0 s of 10 s")
    await clock.sleep(4.9)
    assert await look() == (False, "healthy for 4 s of 10 s")
    assert await look() == (False, "healthy for 4 s of 10 s")
    await clock.sleep(5.1)
    assert await look() == (True, "")


async def test_a_new_revision_has_to_show_its_health_and_so_has_a_host_that_was_lost_for_long(
    inner, clock, wire
) -> None:
    hosts = HealthyHosts(inner, lambda _: HealthRule(InnerCheck(), 10.0), clock, wire)
    host = web("127.0.0.1:1")
    assert (await hosts.states([host], LOOK_S))["web-1"].healthy
    inner.said["web-1"] = HostState(0.0, "r2", True, "web-7.forward.web-1.1", Result.DONE, "as told")
    seen = (await hosts.states([host], LOOK_S))["web-1"]
    assert (seen.healthy, seen.revision, seen.detail) == (False, "r2", "healthy for 0 s of 10 s; as told")
    await clock.sleep(10.0)
    assert (await hosts.states([host], LOOK_S))["web-1"].healthy
    well, inner.said["web-1"] = inner.said["web-1"], HostFault(0.0, "refused")
    assert (await hosts.states([host], LOOK_S))["web-1"] == HostFault(clock.monotonic(), "refused")
    await clock.sleep(LONGEST_STEP_S + 1)
    inner.said["web-1"] = well
    seen = (await hosts.states([host], LOOK_S))["web-1"]
    assert (seen.healthy, seen.settling, seen.down) == (False, True, False)


async def test_a_host_that_gave_no_answer_for_a_moment_is_as_healthy_as_before(inner, clock, wire) -> None:
    hosts = HealthyHosts(inner, lambda _: HealthRule(InnerCheck(), 10.0), clock, wire)
    host = web("127.0.0.1:1")
    inner.said["web-1"] = HostState(0.0, "r2", True, "web-7.forward.web-1.1", Result.DONE)
    for _ in range(3):
        await hosts.states([host], LOOK_S)
        await clock.sleep(10.0)
    well, inner.said["web-1"] = inner.said["web-1"], HostFault(0.0, "no answer in 5 s")
    await hosts.states([host], LOOK_S)
    await clock.sleep(5.0)
    inner.said["web-1"] = well
    assert (await hosts.states([host], LOOK_S))["web-1"].healthy


async def test_a_controller_whose_first_look_got_no_answer_takes_nobody_for_sick(inner, clock, wire) -> None:
    hosts = HealthyHosts(inner, lambda _: HealthRule(InnerCheck(), 10.0), clock, wire)
    host = web("127.0.0.1:1")
    inner.said["web-1"] = HostFault(0.0, "no answer in 5 s")
    await hosts.states([host], LOOK_S)
    await clock.sleep(5.0)
    del inner.said["web-1"]
    assert (await hosts.states([host], LOOK_S))["web-1"].healthy


async def test_a_check_without_an_answer_is_no_failure_but_never_health_for_long(
    peers, http_answer, inner, clock, wire
) -> None:
    answer: bytes | None = http_answer(200, "x")
    address = await peers.answering(lambda *_: answer)
    hosts = HealthyHosts(inner, lambda _: HealthRule(HttpCheck("/healthz"), 10.0), clock, wire)

    async def look() -> HostState:
        seen = (await hosts.states([web(address)], 0.2))["web-1"]
        assert isinstance(seen, HostState)
        return seen

    assert (await look()).healthy
    answer = None
    await clock.sleep(5.0)
    assert (await look()).healthy
    await clock.sleep(LONGEST_STEP_S)
    seen = await look()
    assert (seen.healthy, seen.settling, seen.down) == (False, False, False)
    assert seen.detail == "GET /healthz: no answer in 0.2 s"
    answer = http_answer(503, "x")
    assert (await look()).down


async def test_a_host_that_calls_itself_sick_is_sick_whatever_the_check_says(
    peers, http_answer, inner, clock, wire
) -> None:
    address = await peers.answering(lambda *_: http_answer(200, "x"))
    inner.said["web-1"] = HostState(0.0, "r1", False, detail="restarting")
    hosts = HealthyHosts(inner, lambda _: HealthRule(HttpCheck("/healthz"), 0.0), clock, wire)
    seen = (await hosts.states([web(address)], LOOK_S))["web-1"]
    assert (seen.healthy, seen.detail) == (False, "restarting")


async def test_a_host_told_before_it_was_ever_seen_has_to_show_its_health(inner, clock, wire) -> None:
    hosts = HealthyHosts(inner, lambda _: HealthRule(InnerCheck(), 10.0), clock, wire)
    outcome = await hosts.deploy(web("127.0.0.1:1"), order(), 7, 60.0)
    assert (outcome.operation, outcome.result, outcome.detail) == (order().operation, Result.DONE, "web-1 7 60")
    seen = await hosts.states([web("127.0.0.1:1"), web("127.0.0.1:1", "web-2")], LOOK_S)
    assert [state.healthy for state in seen.values()] == [False, True]


async def test_the_check_is_made_while_the_inner_fleet_is_asked(peers, http_answer, inner, clock, wire) -> None:
    inner.answer = asyncio.Event()
    met = asyncio.Event()

    def answer(*_: object) -> bytes:
        met.set()
        return http_answer(200, "x")

    hosts = HealthyHosts(inner, lambda _: HealthRule(HttpCheck("/healthz")), clock, wire)
    looking = asyncio.create_task(hosts.states([web(await peers.answering(answer))], LOOK_S))
    async with asyncio.timeout(LOOK_S):
        await inner.asked.wait()
        await met.wait()
    inner.answer.set()
    assert (await looking)["web-1"].healthy


async def test_hostile_answers_stay_one_plain_line(peers, inner, clock, wire) -> None:
    address = await peers.saying(b"\x1b[2J\x00\n\n")
    hosts = HealthyHosts(inner, lambda _: HealthRule(HttpCheck("/healthz")), clock, wire)
    seen = (await hosts.states([web(address)], LOOK_S))["web-1"]
    assert not seen.healthy
    assert seen.detail.startswith("GET /healthz: malformed answer: ")
    assert seen.detail.isprintable()
