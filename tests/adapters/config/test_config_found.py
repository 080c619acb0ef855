"""The rules asked again: about hosts that are found later, and about what names resolve to."""
# ruff: noqa: E501 - one finding a line, with the whole sentence that it is told in

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.config import Settings
from adapters.config.errors import Problems, Spot
from adapters.config.policy import Policy
from adapters.names.lookup import Lookup
from pipeline.model import Host, Pool, Rules, Service
from pipeline.staging import Dependency, StagingRules

Read = Callable[[str | bytes], Settings]
FULL = "[organisation.staging]\nmode = 'full'\n"
DB = "[service.cart.staging.dependencies.db]\nstaging = 'db.staging.example:5432'\nproduction = 'db.example:5432'\n"
SINCE = datetime(2026, 1, 5, tzinfo=UTC)
GONE = Lookup(fault="no such name", since=SINCE, missing=True)
BUSY = Lookup(fault="Temporary failure in name resolution", since=SINCE)
UNTOLD = "nobody can tell it from production"


def at(*addresses: str) -> Lookup:
    return Lookup(frozenset(addresses))


def told(settings: Settings, rule: str, lookups: Mapping[str, Lookup] | None = None, *more: Host) -> list[str]:
    assert settings.policy is not None
    services = dict(settings.fleet.services)
    services["cart"] = replace(services["cart"], hosts=(*services["cart"].hosts, *more))
    found = settings.policy.judged(services, lookups)["cart"].findings
    assert all(each.since == SINCE for each in found if each.level == "unknown" and "not looked up yet" not in each.why)
    return [f"{each.where.rpartition(':')[2]} {each.level}: {each.why}" for each in found if each.rule == rule]


@pytest.mark.parametrize(
    ("staging", "production", "said"),
    [
        (at("10.9.0.1"), at("10.9.0.2"), ""),
        (at("10.9.0.1"), at("10.9.0.1"), "25 error: staging calls db at db.staging.example:5432, which is production (production's db: both are 10.9.0.1)"),
        (at("10.9.0.3", "10.9.0.1"), at("10.9.0.2", "10.9.0.1"), "25 error: staging calls db at db.staging.example:5432, which is production (production's db: both are 10.9.0.1)"),
        (at("::ffff:10.9.0.1"), at("10.9.0.1"), "25 error: staging calls db at db.staging.example:5432, which is production (production's db: both are 10.9.0.1)"),
        (at("10.0.1.2"), at("10.9.0.2"), "25 warning: staging calls db at db.staging.example:5432, on a machine of production (a host of cart: both are 10.0.1.2)"),
        (GONE, at("10.9.0.2"), f"25 unknown: db.staging.example:5432, where staging calls db, cannot be looked up (no such name): {UNTOLD}"),
        (BUSY, at("10.9.0.2"), f"25 unknown: db.staging.example:5432, where staging calls db, cannot be looked up (Temporary failure in name resolution): {UNTOLD}"),
        (at("10.9.0.1"), GONE, f"26 unknown: db.example:5432, production's db, cannot be looked up (no such name): {UNTOLD}"),
        (None, at("10.9.0.2"), f"25 unknown: db.staging.example:5432, where staging calls db, cannot be looked up (not looked up yet): {UNTOLD}"),
    ],
)  # fmt: skip
def test_where_a_dependency_really_is_decides(
    staging: Lookup | None, production: Lookup, said: str, small: str, read: Read
) -> None:
    lookups = {"db.example": production} | ({} if staging is None else {"db.staging.example": staging})
    assert told(read(small + FULL + DB), "FUL-01", lookups) == ([said] if said else [])


def test_nobody_who_looks_names_up_is_no_trouble(small: str, read: Read) -> None:
    assert told(read(small + FULL + DB), "FUL-01") == []


def test_a_name_of_productions_hosts_that_is_none_is_no_trouble_and_a_resolver_in_trouble_is(
    small: str, read: Read
) -> None:
    settings = read(small + FULL + DB.replace("production =", "fallback ="))
    host = Host("cart-9", "cart-9.example:80", Pool.PRODUCTION, "fra1")
    known = {"db.staging.example": at("10.9.0.1")}
    assert told(settings, "FUL-01", known | {"cart-9.example": GONE}, host) == []
    assert told(
        settings, "FUL-01", known | {"cart-9.example": at("10.9.0.1")}, replace(host, address="cart-9.example:5432")
    ) == [
        "25 error: staging calls db at db.staging.example:5432, which is production (a host of cart: both are 10.9.0.1)"
    ]
    (unknown,) = told(settings, "FUL-01", known | {"cart-9.example": BUSY}, host)
    assert unknown.startswith(
        "25 unknown: cart-9.example:80, a host of cart, which staging's db must not be, cannot be"
    )


def test_a_store_of_production_by_its_address_is_found_too(small: str, read: Read) -> None:
    settings = read(small + FULL + DB + "store = true\n")
    lookups = {"db.staging.example": at("10.9.0.1"), "db.example": at("10.9.0.1")}
    assert told(settings, "FUL-02", lookups) == [
        "24 error: staging may read production's data store db (production's db: both are 10.9.0.1)"
    ]


def test_addresses_need_no_looking_up(small: str, read: Read) -> None:
    settings = read(small + FULL + DB.replace("db.staging.example", "10.9.0.1").replace("db.example", "10.9.0.2"))
    assert settings.policy is not None
    assert settings.policy.names(settings.fleet.services) == set()
    assert told(settings, "FUL-01", {}) == []


def test_names_that_are_wanted_are_those_of_hosts_and_dependencies(small: str, read: Read) -> None:
    settings = read((small + FULL + DB).replace("10.0.0.1:80", "Cart-Stg.example.:80"))
    assert settings.policy is not None
    assert settings.policy.names(settings.fleet.services) == {"db.staging.example", "db.example", "cart-stg.example"}


@pytest.mark.parametrize(
    ("host", "said"),
    [
        (Host("s-2", "10.0.1.1:81", Pool.STAGING, "fra1"), "16 error: staging host s-2 and production host cart-fra1-1 are one machine"),
        (Host("s-2", "s-2.example:81", Pool.STAGING, "fra1"), "16 error: staging host s-2 and production host cart-fra1-1 are one machine"),
        (Host("s-2", "10.0.7.7:81", Pool.STAGING, "fra1"), ""),
    ],
)  # fmt: skip
def test_a_staging_host_that_is_found_on_a_machine_of_production_is_an_error(
    host: Host, said: str, small: str, read: Read
) -> None:
    lookups = {"s-2.example": at("10.0.1.1")}
    assert [each.partition(" ")[2] for each in told(read(small + FULL), "STG-02", lookups, host)] == (
        [said.partition(" ")[2]] if said else []
    )


def test_the_canarys_share_is_worked_out_on_the_hosts_that_are_found(small: str, read: Read) -> None:
    settings = read(small + FULL)
    assert "the canary is 1 of 8 production hosts" in told(settings, "CAN-01")[0]
    more = [Host(f"m-{n}", f"10.7.0.{n}:80", Pool.PRODUCTION, "fra1") for n in range(1, 5)]
    assert told(settings, "CAN-01", None, *more) == []


def test_datacenters_that_are_found_want_their_share_of_the_canary(small: str, read: Read) -> None:
    one = small.replace('datacenter = "iad1"', 'datacenter = "fra1"')
    settings = read(one + FULL + "[service.cart.canary]\nstratify = []\n")
    assert told(settings, "CAN-02") == []
    assert told(settings, "CAN-02", None, Host("m-1", "10.7.0.1:80", Pool.PRODUCTION, "iad1")) == [
        "25 error: canaries are not drawn evenly from fra1, iad1"
    ]


def test_ports_of_staging_hosts_that_are_found_are_asked_about(small: str, read: Read) -> None:
    partial = "[organisation.staging]\nmode = 'partial'\nports = [81]\nproduction_ports = [80]\n"
    settings = read(small.replace("10.0.0.1:80", "10.0.0.1:81") + partial)
    assert told(settings, "PAR-01") == []
    assert (
        "answers at port 80, which is production's"
        in told(settings, "PAR-01", None, Host("s-2", "10.7.0.1:80", Pool.STAGING, "fra1"))[0]
    )


def test_a_service_of_which_nothing_else_is_found_stays_the_same(small: str, read: Read) -> None:
    settings = read(small + FULL)
    assert settings.policy is not None
    assert settings.policy.judged(settings.fleet.services)["cart"] is settings.fleet.services["cart"]


def test_production_of_which_a_source_has_not_told_yet_is_not_known_whole(small: str, read: Read) -> None:
    settings = read(small + FULL + DB)
    assert settings.policy is not None
    lookups = {"db.staging.example": at("10.9.0.1"), "db.example": at("10.9.0.2")}
    (found,) = [
        each
        for each in settings.policy.judged(settings.fleet.services, lookups, complete=False)["cart"].findings
        if each.rule == "FUL-01"
    ]
    assert found.level == "unknown"
    assert found.why.endswith("cannot be told from production: not every source of hosts has answered yet")


MACHINES = st.sampled_from([f"10.0.0.{n}" for n in range(6)])


@given(st.sets(MACHINES), st.sets(MACHINES), st.booleans(), st.booleans())
def test_no_address_of_production_ever_passes_and_what_is_apart_does(here, there, here_known, there_known) -> None:
    """Whatever is known of two names: passing means that both are known and nothing is shared."""
    its = Dependency("db", "s.example:1", "p.example:1")
    service = Service("cart", (), "r1", rules=Rules(staging=StagingRules(dependencies=(its,))))
    said = {"organisation": {"staging": {"mode": "full"}}, "service": {"cart": {}}}
    problems = Problems("x.toml", {("organisation", "staging", "mode"): 1})
    policy = Policy({}, said, Spot(problems), 1.0, 86_400.0)
    lookups = {
        name: at(*addresses) if known and addresses else BUSY
        for name, addresses, known in (("s.example", here, here_known), ("p.example", there, there_known))
    }
    found = [each for each in policy.judged({"cart": service}, lookups)["cart"].findings if each.rule == "FUL-01"]
    both = bool(here_known and here and there_known and there)
    levels = [each.level.value for each in found]
    if not both:
        assert levels == ["unknown"]
    else:
        assert levels == (["error"] if here & there else [])
