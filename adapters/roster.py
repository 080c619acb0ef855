"""`Inventory`: the hosts of the configuration and those that are found, kept up beside the controller's ticks."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from adapters.discovery.watch import Discovered, Discovery
from adapters.owners import Owners
from pipeline.model import Host, Service
from pipeline.placement import matches
from pipeline.ports import Clock, Roster

REFRESH_S = 5.0
"""From one look at the sources to the next; each source has a rhythm of its own on top."""
FIRST_S = 30.0
"""How long a starting controller waits for sources to answer once."""


class FoundHosts:
    """`close` it at the end."""

    def __init__(self, services: Mapping[str, Service], discovery: Discovery, owners: Owners, clock: Clock) -> None:
        self._configured, self._discovery = services, discovery
        self._owners, self._clock = owners, clock
        self._roster = Roster(services)
        self._hosts: Mapping[str, tuple[Host, ...]] = {}
        self._running: asyncio.Task[None] | None = None

    def roster(self) -> Roster:
        return self._roster

    async def start(self) -> None:
        """Ask every source once, for as long as that is bearable, and go on asking from then on."""
        self._take(await self._discovery.refresh(FIRST_S))
        self._running = asyncio.create_task(self._run(), name="discovery")

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self._discovery.close()

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(REFRESH_S)
            self._take(await self._discovery.refresh(REFRESH_S))

    def _take(self, found: Discovered) -> None:
        if found.hosts != self._hosts:
            self._hosts = found.hosts
            self._owners.update(found.hosts)
            before = self._roster.services
            services = {
                name: _with_hosts(service, before[name], found.hosts.get(name, ()))
                for name, service in self._configured.items()
            }
            self._roster = Roster(MappingProxyType(services), found.problems)
        elif found.problems != self._roster.problems:
            self._roster = replace(self._roster, problems=found.problems)


def _with_hosts(configured: Service, before: Service, hosts: tuple[Host, ...]) -> Service:
    """A wave that reaches none of the hosts is left out, as it is where the configuration names them all."""
    if hosts == before.hosts:
        return before
    found = replace(configured, hosts=hosts)
    waves = tuple(each for each in configured.rules.waves if any(matches(each, host) for host in found.production))
    return replace(found, rules=replace(configured.rules, waves=waves or configured.rules.waves))
