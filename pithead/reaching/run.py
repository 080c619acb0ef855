"""Everything outside, reached once: who is asked, in which order, and what is made of the answers."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryDirectory

from adapters.config import Settings
from adapters.hosts.http import HttpHosts
from adapters.hosts.ssh.client import SshClient
from adapters.means import Means
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.scout.digests import source_of
from adapters.wire import Wire
from pipeline.model import Host, Service
from pipeline.observed import HostFault
from pipeline.ports import Clock, Metrics
from pipeline.signals import Reading
from pithead import outside
from pithead.exits import Failure
from pithead.reaching.artifacts import artifact, running
from pithead.reaching.balancers import balancer
from pithead.reaching.crew import Crew, Job
from pithead.reaching.hosts import Seen, by_agent, seen
from pithead.reaching.links import link, links
from pithead.reaching.progress import Progress
from pithead.reaching.reached import Reached
from pithead.reaching.recipes import Look, by_ssh
from pithead.reaching.rules import judged, rules
from pithead.reaching.servers import alertmanager, discover, prometheus, sources, with_hosts
from pithead.reaching.signals import UNUSABLE, Read, Signals
from pithead.reaching.signals import metrics as told_metrics

KEEP_S = 5
"""Each host is asked once over ssh: a connection that nobody closes ends by itself soon."""
CLOSE_S = 2.0
MEASURE_S = 60.0
"""For all hosts' readings from one server."""
AGAIN = 3
"""A scrape that comes in while its host is asked for spoils the answer, and the next one is good."""
OVER_S = 5.0
"""For a host to say what it has found, beside the commands that it runs."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What reaches things; all of it is closed at the end."""

    settings: Settings
    clock: Clock
    agents: HttpHosts
    wire: Wire
    server: PrometheusClient | None
    metrics: Metrics
    ssh: SshClient | None
    gate: asyncio.Semaphore
    """New connections over ssh: who waits for a turn has not begun its deadline."""
    readings: dict[str, Read] = field(default_factory=dict)

    def take(self, readings: Mapping[str, Reading | HostFault]) -> None:
        now_s = self.clock.monotonic()
        self.readings.update({name: Read(reading, now_s - reading.at_s) for name, reading in readings.items()})


async def reach(settings: Settings, only: Collection[str], clock: Clock, progress: Progress) -> list[Reached]:
    """`only` are services; none is all. Raises `Failure` where there is no folder for ssh's connections."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(progress.shown())
        crew = Crew(progress)
        parts = await _parts(settings, clock, stack)
        found: list[Reached] = []
        services = settings.fleet.services
        if settings.discovery:
            asked = outside.sources(settings, parts.server, clock)
            [discovered] = await crew.each([("sources of hosts", partial(discover, settings, asked, clock))])
            found += sources(settings, discovered)
            services = with_hosts(services, discovered)
        if settings.policy is not None:
            [services] = await crew.each([("names", partial(judged, settings.policy, services, clock))])
            mine = {name: its for name, its in services.items() if not only or name in only}
            found += [line for name, its in mine.items() for line in rules(its, settings.fleet.services[name])]
        return found + await _services(
            {name: its for name, its in services.items() if not only or name in only}, parts, crew
        )


async def _parts(settings: Settings, clock: Clock, stack: AsyncExitStack) -> _Parts:
    agents, wire = HttpHosts(clock), Wire()
    stack.push_async_callback(agents.close)
    stack.push_async_callback(wire.close)
    if settings.prometheus is not None:
        # Asked once, the server is not spared by pausing.
        settings = replace(settings, prometheus=replace(settings.prometheus, pace_s=0.0))
    server = outside.prometheus(settings, clock, stack)
    metrics = outside.metrics(settings, server, clock)
    stack.push_async_callback(metrics.close)
    client = _ssh(settings, clock, stack) if any(its.way for its in settings.means.values()) else None
    gate = asyncio.Semaphore(settings.ssh.connections_at_once)
    return _Parts(settings, clock, agents, wire, server, metrics, client, gate)


def _ssh(settings: Settings, clock: Clock, stack: AsyncExitStack) -> SshClient:
    """With a folder of its own, as closing it would take a controller's connections along. Raises `Failure`."""
    try:
        folder = stack.enter_context(TemporaryDirectory(prefix="pithead-", ignore_cleanup_errors=True))
        client = SshClient(replace(settings.ssh, keep_s=KEEP_S), Path(folder), clock, SystemRandom())
    except OSError as error:
        why = f"no folder for ssh's connections: {error.strerror or error}"
        raise Failure("--reach", why, "set TMPDIR to a folder of yours") from None

    async def close() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await client.close()

    stack.push_async_callback(close)
    return client


async def _services(services: Mapping[str, Service], parts: _Parts, crew: Crew) -> list[Reached]:
    hosts = [(service, host) for service in services.values() for host in service.hosts]
    async with asyncio.TaskGroup() as group:
        # The few come before the many, as all of them wait in one line.
        measuring = group.create_task(_measured([host for _, host in hosts], parts, crew))
        asking = group.create_task(crew.each(_others(services, parts)))
        seeing = group.create_task(crew.each([(host.name, partial(_host, its, host, parts)) for its, host in hosts]))
    by_service: dict[str, list[Seen]] = {name: [] for name in services}
    for one in seeing.result():
        by_service[one.service].append(one)
    builds = await crew.each(_artifacts(services, by_service, parts))
    signals = Signals(parts.settings)
    return [
        *(line for one in seeing.result() for line in one.reached),
        *measuring.result(),
        *(line for its in services.values() for line in told_metrics(its, parts.readings, signals)),
        *(line for lines in (*asking.result(), *builds) for line in lines),
    ]


async def _host(service: Service, host: Host, parts: _Parts) -> Seen:
    means = parts.settings.means.get(service.name, Means())
    timeout_s = parts.settings.fleet.host_timeout_s
    look = await _look(host, means, parts, timeout_s)
    if parts.server is None:
        parts.take(await parts.metrics.readings([host], timeout_s))
    return await seen(service.name, host, look, means, parts.wire, timeout_s)


async def _look(host: Host, means: Means, parts: _Parts, timeout_s: float) -> Look:
    if means.way is None or parts.ssh is None:
        return await by_agent(parts.agents, host, timeout_s)
    its = parts.settings.ssh
    async with parts.gate:
        deadline_s = its.connect_s + its.login_s + 3 * means.way.health_s + OVER_S
        return await by_ssh(parts.ssh, means.way, host, parts.clock, deadline_s)


def _others(services: Mapping[str, Service], parts: _Parts) -> list[Job[list[Reached]]]:
    """Balancers, each socket once a service, links of readiness lists, and the Alertmanager."""
    jobs: list[Job[list[Reached]]] = []
    for name, service in services.items():
        rule = parts.settings.means.get(name, Means()).seat
        for address in rule.sockets if rule is not None else ():
            assert rule is not None  # noqa: S101 - it has sockets
            jobs.append((address, partial(balancer, name, rule, address, service.hosts)))
    folder = parts.settings.path.absolute().parent
    jobs += [(url, partial(link, url, of, folder)) for url, of in links(services.values()).items()]
    alerts = parts.settings.alerts
    if alerts is not None:
        jobs.append((alerts.url, partial(alertmanager, alerts, parts.clock)))
    return jobs


async def _measured(hosts: Sequence[Host], parts: _Parts, crew: Crew) -> list[Reached]:
    """Prometheus itself, and by it the readings of all hosts; nothing where hosts are scraped one by one."""
    server = parts.server
    if server is None:
        return []

    async def ask() -> list[Reached]:
        told = await prometheus(server)
        if all(line.ok for line in told):
            await _read(hosts, parts)
        else:
            now_s = parts.clock.monotonic()
            parts.take({host.name: HostFault(now_s, f"not asked for, as {server.server} {UNUSABLE}") for host in hosts})
        return told

    [told] = await crew.each([(server.server, ask)])
    return told


async def _read(hosts: Sequence[Host], parts: _Parts) -> None:
    for _ in range(1 + AGAIN):
        parts.take(await parts.metrics.readings(hosts, MEASURE_S))
        faulty = [name for name, read in parts.readings.items() if isinstance(read.reading, HostFault)]
        if not faulty:
            return
        parts.metrics.focus(faulty)


def _artifacts(
    services: Mapping[str, Service], by_service: Mapping[str, Sequence[Seen]], parts: _Parts
) -> list[Job[list[Reached]]]:
    jobs: list[Job[list[Reached]]] = []
    for name, service in services.items():
        its = source_of(parts.settings.means.get(name, Means()))
        if its is not None:
            revision = running(by_service[name], service.revision)
            jobs.append((f"builds of {name}", partial(artifact, name, its, revision, by_service[name])))
    return jobs
