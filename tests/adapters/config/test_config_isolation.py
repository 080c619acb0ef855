"""Staging and production of a whole file, told apart however their addresses are written; limits that never act."""
# ruff: noqa: E501 - one finding a line, with the whole sentence that it is told in

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.config import Settings
from adapters.config.endpoints import Endpoint, endpoint

Read = Callable[[str | bytes], Settings]
Errors = Callable[[str | bytes], list[str]]
BILL = """\
[service.bill]
revision = "r1"
hosts = [
  { pool = "staging", datacenter = "fra1", name = "bill-stg-1", address = "10.1.0.1:80" },
  { datacenter = "fra1", name = "bill-[1-4]", address = "10.1.1.[1-4]:80" },
]
"""
"""A second service, from line 22 to 27."""
FULL = "[organisation.staging]\nmode = 'full'\n"
CALLS = "[service.{}.staging.dependencies.{}]\nstaging = '{}'\n"
PARTIAL = "[service.cart.staging]\nmode = 'partial'\n[service.cart.staging.limits]\n"
P99 = "[service.cart.metrics.p99]\nunit = 's'\n"


@pytest.fixture
def found(small: str, read: Read) -> Callable[..., list[str]]:
    """What a rule finds of cart beside bill, as `error: why`."""

    def found(more: str, rule: str, old: str = "", new: str = "") -> list[str]:
        assert old in small + BILL
        findings = read((small + BILL).replace(old, new, 1) + more).fleet.services["cart"].findings
        return [f"{each.level}: {each.why}" for each in findings if each.rule == rule]

    return found


Found = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DB.example:5432", "db.example.:5432"),
        ("127.0.0.01:80", "127.0.0.1:80"),
        ("127.1:80", "localhost:80"),
        ("[2001:DB8::0:1]:80", "[2001:db8::1]:80"),
        ("[::ffff:10.0.0.1]:80", "10.0.0.1:080"),
    ],
)
def test_an_address_is_one_however_it_is_written(one: str, other: str) -> None:
    assert endpoint(one) == endpoint(other)


@given(st.text(max_size=30), st.integers(1, 65_535))
def test_any_text_is_some_endpoint_and_its_port_is_kept(host: str, port: int) -> None:
    assert endpoint(f"{host}:{port}").port == port
    assert endpoint("db.example") == Endpoint("", 0)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (CALLS.format("cart", "db", "db.example.:5432") + CALLS.format("bill", "base", "s.example:1") + "production = 'DB.example:5432'", "error: staging calls db at db.example.:5432, which is production (production's base)"),
        (CALLS.format("cart", "db", "db.example:5433") + CALLS.format("bill", "base", "s.example:1") + "production = 'DB.example:5432'", "warning: staging calls db at db.example:5433, on a machine of production (production's base)"),
        (CALLS.format("cart", "bill", "010.1.1.1:80"), "error: staging calls bill at 010.1.1.1:80, which is production (a host of bill)"),
        (CALLS.format("cart", "db", "10.1.1.2:81"), "warning: staging calls db at 10.1.1.2:81, on a machine of production (a host of bill)"),
        (CALLS.format("cart", "db", "db.staging.example:5432"), ""),
    ],
)  # fmt: skip
def test_what_staging_calls_is_compared_with_all_of_production_in_the_file(more: str, told: str, found: Found) -> None:
    text = more.replace("010.1.1.1", "0xa.1.1.1")
    assert found(FULL + text, "FUL-01") == ([told.replace("010.1.1.1", "0xa.1.1.1")] if told else [])


def test_a_store_whose_production_is_not_stated_cannot_be_told_apart(found: Found) -> None:
    db = FULL + CALLS.format("cart", "db", "s.example:1") + "store = true\n"
    (told,) = found(db, "FUL-02")
    assert told == (
        "error: production's address of the data store db is not stated, so that nothing tells it apart from "
        "s.example:1, which staging calls"
    )
    assert found(db + "production = 'db.example:1'", "FUL-02") == []


@pytest.mark.parametrize(
    ("staging", "more", "told"),
    [
        ("10.1.1.1:81", "", "warning: staging host cart-stg-1 is on a machine of production (a host of bill)"),
        ("10.9.9.9:80", "", ""),
        ("db.example:80", CALLS.format("bill", "cart", "db.example:80") + "production = 'DB.example.:80'", "error: staging host cart-stg-1 is stated as production's cart: db.example:80"),
    ],
)  # fmt: skip
def test_staging_hosts_are_compared_with_other_services_too(staging: str, more: str, told: str, found: Found) -> None:
    assert found(FULL + more, "STG-02", "10.0.0.1:80", staging) == ([told] if told else [])


def test_a_host_that_stands_twice_in_other_words_is_refused(small: str, errors: Errors) -> None:
    assert errors(small.replace("10.0.0.1:80", "10.0.1.01:80")) == [
        "config.toml:19: service.cart.hosts[1].address: 10.0.1.1:80 is taken: it stands already in line 18"
    ]


@pytest.mark.parametrize("key", ["staging", "production"])
def test_a_dependency_that_is_a_service_by_another_name_is_refused(key: str, small: str, errors: Errors) -> None:
    more = f"[service.cart.staging.dependencies.tow]\n{key} = '10.1.1.3:80'"
    (told,) = errors(small + BILL + more)
    at = f"config.toml:29: service.cart.staging.dependencies.tow.{key}"
    assert told == f"{at}: 10.1.1.3:80 is a host of bill: name the dependency bill"


def test_a_dependency_named_nearly_like_a_service_is_warned_of(small: str, read: Read) -> None:
    near, far = (
        read(f"{small}{BILL}[service.cart.staging.dependencies.{name}]\nhard = true") for name in ("Bil", "db")
    )
    told = [str(each).partition("config.toml:")[2] for each in near.warnings]
    assert (
        '28: service.cart.staging.dependencies.Bil: is no service here and taken as one outside: did you mean "bill"?'
        in told
    )
    assert not any("dependencies" in str(each) for each in far.warnings)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("errors = { limit = '100%' }", "error: the limit of errors never acts: a ratio is never above 100%"),
        ("errors = { limit = 5 }", "error: the limit of errors never acts: a ratio is never above 500%"),
        ("errors = { limit = '5%', min_samples = 1_000_001 }", "error: the limit of errors never acts: 1,000,001 requests within 1m are more than a staging has"),
        ("errors = { limit = '5%', window = '10s', min_samples = 200_000 }", "error: the limit of errors never acts: 200,000 requests within 10s are more than a staging has"),
        ("errors = { limit = '5%', window = '9s' }", "warning: the limit of errors looks at the last 9s, and hosts are read every 5s: one reading decides"),
        ("errors = { limit = '5%', window = '10s' }", ""),
        ("p99 = { limit = 400 }", ""),
    ],
)  # fmt: skip
def test_a_limit_that_never_acts_is_told(limit: str, told: str, found: Found) -> None:
    seen = [each for each in found(PARTIAL + limit, "PAR-05") if "takes a bad build back" not in each]
    assert seen == ([told] if told else [])


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("p99.limit = '5%'", 'p99.limit: is in per cent, but p99 is measured in seconds: say a duration such as "400ms"'),
        ("errors.limit = '400ms'", 'errors.limit: is a duration, but errors is a ratio: say one such as "5%"'),
    ],
)  # fmt: skip
def test_a_limit_in_another_unit_than_its_metrics_is_refused(limit: str, told: str, small: str, errors: Errors) -> None:
    assert errors(small + PARTIAL + limit) == [f"config.toml:25: service.cart.staging.limits.{told}"]


def test_limits_on_a_full_staging_do_nothing(found: Found) -> None:
    own = "[service.cart.staging.limits]\nerrors.limit = '5%'\n"
    shared = own.replace("service.cart", "organisation")
    idle = ["warning: limits do nothing in a full staging: only a partial one is taken back by them"]
    assert found(FULL + own, "PAR-05") == idle
    assert found(FULL + shared, "PAR-05") == idle
    assert found(FULL + shared + "[service.bill.staging]\nmode = 'partial'", "PAR-05") == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("[organisation.checks.r]\nreplay = 'a'\ndiffering = '100%'", "24: organisation.checks.r.differing: every answer may differ: the replay proves nothing"),
        ("[service.cart.staging]\nmethods = []", "23: service.cart.staging.methods: names none: a replay against a partial staging sends nothing"),
        ("[service.cart.staging]\nrate_share = 0", "23: service.cart.staging.rate_share: is 0: a replay against a partial staging sends nothing"),
        ("[service.cart.coverage]\nsilent = '1s'", "23: service.cart.coverage.silent: is read as 2m: a slice (1m) is known once it has ended"),
        ("[service.cart.coverage]\nleast = '0%'", "23: service.cart.coverage.least: is 0: however little is known of a day, it is enough"),
        ("[service.cart.frequency]\nper_day = 3\nmin_gap = '12h'", "23: service.cart.frequency.per_day: 3 releases a day are never reached: with frequency.min_gap, 2 at most fit into one"),
        ("[service.cart.frequency]\nper_day = 2\nmin_gap = '12h'", ""),
        ("[organisation.emergency]\napprovers = ['ana']", "23: organisation.emergency.approvers: ana alone may approve, and nobody what ana asks for: name a second"),
        ("[organisation.emergency]\napprovers = ['ana', 'bob']", ""),
        ("[organisation.checks.c]\ncommand = ['x', '{revison}']", "23: organisation.checks.c.command: {revison} is passed on as it stands: filled in are {revision}, {service}, {hosts}"),
        ("[organisation.checks.c]\ncommand = ['awk', '{print}', '{revision}']", ""),
    ],
)  # fmt: skip
def test_what_is_silently_useless_is_warned_of(more: str, told: str, small: str, read: Read) -> None:
    lines = [f"{each.line}: {each.key}: {each.message}" for each in read(small + more).warnings]
    assert [each for each in lines if "cart.hosts" not in each] == ([told] if told else [])


def test_a_mark_that_belongs_to_the_connection_is_refused(small: str, errors: Errors) -> None:
    (told,) = errors(small + "[organisation.staging]\nheader = 'Host'")
    assert told.startswith('config.toml:23: organisation.staging.header: "Host" belongs to the connection')


def test_errors_of_a_service_come_before_its_warnings(small: str, read: Read) -> None:
    text = small + FULL + CALLS.format("cart", "db", "s.example:1") + "store = true"
    levels = [each.level.value for each in read(text).fleet.services["cart"].findings]
    assert levels == sorted(levels)
    assert set(levels) == {"error", "warning"}
