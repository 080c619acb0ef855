"""From what the file says to settings: parts put together, and checked against each other."""

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from adapters.config import lint, waves
from adapters.config.durations import written
from adapters.config.errors import Problems, Spot
from adapters.config.hosts import Registry
from adapters.config.rules import Signals, check_budget, layered
from adapters.config.schema import Values
from adapters.config.sections import FILE
from adapters.config.settings import DemoSettings, Settings, UiSettings
from adapters.metrics.source import SignalSource
from pipeline.model import Fleet, Rules, Service

FLEET = ("tick_s", "host_timeout_s", "actions_at_once")
"""Of [controller], what the fleet holds; the rest stands in the settings themselves."""


def build(document: Mapping[str, object], path: Path, problems: Problems) -> Settings:
    """The settings, whole; raises `ConfigErrors` with everything that is wrong."""
    spot = Spot(problems)
    said = FILE(document, spot)
    if document.get("service") == {}:
        (spot / "service").wrong("expected at least one [service.NAME]")
    signals = Signals(_kinds(document, said))
    registry = Registry({name: said.get("datacenter", {}).get(name, {}) for name in _declared(document, "datacenter")})

    common = _common(said.get("organisation", {}), signals, registry, spot / "organisation")
    services = {
        name: _service(name, values, common, signals, registry, spot)
        for name, values in said.get("service", {}).items()
    }
    controller = said.get("controller", {})
    fleet = Fleet(MappingProxyType(services), **{key: controller[key] for key in FLEET if key in controller})
    _check_timing(fleet, said, spot)
    for service in services.values():
        lint.service(service, said, spot)
    problems.raise_if_any()
    return Settings(
        path=path,
        fleet=fleet,
        signals=tuple(_source(name, values) for name, values in said.get("signals", {}).items()),
        ui=UiSettings(**said.get("ui", {})),
        demo=DemoSettings(**said["demo"]) if "demo" in said else None,
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


def _source(name: str, values: Values) -> SignalSource:
    family, matchers = values.pop("series")
    return SignalSource(name, family=family, matchers=matchers, **values)


def _common(said: Values, signals: Signals, registry: Registry, spot: Spot) -> Rules:
    common = layered(Rules(), said, signals, spot)
    check_budget(common, signals, spot)
    if "waves" in said and Spot(spot.problems, ("datacenter",)).clean:
        waves.check(common.waves, registry.places(), "of any [datacenter.NAME]", spot / "waves")
    return common


def _service(name: str, values: Values, common: Rules, signals: Signals, registry: Registry, root: Spot) -> Service:
    spot = root / "service" / name
    hosts = registry.hosts(values.get("hosts", {}), spot / "hosts")
    service = Service(
        name=name,
        hosts=hosts,
        revision=values.get("revision", ""),
        rules=layered(common, values, signals, spot),
        **{key: values[key] for key in ("team", "tier") if key in values},
    )
    if "budget" in values:
        check_budget(service.rules, signals, spot)
    if (spot / "hosts").clean and "hosts" in values:
        service = _with_own_waves(service, values, spot)
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


def _check_timing(fleet: Fleet, said: Values, spot: Spot) -> None:
    if fleet.host_timeout_s > fleet.tick_s:
        (spot / "controller" / "host_timeout").warn("is longer than the tick: one slow host makes every look late")
    sayings = [(spot / "organisation", said.get("organisation", {}))]
    sayings += [(spot / "service" / name, values) for name, values in said.get("service", {}).items()]
    for at, values in sayings:
        stale_s = values.get("judge", {}).get("stale_s", math.inf)
        if stale_s <= fleet.tick_s:
            (at / "judge" / "stale").wrong(
                f"expected more than the tick of {written(fleet.tick_s)}, got {written(stale_s)}: no reading would do"
            )
