"""Two or three web servers behind real HAProxys."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.balancer.book import DrainBook
from adapters.balancer.drained import DrainedHosts
from adapters.balancer.haproxy import HaproxySocket
from adapters.balancer.seat import Seat
from pithead.clock import SystemClock
from tests.adapters.balancer.balancer_support import WAIT_S, Web, Webs
from tests.neighbours.haproxy import Haproxy, free_ports, haproxy


@dataclass
class House:
    """All of it: the web servers, the balancers before them, and the fleet that drains."""

    webs: dict[str, Web]
    balancers: list[Haproxy]
    fleet: Webs
    book: DrainBook
    hosts: DrainedHosts
    drain_s: float = 2.0

    def seat(self, name: str) -> Seat:
        sockets = tuple(HaproxySocket(balancer.admin, 0.5) for balancer in self.balancers)
        return Seat(sockets, "be_web", name, self.drain_s)

    def restarted(self) -> None:
        """The controller is another process now: only the file is left."""
        self.book = DrainBook(self.book._path)
        self.hosts = DrainedHosts(self.fleet, lambda host: self.seat(host.name), self.book, SystemClock())

    async def out(self, balancer: int = 0) -> set[str]:
        servers = await HaproxySocket(self.balancers[balancer].admin).servers("be_web")
        return {name for name, server in servers.items() if server.out}

    async def until_out(self, *names: str, balancer: int = 0) -> None:
        async with asyncio.timeout(WAIT_S):
            while await self.out(balancer) != set(names):  # noqa: ASYNC110 - HAProxy sends no events
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.hosts.close()


Build = Callable[..., Awaitable[House]]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Build]:
    """Builds a house of so many hosts and balancers; `options` follow each server's address in HAProxy's file."""
    async with AsyncExitStack() as stack:

        async def build(hosts: int = 2, balancers: int = 1, options: str = "") -> House:
            webs = {f"web-{n}": Web(f"web-{n}", address) for n, address in enumerate(free_ports(hosts), start=1)}
            for web in webs.values():
                await web.start()
                stack.push_async_callback(web.stop)
            servers = {name: f"{web.address} {options}" for name, web in webs.items()}
            running = [await stack.enter_async_context(haproxy(tmp_path / f"lb{n}", servers)) for n in range(balancers)]
            fleet, book = Webs(webs), DrainBook(tmp_path / "drains.json")
            here = House(webs, running, fleet, book, None)  # type: ignore[arg-type]
            here.restarted()
            stack.push_async_callback(here.close)
            return here

        yield build
