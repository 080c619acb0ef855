"""What a good configuration becomes."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.config import DemoSettings, NoConfig, Settings, UiSettings, demo_config_path, find, load, shifted
from adapters.config import sections as described
from adapters.config.durations import seconds
from adapters.config.schema import Section
from adapters.config.staging import DEPENDENCY, LIMIT
from adapters.metrics.source import Matcher, Op, SignalKind, SignalSource
from pipeline.checks import CheckKind, CheckRule
from pipeline.emergency import EmergencyRules
from pipeline.model import (
    BudgetRules,
    CanaryRules,
    Control,
    DeployRules,
    Fleet,
    Freeze,
    FrequencyRules,
    JudgeRules,
    MetricKind,
    MetricRule,
    NoData,
    Promotion,
    Promotions,
    Rules,
    TrafficCycle,
    Wave,
)
from pipeline.slo.rules import CoverageRules, PaybackRules
from pipeline.staging import StagingLimit, StagingRules

Read = Callable[[str | bytes], Settings]
SECTIONS: Mapping[tuple[str, ...], Section] = {
    ("controller",): described.CONTROLLER,
    ("ui",): described.UI,
    ("demo",): described.DEMO,
    ("datacenter", "*"): described.DATACENTER,
    ("signals", "*"): described.SIGNAL,
    ("organisation",): described.ORGANISATION,
    ("organisation", "promotions"): described.PROMOTIONS,
    ("organisation", "canary"): described.CANARY,
    ("organisation", "cycle"): described.CYCLE,
    ("organisation", "deploy"): described.DEPLOY,
    ("organisation", "judge"): described.JUDGE,
    ("organisation", "frequency"): described.FREQUENCY,
    ("organisation", "budget"): described.BUDGET,
    ("organisation", "slos", "*"): described.SLO,
    ("organisation", "payback"): described.PAYBACK,
    ("organisation", "coverage"): described.COVERAGE,
    ("organisation", "staging"): described.STAGING,
    ("organisation", "staging", "dependencies", "*"): DEPENDENCY,
    ("organisation", "staging", "limits", "*"): LIMIT,
    ("organisation", "readiness"): described.READINESS,
    ("organisation", "emergency"): described.EMERGENCY,
    ("organisation", "checks", "*"): described.CHECK,
    ("service", "*"): described.SERVICE,
    ("organisation", "metrics", "*"): described.METRIC,
    ("organisation", "freeze", "*"): described.FREEZE,
    ("service", "*", "hosts", "*"): described.HOST,
}
ELSEWHERE: Mapping[tuple[str, ...], set[str]] = {
    ("signals", "*"): {"preset", "promql"},
    ("organisation",): set(described.OF_A_SERVICE),
    ("service", "*"): set(described.ORGANISATION.keys),
    ("service", "*", "hosts", "*"): {"ssh"},
}
"""Keys that the reference shows in the organisation's section of the same kind, or that docs/fleet.toml has."""


def uncommented() -> str:
    """The reference with every key that is left at its default set."""
    lines = demo_config_path().read_text().split("\n")
    return "\n".join(line[1:] if line.startswith("#") and line[1:2].strip("# ") else line for line in lines)


def tables(value: object, path: tuple[str, ...]) -> list[dict[str, object]]:
    """Every table that stands at `path`, where "*" is any key or place."""
    if not path:
        return [value] if isinstance(value, dict) else []
    if isinstance(value, list):
        return [table for each in value for table in tables(each, path[1:])] if path[0] == "*" else []
    if not isinstance(value, dict):
        return []
    inner = value.values() if path[0] == "*" else [value[path[0]]] if path[0] in value else []
    return [table for each in inner for table in tables(each, path[1:])]


def test_the_reference_shows_every_key_and_each_can_be_set(read: Read) -> None:
    text = uncommented()
    read(text)
    document = tomllib.loads(text)
    for path, section in SECTIONS.items():
        found = {key for table in tables(document, path) for key in table}
        assert set(section.keys) <= found | ELSEWHERE.get(path, set()), path


@pytest.mark.parametrize(
    ("header", "section", "made"),
    [
        ("controller", described.CONTROLLER, Fleet()),
        ("demo", described.DEMO, DemoSettings()),
        ("organisation.promotions", described.PROMOTIONS, Promotions()),
        ("organisation.canary", described.CANARY, CanaryRules()),
        ("organisation.cycle", described.CYCLE, TrafficCycle()),
        ("organisation.deploy", described.DEPLOY, DeployRules()),
        ("organisation.judge", described.JUDGE, JudgeRules()),
        ("organisation.budget", described.BUDGET, BudgetRules()),
    ],
)
def test_the_defaults_that_the_reference_tells_are_the_defaults(header: str, section: Section, made: object) -> None:
    text = demo_config_path().read_text()
    block = text.split(f"\n[{header}]\n", 1)[1].split("\n[", 1)[0]
    told = 0
    for line in block.split("\n"):
        if "=" not in line or "default " not in line:
            continue
        key = line.split("=")[0].strip()
        default = tomllib.loads(f"x = {line.rsplit('default ', 1)[1]}")["x"]
        actual = getattr(made, section.keys[key].to or key)
        if key.endswith(("objective",)):
            default = Decimal(default.rstrip("%")) / 100
        elif isinstance(default, str) and isinstance(actual, int | float):
            default = seconds(default)
        assert actual == default, key
        told += 1
    assert told


def test_the_defaults_of_keys_that_are_left_out_are_those_of_the_rules(read: Read) -> None:
    """The reference shows them commented out: set, they change nothing."""
    text = demo_config_path().read_text()
    told, default = read(uncommented()).fleet.services["ledger"].rules, read(text).fleet.services["ledger"].rules
    assert (told.payback, told.coverage) == (default.payback, default.coverage) == (PaybackRules(), CoverageRules())
    assert told.budget == default.budget
    its = told.emergency
    assert replace(its, approvers=()) == default.emergency == EmergencyRules()
    assert told.staging.methods == StagingRules().methods
    limit = told.staging.limits[0]
    assert limit == StagingLimit("errors", 0.05)
    ready = told.readiness
    assert (ready.load_test_days, ready.peak_share) == (default.readiness.load_test_days, default.readiness.peak_share)


def test_the_demo_is_a_company_of_eight_services_in_three_datacenters_and_four_small_ones() -> None:
    settings = load(demo_config_path())
    told = [(warning.key.split(".")[1], " ".join(warning.message.split()[:6])) for warning in settings.warnings]
    told += [(name, each.rule) for name, service in settings.fleet.services.items() for each in service.findings]
    of_ten = {"checkout", "payments", "search", "media", "cart", "ledger"}
    every = {(name, "a canary is one host of" if name in of_ten else "CAN-01") for name in settings.fleet.services}
    assert set(told) == every
    assert len(told) == len(every)
    fleet = settings.fleet
    large, few = list(fleet.services)[:8], list(fleet.services)[8:]
    assert large == ["checkout", "payments", "search", "media", "pricing", "cart", "ledger", "profile"]
    assert few == ["billing", "mail", "stock", "orders"]
    for service in map(fleet.services.__getitem__, large):
        assert 8 <= len(service.production) <= 12
        assert {host.datacenter for host in service.production} == {"fra1", "ams2", "iad1"}
        assert len(service.staging) == 2
        assert service.rules.waves[-1] == Wave("", "", 1.0)
    assert fleet.services["checkout"].rules.promotions.production is Promotion.AUTOMATIC
    controls = {name: service.rules.judge.control for name, service in fleet.services.items()}
    assert [name for name, control in controls.items() if control is Control.BASELINE] == ["checkout"]
    metrics = fleet.services["cart"].rules.judge.metrics
    assert [metric.key for metric in metrics if metric.judged] == [
        *("errors", "p99", "throughput", "cpu", "memory", "restarts")
    ]
    assert [metric.key for metric in metrics if metric.with_age] == ["memory"]
    assert fleet.services["payments"].rules.promotions.production is Promotion.OPERATOR
    assert fleet.services["cart"].rules.waves == (Wave("", "", 0.25), Wave("", "", 0.5), Wave("", "", 1.0))
    replay = fleet.services["ledger"].rules.checks[1].replay
    assert replay is not None and replay.recording == str(demo_config_path().parent / "recordings" / "ledger.jsonl")
    assert settings.demo == DemoSettings(day_s=40.0, peak_rps=60.0, restart_s=1.5, seed=1)
    assert fleet.tick_s == 1.0
    assert settings.signals[1] == SignalSource(
        "errors", SignalKind.COUNTER, "http_requests_total", (Matcher("code", Op.LIKE, "5.."),)
    )


def test_a_small_file_lives_by_the_defaults(small: str, read: Read, tmp_path: Path) -> None:
    settings = read(small)
    cart = settings.fleet.services["cart"]
    assert (settings.path, settings.demo, settings.ui) == (tmp_path / "config.toml", None, UiSettings())
    assert (settings.state_dir, settings.run_dir, settings.group) == (None, None, None)
    assert settings.start_controller
    assert not settings.read_only
    assert (settings.fleet.tick_s, cart.tier, cart.team) == (5.0, 3, "")
    for part in fields(Rules):
        if part.name not in ("judge", "checks"):
            assert getattr(cart.rules, part.name) == getattr(Rules(), part.name)
    assert [host.name for host in cart.production][:5] == [f"cart-fra1-{n}" for n in (1, 2, 3, 4)] + ["cart-iad1-1"]
    assert cart.production[4].address == "10.0.2.1:80"
    assert cart.production[4].region == "us"
    assert cart.rules.judge.metrics[0].unit == "ratio"
    assert cart.rules.judge.metrics[0].tolerance == 0.005


def test_a_service_says_otherwise_key_by_key(small: str, read: Read) -> None:
    organisation = """
[organisation]
waves = ["fra1", "provider:none 50%", "100%"]
[organisation.deploy]
at_once = 7
soak = "1m"
[[organisation.freeze]]
owner = "a"
reason = "b"
start = 2026-12-24T18:00:00+01:00
end = 2026-12-27T00:00:00Z
"""
    own = """
[service.cart.deploy]
soak = "2m"
[service.cart.judge]
no_data = "rollback"
control = "baseline"
false_rollback = "5%"
guard_burn = 14.4
[service.cart.metrics.p99]
tolerance = "50%"
[service.cart.metrics.memory]
kind = "gauge"
of = "memory"
[service.cart.checks.healthz]
command = ["true"]
[service.cart.checks.ready]
path = "/ready"
[service.cart.frequency]
per_day = 3
[[service.cart.freeze]]
owner = "c"
reason = "d"
start = 2027-01-01T00:00:00Z
end = 2027-01-02T00:00:00Z
"""
    text = (organisation + own).replace("provider:none 50%", "region:us")
    rules = read(small + text).fleet.services["cart"].rules
    assert rules.deploy == DeployRules(at_once=7, soak_s=120.0)
    assert rules.judge.no_data is NoData.ROLLBACK
    assert (rules.judge.control, rules.judge.false_rollback, rules.judge.guard_burn) == (Control.BASELINE, 0.05, 14.4)
    assert (rules.judge.warmup_s, rules.judge.cold_s) == (None, 600.0)
    assert [(m.key, m.kind, m.tolerance) for m in rules.judge.metrics] == [
        ("errors", MetricKind.RATIO, 0.005),
        ("p99", MetricKind.QUANTILE, 0.5),
        ("memory", MetricKind.GAUGE, 0.0),
    ]
    assert rules.checks == (
        CheckRule("healthz", CheckKind.COMMAND, command=("true",)),
        CheckRule("ready", CheckKind.PROBE, path="/ready"),
    )
    assert rules.frequency == FrequencyRules(per_day=3)
    assert rules.freezes == (
        Freeze("a", "b", datetime(2026, 12, 24, 17, tzinfo=UTC), datetime(2026, 12, 27, tzinfo=UTC)),
        Freeze("c", "d", datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)),
    )


def test_every_kind_of_metric_is_taken(small: str, read: Read) -> None:
    text = """
[service.cart.metrics.slow]
kind = "share"
of = "latency"
over = "250ms"
tolerance = "2%"
critical = false
[service.cart.metrics.slower]
kind = "share"
of = "latency"
over = 2
[service.cart.metrics.work]
kind = "gauge"
of = "requests"
with_age = true
[service.cart.metrics.restarts]
kind = "restarts"
[service.cart.metrics.cost]
kind = "expression"
expression = "memory / max(requests, 1)"
unit = "bytes"
[service.cart.metrics.p99]
kind = "share"
over = 0.5
of = "latency"
"""
    rules = {metric.key: metric for metric in read(small + text).fleet.services["cart"].rules.judge.metrics}
    assert rules["slow"] == MetricRule(
        "slow", "slow", MetricKind.SHARE, of="latency", over=0.25, unit="ratio", tolerance=0.02, critical=False
    )
    assert (rules["slower"].over, rules["slower"].critical) == (2.0, True)
    assert rules["work"] == MetricRule("work", "work", MetricKind.GAUGE, of="requests", with_age=True)
    assert rules["restarts"] == MetricRule("restarts", "restarts", MetricKind.RESTARTS, unit="/h")
    assert rules["cost"] == MetricRule(
        "cost", "cost", MetricKind.EXPRESSION, expression="memory / max(requests, 1)", unit="bytes"
    )
    assert rules["p99"] == MetricRule("p99", "p99", MetricKind.SHARE, of="latency", over=0.5, unit="ratio")


def test_a_service_leaves_out_the_waves_of_places_where_it_has_no_host(small: str, read: Read) -> None:
    text = (
        small + '[datacenter.ams2]\nregion = "nl"\n[organisation]\nwaves = ["fra1", "ams2", "region:nl 50%", "100%"]\n'
    )
    assert read(text).fleet.services["cart"].rules.waves == (Wave("datacenter", "fra1", 1.0), Wave("", "", 1.0))


def test_the_demo_moves_to_other_addresses_and_nothing_else_does(small: str, read: Read) -> None:
    moved = shifted(load(demo_config_path()), 9).fleet.services["cart"].hosts
    assert {host.address.rsplit(".", 2)[0] for host in moved} == {"127.9"}
    there = read(small)
    assert shifted(there, 9) == there
    for wrong in (-1, 256):
        with pytest.raises(ValueError, match="0 to 255"):
            shifted(there, wrong)


def test_a_thousand_services_of_twenty_hosts_are_read(small: str, read: Read) -> None:
    rules = small.partition("[service.cart]")[0]
    services = "".join(
        f'[service.s{n}]\nteam = "t"\nrevision = "r1"\nhosts = [\n'
        f'  {{ pool = "staging", datacenter = "fra1", name = "s{n}-stg", address = "10.0.{n // 250}.{n % 250}:80" }},\n'
        f'  {{ datacenter = "fra1", name = "s{n}-fra1-[1-10]", address = "10.{1 + n // 250}.{n % 250}.[1-10]:80" }},\n'
        f'  {{ datacenter = "iad1", name = "s{n}-iad1-[1-10]", address = "10.{1 + n // 250}.{n % 250}.[11-20]:80" }},\n'
        "]\n"
        for n in range(1000)
    )
    fleet = read(rules + services).fleet
    assert sum(len(service.production) for service in fleet.services.values()) == 20_000


def test_a_file_is_looked_for_where_people_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    with pytest.raises(
        NoConfig, match=r"looked for config\.toml, .*/xdg/pithead/config\.toml, /etc/pithead/config\.toml"
    ):
        find(environ=env)
    below = tmp_path / "xdg" / "pithead" / "config.toml"
    below.parent.mkdir(parents=True)
    below.touch()
    assert find(environ=env) == below
    (tmp_path / "config.toml").touch()
    assert find(environ=env) == Path("config.toml")
    assert find(environ={**env, "PITHEAD_CONFIG": "/no/such"}) == Path("/no/such")
    assert find(Path("/given"), {**env, "PITHEAD_CONFIG": "/no/such"}) == Path("/given")


def test_a_relative_xdg_folder_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoConfig, match=r"/home/x/\.config/pithead/config\.toml"):
        find(environ={"HOME": "/home/x", "XDG_CONFIG_HOME": "xdg"})
