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
"""How long an answer stands once the questions after it fail: a resolver's hiccup holds nobody."""
NEW, TROUBLED, PACE = 200, 50, 10
"""Questions a round, of names that were never asked before, of those whose questions fail, and of the others."""


class WatchedNames:
    """`close` it at the end."""

    def __init__(self, resolver: Resolver, clock: Clock) -> None:
        self._resolver, self._clock = resolver, clock
        self._known: Lookups = MappingProxyType({})
        self._due_s: dict[str, float] = {}
        self._good: dict[str, datetime] = {}
        """When each was answered last."""
        self._failing_s: dict[str, float] = {}
        """Since when questions fail, by the monotonic clock."""
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
        self._failing_s = {name: since_s for name, since_s in self._failing_s.items() if name in self._due_s}
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
        """New ones many at once, the others a few at a time, the oldest first; what releases wait for before it."""
        now_s = self._clock.monotonic()
        new = [name for name, due_s in self._due_s.items() if due_s < 0.0]
        due = sorted((due_s, name) for name, due_s in self._due_s.items() if 0.0 <= due_s <= now_s)
        old = [name for _, name in due]
        troubled = [name for name in old if name in self._failing_s and not self._known[name].missing][:TROUBLED]
        calm = [name for name in old if name not in self._failing_s or self._known[name].missing][:PACE]
        return [*new[:NEW], *troubled, *calm]

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
        except Exception as broken:  # noqa: BLE001 - nobody knows where the name is; the asking goes on
            return name, self._failed(name, plain(f"{type(broken).__name__}: {broken}", 200), missing=False)
        self._failing_s.pop(name, None)
        if name in self._due_s:
            self._good[name] = self._clock.now()
        return name, Lookup(addresses)

    def _failed(self, name: str, why: str, *, missing: bool) -> Lookup:
        now_s, before = self._clock.monotonic(), self._known.get(name, NOT_YET)
        if name not in self._due_s:
            return before
        self._due_s[name] = now_s + AGAIN_S
        failing_s = self._failing_s.setdefault(name, now_s)
        if not before.fault and now_s - failing_s < STANDS_S:
            return before
        since = before.since if before.fault and before.since is not None else self._good.get(name, self._clock.now())
        return Lookup(fault=why, since=since, missing=missing)
