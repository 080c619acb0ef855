"""Health endpoints over real connections, behind a real HAProxy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from adapters.balancer.haproxy import HaproxySocket
from adapters.balancer.seat import Seat
from adapters.scout.health import HealthLooks
from pipeline.model import Host, Pool, Rules, Service
from pipeline.readiness.rules import ReadinessRules
from pithead.clock import SystemClock
from tests.adapters.conftest import Peers, read_request
from tests.neighbours.haproxy import Haproxy, haproxy

CHECK = "check inter 100ms fall 2 rise 1"
WAIT_S = 10.0


@dataclass
class App:
    """A web server that says what it is told to."""

    address: str = ""
    status: int = 200
    wait_s: float = 0.0
    paths: list[str] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, path, _ = await read_request(reader)
            self.paths.append(path)
            if path == "/healthz":
                await asyncio.sleep(self.wait_s)
            status = {"/healthz": self.status, "/livez": 200, "/": 200}.get(path, 404)
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok" % status)
            await writer.drain()


class Quick(SystemClock):
    """Waits for a balancer at most so long."""

    waited: list[float]

    def __init__(self) -> None:
        self.waited = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


@dataclass
class House:
    apps: list[App]
    balancer: Haproxy
    looks: HealthLooks
    clock: Quick
    service: Service


@pytest.fixture
async def build(peers: Peers) -> AsyncIterator[object]:
    async with AsyncExitStack() as stack:
        # A socket's path may have about a hundred letters.
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="pithead-scout-")))

        async def made(options: str = CHECK, *, seats: bool = True, live: str = "/livez") -> House:
            apps = [App(), App()]
            for app in apps:
                app.address = await peers.talking(app.talk)
            servers = {f"web-{n}": f"{app.address} {options}" for n, app in enumerate(apps)}
            balancer = await stack.enter_async_context(haproxy(folder / apps[0].address, servers))

            def seat(host: Host) -> Seat | None:
                return Seat((HaproxySocket(balancer.admin, 2.0),), "be_web", host.name) if seats else None

            clock = Quick()
            looks = HealthLooks(seat, clock)
            stack.push_async_callback(looks.close)
            hosts = tuple(Host(f"web-{n}", app.address, Pool.PRODUCTION, "fra1") for n, app in enumerate(apps))
            stated = ReadinessRules(health_path="/healthz", liveness_path=live)
            return House(apps, balancer, looks, clock, Service("web", hosts, "r1", rules=Rules(readiness=stated)))

        yield made


async def until_up(house: House, *, up: bool, name: str = "web-0") -> None:
    async with asyncio.timeout(WAIT_S):
        while (await HaproxySocket(house.balancer.admin).servers("be_web"))[name].up is not up:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_healthy_host_is_timed_and_its_balancer_is_seen_to_check_it(build) -> None:  # type: ignore[no-untyped-def]
    house = await build()
    found = await house.looks.look(house.service)
    assert set(found) == {"web-0", "web-1"}
    for one in found.values():
        assert (one.status, one.alive, one.stays) == (200, "", False)
        assert one.took_s < 1.0
        assert one.seating is not None
        assert (one.seating.name.split("/")[0], one.seating.checked, one.seating.fault) == ("be_web", True, "")
    assert house.clock.waited == []


async def test_a_host_that_is_unhealthy_and_stays_in_the_traffic_is_found(build) -> None:  # type: ignore[no-untyped-def]
    house = await build(options="")
    house.apps[0].status = 503
    found = await house.looks.look(house.service)
    assert house.clock.waited == [30.0]
    assert found["web-0"].stays
    assert found["web-0"].seating is not None
    assert not found["web-0"].seating.checked
    assert not found["web-1"].stays


async def test_a_host_that_its_balancer_takes_out_is_well(build, peers) -> None:  # type: ignore[no-untyped-def]
    house = await build()
    # HAProxy's own check is of the connection: it goes with the server.
    peers.servers[0].close()
    await until_up(house, up=False)
    found = await house.looks.look(house.service)
    assert found["web-0"].status is None
    assert found["web-0"].why
    assert not found["web-0"].stays
    assert house.clock.waited == []


async def test_a_host_that_is_well_again_after_the_grace_does_not_stay(build) -> None:  # type: ignore[no-untyped-def]
    house = await build()
    house.apps[0].status = 503

    async def mend(_: float) -> None:
        house.apps[0].status = 200

    house.clock.sleep = mend
    found = await house.looks.look(house.service)
    assert (found["web-0"].status, found["web-0"].stays) == (200, False)


async def test_a_slow_endpoint_is_asked_twice_and_told_with_its_time(build) -> None:  # type: ignore[no-untyped-def]
    house = await build()
    house.apps[0].wait_s = 1.1
    found = await house.looks.look(house.service)
    assert found["web-0"].took_s > 1.0
    assert house.apps[0].paths.count("/healthz") == 2


async def test_a_liveness_endpoint_that_is_not_there_is_told(build) -> None:  # type: ignore[no-untyped-def]
    house = await build(live="/alive")
    assert (await house.looks.look(house.service))["web-0"].alive == "HTTP 404"


async def test_without_a_balancer_there_is_no_seat_and_with_a_dead_one_a_fault(build) -> None:  # type: ignore[no-untyped-def]
    house = await build(seats=False)
    assert (await house.looks.look(house.service))["web-0"].seating is None
    house = await build()
    await house.balancer.stop()
    seating = (await house.looks.look(house.service))["web-0"].seating
    assert seating is not None
    assert "see whether HAProxy runs" in seating.fault
