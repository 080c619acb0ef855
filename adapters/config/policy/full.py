"""FUL: a full staging talks to staging copies only."""

from collections.abc import Iterator

from adapters.config.endpoints import endpoint
from adapters.config.policy.case import Case, Found, Rule
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
        elif near := case.company.production.near(its.staging):
            yield Found(
                f"staging calls {its.name} at {its.staging}, on a machine of production ({near.said})",
                "give the staging copy a machine of its own",
                case.dependency(its, "staging"),
                Level.WARNING,
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
    called = endpoint(its.staging)
    for each in case.service.rules.staging.dependencies:
        if each.production and endpoint(each.production) == called:
            return f"production's {each.name}"
    whose = case.company.production.endpoints.get(called)
    return whose.said if whose else ""


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
        kept="addresses are compared as the whole file states them: what a name resolves to is the network's to keep",
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
