"""Jump hosts: how many new connections each of them is asked for at once, as sshd refuses beyond 10 (MaxStartups)."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

AT_ONCE = 8


def named(said: bytes) -> tuple[str, ...]:
    """The jump hosts in what `ssh -G` printed, each once, in an order that is the same for everybody."""
    for line in said.decode("utf-8", "replace").splitlines():
        key, _, value = line.strip().partition(" ")
        if key.lower() == "proxyjump":
            hops = (hop.strip().removeprefix("ssh://") for hop in value.split(","))
            return tuple(sorted({hop for hop in hops if hop and hop.lower() != "none"}))
    return ()


class Jumps:
    """`ask` prints a destination's configuration; it is asked once, until `forget`.

    Not at all where no more than `of` connections are made at once anyway, and those are few enough.
    """

    def __init__(self, ask: Callable[[str], Awaitable[bytes]], of: int) -> None:
        self._ask, self._few = ask, of <= AT_ONCE
        self._asking = asyncio.Semaphore(AT_ONCE)
        self._known: dict[str, tuple[str, ...]] = {}
        self._gates: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))

    @asynccontextmanager
    async def passed(self, destination: str) -> AsyncIterator[None]:
        """Within it, a new connection to `destination` may be made through its jump hosts."""
        hops = () if self._few else self._known.get(destination)
        if hops is None:
            async with self._asking:
                hops = self._known[destination] = named(await self._ask(destination))
        async with AsyncExitStack() as stack:
            # In one order for all: two ways through the same hosts never wait for each other.
            for hop in hops:
                await stack.enter_async_context(self._gates[hop])
            yield

    def forget(self, destination: str) -> None:
        """Its configuration may be another by the next try."""
        self._known.pop(destination, None)
