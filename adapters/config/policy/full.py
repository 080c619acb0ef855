"""FUL: a full staging talks to staging copies only."""

from collections.abc import Iterator

from adapters.config.endpoints import endpoint
from adapters.config.errors import Spot
from adapters.config.policy.case import Case, Found, Rule
from adapters.names.lookup import Lookup
from pipeline.checks import CheckKind
from pipeline.staging import Access, Dependency, Level, StagingMode
from pipeline.words import some

LEAST_CAPACITY = 0.1
"""Of production's: below it, a load test says nothing about production."""


def endpoints_of_staging(case: Case) -> Iterator[Found]:
    if not case.in_mode(StagingMode.FULL):
        return
    for its in case.service.rules.staging.dependencies:
        if not its.staging:
            yield Found(
                f"which copy of {its.name} staging calls is not stated",
                "say staging = the address of its staging copy",
                case.dependency(its),
            )
        elif whose := _production(case, its):
            yield Found(
                f"staging calls {its.name} at {its.staging}, which is production ({whose})",
                "call a staging copy",
                case.dependency(its, "staging"),
            )
        elif lookup := case.company.names.unknown(its.staging):
            yield _untold(f"{its.staging}, where staging calls {its.name},", lookup, case.dependency(its, "staging"))
        elif near := _near(case, its):
            yield Found(
                f"staging calls {its.name} at {its.staging}, on a machine of production ({near})",
                "give the staging copy a machine of its own",
                case.dependency(its, "staging"),
                Level.WARNING,
            )
        else:
            yield from _told_apart(case, its)


def _told_apart(case: Case, its: Dependency) -> Iterator[Found]:
    """Whether it is known to be no production, and to be a staging."""
    names, called = case.company.names, case.dependency(its, "staging")
    lookup = names.unknown(its.production) if its.production else None
    if lookup is not None:
        yield _untold(f"{its.production}, production's {its.name},", lookup, case.dependency(its, "production"))
        return
    if not case.company.complete:
        yield Found(
            f"{its.staging}, where staging calls {its.name}, cannot be told from production: "
            "not every source of hosts has answered yet",
            "see what pithead check --reach says of discovery",
            called,
            Level.UNKNOWN,
        )
        return
    if case.company.production.unknown:
        address, whose, trouble = case.company.production.unknown[0]
        yield _untold(f"{address}, {whose.said}, which staging's {its.name} must not be,", trouble, called)
        return
    service = case.company.services.get(its.name)
    if service is None or not service.staging:
        return
    there = {at for host in service.staging for at in names.places(host.address)}
    if there.isdisjoint(names.places(its.staging)):
        yield Found(
            f"staging calls {its.name} at {its.staging}, which is none of the staging hosts of {its.name} "
            f"({some([host.address for host in service.staging], 3)})",
            "call one of them, or see that what is there passes to them only",
            called,
            Level.WARNING,
        )


def _untold(what: str, lookup: Lookup, at: Spot) -> Found:
    return Found(
        f"{what} cannot be looked up ({lookup.fault}): nobody can tell it from production",
        "see that the name resolves on the controller's machine, or state an address",
        at,
        Level.UNKNOWN,
        lookup.since,
    )


def no_store_of_production(case: Case) -> Iterator[Found]:
    if not case.in_mode(StagingMode.FULL):
        return
    for its in case.service.rules.staging.dependencies:
        if not (its.store or its.consumes) or not its.staging:
            continue
        known = its.production or (its.name in case.company.services and case.company.services[its.name].production)
        whose = _production(case, its)
        if not whose and not known:
            yield Found(
                f"production's address of the data store {its.name} is not stated, so that nothing tells it apart from "
                f"{its.staging}, which staging calls",
                "state its production address, so that it can be told apart",
                case.dependency(its),
            )
        elif whose and its.access is not Access.NONE:
            does = "takes messages from" if its.consumes else f"may {_MAY[its.access]}"
            yield Found(
                f"staging {does} production's data store {its.name} ({whose})",
                "give staging a data store of its own",
                case.dependency(its),
            )


_MAY = {Access.READ: "read", Access.TENANT: "write a test tenant to", Access.WRITE: "write to"}


def _production(case: Case, its: Dependency) -> str:
    """Whose production the endpoint that staging calls is; "" where it is none's."""
    names = case.company.names
    for called in names.places(its.staging):
        by = f": both are {called.machine}" if called != endpoint(its.staging) else ""
        for each in case.service.rules.staging.dependencies:
            if each.production and called in names.places(each.production):
                return f"production's {each.name}{by}"
        whose = case.company.production.endpoints.get(called)
        if whose is not None:
            return f"{whose.said}{by}"
    return ""


def _near(case: Case, its: Dependency) -> str:
    """What of production is on the machine that staging calls; "" where nothing is."""
    for called in case.company.names.places(its.staging):
        for whose in case.company.production.machines.get(called.machine, {}).values():
            return whose.said if called == endpoint(its.staging) else f"{whose.said}: both are {called.machine}"
    return ""


def capacity_stated(case: Case) -> Iterator[Found]:
    if not case.in_mode(StagingMode.FULL):
        return
    capacity = case.service.rules.staging.capacity
    if capacity is None:
        yield Found(
            "how much of production's load staging could take is not stated",
            "say capacity, as a ratio of production's, in [organisation.staging] or the service's own",
            case.at("staging", "capacity"),
        )
        return
    loads = [check.name for check in case.service.rules.checks if check.kind is CheckKind.LOAD]
    if loads and capacity < LEAST_CAPACITY:
        yield Found(
            f"staging has {capacity:.0%} of production's capacity, and below {LEAST_CAPACITY:.0%} a load test "
            f"({some(loads, 3)}) says nothing about production",
            "give staging more, or leave out the load test",
            case.at("staging", "capacity"),
        )


RULES = (
    Rule(
        "FUL-01",
        Level.ERROR,
        "full: every dependency that staging calls is a staging copy",
        endpoints_of_staging,
        kept="names are looked up by the controller, now and again (adapters.names)",
    ),
    Rule("FUL-02", Level.ERROR, "full: no data store or queue of production is within reach", no_store_of_production),
    Rule(
        "FUL-03",
        Level.WARNING,
        "full: the staging copy of a dependency is at its production's version, or one newer",
        kept="of a service here, releases go to its staging first and one at a time (pipeline.lifecycle); of others "
        "nobody here knows",
    ),
    Rule("FUL-04", Level.WARNING, "full: how much of production's load staging takes is stated", capacity_stated),
)
