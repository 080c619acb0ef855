"""`Metrics` by asking each host for its own metrics page; no server in between."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from adapters.metrics.exposition import PageError
from adapters.metrics.plan import PagePlan, Signals
from adapters.metrics.source import SignalSource
from adapters.wire import Wire, WireError
from pipeline.model import Host
from pipeline.observed import HostFault
from pipeline.ports import Clock
from pipeline.signals import Reading
from pipeline.text import plain


class ScrapedMetrics:
    """One event loop's view of the hosts' pages; `close` it at the end.

    A page that cannot be had or trusted is a fault of the host, whatever its other pages say: half of
    a ratio is no data. A signal that a sound page does not give, or not in finite numbers, is left out.
    """

    def __init__(self, signals: Sequence[SignalSource], clock: Clock) -> None:
        self._clock = clock
        self._wire = Wire()
        paths = dict.fromkeys(source.path for source in signals)
        self._plans = {path: PagePlan([source for source in signals if source.path == path]) for path in paths}

    async def readings(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Reading | HostFault]:
        found = await asyncio.gather(*(self._host(host, timeout_s) for host in hosts))
        return {host.name: reading for host, reading in zip(hosts, found, strict=True)}

    def focus(self, hosts: Collection[str]) -> None:
        """Every host is asked every time anyway."""

    async def close(self) -> None:
        await self._wire.close()

    async def _host(self, host: Host, timeout_s: float) -> Reading | HostFault:
        found = Signals()
        pages = await asyncio.gather(*(self._page(host, path, plan, timeout_s) for path, plan in self._plans.items()))
        now = self._clock.monotonic()
        for page in pages:
            if isinstance(page, str):
                return HostFault(now, plain(page))
            found.add(page)
        if not found:
            return HostFault(now, f"none of the wanted metrics on {', '.join(self._plans) or 'any page'}")
        return Reading(now, found.counters, found.gauges, found.histograms)

    async def _page(self, host: Host, path: str, plan: PagePlan, timeout_s: float) -> Signals | str:
        """The page's signals, or why there are none."""
        try:
            answer = await self._wire.request(host.address, "GET", path, timeout_s=timeout_s)
            if answer.status != 200:
                return f"HTTP {answer.status} from {path}"
            return plan.signals(answer.body.decode("utf-8", "replace"))
        except WireError as error:
            return error.why
        except PageError as error:
            return f"{path}: {error}"
