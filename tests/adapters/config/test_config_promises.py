"""Objectives, payback, readiness and emergencies as the file sets them, and what is refused."""
# ruff: noqa: E501 - one mistake a line, with the whole sentence that it is told in

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.config import ConfigErrors, Settings
from adapters.config.budgets import HOUR_S, longest
from pipeline.emergency import AfterRollback, EmergencyRules
from pipeline.model import BudgetRules, Rules
from pipeline.readiness.rules import ReadinessRules
from pipeline.slo.rules import Count, CountFrom, CoverageRules, Kind, Objective, PaybackRules

Read = Callable[[str | bytes], Settings]
Errors = Callable[[str | bytes], list[str]]
WHOLE = """
[organisation.budget]
objective = "99.95%"
window = "28d"
count = "slices"
slice = "30s"
bad_slice = "12.5%"
[organisation.slos.quick]
kind = "latency"
target = "99%"
of = "latency"
over = "500ms"
[organisation.slos.paid]
kind = "availability"
window = "7d"
count = "requests"
bad_slice = 0.1
[organisation.payback]
on = true
count_from = "next-month"
most_months = "none"
timezone = "Europe/Berlin"
[organisation.coverage]
least = "90%"
silent = "10m"
[organisation.readiness]
rows = ["STB-1", "MON-4"]
repository = "https://git.example/shop"
owner = "shop"
clients = ["checkout"]
health_path = "/healthz"
liveness_path = "/livez"
growth = "requests per order"
host_rps = 50
cpu_limit = 2
memory_limit = "1.5GiB"
runbook = "https://wiki.example/runbook"
oncall = ["ana", "ben"]
docs = { description = "a", faq = "b" }
load_test_days = 30
peak_share = 0.6
[organisation.emergency]
severities = ["p1", "p2"]
severe = ["p1", "p2"]
pass = "30m"
approvers = ["ana"]
after_rollback = "person"
hotfix = "2h"
"""
OWN = """
[service.cart]
business_critical = true
budget.slice = "20s"
slos.quick.target = "95%"
slos.quick.window = "30d"
payback.most_months = 6
coverage.silent = "1m"
readiness.docs.faq = "c"
readiness.memory_limit = 1000
emergency.severe = ["p2"]
"""


def of_cart(text: str, small: str, own: str) -> str:
    """`small` with more said in its only service."""
    return small.replace("[service.cart]\n", own.lstrip("\n")) + text


def test_the_organisation_says_it_and_a_service_says_otherwise_key_by_key(small: str, read: Read) -> None:
    rules = read(small + WHOLE).fleet.services["cart"].rules
    assert rules.budget == BudgetRules(
        Decimal("0.9995"), 28 * 86_400.0, count=Count.SLICES, slice_s=30, bad_slice=Decimal("0.125")
    )
    quick = Objective("quick", Kind.LATENCY, Decimal("0.99"), slice_s=30, of="latency", over_s=0.5)
    paid = Objective("paid", window_s=7 * 86_400.0, slice_s=30, bad_slice=Decimal("0.1"))
    assert rules.objectives[1:] == (quick, paid)
    assert rules.objectives[0].bad_slice == Decimal("0.125")
    assert rules.payback == PaybackRules(True, CountFrom.NEXT_MONTH, None, "Europe/Berlin")
    assert rules.coverage == CoverageRules(0.9, 600.0)
    ready = ReadinessRules(
        rows=frozenset({"STB-1", "MON-4"}),
        repository="https://git.example/shop",
        owner="shop",
        clients=("checkout",),
        health_path="/healthz",
        liveness_path="/livez",
        growth="requests per order",
        host_rps=50.0,
        cpu_limit=2.0,
        memory_limit_bytes=1.5 * 2**30,
        runbook="https://wiki.example/runbook",
        oncall=("ana", "ben"),
        docs={"description": "a", "faq": "b"},
        load_test_days=30,
        peak_share=0.6,
    )
    assert rules.readiness == ready
    assert rules.emergency == EmergencyRules(
        ("p1", "p2"), ("p1", "p2"), 1_800.0, ("ana",), AfterRollback.PERSON, 7_200.0
    )

    cart = read(of_cart(WHOLE, small, OWN)).fleet.services["cart"]
    own = cart.rules
    assert cart.business_critical
    assert [each.slice_s for each in own.objectives] == [20, 20, 20]
    assert (own.slos[0].target, own.slos[0].over_s, own.slos[1].window_s) == (Decimal("0.95"), 0.5, 7 * 86_400.0)
    assert own.payback == PaybackRules(True, CountFrom.NEXT_MONTH, 6, "Europe/Berlin")
    assert own.coverage == CoverageRules(0.9, 60.0)
    assert own.readiness.docs == {"description": "a", "faq": "c"}
    assert (own.readiness.memory_limit_bytes, own.readiness.owner) == (1_000.0, "shop")
    assert (own.emergency.severe, own.emergency.pass_s) == (("p2",), 1_800.0)


def test_without_a_word_the_rules_are_the_defaults(small: str, read: Read) -> None:
    rules = read(small).fleet.services["cart"].rules
    assert rules.objectives == Rules().objectives
    assert rules.readiness == ReadinessRules()


COARSE = "slices of 60s are too coarse for 99.99%: one is 22 % of the 262.8 s of a month's quota (payback): "


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("[organisation.budget]\nobjective = '100%'", '23: organisation.budget.objective: expected at least "50%" and less than "100%", got "100%"'),
        ("[organisation.slos.x]\nkind='latency'\nof='latency'\nover='1s'\ntarget = '100%'", '26: organisation.slos.x.target: expected at least "50%" and less than "100%", got "100%"'),
        ("[organisation.slos.x]\nkind='latency'\nof='latency'\nover='1s'\ntarget = 99.9", '26: organisation.slos.x.target: expected a text such as "99.9%", since a number is not exact, got 99.9'),
        ("[organisation.budget]\nobjective = '99.99%'", f'23: organisation.budget.objective: {COARSE}say slice = "25s" at most, or payback.on = false'),
        ("[organisation.budget]\nslice = '60s'\nobjective = '99.99%'", f'23: organisation.budget.slice: {COARSE}say slice = "25s" at most, or payback.on = false'),
        ("[service.cart.budget]\nobjective = '99.99%'\ncount = 'slices'", '23: service.cart.budget.objective: slices of 60s are too coarse for 99.99%: one is 23 % of the 259.2 s of availability\'s budget: say slice = "25s" at most, or count = "requests"'),
        ("[organisation.budget]\nobjective = '99.9995%'", "23: organisation.budget.objective: slices of 60s are too coarse for 99.9995%: one is 456 % of the 13.1 s of a month's quota (payback): say slice = \"1s\" at most, or payback.on = false"),
        ("[organisation.budget]\nobjective = '99.9999%'", "23: organisation.budget.objective: slices of 60s are too coarse for 99.9999%: one is 2283 % of the 2.6 s of a month's quota (payback): no slice is fine enough: say a lower objective, or payback.on = false"),
        ("[organisation.budget]\nobjective = '99.9999999%'\ncount = 'slices'\nslice = '5s'", '25: organisation.budget.slice: slices of 5s are too coarse for 99.9999999%: one is longer than the whole, less than 1 s, of availability\'s budget: no slice is fine enough: say a lower objective, or count = "requests" and payback.on = false'),
        ("business_critical = true\n[service.cart.readiness]\nrows = []", '24: service.cart.readiness.rows: no row counts, but cart is business-critical, so that its list binds: name rows, or leave rows out and all count'),
        ("[organisation.readiness]\nrows = ['stb-1']", '23: organisation.readiness.rows[0]: expected the id of a row of the readiness list (did you mean "STB-1"?), got "stb-1"'),
        ("[organisation.slos.x]\nkind='latency'\nof='latency'\nover='1s'\ncount='slices'\nwindow='7d'\ntarget='99.95%'", '28: organisation.slos.x.target: slices of 60s are too coarse for 99.95%: one is 19 % of the 302.4 s of x\'s budget: say slice = "30s" at most, or count = "requests"'),
        ("[organisation.budget]\nslice = '5s'\nobjective = '99.99%'\nwindow = '100s'\ncount = 'slices'", "23: organisation.budget.slice: slices of 5s are too coarse for 99.99%: one is longer than the whole, less than 1 s, of availability's budget: no slice is fine enough: say a lower objective, or count = \"requests\""),
        ("[organisation.budget]\nobjective = '99.99%'\nwindow = '100s'\ncount = 'slices'", "24: organisation.budget.window: expected at least 12 slices of 60s, got 1m40s"),
        ("[organisation.budget]\nslice = '7s'", '23: organisation.budget.slice: expected whole seconds of which an hour is a multiple, such as "6s", got "7s"'),
        ("[organisation.budget]\nslice = '1500ms'", '23: organisation.budget.slice: expected whole seconds of which an hour is a multiple, such as "1s", got "1500ms"'),
        ("[organisation.budget]\nslice = '2h'", "23: organisation.budget.slice: expected 1s to 1h, got \"2h\""),
        ("[organisation.budget]\nslice = '4s'", "23: organisation.budget.slice: slices of 4s are shorter than the 5s between two readings: most would be unknown"),
        ("[organisation.budget]\nwindow = '11m'", "23: organisation.budget.window: expected at least 12 slices of 60s, got 11m"),
        ("[organisation.slos.x]\nkind='latency'\nof='latency'\nover='1s'\nwindow = '5m'", "26: organisation.slos.x.window: expected at least 12 slices of 60s, got 5m"),
        ("[organisation.budget]\nbad_slice = 1", "23: organisation.budget.bad_slice: expected 0 to 0.999, got 1"),
        ("[organisation.budget]\ncount = 'minutes'", '23: organisation.budget.count: expected "requests" or "slices", got "minutes"'),
        ("[organisation.budget]\ntotal = 'memory'", '23: organisation.budget.total: expected a counter of [signals], but "memory" is a gauge'),
        ("[organisation.slos.x]\ntarget='99%'", '22: organisation.slos.x: "kind" is missing: expected "availability" or "latency"'),
        ("[organisation.slos.x]\nkind='latency'\nof='latency'", "22: organisation.slos.x: \"over\" is missing: an objective of kind latency is worked out from of and over"),
        ("[organisation.slos.x]\nkind='latency'\nof='latency'\nover=1\nbad='errors'", "26: organisation.slos.x.bad: does not belong here: an objective of kind latency is worked out from of and over"),
        ("[organisation.slos.x]\nkind='latency'\nof='latencies'\nover=1", '24: organisation.slos.x.of: expected a histogram of [signals], got "latencies": did you mean "latency"?'),
        ("[organisation.slos.x]\nkind='latency'\nof='requests'\nover=1", '24: organisation.slos.x.of: expected a histogram of [signals], but "requests" is a counter'),
        ("[service.cart.slos.x]\nkind='availability'\nbad='faults'", '24: service.cart.slos.x.bad: expected a counter of [signals], got "faults": there is errors, latency, memory, requests'),
        ("[service.cart.slos.availability]\nkind='availability'", "22: service.cart.slos.availability: is the objective of [budget]: give this one another name"),
        ("[organisation.payback]\ncount_from = 'breech'", '23: organisation.payback.count_from: expected "breach", "next-month" or "inclusive-month", got "breech"'),
        ("[organisation.payback]\nmost_months = 'all'", '23: organisation.payback.most_months: expected a whole number from 1 to 120, or "none", got "all"'),
        ("[organisation.payback]\nmost_months = 0", "23: organisation.payback.most_months: expected a whole number from 1 to 120, got 0"),
        ("[organisation.payback]\ntimezone = 'Berlin'", '23: organisation.payback.timezone: expected a time zone such as "UTC" or "Europe/Berlin", got "Berlin"'),
        ("[organisation.coverage]\nleast = 2", "23: organisation.coverage.least: expected 0 to 1, got 2"),
        ("[organisation.readiness]\nrows = ['STB']", '23: organisation.readiness.rows[0]: expected the id of a row of the readiness list (did you mean "STB-4"?), got "STB"'),
        ("[organisation.readiness]\nmemory_limit = '5 boxes'", '23: organisation.readiness.memory_limit: expected a size such as "512MiB" or "2GiB", or a number of bytes, got "5 boxes"'),
        ("[organisation.readiness]\noncall = ['ana', 'ana']", '23: organisation.readiness.oncall[1]: "ana" stands here twice'),
        ("[organisation.readiness]\ndocs = { faqs = 'a' }", '23: organisation.readiness.docs.faqs: unknown key: did you mean "faq"?'),
        ("[organisation.emergency]\nsevere = ['sev1', 'sev9']", '23: organisation.emergency.severe[1]: "sev9" is severe, but no severity: did you mean "sev4"?'),
        ("[organisation.emergency]\nseverities = ['p1']", '23: organisation.emergency.severities: "sev1" is severe, but no severity: there is p1'),
        ("[organisation.emergency]\nseverities = ['sev1', 'sev1']", '23: organisation.emergency.severities[1]: "sev1" stands here twice'),
        ("[organisation.emergency]\nafter_rollback = 'never'", '23: organisation.emergency.after_rollback: expected "newer" or "person", got "never"'),
        ("[organisation]\nbusiness_critical = true", "23: organisation.business_critical: unknown key: there is alerts, artifact, balancer, budget, canary, checks, coverage, cycle, deploy, emergency, freeze, frequency, ..."),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_line(more: str, told: str, small: str, errors: Errors) -> None:
    assert errors(small + more) == [f"config.toml:{told}"]


@pytest.mark.parametrize(
    "more",
    [
        "[organisation.budget]\nobjective = '99.99%'\n[organisation.payback]\non = false",
        "[organisation.budget]\nobjective = '99.99%'\nslice = '25s'",
        "[organisation.budget]\nobjective = '99.99%'\nslice = '20s'\ncount = 'slices'",
        "[organisation.budget]\nwindow = '6h'",
        "[organisation.slos.x]\nkind='latency'\nof='latency'\nover='1s'\ntarget='99.999%'",
    ],
)
def test_what_can_be_meant_is_taken(more: str, small: str, read: Read) -> None:
    assert not [each for each in read(small + more).warnings if each.key != "service.cart.hosts"]


def test_slices_that_the_organisation_makes_too_coarse_are_told_once(small: str, errors: Errors) -> None:
    other = small[small.index("[service.cart]") :].replace("cart", "bill").replace("10.0.", "10.1.")
    assert len(errors(small + other + "[organisation.budget]\nobjective = '99.99%'")) == 1


@pytest.mark.parametrize(
    ("more", "at"),
    [
        ("[organisation.budget]\nobjective = '93.05%'", "23: organisation.budget.objective: at 93.05%"),
        ("[organisation.budget]\nobjective = '93.06%'", ""),
        ("[service.cart.budget]\nobjective = '90%'", "23: service.cart.budget.objective: at 90%"),
        ("[service.cart.budget]\nobjective = '96%'\nwindow = '90d'", "23: service.cart.budget.objective: at 96%"),
        (
            "[organisation.slos.x]\nkind='latency'\nof='latency'\nover='1s'\ntarget='90%'",
            "26: organisation.slos.x.target: at 90%",
        ),
    ],
)
def test_a_target_whose_fastest_alarm_can_never_fire_is_warned_of(more: str, at: str, small: str, read: Read) -> None:
    found = [each for each in read(small + more).warnings if each.key != "service.cart.hosts"]
    told = [f"{each.line}: {each.key}: {each.message}" for each in found]
    assert len(told) == bool(at)
    assert all(each.startswith(at) and each.endswith("it can never fire") for each in told)
    if "'90%'\n" in more + "\n" and "x]" not in more:
        assert "burns 10 times too fast at most, and the fastest alarm wants more than 14.4" in told[0]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            "objective = '83.33%'",
            "at 83.33% the budget burns 6 times too fast at most, and no alarm of a page is below 6",
        ),
        ("objective = '50%'", "at 50% the budget burns 2 times too fast at most, and no alarm of a page is below 6"),
        ("objective = '83.34%'", ""),
        (
            "objective = '94%'\nwindow = '90d'",
            "at 94% the budget burns 16.7 times too fast at most, and no alarm of a page",
        ),
    ],
)
def test_a_target_that_can_never_page_is_refused(more: str, told: str, small: str, read: Read) -> None:
    text = f"{small}[organisation.budget]\n{more}"
    if not told:
        assert read(text).warnings
        return
    with pytest.raises(ConfigErrors) as caught:
        read(text)
    (found,) = caught.value.errors
    assert found.key == "organisation.budget.objective"
    assert found.message.startswith(told)
    assert found.message.endswith(": none can ever fire: say a higher objective")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("window = '7d'\nslice = '2m'", 'the last 70 s, and a slice is 120 s: say slice = "60s" at most'),
        ("window = '7d'\nslice = '1m'", ""),
        ("window = '6h'", ""),
        ("slice = '5m'", ""),
        ("slice = '6m'\nobjective = '98%'", 'the last 300 s, and a slice is 360 s: say slice = "300s" at most'),
    ],
)
def test_an_alarm_that_looks_at_less_than_a_slice_is_warned_of(more: str, told: str, small: str, read: Read) -> None:
    text = f"{small}[organisation.budget]\n{more}\n[organisation.payback]\non = false"
    found = [each for each in read(text).warnings if "slice is" in each.message]
    assert len(found) == bool(told)
    assert all(each.message == f"the fastest alarm of availability looks at {told}" for each in found)


@given(st.integers(0, 2 * HOUR_S))
def test_the_longest_slice_divides_an_hour_and_is_no_longer_than_asked(most: int) -> None:
    found = longest(most)
    assert found <= most
    assert (HOUR_S % found == 0) if most else found == 0
    assert not any(HOUR_S % longer == 0 for longer in range(found + 1, min(most, HOUR_S) + 1))
