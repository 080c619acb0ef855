"""The world outside, put together as the configuration says: what reaches hosts, measures them and finds them."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from random import SystemRandom

from adapters.alerts.alertmanager import AlertmanagerAlerts
from adapters.alerts.watch import WatchedAlerts
from adapters.balancer.book import DrainBook
from adapters.balancer.drained import DrainedHosts
from adapters.balancer.haproxy import HaproxySocket
from adapters.balancer.seat import Seat
from adapters.config import Settings
from adapters.discovery.command import CommandTargets
from adapters.discovery.file_sd import FileTargets
from adapters.discovery.found import HostSource
from adapters.discovery.labels import Target
from adapters.discovery.prometheus import PrometheusTargets
from adapters.discovery.sift import Configured
from adapters.discovery.watch import Discovery
from adapters.health.checks import HealthRule
from adapters.health.healthy import HealthyHosts
from adapters.hosts.http import HttpHosts
from adapters.hosts.logs import HostLogs
from adapters.hosts.routed import RoutedHosts
from adapters.hosts.ssh.client import SshClient
from adapters.hosts.ssh.hosts import SshHosts
from adapters.hosts.ssh.logs import SshLogs
from adapters.hosts.ssh.recipes import Way
from adapters.means import DiscoverySettings, Means, PrometheusSettings, SeatRule
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.metrics import PrometheusMetrics, address_of
from adapters.metrics.prometheus.queries import Labels, Signal
from adapters.metrics.prometheus.rules import recorded
from adapters.metrics.prometheus.targets import targets
from adapters.metrics.scrape import ScrapedMetrics
from adapters.names.system import SystemResolver
from adapters.names.watch import WatchedNames
from adapters.owners import Owners
from adapters.roster import FoundHosts
from adapters.scout.callers import PageCallers, ServerCallers
from adapters.scout.digests import source_of
from adapters.scout.health import HealthLooks
from adapters.scout.scout import WatchedScout
from adapters.wire import Wire
from pipeline.model import Host, Pool
from pipeline.ports import Alerts, Clock, HostFleet, Inventory, Logs, Metrics
from pipeline.readiness.ports import Scout
from pithead.places import Places

AGENT, SSH = "agent", "ssh"
DRAIN_BOOK = "drained.json"


@dataclass(frozen=True)
class Outside:
    hosts: HostFleet
    metrics: Metrics
    inventory: Inventory | None
    server: PrometheusClient | None
    logs: Logs
    alerts: Alerts | None
    scout: Scout


async def outside(settings: Settings, places: Places, clock: Clock, stack: AsyncExitStack) -> Outside:
    """Everything is closed with `stack`. Raises `BookFault` where the record of drained hosts cannot be read."""
    owners = Owners({name: service.hosts for name, service in settings.fleet.services.items()})

    def means(host: Host) -> Means:
        return settings.means.get(owners.of(host), Means())

    def named(host: Host) -> tuple[str, Means]:
        return owners.of(host), means(host)

    client = _ssh(settings, places, clock)
    hosts = _hosts(settings, places, clock, means, client, stack)
    server = prometheus(settings, clock, stack)
    measured = metrics(settings, server, clock)
    stack.push_async_callback(measured.close)
    inventory = None
    its_names = settings.policy.names(settings.fleet.services) if settings.policy is not None else frozenset()
    if settings.discovery or its_names:
        configured = Configured(
            {name: service.hosts for name, service in settings.fleet.services.items()}, settings.datacenters
        )
        inventory = FoundHosts(
            settings.fleet.services,
            Discovery(sources(settings, server, clock), configured, clock),
            owners,
            clock,
            settings.policy,
            WatchedNames(SystemResolver(), clock),
        )
        stack.push_async_callback(inventory.close)
        await inventory.start()
    logs = HostLogs(SshLogs(client, clock) if client is not None else None, named, clock)
    alerts = _alerts(settings, clock)
    if alerts is not None:
        stack.push_async_callback(alerts.close)
        await alerts.start()
    watched = scout(settings, means, server, clock)
    stack.push_async_callback(watched.close)
    await watched.start()
    return Outside(hosts, measured, inventory, server, logs, alerts, watched)


def scout(
    settings: Settings, means: Callable[[Host], Means], server: PrometheusClient | None, clock: Clock
) -> WatchedScout:
    """What looks at links, health endpoints, callers and builds for the readiness lists; the caller's to start."""
    its = settings.prometheus
    callers: PageCallers | ServerCallers = PageCallers(settings.signals)
    if its is not None and server is not None:
        callers = ServerCallers(server, settings.signals, its.labels, label_value(its))
    return WatchedScout(
        callers,
        HealthLooks(partial(_seat, means), clock),
        lambda service: source_of(settings.means.get(service.name, Means())),
        settings.path.absolute().parent,
        clock,
        every_s=settings.readiness_every_s,
    )


def _ssh(settings: Settings, places: Places, clock: Clock) -> SshClient | None:
    if not any(its.way for its in settings.means.values()):
        return None
    return SshClient(settings.ssh, places.run, clock, SystemRandom())


def _hosts(
    settings: Settings,
    places: Places,
    clock: Clock,
    means: Callable[[Host], Means],
    client: SshClient | None,
    stack: AsyncExitStack,
) -> HostFleet:
    """Who reaches a host, then its health over time, then its place in the traffic: each around the one before."""
    agents = HttpHosts(clock)
    stack.push_async_callback(agents.close)
    hosts: HostFleet = agents
    if client is not None:
        by_ssh = SshHosts(client, partial(_way, means), clock)
        stack.push_async_callback(by_ssh.close)
        hosts = RoutedHosts({AGENT: agents, SSH: by_ssh}, lambda host: SSH if means(host).way is not None else AGENT)
    if any(its.health for its in settings.means.values()):
        wire = Wire()
        stack.push_async_callback(wire.close)
        hosts = HealthyHosts(hosts, partial(_health, means), clock, wire)
    if any(its.seat for its in settings.means.values()):
        places.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        drained = DrainedHosts(hosts, partial(_seat, means), DrainBook(places.state / DRAIN_BOOK), clock)
        stack.push_async_callback(drained.close)
        hosts = drained
    return hosts


def _way(means: Callable[[Host], Means], host: Host) -> Way:
    way = means(host).way
    assert way is not None  # noqa: S101 - only hosts with a way are routed here
    return way


def _health(means: Callable[[Host], Means], host: Host) -> HealthRule | None:
    return means(host).health


def _seat(means: Callable[[Host], Means], host: Host) -> Seat | None:
    rule = means(host).seat
    if rule is None or (host.pool is Pool.STAGING and not rule.staging):
        return None
    return seat(rule, host)


def seat(rule: SeatRule, host: Host) -> Seat:
    """Where `host` sits by `rule`."""
    return Seat(
        tuple(HaproxySocket(address, rule.timeout_s) for address in rule.sockets),
        rule.backend,
        rule.server.replace("{host}", host.name),
        rule.drain_s,
    )


def prometheus(settings: Settings, clock: Clock, stack: AsyncExitStack) -> PrometheusClient | None:
    """The metrics server, if one is configured; closed with `stack`."""
    if settings.prometheus is None:
        return None
    client = PrometheusClient(settings.prometheus.server, clock)
    stack.push_async_callback(client.close)
    return client


def metrics(settings: Settings, server: PrometheusClient | None, clock: Clock) -> ScrapedMetrics | PrometheusMetrics:
    """What measures the hosts; the caller's to close."""
    if settings.prometheus is None or server is None:
        return ScrapedMetrics(settings.signals, clock)
    its = settings.prometheus
    signals, labels = asked_for(settings, its)
    return PrometheusMetrics(
        server,
        signals,
        labels,
        clock,
        value_of=label_value(its),
        every_s=its.every_s,
        stale_s=its.stale_s,
        pace_s=its.pace_s,
    )


def asked_for(settings: Settings, its: PrometheusSettings) -> tuple[tuple[Signal, ...], Labels]:
    """What the server is asked for, and how it tells hosts apart."""
    signals: tuple[Signal, ...] = (*settings.signals, *its.queries)
    return recorded(signals, its.labels) if its.recorded else (signals, its.labels)


def label_value(its: PrometheusSettings) -> Callable[[Host], str]:
    """What the host's label holds on the server."""
    return address_of if its.host_is == "address" else _name_of


def _name_of(host: Host) -> str:
    return host.name


def _alerts(settings: Settings, clock: Clock) -> WatchedAlerts | None:
    its = settings.alerts
    if its is None:
        return None
    source = AlertmanagerAlerts(its.url, clock, its.labels, its.matchers, its.access)
    return WatchedAlerts(source, clock, every_s=its.every_s, timeout_s=its.timeout_s)


def sources(settings: Settings, server: PrometheusClient | None, clock: Clock) -> list[HostSource]:
    """Of hosts, in the configuration's order."""
    return [_source(each, server, clock) for each in settings.discovery]


def _source(said: DiscoverySettings, server: PrometheusClient | None, clock: Clock) -> HostSource:
    if said.file is not None:
        return FileTargets(said.file, clock, said.names, said.matchers)
    if said.command:
        return CommandTargets(
            said.command, clock, said.names, said.matchers, every_s=said.every_s, deadline_s=said.deadline_s
        )
    assert server is not None  # noqa: S101 - the configuration was checked
    return PrometheusTargets(
        _active(server), clock, said.names, said.matchers, every_s=said.every_s, deadline_s=said.deadline_s
    )


def _active(server: PrometheusClient) -> Callable[[], Awaitable[list[Target]]]:
    async def ask() -> list[Target]:
        return [(target.labels, target.address) for target in await targets(server)]

    return ask
