"""Every section of the file: its keys, and how each is read. What a key means is told in config.toml.

Defaults stand with the fields that the keys fill (`pipeline.model`, `adapters.config.settings`).
"""

from collections.abc import Callable

from adapters.addresses import is_address, is_destination
from adapters.config.budgets import BUDGET, COVERAGE, PAYBACK, SLO
from adapters.config.checks import CHECK
from adapters.config.emergency import EMERGENCY
from adapters.config.errors import Spot
from adapters.config.outside import ALERTMANAGER, DISCOVERY, HAPROXY, OF_A_SERVICE, PROMETHEUS, SSH
from adapters.config.ranges import expanded
from adapters.config.readiness import READINESS
from adapters.config.schema import Key, Section, table_of, tables_of
from adapters.config.staging import STAGING
from adapters.config.values import (
    boolean,
    choice,
    expression,
    folder,
    moment,
    name,
    number,
    one_of,
    page,
    ratio,
    seconds,
    sequence,
    series,
    text,
    threshold,
    timezone,
    unique,
    whole,
)
from adapters.config.waves import wave
from adapters.metrics.source import SignalKind
from pipeline.model import Control, MetricKind, NoData, OffShare, Pool, Promotion, Worse
from pipeline.placement import LEAST, MOST
from pipeline.text import is_identifier, plain

LONGEST_SOCKET_FOLDER = 80
"""A unix socket's whole path may have 107 characters."""


def _names(value: object, spot: Spot) -> tuple[str, ...]:
    return _pattern(value, spot, "a host's name, or several such as cart-[1-4]", is_identifier)


def _addresses(value: object, spot: Spot) -> tuple[str, ...]:
    return _pattern(value, spot, "host:port, or several such as 10.1.0.[11-14]:7077", is_address)


def _destinations(value: object, spot: Spot) -> tuple[str, ...]:
    return _pattern(value, spot, "what ssh is called with, such as deploy@cart-[1-4]", is_destination)


def _pattern(value: object, spot: Spot, wanted: str, is_right: Callable[[str], bool]) -> tuple[str, ...]:
    if not isinstance(value, str) or len(value) > 300:
        spot.expected(wanted, value)
    try:
        found = expanded(value)
    except ValueError as error:
        spot.refuse(f"expected {plain(str(error), 200)}")
    for each in found:
        if not is_right(each):
            spot.expected(wanted, each)
    return found


CONTROLLER = Section(
    {
        "tick": Key(seconds("100ms", "10m"), "tick_s"),
        "host_timeout": Key(seconds("10ms", "1m"), "host_timeout_s"),
        "actions_at_once": Key(whole(1, 10_000)),
        "readiness_every": Key(seconds("1s", "6h"), "readiness_every_s"),
        "state_dir": Key(folder()),
        "run_dir": Key(folder(LONGEST_SOCKET_FOLDER)),
        "start_controller": Key(boolean),
        "read_only": Key(boolean),
        "group": Key(name),
    }
)
UI = Section(
    {
        "ascii": Key(boolean),
        "color": Key(choice("auto", "truecolor", "256", "16", "never")),
        "timezone": Key(timezone),
    }
)
DEMO = Section(
    {
        "day": Key(seconds("5s", "1d"), "day_s"),
        "peak_rps": Key(number(0.1, 10_000)),
        "restart": Key(seconds("0s", "10m"), "restart_s"),
        "seed": Key(whole(0, 2**53)),
    }
)
DATACENTER = Section({"region": Key(name), "country": Key(name), "provider": Key(name)})
SIGNAL = Section(
    {
        "kind": Key(one_of(SignalKind)),
        "series": Key(series),
        "path": Key(page),
        "promql": Key(text(4_000)),
        "preset": Key(name),
    }
)

PROMOTIONS = Section({stage: Key(one_of(Promotion)) for stage in ("canary", "production", "waves")})
CANARY = Section(
    {
        "share": Key(ratio(LEAST, MOST)),
        "stratify": Key(unique(sequence(choice("datacenter", "region", "country", "provider")))),
        "traffic": Key(one_of(OffShare)),
        "traffic_within": Key(ratio(0.05, 1.0)),
    }
)
CYCLE = Section(
    {
        "duration": Key(seconds("1s", "31d"), "duration_s"),
        "requests": Key(whole(0, 10**12)),
        "peak_ratio": Key(ratio()),
        "shorter_because": Key(text(300)),
    }
)
DEPLOY = Section(
    {
        "at_once": Key(whole(1, 1_000)),
        "deadline": Key(seconds("1s", "1d"), "deadline_s"),
        "max_failed": Key(whole(0, 10_000)),
        "max_unreachable": Key(whole(0, 10_000)),
        "soak": Key(seconds("0s", "31d"), "soak_s"),
        "settle": Key(seconds("0s", "31d"), "settle_s"),
    }
)
JUDGE = Section(
    {
        "control": Key(one_of(Control)),
        "false_rollback": Key(ratio(0.0001, 0.2)),
        "guard_burn": Key(number(0, 10_000)),
        "warmup": Key(seconds("0s", "1d"), "warmup_s"),
        "stale": Key(seconds("100ms", "1h"), "stale_s"),
        "no_data_limit": Key(seconds("1s", "31d"), "no_data_limit_s"),
        "no_data": Key(one_of(NoData)),
    },
    gone={
        "fail_looks": "it is gone: the judge now acts at its first FAIL; false_rollback bounds how often that is wrong"
    },
)
METRIC = Section(
    {
        "title": Key(text(24)),
        "kind": Key(one_of(MetricKind)),
        "of": Key(name),
        "bad": Key(name),
        "total": Key(name),
        "q": Key(ratio(0.5, 0.9999)),
        "over": Key(threshold("1d")),
        "expression": Key(expression),
        "unit": Key(choice("ratio", "s", "bytes", "/s", "cores", "")),
        "worse": Key(one_of(Worse)),
        "tolerance": Key(ratio(0.0, 10.0)),
        "min_samples": Key(whole(1, 10**9)),
        "judged": Key(boolean),
        "critical": Key(boolean),
        "with_age": Key(boolean),
    }
)
FREEZE = Section(
    {
        "owner": Key(text(), required=True),
        "reason": Key(text(200), required=True),
        "start": Key(moment, required=True),
        "end": Key(moment, required=True),
    }
)
FREQUENCY = Section({"per_day": Key(whole(1, 1_000)), "min_gap": Key(seconds("0s", "31d"), "min_gap_s")})
ORGANISATION = Section(
    {
        "waves": Key(sequence(wave, least=1, most=100)),
        "promotions": Key(PROMOTIONS),
        "canary": Key(CANARY),
        "cycle": Key(CYCLE),
        "deploy": Key(DEPLOY),
        "judge": Key(JUDGE),
        "frequency": Key(FREQUENCY),
        "budget": Key(BUDGET),
        "slos": Key(table_of(SLO)),
        "payback": Key(PAYBACK),
        "coverage": Key(COVERAGE),
        "staging": Key(STAGING),
        "readiness": Key(READINESS),
        "emergency": Key(EMERGENCY),
        "metrics": Key(table_of(METRIC)),
        "checks": Key(table_of(CHECK)),
        "freeze": Key(tables_of(FREEZE)),
        **OF_A_SERVICE,
    }
)
HOST = Section(
    {
        "datacenter": Key(name, required=True),
        "name": Key(_names, required=True),
        "address": Key(_addresses, required=True),
        "ssh": Key(_destinations),
        "pool": Key(one_of(Pool)),
    }
)
SERVICE = Section(
    {
        **ORGANISATION.keys,
        "revision": Key(name, required=True),
        "team": Key(text(40)),
        "tier": Key(whole(1, 4)),
        "business_critical": Key(boolean),
        "hosts": Key(tables_of(HOST)),
    }
)
FILE = Section(
    {
        "controller": Key(CONTROLLER),
        "ui": Key(UI),
        "ssh": Key(SSH),
        "prometheus": Key(PROMETHEUS),
        "alertmanager": Key(ALERTMANAGER),
        "haproxy": Key(table_of(HAPROXY)),
        "discovery": Key(table_of(DISCOVERY)),
        "demo": Key(DEMO),
        "datacenter": Key(table_of(DATACENTER)),
        "signals": Key(table_of(SIGNAL)),
        "organisation": Key(ORGANISATION),
        "service": Key(table_of(SERVICE, partly=True), required=True),
    }
)
