"""`Metrics` from a server that scrapes the hosts: the whole fleet now and then, hosts in focus at every look."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from adapters.metrics.prometheus.answers import Kind, MetricsUnavailable, Series
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.fold import Answers, Found, fold
from adapters.metrics.prometheus.queries import Labels, Signal, ask, scraped, scraped_well
from adapters.metrics.prometheus.timing import BackOff, ServerTime
from pipeline.model import Host
from pipeline.observed import HostFault
from pipeline.ports import Clock
from pipeline.signals import Reading
from pipeline.text import PlainText, plain

CHUNK = 500
"""Hosts that one query names; more are asked for by not naming any."""
GRACE_S = 0.5
"""How long a call waits for a refresh of the fleet when there is something to tell of every host already."""
NEW_S = 1.0
"""A fault is told with its age from here on."""


def address_of(host: Host) -> str:
    return host.address


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one value of the host's label."""

    reading: Reading | None = None
    scraped_s: float = 0.0
    """Of `reading`, on the server's clock."""
    fault: PlainText | None = None
    fault_at_s: float = 0.0


_UNKNOWN = _Known()


class PrometheusMetrics:
    """One event loop's view of one server; `close` it at the end, and the client after it.

    A `Reading` is as old as the scrape it is of, and is the same object until there is a newer scrape. The fleet
    is asked for every `every_s` with a number of queries that does not grow with it, hosts in focus in every call.
    A refresh that takes longer than a call goes on beside it, and is given up after `refresh_s`.

    Args:
        client: of the server.
        signals: what is wanted of every host.
        labels: how the server tells hosts apart.
        clock: the controller's.
        value_of: a host's value of `labels.host`.
        every_s: from one refresh of the whole fleet to the next.
        stale_s: a host whose newest scrape is older is a fault.
        pace_s: pause between two queries about the whole fleet.
        refresh_s: a refresh that takes longer is given up, which is a fault of its hosts.
    """

    def __init__(
        self,
        client: PrometheusClient,
        signals: Sequence[Signal],
        labels: Labels,
        clock: Clock,
        *,
        value_of: Callable[[Host], str] = address_of,
        every_s: float = 15.0,
        stale_s: float = 60.0,
        pace_s: float = 0.0,
        refresh_s: float = 30.0,
    ) -> None:
        self._client = client
        self._signals = tuple(signals)
        self._labels = labels
        self._clock = clock
        self._value_of = value_of
        self._every_s = every_s
        self._stale_s = stale_s
        self._pace_s = pace_s
        self._refresh_s = refresh_s
        self._time = ServerTime()
        self._whole_patience, self._part_patience = BackOff(), BackOff()
        self._known: dict[str, _Known] = {}
        self._focus: frozenset[str] = frozenset()
        self._whole_at_s = float("-inf")
        self._whole: asyncio.Task[None] | None = None
        self._part: asyncio.Task[None] | None = None

    def focus(self, hosts: Collection[str]) -> None:
        """From now on, these host names are asked for in every call: on a screen, or in a canary."""
        self._focus = frozenset(hosts)

    async def readings(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Reading | HostFault]:
        values = {host.name: self._value_of(host) for host in hosts}
        self._begin(values)
        known = all(value in self._known for value in values.values())
        whole_s = min(GRACE_S, timeout_s) if known else timeout_s
        await asyncio.gather(_done(self._part, timeout_s), _done(self._whole, whole_s))
        now = self._clock.monotonic()
        return {name: self._told(self._known.get(value, _UNKNOWN), now, timeout_s) for name, value in values.items()}

    async def close(self) -> None:
        running = [task for task in (self._whole, self._part) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _begin(self, values: Mapping[str, str]) -> None:
        """Start what is due; one refresh of the fleet and one of the focus at a time."""
        now = self._clock.monotonic()
        if self._whole is not None and self._whole.done():
            self._whole = None
        if self._part is not None and self._part.done():
            self._part = None
        whole_is_due = now - self._whole_at_s >= self._every_s and now >= self._whole_patience.until_s
        if whole_is_due and self._whole is None:
            everyone = frozenset(values.values())
            self._known = {value: known for value, known in self._known.items() if value in everyone}
            self._whole = asyncio.create_task(self._refresh(everyone, now), name="metrics of the fleet")
            return
        focused = frozenset(values[name] for name in self._focus if name in values)
        if focused and self._part is None and now >= self._part_patience.until_s:
            self._part = asyncio.create_task(self._refresh(focused, None), name="metrics in focus")

    async def _refresh(self, values: frozenset[str], whole_at_s: float | None) -> None:
        ordered = sorted(values)
        # A part is asked for by name; so is a small fleet on a server that may have many others.
        chunks: list[list[str] | None] = [None]
        if whole_at_s is None or len(ordered) <= CHUNK:
            chunks = [ordered[at : at + CHUNK] for at in range(0, len(ordered), CHUNK)]
        pace_s, patience = (0.0, self._part_patience) if whole_at_s is None else (self._pace_s, self._whole_patience)
        try:
            async with asyncio.timeout(self._refresh_s):
                for chunk in chunks:
                    await self._ask(ordered if chunk is None else chunk, chunk, pace_s)
        except MetricsUnavailable as error:
            patience.failed(self._clock.monotonic())
            self._failed(values, error.told)
        except TimeoutError:
            patience.failed(self._clock.monotonic())
            self._failed(values, f"{Kind.TIMEOUT}: too slow, not all queries were answered in {self._refresh_s:g} s")
        else:
            patience.well()
            if whole_at_s is not None:
                self._whole_at_s = whole_at_s

    async def _ask(self, wanted: list[str], only: list[str] | None, pace_s: float) -> None:
        """All queries about one part of the fleet, evaluated at one instant: the server's now of the first."""
        client, labels = self._client, self._labels
        before = self._clock.monotonic()
        first = await client.instant(scraped(labels, only), None, self._refresh_s)
        if not first:
            await self._take(Answers(0.0, (), (), ()), wanted)
            return
        at_s = first[0].at_s
        self._time.seen(before, self._clock.monotonic(), at_s)
        signals: list[tuple[Signal, tuple[Series, ...]]] = []
        for signal in self._signals:
            if pace_s:
                await self._clock.sleep(pace_s)
            signals.append((signal, await client.instant(ask(signal, labels, only), at_s, self._refresh_s)))
        last = await client.instant(scraped_well(labels, only), at_s, self._refresh_s)
        await self._take(Answers(at_s, first, signals, last), wanted)

    async def _take(self, answers: Answers, wanted: Iterable[str]) -> None:
        work = partial(fold, answers, self._labels, frozenset(wanted), self._stale_s)
        found = await self._client.apart(work)
        now = self._clock.monotonic()
        for value, entry in found.items():
            known = self._known.get(value, _UNKNOWN)
            if isinstance(entry, Found):
                self._known[value] = self._newer(known, entry, now)
            elif entry.torn and known.reading is not None:
                self._known[value] = _Known(known.reading, known.scraped_s)
            else:
                self._known[value] = _Known(known.reading, known.scraped_s, entry.why, now)

    def _newer(self, known: _Known, found: Found, now: float) -> _Known:
        """The new reading, or the old one where there was no scrape since."""
        old = known.reading
        # An old one is let go even for an older scrape: the server's clock was put back then.
        if old is not None and found.scraped_s <= known.scraped_s and now - old.at_s <= self._stale_s:
            return _Known(old, known.scraped_s)
        signals = found.signals
        at_s = self._time.monotonic(found.scraped_s)
        return _Known(Reading(at_s, signals.counters, signals.gauges, signals.histograms), found.scraped_s)

    def _failed(self, values: Iterable[str], why: str) -> None:
        now = self._clock.monotonic()
        said = plain(f"{self._client.server}: {why}", 300)
        for value in values:
            known = self._known.get(value, _UNKNOWN)
            self._known[value] = _Known(known.reading, known.scraped_s, said, now)

    def _told(self, known: _Known, now: float, timeout_s: float) -> Reading | HostFault:
        if known.fault is not None:
            age_s = now - known.fault_at_s
            aged = f"{known.fault} ({age_s:.0f} s ago)" if age_s >= NEW_S else known.fault
            return HostFault(known.fault_at_s, plain(aged))
        if known.reading is None:
            return HostFault(now, f"no answer from {plain(self._client.server, 100)} in {timeout_s:g} s")
        age_s = now - known.reading.at_s
        if age_s > self._stale_s:
            return HostFault(now, f"last scrape that is known is {age_s:.0f} s old, the limit is {self._stale_s:g} s")
        return known.reading


async def _done(task: asyncio.Task[None] | None, timeout_s: float) -> None:
    """Wait for it, and leave it as it is when time is over."""
    if task is not None:
        await asyncio.wait((task,), timeout=timeout_s)
