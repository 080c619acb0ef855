"""From what the file says to settings: parts put together, and checked against each other."""

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from adapters.config import budgets, lint, readiness, servers, staging, waves
from adapters.config.durations import written
from adapters.config.errors import Problems, Spot, Unread, nearest
from adapters.config.hosts import Registry
from adapters.config.means import means
from adapters.config.policy import Policy
from adapters.config.policy.canary import DAY_S
from adapters.config.rules import layered
from adapters.config.schema import Values
from adapters.config.sections import FILE
from adapters.config.settings import DemoSettings, Settings, UiSettings
from adapters.config.signals import Signals
from adapters.hosts.ssh.client import SshSettings
from adapters.means import AlertSettings, DiscoverySettings, Means, PrometheusSettings
from adapters.metrics.prometheus.presets import PRESETS
from adapters.metrics.prometheus.queries import OwnQuery
from adapters.metrics.source import SignalSource
from pipeline.model import Fleet, JudgeRules, Rules, Service

FLEET = ("tick_s", "host_timeout_s", "actions_at_once")
"""Of [controller], what the fleet holds; the rest stands in the settings themselves."""
Sayings = Mapping[str, tuple[Spot, Values]]


def build(document: Mapping[str, object], path: Path, problems: Problems) -> Settings:
    """The settings, whole; raises `ConfigErrors` with everything that is wrong."""
    spot = Spot(problems)
    said = FILE(document, spot)
    if document.get("service") == {}:
        (spot / "service").wrong("expected at least one [service.NAME]")
    _fill_presets(said.get("signals", {}), spot / "signals")
    signals = Signals(_kinds(document, said))
    registry = Registry({name: said.get("datacenter", {}).get(name, {}) for name in _declared(document, "datacenter")})
    sources = _sources(said, spot)

    measured_by = _prometheus(said, spot)
    base = Rules() if measured_by is None else Rules(judge=JudgeRules(stale_s=2 * measured_by.oldest_s))
    common = _common(base, said.get("organisation", {}), signals, registry, spot / "organisation")
    sayings = _sayings(said, spot)
    services = {
        name: _service(name, values, common, signals, registry, spot, found_elsewhere=bool(sources))
        for name, values in said.get("service", {}).items()
    }
    controller = said.get("controller", {})
    look_s = 0.0 if measured_by is None else measured_by.scrape_s
    held = {key: controller[key] for key in FLEET if key in controller}
    fleet = Fleet(MappingProxyType(services), **held, look_s=look_s)
    _check_rules(fleet, common, sayings, signals)
    its_means = {
        name: means(name, said.get("organisation", {}), values, said.get("haproxy", {}), spot / "service" / name)
        for name, values in said.get("service", {}).items()
    }
    _check_timing(fleet, measured_by, sayings)
    for service in services.values():
        lint.service(service, said, spot)
        lint.means(service, its_means.get(service.name, Means()), spot)
    found = _signals(said, spot)
    alertmanager = _alerts(said, spot)
    _check_alerts(said, sayings)
    problems.raise_if_any()
    demo = DemoSettings(**said["demo"]) if "demo" in said else None
    policy = Policy(its_means, said, spot, fleet.apart_s, DAY_S if demo is None else demo.day_s)
    fleet = replace(fleet, services=policy.judged(fleet.services))
    return Settings(
        path=path,
        fleet=fleet,
        signals=found,
        means=MappingProxyType(its_means),
        ssh=SshSettings(**said.get("ssh", {})),
        prometheus=measured_by,
        discovery=sources,
        datacenters=MappingProxyType(dict(registry.datacenters)),
        alerts=alertmanager,
        ui=UiSettings(**said.get("ui", {})),
        demo=demo,
        policy=policy,
        warnings=tuple(sorted(problems.warnings, key=lambda warning: warning.line)),
        **{key: value for key, value in controller.items() if key not in FLEET},
    )


def _declared(document: Mapping[str, object], section: str) -> Collection[str]:
    """Every name that is declared, right or wrong, so that a mistake in one place is told once."""
    tables = document.get(section)
    return tables if isinstance(tables, dict) else ()


def _kinds(document: Mapping[str, object], said: Values) -> Mapping[str, Any]:
    right = said.get("signals", {})
    return {name: right.get(name, {}).get("kind") for name in _declared(document, "signals")}


def _fill_presets(signals: dict[str, Values], spot: Spot) -> None:
    """What a well-known library calls a signal, in place of kind and series."""
    for name, values in signals.items():
        at = spot / name
        preset = values.get("preset")
        if preset is None:
            if "kind" not in values:
                at.wrong('"kind" is missing (or "preset")')
        elif preset not in PRESETS:
            (at / "preset").wrong(f'expected a preset, got "{preset}": {nearest(preset, PRESETS)}')
        elif name not in PRESETS[preset]:
            (at / "preset").wrong(f'"{preset}" has no signal "{name}": it has {", ".join(PRESETS[preset])}')
        else:
            source = PRESETS[preset][name]
            values.setdefault("kind", source.kind)
            if "promql" not in values:
                values.setdefault("series", (source.family, source.matchers))


def _signals(said: Values, spot: Spot) -> tuple[SignalSource, ...]:
    """Those that are series; those in PromQL are Prometheus' own."""
    found = []
    for name, values in said.get("signals", {}).items():
        at = spot / "signals" / name
        if "promql" in values:
            if "prometheus" not in said:
                (at / "promql").wrong("there is no [prometheus] to ask")
            continue
        try:
            found.append(_source(name, values, at))
        except Unread:
            continue
    return tuple(found)


def _source(name: str, values: Values, spot: Spot) -> SignalSource:
    """Raises `Unread`."""
    if "series" not in values:
        spot.refuse('"series" is missing (or "preset", or "promql" where there is a [prometheus])')
    family, matchers = values["series"]
    path = {"path": values["path"]} if "path" in values else {}
    return SignalSource(name, values["kind"], family, matchers, **path)


def _prometheus(said: Values, spot: Spot) -> PrometheusSettings | None:
    if "prometheus" not in said or not (spot / "prometheus").clean:
        return None
    signals = said.get("signals", {})
    queries = tuple(
        OwnQuery(name, values["kind"], values["promql"])
        for name, values in signals.items()
        if "promql" in values and "kind" in values
    )
    try:
        return servers.prometheus(said["prometheus"], queries, spot / "prometheus")
    except Unread:
        return None


def _sources(said: Values, spot: Spot) -> tuple[DiscoverySettings, ...]:
    found = []
    for name, values in said.get("discovery", {}).items():
        at = spot / "discovery" / name
        try:
            found.append(servers.discovery(name, values, has_prometheus="prometheus" in said, spot=at))
        except Unread:
            continue
    return tuple(found)


def _alerts(said: Values, spot: Spot) -> AlertSettings | None:
    if "alertmanager" not in said or not (spot / "alertmanager").clean:
        return None
    try:
        return servers.alerts(said["alertmanager"], spot / "alertmanager")
    except Unread:
        return None


def _sayings(said: Values, spot: Spot) -> Sayings:
    """Who says something of the rules: the organisation as "", and each service; with where, and what."""
    found = {"": (spot / "organisation", said.get("organisation", {}))}
    return {**found, **{name: (spot / "service" / name, values) for name, values in said.get("service", {}).items()}}


def _check_rules(fleet: Fleet, common: Rules, sayings: Sayings, signals: Signals) -> None:
    """What only all services together tell: dependencies on each other, and slices that are never known."""
    both = {name: (sayings[name], sayings[""]) for name in fleet.services}
    budgets.check(common, sayings[""][1], signals, sayings[""][0], fleet.apart_s)
    owners = staging.owners_of(fleet.services)
    for name, service in fleet.services.items():
        spot, values = sayings[name]
        if {"budget", "slos", "payback"} & values.keys():
            budgets.check(service.rules, values, signals, spot, fleet.apart_s)
        staging.check(service, fleet.services, both[name], owners)
    staging.check_cycles(fleet.services, both)


def _check_alerts(said: Values, sayings: Sayings) -> None:
    for at, values in sayings.values():
        if values.get("alerts", {}).get("fail") and "alertmanager" not in said:
            (at / "alerts" / "fail").wrong("there is no [alertmanager] to ask: no canary could pass")


def _common(base: Rules, said: Values, signals: Signals, registry: Registry, spot: Spot) -> Rules:
    common = layered(base, said, signals, spot)
    if "waves" in said and Spot(spot.problems, ("datacenter",)).clean:
        waves.check(common.waves, registry.places(), "of any [datacenter.NAME]", spot / "waves")
    return common


def _service(
    name: str,
    values: Values,
    common: Rules,
    signals: Signals,
    registry: Registry,
    root: Spot,
    *,
    found_elsewhere: bool = False,
) -> Service:
    spot = root / "service" / name
    if "hosts" not in values and not found_elsewhere:
        spot.wrong('"hosts" is missing (or a [discovery.NAME] that finds them)')
    hosts = registry.hosts(values.get("hosts", {}), spot / "hosts")
    service = Service(
        name=name,
        hosts=hosts,
        revision=values.get("revision", ""),
        rules=staging.of_service(
            name, layered(common, values, signals, spot), values.get("staging", {}), spot / "staging"
        ),
        **{key: values[key] for key in ("team", "tier", "business_critical") if key in values},
    )
    readiness.check(service, values, spot, root / "organisation")
    if (spot / "hosts").clean and "hosts" in values:
        service = _with_own_waves(service, values, spot)
        if not found_elsewhere:
            _check_pools(service, spot / "hosts")
    readable = (spot / "metrics").clean and (root / "organisation" / "metrics").clean
    if readable and not any(metric.judged for metric in service.rules.judge.metrics):
        spot.wrong("expected at least one judged metric here or in [organisation.metrics]: no canary could pass")
    return service


def _with_own_waves(service: Service, values: Values, spot: Spot) -> Service:
    if "waves" in values:
        waves.check(service.rules.waves, waves.places_of(service.production), "of this service's hosts", spot / "waves")
        return service
    reached = waves.there(service.rules.waves, service.production)
    return replace(service, rules=replace(service.rules, waves=reached))


def _check_pools(service: Service, spot: Spot) -> None:
    if not service.production:
        spot.wrong('expected at least one production host (pool = "production" is the default)')
    if not service.staging:
        spot.wrong('expected at least one host with pool = "staging": every release begins there')


def _check_timing(fleet: Fleet, measured_by: PrometheusSettings | None, sayings: Sayings) -> None:
    if fleet.host_timeout_s > fleet.tick_s:
        root = Spot(sayings[""][0].problems)
        (root / "controller" / "host_timeout").warn("is longer than the tick: one slow host makes every look late")
    rhythm, least_s = "the tick", fleet.tick_s
    if measured_by is not None:
        rhythm, least_s = "every and scrape of [prometheus] together,", measured_by.oldest_s
    for at, values in sayings.values():
        stale_s = values.get("judge", {}).get("stale_s", math.inf)
        if stale_s <= least_s:
            (at / "judge" / "stale").wrong(
                f"expected more than {rhythm} of {written(least_s)}, got {written(stale_s)}: no reading would do"
            )
