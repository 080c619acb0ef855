"""Names that are wanted, kept up: each is asked soon, and then now and again."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from types import MappingProxyType

from adapters.names.lookup import NOT_YET, Lookup, Lookups, NameFault, Resolver
from pipeline.ports import Clock
from pipeline.text import plain

ROUND_S = 1.0
EVERY_S, AGAIN_S = 60.0, 15.0
"""From one answer to the next question, and from one fault."""
STANDS_S = 300.0
"""How long an answer stands while the questions after it fail: a resolver's hiccup holds nobody."""
NEW, PACE = 200, 10
"""Questions a round, of names that were never asked before, and of those that were."""


class WatchedNames:
    """`close` it at the end."""

    def __init__(self, resolver: Resolver, clock: Clock) -> None:
        self._resolver, self._clock = resolver, clock
        self._known: Lookups = MappingProxyType({})
        self._due_s: dict[str, float] = {}
        self._good: dict[str, tuple[float, datetime]] = {}
        """When each was answered last, by the monotonic clock and by the wall's."""
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def known(self) -> Lookups:
        """Of every wanted name; the same object while nothing has changed."""
        return self._known

    def want(self, names: Collection[str]) -> None:
        """These, and no others."""
        if self._due_s.keys() == set(names):
            return
        self._due_s = {name: self._due_s.get(name, -1.0) for name in names}
        self._good = {name: good for name, good in self._good.items() if name in self._due_s}
        self._known = MappingProxyType({name: self._known.get(name, NOT_YET) for name in self._due_s})

    async def start(self, wait_s: float) -> None:
        """Ask once, for as long as that is bearable, and go on asking from then on."""
        first = asyncio.create_task(self.once(), name="first names")
        self._tasks = [first, asyncio.create_task(self._run(), name="names")]
        await asyncio.wait({first}, timeout=wait_s)

    async def once(self) -> None:
        """Ask every name that was never asked."""
        while new := [name for name, due_s in self._due_s.items() if due_s < 0.0]:
            await self.ask(new[:NEW])

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(ROUND_S)
            await self.ask(self.due())

    def due(self) -> list[str]:
        """New ones many at once, the others a few at a time, the oldest first."""
        now_s = self._clock.monotonic()
        new = [name for name, due_s in self._due_s.items() if due_s < 0.0]
        old = sorted((due_s, name) for name, due_s in self._due_s.items() if 0.0 <= due_s <= now_s)
        return [*new[:NEW], *(name for _, name in old[:PACE])]

    async def ask(self, names: Collection[str]) -> None:
        now_s = self._clock.monotonic()
        for name in names:
            self._due_s[name] = now_s + EVERY_S
        answers = await asyncio.gather(*(self._asked(name) for name in names))
        new = {name: answer for name, answer in answers if name in self._due_s and self._known.get(name) != answer}
        if new:
            self._known = MappingProxyType({**self._known, **new})

    async def _asked(self, name: str) -> tuple[str, Lookup]:
        try:
            addresses = await self._resolver.addresses(name)
        except NameFault as fault:
            return name, self._failed(name, plain(fault.why, 200), missing=fault.missing)
        self._good[name] = (self._clock.monotonic(), self._clock.now())
        return name, Lookup(addresses)

    def _failed(self, name: str, why: str, *, missing: bool) -> Lookup:
        now_s, before = self._clock.monotonic(), self._known.get(name, NOT_YET)
        self._due_s[name] = now_s + AGAIN_S
        good_s, good = self._good.get(name, (None, None))
        if good_s is not None and now_s - good_s <= STANDS_S and not before.fault:
            return before
        since = before.since if before.fault and before.since is not None else good or self._clock.now()
        return Lookup(fault=why, since=since, missing=missing)
