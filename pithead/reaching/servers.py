"""What serves all services: sources of hosts, Prometheus, Alertmanager."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from adapters.alerts.alert import AlertsFault
from adapters.alerts.alertmanager import AlertmanagerAlerts
from adapters.config import Settings
from adapters.discovery.found import HostSource
from adapters.discovery.sift import Configured
from adapters.discovery.watch import Discovered, Discovery
from adapters.means import AlertSettings
from adapters.metrics.prometheus.answers import Kind as Trouble
from adapters.metrics.prometheus.answers import MetricsUnavailable
from adapters.metrics.prometheus.client import PrometheusClient
from pipeline.model import Service
from pipeline.ports import Clock
from pipeline.text import plain
from pithead.reaching.reached import Kind, Reached, Wrong, told

PROMETHEUS_S = 10.0
VERSION = '{__name__=~"prometheus_build_info|vm_app_version"}'
"""Of a server that scrapes itself."""
MENDS = {
    Trouble.AUTH: "see the token or the password of [prometheus], and what it is allowed to",
    Trouble.NOT_PROMETHEUS: "correct prometheus.url: the address before /api/v1",
    Trouble.QUERY: "see whether the server evaluates queries",
    Trouble.PARTIAL: "mend what it names: nothing counts as known while the server says that data are missing",
    Trouble.OVERLOADED: "see the server's load and its log",
    Trouble.TIMEOUT: "see whether it is up, the way to it open, and how long it takes for vector(1)",
}


async def discover(settings: Settings, sources: Sequence[HostSource], clock: Clock) -> Discovered:
    """Every source asked once, each within its own deadline."""
    configured = {name: service.hosts for name, service in settings.fleet.services.items()}
    discovery = Discovery(sources, Configured(configured, settings.datacenters), clock)
    try:
        return await discovery.refresh()
    finally:
        await discovery.close()


def sources(settings: Settings, found: Discovered) -> list[Reached]:
    """A line for each source, and one for each thing that is not believed."""
    reached: list[Reached] = []
    problems = list(found.problems)
    for said, source in zip(settings.discovery, found.sources, strict=True):
        its = [problem for problem in problems if problem.startswith(f"{source.name}: ")]
        problems = [problem for problem in problems if problem not in its]
        wrong = [Wrong(source.fault, f"see discovery.{said.name}: {source.name}")] if source.fault else []
        if not source.fault:
            shown = (problem.removeprefix(f"{source.name}: ") for problem in its)
            wrong = [Wrong(problem, f"correct it at {source.name}, or discovery.{said.name}") for problem in shown]
        if not wrong and not source.hosts:
            wrong = [Wrong("names no host", f"see discovery.{said.name}: matchers, labels")]
        reached += told(Kind.DISCOVERY, "", said.name, wrong, f"{source.hosts} hosts from {source.name}")
    left = [Wrong(problem, "correct the hosts where they are listed") for problem in problems]
    return reached + (told(Kind.DISCOVERY, "", "all sources", left, "") if left else [])


def with_hosts(services: Mapping[str, Service], found: Discovered | None) -> dict[str, Service]:
    if found is None:
        return dict(services)
    return {name: replace(service, hosts=found.hosts.get(name, ())) for name, service in services.items()}


async def prometheus(server: PrometheusClient) -> list[Reached]:
    try:
        await server.instant("vector(1)", None, PROMETHEUS_S)
    except MetricsUnavailable as error:
        mend = MENDS.get(error.kind, "see whether it runs and the way to it is open, or correct prometheus.url")
        return told(Kind.PROMETHEUS, "", server.server, [Wrong(error.told, mend)], "")
    return told(Kind.PROMETHEUS, "", server.server, [], f"answers{await _version(server)}")


async def _version(server: PrometheusClient) -> str:
    """Where the server can be asked for it by a query."""
    try:
        rows = await server.instant(VERSION, None, PROMETHEUS_S)
    except MetricsUnavailable:
        return ""
    labels = rows[0].metric if rows else {}
    version = labels.get("version") or labels.get("short_version") or ""
    return plain(f", version {version}", 60) if version else ""


async def alertmanager(its: AlertSettings, clock: Clock) -> list[Reached]:
    try:
        source = AlertmanagerAlerts(its.url, clock, its.labels, its.matchers, its.access)
    except ValueError as error:
        return told(Kind.ALERTMANAGER, "", its.url, [Wrong(str(error), "correct alertmanager.url")], "")
    try:
        found = await source.alerts(its.timeout_s)
    finally:
        await source.close()
    if isinstance(found, AlertsFault):
        mend = "see whether it runs, and the url and access of [alertmanager]"
        return told(Kind.ALERTMANAGER, "", its.url, [Wrong(found.why, mend)], "")
    unnamed = sum(not alert.service for alert in found)
    beside = f", {unnamed} of them without a service" if unnamed else ""
    return told(Kind.ALERTMANAGER, "", its.url, [], f"answers, {len(found)} alerts fire{beside}")
