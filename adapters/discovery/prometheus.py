"""Hosts that Prometheus scrapes, by the labels it gives them; who asks Prometheus is handed in."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from adapters.discovery.found import Found, Look, SourceFault
from adapters.discovery.labels import DEFAULT_NAMES, LabelNames, Target, hosts_of
from adapters.discovery.paced import Paced
from adapters.metrics.source import Matcher
from pipeline.ports import Clock
from pipeline.text import plain

ActiveTargets = Callable[[], Awaitable[Sequence[Target]]]
"""Prometheus' active targets: (labels, `host:port` or the URL that is scraped)."""
MOST = 100_000


class PrometheusTargets:
    """`HostSource`. Give `matchers` (`job="web"`): a machine is often scraped for several exporters.

    Where hosts answer HTTP on another port than the one that is scraped, a label says so:
    `LabelNames.address`.
    """

    def __init__(
        self,
        ask: ActiveTargets,
        clock: Clock,
        names: LabelNames = DEFAULT_NAMES,
        matchers: Sequence[Matcher] = (),
        *,
        name: str = "Prometheus",
        every_s: float = 60.0,
        deadline_s: float = 20.0,
    ) -> None:
        self.name = plain(name, 100)
        self._ask = ask
        self._names = names
        self._matchers = tuple(matchers)
        self._deadline_s = deadline_s
        self._paced = Paced(self._found, clock, every_s)

    async def look(self) -> Look:
        return await self._paced.look()

    async def _found(self) -> Found | SourceFault:
        try:
            async with asyncio.timeout(self._deadline_s):
                targets = await self._ask()
        except TimeoutError:
            return SourceFault(plain(f"no answer in {self._deadline_s:g} s"))
        except Exception as broken:  # noqa: BLE001 - whatever it is, nobody knows what Prometheus scrapes now
            return SourceFault(plain(str(broken) or type(broken).__name__, 300))
        if len(targets) > MOST:
            return SourceFault(plain(f"{len(targets):,} targets, at most {MOST:,} are read: ask for some jobs only"))
        cleaned = ((labels, _address(said)) for labels, said in targets)
        return await asyncio.to_thread(hosts_of, cleaned, self._names, self._matchers)


def _address(said: str) -> str:
    if "://" not in said:
        return said
    try:
        return urlsplit(said).netloc.rpartition("@")[2]
    except ValueError:
        return said
