"""Configured and discovered hosts together: what is added, what goes, and what is not believed."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discovery.found import Found, Unsound
from adapters.discovery.merge import Merged, merge
from adapters.discovery.sift import Configured, Hosts, keys
from pipeline.model import Host, Pool
from pipeline.text import plain

DATACENTERS = {"fra1": {"region": "eu", "country": "de", "provider": "acme"}, "iad1": {"region": "us"}}


def host(name: str, address: str = "", pool: Pool = Pool.PRODUCTION, datacenter: str = "fra1", **more: str) -> Host:
    return Host(name, address or f"{name}:7077", pool, datacenter, **more)


STAGING = host("stg-1", pool=Pool.STAGING)
WEB = host("web-1")


def configured(*hosts: Host, datacenters: Mapping[str, Mapping[str, str]] | None = None, **others: Host) -> Configured:
    services = {"web": hosts} | {name: (one,) for name, one in others.items()}
    return Configured(services, datacenters or {})


def of(**services: tuple[Host, ...]) -> Found:
    return Found(services)


def names(merged: Merged, service: str = "web") -> list[str]:
    return [one.name for one in merged.hosts[service]]


def told(merged: Merged) -> list[str]:
    return [str(change) for change in merged.changes]


def test_discovered_hosts_stand_behind_the_configured_ones_by_name_and_number() -> None:
    it = configured(STAGING, WEB)
    merged = merge(it, [("hosts.json", of(web=(host("web-10"), host("web-9"), host("db"))))], it.services)
    assert names(merged) == ["stg-1", "web-1", "db", "web-9", "web-10"]
    assert told(merged) == ["web: added db, web-9, web-10"]
    assert merged.problems == ()


def test_what_vanished_and_what_changed_is_told() -> None:
    it = configured(STAGING, WEB)
    before = merge(it, [("a", of(web=tuple(host(f"web-{n}") for n in range(2, 12))))], it.services)
    now = (host("web-2", datacenter="ams2"), host("web-3", "web-3:80", Pool.STAGING), host("web-4"))
    merged = merge(it, [("a", of(web=now))], before.hosts)
    assert told(merged) == [
        (
            "web: vanished web-5, web-6, web-7, web-8, web-9, web-10 and 1 more; changed "
            "web-2 (datacenter fra1 -> ams2), web-3 (address web-3:7077 -> web-3:80, pool production -> staging)"
        )
    ]
    assert merged.problems == ()


def test_a_declared_datacenter_says_where_its_hosts_are() -> None:
    it = configured(STAGING, WEB, datacenters=DATACENTERS)
    found = of(web=(host("web-2", region="moon"), host("web-3", datacenter="iad1", provider="other")))
    hosts = merge(it, [("a", found)], it.services).hosts["web"]
    assert hosts[2:] == (
        host("web-2", region="eu", country="de", provider="acme"),
        host("web-3", datacenter="iad1", region="us", provider="other"),
    )


def test_hosts_in_no_declared_datacenter_are_left_out_and_told() -> None:
    it = configured(STAGING, WEB, datacenters=DATACENTERS)
    found = of(web=(host("web-2", datacenter="fra2"), host("web-3", datacenter=""), host("web-4")))
    merged = merge(it, [("a", found)], it.services)
    assert names(merged) == ["stg-1", "web-1", "web-4"]
    assert merged.problems == (
        'a: datacenter "fra2" is not declared: expected fra1, iad1: web-2:7077',
        "a: no datacenter: expected fra1, iad1: web-3:7077",
    )


def test_services_that_are_not_configured_make_one_line() -> None:
    it = configured(STAGING, WEB)
    found = of(**{f"other{n}": (host(f"o{n}"), host(f"p{n}")) for n in range(9)})
    merged = merge(it, [("a", found)], it.services)
    assert set(merged.hosts) == {"web"}
    assert merged.problems == (
        (
            "a: hosts of services that are not configured: add a [service.NAME], or leave them out with a matcher: "
            "other0, other1, other2, other3, other4, other5 and 3 more"
        ),
    )


def test_what_the_configuration_names_stays_as_it_says() -> None:
    it = configured(STAGING, WEB)
    found = of(web=(WEB, STAGING), shop=(host("web-1"),))
    merged = merge(Configured({**it.services, "shop": ()}), [("a", found)], it.services)
    assert names(merged) == ["stg-1", "web-1"]
    assert merged.problems == (
        "shop: it has no staging and no production host",
        (
            "a: the configuration says web-1 at web-1:7077 of web, production, fra1, "
            "not web-1 at web-1:7077 of shop, production, fra1: web-1:7077"
        ),
    )
    other = of(web=(host("web-1", "10.0.0.9:80"), host("web-9", "WEB-1:7077")))
    merged = merge(it, [("a", other)], it.services)
    assert merged.hosts == it.services
    assert len(merged.problems) == 2


def test_of_two_hosts_with_one_name_or_address_none_is_believed_and_the_old_one_stays() -> None:
    it = configured(STAGING, WEB)
    before = merge(it, [("a", of(web=(host("web-2"), host("web-3"))))], it.services).hosts
    found = of(web=(host("web-2"), host("web-2", "x:1"), host("web-4", "y:1"), host("web-5", "Y:1"), host("web-6")))
    merged = merge(it, [("a", found)], before)
    assert names(merged) == ["stg-1", "web-1", "web-2", "web-6"]
    assert told(merged) == ["web: added web-6; vanished web-3"]
    assert merged.problems == (
        (
            "a: one name or address for several hosts: web-2 at web-2:7077 of web, production, fra1, "
            "web-2 at x:1 of web, production, fra1: web-2:7077, web-2 (x:1)"
        ),
        (
            "a: one name or address for several hosts: web-4 at y:1 of web, production, fra1, "
            "web-5 at Y:1 of web, production, fra1: web-4 (y:1), web-5 (Y:1)"
        ),
    )


def test_two_sources_that_agree_on_a_host_are_no_problem() -> None:
    it = configured(STAGING, WEB)
    found = [("a", of(web=(host("web-2"),))), ("b", of(web=(host("web-2", region="eu"), host("web-2"))))]
    merged = merge(it, found, it.services)
    assert merged.hosts["web"][2:] == (host("web-2"),)
    assert merged.problems == ()


@pytest.mark.parametrize(
    "unsound",
    [
        Unsound("web-2", "elsewhere:1", plain("broken")),
        Unsound("", "WEB-2:7077", plain("broken")),
    ],
)
def test_a_host_that_a_source_garbles_stays_as_it_was(unsound: Unsound) -> None:
    it = configured(STAGING, WEB)
    before = merge(it, [("a", of(web=(host("web-2"), host("web-3"))))], it.services).hosts
    merged = merge(it, [("a", Found({"web": (host("web-3"),)}, (unsound,)))], before)
    assert merged.hosts == before
    assert merged.changes == ()
    assert len(merged.problems) == 1


def test_a_service_never_loses_its_last_staging_or_production_host() -> None:
    it = configured()
    both = of(web=(STAGING, WEB, host("web-2")))
    before = merge(it, [("a", both)], it.services).hosts
    for found, lacking in (
        (of(web=(STAGING,)), "production"),
        (of(web=(WEB, host("web-3"))), "staging"),
        (Found(), "staging and no production"),
    ):
        merged = merge(it, [("a", found)], before)
        assert merged.hosts == before
        assert merged.changes == ()
        assert merged.problems == (f"web: no {lacking} host would be left: its hosts stay as they are",)


def test_a_refusal_for_one_service_does_not_hold_up_another() -> None:
    it = Configured({"web": (STAGING, WEB), "shop": ()})
    both = of(shop=(host("s-stg", pool=Pool.STAGING), host("s-1")), web=(host("web-2"),))
    before = merge(it, [("a", both)], it.services).hosts
    merged = merge(it, [("a", of(web=(host("web-3"),)))], before)
    assert merged.hosts["shop"] == before["shop"]
    assert told(merged) == ["web: added web-3; vanished web-2"]


def test_a_host_that_a_refusing_service_keeps_cannot_go_to_another() -> None:
    it = Configured({"web": (STAGING, WEB), "shop": (), "cart": (host("c-stg", pool=Pool.STAGING), host("c-1"))})
    both = of(shop=(host("s-stg", pool=Pool.STAGING), host("s-1")), web=(host("web-2"),))
    before = merge(it, [("a", both)], it.services).hosts
    moved = of(web=(host("s-1"),), cart=(host("web-2"),))
    merged = merge(it, [("a", moved)], before)
    assert merged.hosts == before
    assert merged.problems == (
        "shop: no staging and no production host would be left: its hosts stay as they are",
        "web: it would get a host that shop keeps: its hosts stay as they are",
        "cart: it would get a host that web keeps: its hosts stay as they are",
    )


def test_nobody_vanishes_while_a_source_has_not_answered() -> None:
    it = configured(STAGING, WEB)
    before = {"web": (STAGING, WEB, host("web-2"))}
    assert names(merge(it, [("a", Found())], before, complete=False)) == ["stg-1", "web-1", "web-2"]
    assert names(merge(it, [("a", Found())], before)) == ["stg-1", "web-1"]


def test_a_flood_of_problems_is_counted() -> None:
    it = configured(STAGING, WEB)
    unsound = tuple(Unsound("", f"{n}:1", plain(f"why {n}")) for n in range(60))
    problems = merge(it, [("a", Found({}, unsound))], it.services).problems
    assert len(problems) == 51
    assert problems[-1] == "and 10 more such problems"


HOSTS = st.builds(
    Host,
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(["1:1", "2:1", "3:1", "4:1"]),
    st.sampled_from(Pool),
    st.sampled_from(["fra1", "iad1", "nowhere"]),
)
SERVICES = st.dictionaries(st.sampled_from(["web", "shop", "other"]), st.lists(HOSTS, max_size=4).map(tuple))
UNSOUND = st.builds(Unsound, st.sampled_from(["", "a", "b"]), st.sampled_from(["", "1:1", "2:1"]), st.just(plain("x")))
FOUND = st.builds(Found, SERVICES, st.lists(UNSOUND, max_size=2).map(tuple))
OWN = Configured({"web": (host("x"), host("y", pool=Pool.STAGING)), "shop": ()}, DATACENTERS)


@settings(max_examples=60)
@given(st.lists(st.tuples(FOUND, st.booleans()), min_size=1, max_size=4))
def test_whatever_is_discovered_no_host_is_twice_and_nobody_loses_a_pool(steps: list[tuple[Found, bool]]) -> None:
    hosts: Hosts = OWN.services
    for found, complete in steps:
        merged = merge(OWN, [("a", found)], hosts, complete=complete)
        assert set(merged.hosts) == set(OWN.services)
        everybody = [key for several in merged.hosts.values() for one in several for key in keys(one)]
        assert len(everybody) == len(set(everybody))
        for service, now in merged.hosts.items():
            assert set(OWN.services[service]) <= set(now)
            assert {one.pool for one in hosts[service]} <= {one.pool for one in now}
        changed = {change.service for change in merged.changes}
        assert changed == {name for name, now in merged.hosts.items() if set(now) != set(hosts[name])}
        again = merge(OWN, [("a", found)], merged.hosts, complete=complete)
        assert again.hosts == merged.hosts
        assert again.changes == ()
        hosts = merged.hosts
