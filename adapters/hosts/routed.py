"""`HostFleet` over several: each host by the one that reaches it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from pipeline.events import Intent, Outcome
from pipeline.model import Host
from pipeline.observed import Observation
from pipeline.ports import HostFleet


class RoutedHosts:
    """The fleets are the caller's to close."""

    def __init__(self, fleets: Mapping[str, HostFleet], route: Callable[[Host], str]) -> None:
        """`route` gives the name in `fleets` of what reaches a host."""
        self._fleets = fleets
        self._route = route

    async def states(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Observation]:
        parts: dict[str, list[Host]] = {}
        for host in hosts:
            parts.setdefault(self._route(host), []).append(host)
        asked = [self._fleets[name].states(part, timeout_s) for name, part in parts.items()]
        return {name: seen for part in await asyncio.gather(*asked) for name, seen in part.items()}

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        return await self._fleets[self._route(host)].deploy(host, intent, token, deadline_s)
