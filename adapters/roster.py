"""`Inventory`: the hosts of the configuration and those that are found, and what the rules say of them together.

Kept up beside the controller's ticks.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from adapters.config.policy import Policy
from adapters.discovery.watch import Discovered, Discovery
from adapters.names.lookup import Lookups
from adapters.names.watch import WatchedNames
from adapters.owners import Owners
from pipeline.model import Host, Service
from pipeline.placement import matches
from pipeline.ports import Clock, Roster
from pipeline.text import plain

log = logging.getLogger("pithead.controller")

REFRESH_S = 5.0
"""From one look at the sources to the next; each source has a rhythm of its own on top."""
FIRST_S = 30.0
"""How long a starting controller waits for sources to answer once."""
NAMES_S = 5.0
"""Likewise, for names to be looked up."""


class FoundHosts:
    """Nothing of it is in force before the rules have been asked about it. `close` it at the end.

    Args:
        services: as the configuration has them.
        policy: the rules for staging, canary and observation.
        names: what they would like to know the addresses of; None is that nobody looks them up.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        discovery: Discovery,
        owners: Owners,
        clock: Clock,
        policy: Policy | None = None,
        names: WatchedNames | None = None,
    ) -> None:
        self._configured, self._discovery = services, discovery
        self._owners, self._clock = owners, clock
        self._policy, self._names = policy, names
        self._roster = Roster(services)
        self._hosts: Mapping[str, tuple[Host, ...]] = {name: its.hosts for name, its in services.items()}
        self._lookups: Lookups | None = None
        """That the rules were asked with."""
        self._complete = True
        """Likewise, whether every source had answered."""
        self._running: asyncio.Task[None] | None = None

    def roster(self) -> Roster:
        return self._roster

    async def start(self) -> None:
        """Ask every source once, for as long as that is bearable, and go on asking from then on."""
        found = await self._discovery.refresh(FIRST_S)
        if self._names is not None and self._policy is not None:
            self._names.want(self._policy.names(_rehosted(self._configured, self._roster.services, found.hosts)))
            await self._names.start(NAMES_S)
        await self._take(found)
        self._running = asyncio.create_task(self._run(), name="discovery")

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        if self._names is not None:
            await self._names.close()
        await self._discovery.close()

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(REFRESH_S)
            try:
                await self.look()
            except Exception as broken:  # noqa: BLE001 - what was found last stays, and is said to be old
                why = plain(f"hosts and names are not looked at: pithead itself failed: {broken!r}", 300)
                log.warning("%s", why)
                self._roster = replace(self._roster, problems=(why,))

    async def look(self) -> None:
        """Once at all sources, and at what names resolve to."""
        await self._take(await self._discovery.refresh(REFRESH_S))

    async def _take(self, found: Discovered) -> None:
        lookups = self._names.known if self._names is not None else None
        if found.hosts != self._hosts or lookups is not self._lookups or found.complete != self._complete:
            services = _rehosted(self._configured, self._roster.services, found.hosts)
            if self._policy is not None:
                # Thousands of hosts are held against each other: not on the loop that rolls back.
                if self._names is not None:
                    self._names.want(await asyncio.to_thread(self._policy.names, services))
                    lookups = self._names.known
                judged = partial(self._policy.judged, services, lookups, complete=found.complete)
                services = await asyncio.to_thread(judged)
            self._hosts, self._lookups, self._complete = found.hosts, lookups, found.complete
            self._owners.update(found.hosts)
            self._roster = Roster(MappingProxyType(dict(services)), found.problems)
        elif found.problems != self._roster.problems:
            self._roster = replace(self._roster, problems=found.problems)


def _rehosted(
    configured: Mapping[str, Service], before: Mapping[str, Service], found: Mapping[str, tuple[Host, ...]]
) -> Mapping[str, Service]:
    return {name: _with_hosts(its, before[name], found.get(name, ())) for name, its in configured.items()}


def _with_hosts(configured: Service, before: Service, hosts: tuple[Host, ...]) -> Service:
    """A wave that reaches none of the hosts is left out, as it is where the configuration names them all."""
    if hosts == before.hosts:
        return before
    found = replace(configured, hosts=hosts)
    waves = tuple(each for each in configured.rules.waves if any(matches(each, host) for host in found.production))
    return replace(found, rules=replace(configured.rules, waves=waves or configured.rules.waves))
