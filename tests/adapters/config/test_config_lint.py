"""What is allowed but hardly meant: of which line and key it is told, and that the file is taken all the same."""

from collections.abc import Callable

import pytest

from adapters.config import Settings

Read = Callable[[str | bytes], Settings]
FLEET = """\
  { datacenter = "fra1", name = "cart-fra1-[1-4]", address = "10.0.1.[1-4]:80" },
  { datacenter = "iad1", name = "cart-iad1-[1-4]", address = "10.0.2.[1-4]:80" },
"""
ONE_OF_TWENTY = "service.cart.hosts: a canary is one host of 20, and a sick machine and a bad release look alike"


@pytest.fixture
def told(small: str, read: Read) -> Callable[..., list[str]]:
    """The warnings of the small configuration with `more`, by line, as `key: message`; its service has
    `fra1` and `iad1` production hosts in these datacenters.
    """

    def told(more: str = "", fra1: int = 20, iad1: int = 20, old: str = "", new: str = "") -> list[str]:
        assert FLEET in small
        assert old in small
        hosts = "".join(
            f'  {{ datacenter = "{name}", name = "{name}-[1-{count}]", address = "10.0.{place}.[1-{count}]:80" }},\n'
            for place, name, count in ((1, "fra1", fra1), (2, "iad1", iad1))
            if count
        )
        settings = read(small.replace(old, new, 1).replace(FLEET, hosts) + more)
        assert "cart" in settings.fleet.services
        return [f"{warning.line}: {warning.key}: {warning.message}" for warning in settings.warnings]

    return told


Told = Callable[..., list[str]]


def test_a_fleet_that_is_large_enough_is_not_warned_of(told: Told) -> None:
    assert told() == []
    assert told("[service.cart.judge]\ncontrol = 'baseline'") == []


@pytest.mark.parametrize(
    ("fra1", "iad1", "share", "expected"),
    [
        (10, 10, "10%", []),
        (10, 10, "5%", [f'{ONE_OF_TWENTY}: canary.share = "10%" makes it 2']),
        (10, 9, "10%", [ONE_OF_TWENTY.replace("20", "19")]),
        (5, 4, "10%", []),
        (1, 0, "10%", []),
    ],
)
def test_a_canary_of_one_is_warned_of_unless_a_rule_tells_of_few_hosts(
    fra1: int, iad1: int, share: str, expected: list[str], told: Told
) -> None:
    warnings = told(f"[service.cart.canary]\nshare = '{share}'", fra1, iad1)
    assert warnings == [f"17: {each}" for each in expected]


@pytest.mark.parametrize(
    ("fra1", "iad1", "stratify", "crowded"),
    [
        (18, 2, "datacenter", "iad1"),
        (17, 3, "datacenter", ""),
        (17, 3, "region", "iad1"),
        (16, 4, "region", "iad1"),
        (15, 5, "region", ""),
        (19, 1, "datacenter", "iad1"),
        (40, 2, "datacenter", "iad1"),
    ],
)
def test_a_baseline_needs_hosts_beside_it_in_every_datacenter(
    fra1: int, iad1: int, stratify: str, crowded: str, told: Told
) -> None:
    baseline = f"[service.cart.judge]\ncontrol = 'baseline'\n[service.cart.canary]\nstratify = ['{stratify}']"
    warnings = told(baseline, fra1, iad1)
    expected = (
        f"23: service.cart.judge.control: canary and baseline may take every production host of {crowded}, so that "
        'the baseline stays smaller than the canary: "production" needs no hosts of its own'
    )
    assert warnings == ([expected] if crowded else [])
    assert told(baseline.replace("'baseline'", "'production'"), fra1, iad1) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("[service.cart.cycle]\nduration = '14m'", "23: service.cart.cycle.duration: hosts are cold for 15m"),
        ("[service.cart.cycle]\nduration = '15m'", "23: service.cart.cycle.duration: hosts are cold for 15m"),
        ("[service.cart.cycle]\nduration = '16m'", ""),
        ("[organisation.cycle]\nduration = '10m'", "23: organisation.cycle.duration: hosts are cold for 15m"),
        ("[organisation.judge]\nwarmup = '1d'", "23: organisation.judge.warmup: hosts are cold for 1d"),
        ("[service.cart.judge]\nwarmup = '1d'", "23: service.cart.judge.warmup: hosts are cold for 1d"),
        ("[organisation.cycle]\nduration = '14m'\n[service.cart.judge]\nwarmup = '13m'", ""),
        ("[organisation.cycle]\nduration = '14m'\n[service.cart.judge]\ncontrol = 'baseline'", ""),
    ],
)
def test_a_warm_up_that_outlasts_the_cycle_is_told_where_it_is_said(more: str, expected: str, told: Told) -> None:
    warnings = told(more)
    assert len(warnings) == bool(expected)
    assert all(each.startswith(expected) and each.endswith("nothing is ever judged warm") for each in warnings)


def test_what_many_services_take_from_the_organisation_is_told_once(small: str, read: Read) -> None:
    text = (
        small
        + "[organisation.cycle]\nduration = '1m'\n"
        + small[small.index("[service.cart]") :].replace("cart", "bill")
    )
    text = text.replace("10.0.", "10.1.", 3).replace('errors", total', 'errors", critical = false, total')
    warnings = read(text.replace('"latency" }', '"latency", critical = false }')).warnings
    assert sum("judged warm" in each.message for each in warnings) == 1
    assert [(each.line, each.key) for each in warnings if "critical" in each.message] == [(10, "organisation.metrics")]


def test_metrics_of_which_none_is_critical_are_warned_of(told: Told) -> None:
    alone = "no judged metric is critical: nothing can fail a canary alone"
    own = "[service.cart.metrics]\nerrors.critical = false\n"
    assert told(own) == []
    assert told(own + "p99.critical = false") == [f"22: service.cart.metrics: {alone}"]
    assert told(own + "p99.judged = false") == [f"22: service.cart.metrics: {alone}"]


def test_cores_that_are_judged_as_events_are_warned_of(told: Told) -> None:
    rate = "[service.cart.metrics.cpu]\nkind = 'rate'\nof = 'requests'\nunit = 'cores'"
    assert told(rate) == [
        '25: service.cart.metrics.cpu.unit: a rate is judged as events, and cores are none: use kind = "gauge"'
    ]
    assert told(rate.replace("rate", "gauge")) == []
    assert told(rate.replace("cores", "/s")) == []


def test_an_age_where_it_does_nothing_is_warned_of(told: Told) -> None:
    aged = "[service.cart.metrics.p99]\nwith_age = true"
    does_nothing = "does nothing: only levels, of a gauge or an expression, grow as a process ages"
    assert told(aged) == [f"23: service.cart.metrics.p99.with_age: {does_nothing}"]
    assert told(aged.replace("true", "false")) == []
    assert told("[service.cart.metrics.m]\nkind = 'gauge'\nof = 'memory'\nwith_age = true\ntolerance = 0") == []


def test_warnings_come_by_line(told: Told) -> None:
    warnings = told("[controller]\ntick = '1s'", 10, 0, old='healthz = { path = "/healthz" }')
    assert [each.split(": ")[:2] for each in warnings] == [
        ["15", "service.cart"],
        ["17", "service.cart.hosts"],
        ["21", "controller.host_timeout"],
    ]


def test_a_drain_that_leaves_no_time_to_start_is_warned_of(read: Callable[[str], Settings], small: str) -> None:
    seat = """
[haproxy.edge]
sockets = ["/run/haproxy.sock"]
[service.cart.balancer]
haproxy = "edge"
backend = "be_cart"
drain = "90s"
"""
    told = [str(warning) for warning in read(small + seat).warnings]
    assert any("balancer.drain: may take 1m30s of the 2m" in line for line in told)
    assert not any("balancer" in str(warning) for warning in read(small + seat.replace("90s", "30s")).warnings)
