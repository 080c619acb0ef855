"""Staging and its checks as the file sets them, and what is refused."""
# ruff: noqa: E501 - one mistake a line, with the whole sentence that it is told in

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.config import Settings
from adapters.config.budgets import BUDGET, COVERAGE, PAYBACK, SLO
from adapters.config.checks import CHECK
from adapters.config.emergency import EMERGENCY
from adapters.config.errors import Problems, Spot
from adapters.config.readiness import READINESS
from adapters.config.recordings import faults
from adapters.config.schema import Section
from adapters.config.staging import DEPENDENCY, LIMIT, STAGING
from pipeline.checks import Against, CheckKind, CheckRule, LoadRule, ReplayRule
from pipeline.staging import Access, Dependency, StagingLimit, StagingMode, StagingRules
from pipeline.text import plain

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
WHOLE = """\
[organisation.staging]
mode = "partial"
related = ["cart", "bill"]
methods = ["GET", "PROPFIND"]
header = "X-Staging"
rate_share = "0.5%"
sink = "sink.example:25"
ports = [18080]
production_ports = [80, 81]
capacity = 0.25
image = "a"
production_image = "b"
keys = ["K"]
production_keys = ["K", "L"]
[organisation.staging.dependencies.bill]
staging = "10.1.1.1:80"
production = "10.1.1.1:80"
fallback = "none"
[organisation.staging.dependencies.db]
staging = "db.example:5432"
store = true
access = "test-tenant"
consumes = true
hard = false
target = "99.95%"
timeout = "250ms"
retries = 2
breaker = true
[organisation.staging.limits.errors]
limit = "5%"
[organisation.staging.limits.p99]
limit = "400ms"
window = "2m"
min_samples = 7
"""
OWN = """\
[service.cart.staging]
mode = "full"
related = []
[service.cart.staging.dependencies.bill]
staging = "10.1.0.1:80"
[service.cart.staging.dependencies.db]
hard = true
[service.cart.staging.limits.errors]
min_samples = 9
"""


def test_staging_is_set_key_by_key_and_no_service_is_its_own_neighbour(small: str, read: Read) -> None:
    services = read(small + BILL + WHOLE + OWN).fleet.services
    bill, db = (
        Dependency("bill", "10.1.1.1:80", "10.1.1.1:80", fallback="none"),
        Dependency(
            *("db", "db.example:5432", ""),
            store=True,
            access=Access.TENANT,
            consumes=True,
            hard=False,
            target=Decimal("0.9995"),
            timeout_s=0.25,
            retries=2,
            breaker=True,
        ),
    )
    its = StagingRules(
        mode=StagingMode.PARTIAL,
        related=("cart",),
        dependencies=(db,),
        methods=("GET", "PROPFIND"),
        header="X-Staging",
        rate_share=0.005,
        sink="sink.example:25",
        ports=(18080,),
        production_ports=(80, 81),
        limits=(StagingLimit("errors", 0.05), StagingLimit("p99", 0.4, 120.0, 7)),
        capacity=0.25,
        image="a",
        production_image="b",
        keys=("K",),
        production_keys=("K", "L"),
    )
    assert services["bill"].rules.staging == its
    cart = services["cart"].rules.staging
    assert (cart.mode, cart.related, cart.sink) == (StagingMode.FULL, (), "sink.example:25")
    assert [(each.name, each.staging, each.fallback, each.hard) for each in cart.dependencies] == [
        ("bill", "10.1.0.1:80", bill.fallback, True),
        ("db", "db.example:5432", "", True),
    ]
    assert cart.limits[0] == StagingLimit("errors", 0.05, min_samples=9)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("[organisation.staging]\nmode = 'half'", '29: organisation.staging.mode: expected "full" or "partial", got "half"'),
        ("[organisation.staging]\nrelated = ['carts']", '29: organisation.staging.related[0]: expected the name of a service, got "carts": did you mean "cart"?'),
        ("[service.cart.staging]\nrelated = ['bill', 'cart']", "29: service.cart.staging.related[1]: is this service itself"),
        ("[service.cart.staging]\nrelated = ['bill', 'bill']", '29: service.cart.staging.related[1]: "bill" stands here twice'),
        ("[service.cart.staging.dependencies.cart]\nhard = true", "28: service.cart.staging.dependencies.cart: is this service itself: nothing depends on itself"),
        ("[service.cart.staging]\nmode = 'full'\n[service.cart.staging.dependencies.bill]\nstaging = '10.1.9.9:80'", '31: service.cart.staging.dependencies.bill.staging: "10.1.9.9:80" is no host of the service bill: expected one of its staging hosts, such as 10.1.0.1:80'),
        ("[service.cart.staging]\nmode = 'partial'\n[service.cart.staging.dependencies.bill]\nstaging = '10.1.9.9:80'", '31: service.cart.staging.dependencies.bill.staging: "10.1.9.9:80" is no host of the service bill: expected one of its hosts, such as 10.1.0.1:80, 10.1.1.1:80, 10.1.1.2:80'),
        ("[service.cart.staging.dependencies.db]\nstaging = 'db'", '29: service.cart.staging.dependencies.db.staging: expected host:port, got "db"'),
        ("[service.cart.staging.dependencies.db]\ntarget = '100%'", '29: service.cart.staging.dependencies.db.target: expected at least "50%" and less than "100%", got "100%"'),
        ("[service.cart.staging.dependencies.bill]\n[service.bill.staging.dependencies.cart]", "29: service.bill.staging.dependencies.cart: hard dependencies in a circle: cart -> bill -> cart; say hard = false of one"),
        ("[service.cart.staging.limits.error]\nlimit = 1", '28: service.cart.staging.limits.error: expected the name of a metric: did you mean "errors"?'),
        ("[organisation.staging.limits.error]\nlimit = 1", '28: organisation.staging.limits.error: expected the name of a metric: did you mean "errors"?'),
        ("[organisation.staging.limits.errors]\nwindow = '1m'", '28: organisation.staging.limits.errors: "limit" is missing: how much of this metric is too much'),
        ("[organisation.staging.limits.errors]\nlimit = 'much'", '29: organisation.staging.limits.errors.limit: expected a number, a ratio such as "5%" or a duration such as "400ms", got "much"'),
        ("[organisation.staging]\nports = [80, 80]", "29: organisation.staging.ports[1]: 80 stands here twice"),
        ("[organisation.staging]\nports = [0]", "29: organisation.staging.ports[0]: expected a whole number from 1 to 65,535, got 0"),
        ("[organisation.staging]\nmethods = ['get']", '29: organisation.staging.methods[0]: expected a method of HTTP, such as "GET", got "get"'),
        ("[organisation.staging]\nheader = 'a b'", '29: organisation.staging.header: expected a header\'s name, such as X-Environment, got "a b"'),
    ],
)  # fmt: skip
def test_names_that_are_none_and_circles_are_refused_with_their_line(
    more: str, told: str, small: str, errors: Errors
) -> None:
    assert errors(small + BILL + more) == [f"config.toml:{told}"]


def test_soft_dependencies_may_go_round(small: str, read: Read) -> None:
    more = "[service.cart.staging.dependencies.bill]\n[service.bill.staging.dependencies.cart]\nhard = false"
    assert read(small + BILL + more).fleet.services["cart"].rules.staging.dependencies == (Dependency("bill"),)


def test_every_circle_is_told_once(small: str, errors: Errors) -> None:
    others = "".join(BILL.replace("bill", name).replace("10.1.", f"10.{at}.") for at, name in ((1, "bill"), (2, "tax")))
    needs = (("cart", "bill"), ("bill", "tax"), ("tax", "cart"), ("tax", "bill"))
    text = "".join(f"[service.{one}.staging.dependencies.{other}]\n" for one, other in needs)
    assert sorted(each.partition("circle: ")[2] for each in errors(small + others + text)) == [
        "bill -> tax -> bill; say hard = false of one",
        "cart -> bill -> tax -> cart; say hard = false of one",
    ]


CHECKS = """\
[organisation.checks.replay]
replay = "recordings/cart.har"
ignore = ["$.now"]
[organisation.checks.load]
load = ["k6", "run", "x.js"]
most_p99 = "400ms"
[service.cart.checks.healthz]
headers = { X-Version = "r7" }
within = "500ms"
[service.cart.checks.replay]
against = "production"
rps = 2.5
most = 20
differing = "1%"
slower = "20%"
deadline = "5m"
[service.cart.checks.load]
least_rps = 100
most_errors = 0.01
[service.cart.checks.looked]
manual = true
"""


def test_every_kind_of_check_is_taken_and_layered(small: str, read: Read, tmp_path: Path) -> None:
    recording = str(tmp_path / "recordings" / "cart.har")
    assert read(small + CHECKS).fleet.services["cart"].rules.checks == (
        CheckRule("healthz", CheckKind.PROBE, path="/healthz", headers={"x-version": "r7"}, within_s=0.5),
        CheckRule(
            "replay",
            CheckKind.REPLAY,
            deadline_s=300.0,
            replay=ReplayRule(recording, Against.PRODUCTION, 2.5, 20, ("$.now",), 0.01, 0.2),
        ),
        CheckRule("load", CheckKind.LOAD, command=("k6", "run", "x.js"), load=LoadRule(100.0, 0.4, 0.01)),
        CheckRule("looked", CheckKind.MANUAL),
    )


def test_a_check_of_another_kind_begins_anew(small: str, read: Read) -> None:
    own = "[service.cart.checks.replay]\ncommand = ['true']\n"
    shared = CHECKS.partition("[service.")[0]
    assert read(small + shared + own).fleet.services["cart"].rules.checks[1] == CheckRule(
        "replay", CheckKind.COMMAND, command=("true",)
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("path='/a'\nreplay='b'", '22: service.cart.checks.x: expected "path" (a probe), "command", "replay", "load" or "manual", not path and replay together'),
        ("manual=true\nload=['a']", '22: service.cart.checks.x: expected "path" (a probe), "command", "replay", "load" or "manual", not load and manual together'),
        ("rps=1", '22: service.cart.checks.x: expected "path" (a probe), "command", "replay", "load" or "manual"'),
        ("load=['a']\nrps=1", "24: service.cart.checks.x.rps: does not belong to a load test, only to a replay"),
        ("path='/a'\nmost_p99='1s'", "24: service.cart.checks.x.most_p99: does not belong to a probe, only to a load test"),
        ("replay='a'\nstatus=200", "24: service.cart.checks.x.status: does not belong to a replay, only to a probe"),
        ("manual=true\ndeadline='1s'", "24: service.cart.checks.x.deadline: does not belong to a check by hand: it waits until a person has looked"),
        ("manual=false", "23: service.cart.checks.x.manual: expected true (or leave it out), got false"),
        ("path='/a'\nwithin='2m'", "24: service.cart.checks.x.within: expected at most the deadline of 1m, got 2m"),
        ("path='/a'\nheaders={'a b'='c'}", '24: service.cart.checks.x.headers."a b": expected a header\'s name, such as X-Environment, got "a b"'),
        ("path='/a'\nheaders={A='b', a='b'}", '24: service.cart.checks.x.headers.a: "a" stands here twice'),
        ("replay='a'\nignore=['now']", '24: service.cart.checks.x.ignore[0]: expected a path in JSON, such as "$.now" or "$.items[*].etag", got "now"'),
        ("replay='a'\nagainst='prod'", '24: service.cart.checks.x.against: expected "recording" or "production", got "prod"'),
    ],
)  # fmt: skip
def test_a_check_that_cannot_be_meant_is_refused_with_its_line(
    more: str, told: str, small: str, errors: Errors
) -> None:
    assert errors(small + "[service.cart.checks.x]\n" + more) == [f"config.toml:{told}"]


def test_a_recording_that_a_replay_would_refuse_is_told_with_its_line(small: str, read: Read, tmp_path: Path) -> None:
    own = "[service.cart.checks.replay]\nreplay = 'cart.jsonl'\n"
    (gone,) = faults(read(small + own))
    assert (gone.line, gone.key) == (23, "service.cart.checks.replay.replay")
    assert "cart.jsonl" in gone.message
    line = '{"method": "GET", "path": "/", "status": 200, "answer": "ok"}\n'
    (tmp_path / "cart.jsonl").write_text(line)
    assert faults(read(small + own)) == ()
    (tmp_path / "cart.jsonl").write_text('{"service": "bill"}\n' + line)
    (other,) = faults(read(small + own))
    assert "recorded from bill, not from cart" in other.message


SECTIONS = (BUDGET, SLO, PAYBACK, COVERAGE, STAGING, DEPENDENCY, LIMIT, READINESS, EMERGENCY, CHECK)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["5%", "1m", "none", "$..a", "1MiB", "a:1", "~nobody/x", "99.9%", "1" * 400, "9" * 30 + "GiB"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=400)
@given(st.sampled_from(SECTIONS), st.data())
def test_any_value_of_any_key_is_taken_or_told(section: Section, data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(section.keys)))
    problems = Problems("config.toml")
    values = section({key: data.draw(anything)}, Spot(problems))
    assert values or problems.errors
    assert all(plain(str(error), 10_000) == str(error) for error in problems.errors)
