"""How staging stands to production: `[X.staging]`, with its dependencies and its limits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from adapters.addresses import is_address
from adapters.config import endpoints
from adapters.config.amounts import amount, check_amount
from adapters.config.checks import marker
from adapters.config.errors import Spot, nearest
from adapters.config.schema import Key, Section, Values, table_of
from adapters.config.values import (
    boolean,
    name,
    objective,
    one_of,
    ratio,
    seconds,
    sequence,
    text,
    unique,
    whole,
)
from pipeline.model import Rules, Service
from pipeline.staging import Access, Dependency, StagingLimit, StagingMode, StagingRules


def endpoint(value: object, spot: Spot) -> str:
    if not isinstance(value, str) or not is_address(value):
        spot.expected("host:port", value)
    return value


def method(value: object, spot: Spot) -> str:
    if not isinstance(value, str) or not (value.isascii() and value.isalpha() and value.isupper() and len(value) <= 20):
        spot.expected('a method of HTTP, such as "GET"', value)
    return value


def ports(value: object, spot: Spot) -> tuple[int, ...]:
    found = sequence(whole(1, 65_535), most=100)(value, spot)
    for place, port in enumerate(found):
        if port in found[:place]:
            (spot / place).refuse(f"{port} stands here twice")
    return found


_keys = unique(sequence(text(200), most=5_000))
DEPENDENCY = Section(
    {
        "staging": Key(endpoint),
        "production": Key(endpoint),
        "store": Key(boolean),
        "access": Key(one_of(Access)),
        "consumes": Key(boolean),
        "hard": Key(boolean),
        "fallback": Key(text(200)),
        "target": Key(objective),
        "timeout": Key(seconds("1ms", "1h"), "timeout_s"),
        "retries": Key(whole(0, 100)),
        "breaker": Key(boolean),
    }
)
LIMIT = Section(
    {
        "limit": Key(amount),
        "window": Key(seconds("1s", "1d"), "window_s"),
        "min_samples": Key(whole(1, 10**9)),
    }
)
STAGING = Section(
    {
        "mode": Key(one_of(StagingMode)),
        "related": Key(unique(sequence(name))),
        "dependencies": Key(table_of(DEPENDENCY)),
        "methods": Key(unique(sequence(method, most=50))),
        "header": Key(marker),
        "rate_share": Key(ratio()),
        "sink": Key(text(300)),
        "ports": Key(ports),
        "production_ports": Key(ports),
        "limits": Key(table_of(LIMIT)),
        "capacity": Key(ratio(0.0, 10.0)),
        "image": Key(text(300)),
        "production_image": Key(text(300)),
        "keys": Key(_keys),
        "production_keys": Key(_keys),
    }
)


def layered(base: StagingRules, said: Values, spot: Spot) -> StagingRules:
    dependencies = {each.name: each for each in base.dependencies}
    for key, values in said.get("dependencies", {}).items():
        dependencies[key] = replace(dependencies.get(key, Dependency(key)), **values)
    limits = {each.metric: each for each in base.limits}
    for key, values in said.get("limits", {}).items():
        if key in limits:
            limits[key] = replace(limits[key], **values)
        elif "limit" in values:
            limits[key] = StagingLimit(key, **values)
        else:
            (spot / "limits" / key).wrong('"limit" is missing: how much of this metric is too much')
    rest = {key: value for key, value in said.items() if key not in ("dependencies", "limits")}
    return replace(base, **rest, dependencies=tuple(dependencies.values()), limits=tuple(limits.values()))


def of_service(name: str, rules: Rules, own: Values, spot: Spot) -> Rules:
    """`rules` without `name` among what it depends on or shares staging with: the organisation says that of all."""
    its = rules.staging
    if name in own.get("related", ()):
        (spot / "related" / own["related"].index(name)).wrong("is this service itself")
    if name in own.get("dependencies", {}):
        (spot / "dependencies" / name).wrong("is this service itself: nothing depends on itself")
    related = tuple(each for each in its.related if each != name)
    others = tuple(each for each in its.dependencies if each.name != name)
    return replace(rules, staging=replace(its, related=related, dependencies=others))


Sayings = Sequence[tuple[Spot, Values]]
"""What a service says and where, and then what the organisation says."""
Owners = Mapping[endpoints.Endpoint, str]
"""The service that a host is of, by where it answers."""
LIKENESS = 0.8
"""Of a dependency's name to a service's: less is another name."""


def check(service: Service, services: Mapping[str, Service], sayings: Sayings, owners: Owners) -> None:
    """Report names that are none. What the organisation says for all services is told once."""
    its = service.rules.staging
    for other in its.related:
        at = where(sayings, "related", other)
        if other not in services and at.clean:
            at.wrong(f'expected the name of a service, got "{other}": {nearest(other, services)}')
    metrics = {metric.key: metric for metric in service.rules.judge.metrics}
    for limit in its.limits:
        at = where(sayings, "limits", limit.metric)
        if limit.metric not in metrics and at.clean:
            at.wrong(f"expected the name of a metric: {nearest(limit.metric, metrics)}")
        elif at.clean:
            check_amount(limit.limit, metrics[limit.metric], at / "limit")
    for dependency in its.dependencies:
        at = where_of(sayings, dependency.name)
        if dependency.name in services:
            _check_endpoint(dependency, its.mode, services[dependency.name], at)
        elif at.clean:
            _check_unknown(dependency, service, services, owners, at)


def owners_of(services: Mapping[str, Service]) -> Owners:
    return {endpoints.endpoint(host.address): service.name for service in services.values() for host in service.hosts}


def _check_unknown(
    its: Dependency, service: Service, services: Mapping[str, Service], owners: Owners, spot: Spot
) -> None:
    """It may be anything outside; but not a service here under another name, whose canary nobody would wait for."""
    for key, address in (("staging", its.staging), ("production", its.production)):
        owner = owners.get(endpoints.endpoint(address), "") if address else ""
        if owner and owner != service.name:
            (spot / key).wrong(f"{address} is a host of {owner}: name the dependency {owner}")
            return
    lower = {name.lower(): name for name in services}
    near = get_close_matches(its.name.lower(), lower, n=1, cutoff=LIKENESS)
    if near:
        spot.warn(f'is no service here and taken as one outside: did you mean "{lower[near[0]]}"?')


def _check_endpoint(dependency: Dependency, mode: StagingMode, service: Service, spot: Spot) -> None:
    """A production host of it is told by FUL-01; hosts that discovery finds are not known here."""
    hosts = {endpoints.endpoint(host.address) for host in service.hosts}
    called = endpoints.endpoint(dependency.staging)
    if dependency.staging and hosts and service.staging and called not in hosts and spot.clean:
        of = service.staging if mode is StagingMode.FULL else service.hosts
        some = ", ".join(host.address for host in of[:3])
        (spot / "staging").wrong(
            f'"{dependency.staging}" is no host of the service {service.name}: expected one of its '
            f"{'staging ' if mode is StagingMode.FULL else ''}hosts, such as {some}"
        )


def where_of(sayings: Sayings, dependency: str) -> Spot:
    return where(sayings, "dependencies", dependency)


def where(sayings: Sayings, key: str, name: str) -> Spot:
    """Where `name` stands in the array or the tables `key` of [X.staging]."""
    for spot, values in sayings:
        found = values.get("staging", {}).get(key, ())
        if name in found:
            return spot / "staging" / key / (found.index(name) if isinstance(found, tuple) else name)
    return sayings[0][0] / "staging" / key


def check_cycles(services: Mapping[str, Service], sayings_of: Mapping[str, Sayings]) -> None:
    """Report services that cannot do without each other in a circle: each would wait for the others' canaries."""
    needs = {
        name: [each.name for each in service.rules.staging.dependencies if each.hard and each.name in services]
        for name, service in services.items()
    }
    told: set[frozenset[str]] = set()
    done: set[str] = set()
    for start in services:
        path: list[str] = []
        stack = [(start, iter(needs[start]))] if start not in done else []
        path += [start] if stack else []
        while stack:
            here, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                done.add(here)
                stack.pop()
                path.pop()
            elif following in path:
                circle = path[path.index(following) :]
                if frozenset(circle) not in told:
                    told.add(frozenset(circle))
                    where_of(sayings_of[circle[-1]], following).wrong(
                        f"hard dependencies in a circle: {' -> '.join((*circle, following))}; say hard = false of one"
                    )
            elif following not in done:
                path.append(following)
                stack.append((following, iter(needs[following])))
