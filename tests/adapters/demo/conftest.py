"""A small company on loopback, in this process, at ports that the kernel chose."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from adapters.demo.host import DemoHost
from pipeline.model import Host, Pool

RESTART_S = 0.1


class WallClock:
    """Real time: the neighbours here are real, and so are their restarts."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture
def wall_clock() -> WallClock:
    return WallClock()


@pytest.fixture
async def demo_host() -> AsyncIterator[Callable[..., DemoHost]]:
    """`demo_host(service, revision, index=1)`: not listening until it is started."""
    made: list[DemoHost] = []

    def make(service: str = "cart", revision: str = "r1", index: int = 1) -> DemoHost:
        host = Host(f"{service}-fra1-{index}", free_address(index), Pool.PRODUCTION, "fra1")
        made.append(DemoHost(service, host, revision, RESTART_S, seed=7))
        return made[-1]

    yield make
    for host in made:
        host.close()
    await asyncio.sleep(0)


def free_address(index: int) -> str:
    """An address of its own for each host, as in the demo."""
    name = f"127.0.77.{index}"
    with socket.socket() as probe:
        probe.bind((name, 0))
        return f"{name}:{probe.getsockname()[1]}"
