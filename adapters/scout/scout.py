"""Looks at everything again and again, at a slow pace, beside the controller: its ticks read what is newest."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from adapters.hosts.ssh.artifacts import Artifact
from adapters.scout.digests import Digests
from adapters.scout.health import HealthLooks
from adapters.scout.links import Found, opened
from pipeline.model import Service
from pipeline.ports import Clock
from pipeline.readiness.callers import SEEN_FOR, Counts, called, kept
from pipeline.readiness.links import stated
from pipeline.readiness.seen import Answer, Asked, Digest, Opened, Seen
from pipeline.text import plain

log = logging.getLogger("pithead.controller")

EVERY_S = 3_600.0
AGAIN = 0.1
"""What was not well is looked at again so much sooner."""
LEAST_S = 10.0
PACE_S = 0.2
"""Between two looks of a kind."""
IDLE_S = 2.0
AT_ONCE = 4
BASE_S = 60.0
"""Callers are counted again so soon after the first time, which alone tells nothing."""


class Callers(Protocol):
    async def counts(self, services: Sequence[Service]) -> Mapping[str, Counts | str]: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    service: Service
    revision: str


class WatchedScout:
    """`pipeline.readiness.ports.Scout`; `close` it at the end, and it closes its parts.

    Args:
        source: where a service's builds come from; None where they have no digest before they are on a host.
        folder: where relative paths of links begin.
        every_s: from one look at a thing to the next.
    """

    def __init__(
        self,
        callers: Callers,
        health: HealthLooks,
        source: Callable[[Service], Artifact | None],
        folder: Path,
        clock: Clock,
        *,
        every_s: float = EVERY_S,
        pace_s: float = PACE_S,
        open_link: Callable[[str, Path], Awaitable[Found]] = opened,
    ) -> None:
        self._callers, self._health, self._source, self._folder = callers, health, source, folder
        self._clock, self._every_s, self._pace_s, self._open = clock, every_s, pace_s, open_link
        self._digests = Digests()
        self._wanted: dict[str, _Wanted] = {}
        self._due_s: dict[object, float] = {}
        self._links: dict[str, Opened] = {}
        self._asked: dict[str, Mapping[str, Asked]] = {}
        self._counts: dict[str, Counts] = {}
        self._called: dict[str, Mapping[str, datetime]] = {}
        self._faults: dict[str, str] = {}
        self._digest: dict[str, tuple[str, Digest | None]] = {}
        """By service: of which revision."""
        self._going: list[asyncio.Task[None]] = []

    def seen(self, service: Service, revision: str) -> Seen:
        self._wanted[service.name] = _Wanted(service, revision)
        links = {link: self._links[link] for link in stated(service.rules.readiness) if link in self._links}
        return Seen(
            links,
            self._asked.get(service.name, {}),
            self._called.get(service.name, {}),
            self._faults.get(service.name, ""),
            self._digest_of(service, revision),
        )

    def _digest_of(self, service: Service, revision: str) -> Digest | None:
        known = self._digest.get(service.name)
        if known is not None and known[0] == revision:
            return known[1]
        return Digest(waits=True) if self._source(service) is not None else None

    async def start(self) -> None:
        lanes = (self._open_links, self._look_at_health, self._count_callers, self._read_digests)
        self._going = [asyncio.create_task(self._go_on(lane), name="readiness") for lane in lanes]

    async def close(self) -> None:
        for task in self._going:
            task.cancel()
        for task in self._going:
            with suppress(asyncio.CancelledError):
                await task
        await self._health.close()
        await self._callers.close()

    async def _go_on(self, lane: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await lane()
            except Exception as broken:  # noqa: BLE001 - what is not looked at stays unknown; the looking goes on
                log.warning("readiness: %s", plain(f"{type(broken).__name__}: {broken}"))
            await self._clock.sleep(IDLE_S)

    def _services(self) -> list[_Wanted]:
        """Those whose list binds first."""
        return sorted(self._wanted.values(), key=lambda one: not one.service.business_critical)

    def _is_due(self, key: object) -> bool:
        return self._clock.monotonic() >= self._due_s.get(key, float("-inf"))

    def _next(self, key: object, *, well: bool) -> None:
        wait_s = self._every_s if well else max(self._every_s * AGAIN, min(LEAST_S, self._every_s))
        self._due_s[key] = self._clock.monotonic() + wait_s

    async def _open_links(self) -> None:
        rules = [one.service.rules.readiness for one in self._services()]
        for link in dict.fromkeys(link for its in rules for link in stated(its)):
            if not self._is_due(("link", link)):
                continue
            answer, why = await self._open(link, self._folder)
            now, before = self._clock.now(), self._links.get(link)
            last = now if answer is Answer.OPEN else before.opened if before is not None else None
            self._links[link] = Opened(answer, why, now, last)
            self._next(("link", link), well=answer is Answer.OPEN)
            await self._clock.sleep(self._pace_s)

    async def _look_at_health(self) -> None:
        """Several services at once, as one with an unhealthy host is looked at for longer."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def look(service: Service) -> None:
            async with gate:
                found = self._asked[service.name] = await self._health.look(service)
                self._next(("health", service.name), well=all(one.healthy and not one.alive for one in found.values()))
                await self._clock.sleep(self._pace_s)

        stated = [one.service for one in self._services() if one.service.rules.readiness.health_path]
        await asyncio.gather(*(look(service) for service in stated if self._health_is_due(service)))

    def _health_is_due(self, service: Service) -> bool:
        """Also where it has other hosts than it was looked at with."""
        hosts = {host.name for host in service.production}
        return self._is_due(("health", service.name)) or self._asked.get(service.name, {}).keys() != hosts

    async def _count_callers(self) -> None:
        labelled = [one.service for one in self._services() if one.service.rules.readiness.client_label]
        due = [service for service in labelled if self._is_due(("callers", service.name))]
        if not due:
            return
        for name, counts in (await self._callers.counts(due)).items():
            first = name not in self._counts
            self._next(("callers", name), well=not isinstance(counts, str))
            if isinstance(counts, str):
                self._faults[name] = counts
                continue
            self._faults.pop(name, None)
            now = self._clock.now()
            listed = self._wanted[name].service.rules.readiness.clients
            found = kept(called(self._counts.get(name, {}), counts), listed)
            old = {caller: at for caller, at in self._called.get(name, {}).items() if now - at <= SEEN_FOR}
            self._called[name] = {**old, **dict.fromkeys(found, now)}
            # A host that gave no page in this look is held against its last one.
            counted = {**self._counts.get(name, {}), **counts}
            there = {host.name for host in self._wanted[name].service.production}
            self._counts[name] = {host: its for host, its in counted.items() if host in there}
            if first:
                self._due_s["callers", name] = self._clock.monotonic() + min(BASE_S, self._every_s)

    async def _read_digests(self) -> None:
        for one in self._services():
            name, key = one.service.name, ("digest", one.service.name)
            source = self._source(one.service)
            known = self._digest.get(name)
            if source is None or (known is not None and known[0] == one.revision and not self._is_due(key)):
                continue
            found = await self._digests.of(source, one.revision)
            self._digest[name] = (one.revision, found)
            self._next(key, well=found is None or not found.fault)
            await self._clock.sleep(self._pace_s)
