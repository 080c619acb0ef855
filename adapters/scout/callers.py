"""Who has counted how many requests of whom, by a label of the request counter."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from adapters.metrics.exposition import PageError, PageReader
from adapters.metrics.prometheus.answers import MetricsUnavailable
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.queries import Labels, by_label
from adapters.metrics.source import SignalSource
from adapters.wire import Wire, WireError
from pipeline.model import Host, Service
from pipeline.readiness.callers import Counts
from pipeline.text import plain

TIMEOUT_S = 5.0
QUERY_S = 30.0
AT_ONCE = 8
LONGEST = 100
"""Characters of a caller's name."""
MOST_CALLERS = 1_000
"""On one host: a label that holds more names no callers."""


class PageCallers:
    """From the hosts' own pages; `close` it at the end."""

    def __init__(self, signals: Sequence[SignalSource]) -> None:
        self._signals = {signal.name: signal for signal in signals}
        self._wire = Wire()

    async def counts(self, services: Sequence[Service]) -> Mapping[str, Counts | str]:
        """By service: what its production hosts have counted, or why that is not known."""
        gate = asyncio.Semaphore(AT_ONCE)
        return {service.name: await self._service(service, gate) for service in services}

    async def close(self) -> None:
        await self._wire.close()

    async def _service(self, service: Service, gate: asyncio.Semaphore) -> Counts | str:
        source = self._signals.get(service.rules.budget.total)
        if source is None:
            return f"{service.rules.budget.total} is no series: no label can be read of it"
        label = service.rules.readiness.client_label

        async def one(host: Host) -> Mapping[str, float] | str:
            async with gate:
                return await self._host(host, source, label)

        hosts = service.production
        found = dict(zip((host.name for host in hosts), await asyncio.gather(*map(one, hosts)), strict=True))
        known = {name: counts for name, counts in found.items() if not isinstance(counts, str)}
        faults = [f"{name}: {why}" for name, why in found.items() if isinstance(why, str)]
        return known if known or not faults else plain(faults[0])

    async def _host(self, host: Host, source: SignalSource, label: str) -> Mapping[str, float] | str:
        def caller(_: str, labels: Mapping[str, str]) -> str | None:
            return plain(labels.get(label, ""), LONGEST) if source.matches(labels) else None

        try:
            answer = await self._wire.request(host.address, "GET", source.path, timeout_s=TIMEOUT_S)
            if answer.status != 200:
                return f"HTTP {answer.status} from {source.path}"
            page = PageReader([source.family], caller).read(answer.body.decode("utf-8", "replace"))
        except WireError as error:
            return error.why
        except PageError as error:
            return f"{source.path}: {error}"
        if source.family in page.bad:
            return f"{source.path}: lines of {source.family} cannot be read"
        counts: defaultdict[str, float] = defaultdict(float)
        for name, value in page.samples:
            counts[name] += value
        return counts if len(counts) <= MOST_CALLERS else _too_many(label)


class ServerCallers:
    """From the metrics server, by one query for each counter and label, however many services."""

    def __init__(
        self,
        client: PrometheusClient,
        signals: Sequence[SignalSource],
        labels: Labels,
        value_of: Callable[[Host], str],
    ) -> None:
        self._client, self._labels, self._value_of = client, labels, value_of
        self._signals = {signal.name: signal for signal in signals}

    async def counts(self, services: Sequence[Service]) -> Mapping[str, Counts | str]:
        """By service: what its production hosts have counted, or why that is not known."""
        asked: defaultdict[tuple[str, str], list[Service]] = defaultdict(list)
        for service in services:
            asked[service.rules.budget.total, service.rules.readiness.client_label].append(service)
        found: dict[str, Counts | str] = {}
        for (name, label), its in asked.items():
            rows = await self._rows(name, label)
            for service in its:
                found[service.name] = rows if isinstance(rows, str) else self._of(service, rows)
        return found

    async def close(self) -> None:
        """The line to the server is closed by whoever opened it."""

    async def _rows(self, name: str, label: str) -> Mapping[str, Mapping[str, float]] | str:
        """By value of the host's label, by caller."""
        source = self._signals.get(name)
        if source is None:
            return f"{name} is no series: no label can be read of it"
        try:
            series = await self._client.instant(by_label(source, label, self._labels), None, QUERY_S)
        except MetricsUnavailable as fault:
            return plain(f"{self._client.server}: {fault.why}")
        rows: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for row in series:
            rows[row.metric.get(self._labels.host, "")][plain(row.metric.get(label, ""), LONGEST)] = row.number
        return rows

    def _of(self, service: Service, rows: Mapping[str, Mapping[str, float]]) -> Counts | str:
        known = {host.name: rows[value] for host in service.production if (value := self._value_of(host)) in rows}
        if any(len(counts) > MOST_CALLERS for counts in known.values()):
            return _too_many(service.rules.readiness.client_label)
        return known or f"{self._client.server} has no {service.rules.budget.total} of its hosts"


def _too_many(label: str) -> str:
    return f"label {label} has more than {MOST_CALLERS:,} values on a host: name one that holds callers alone"
