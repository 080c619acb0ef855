"""Presets and recording rules as Prometheus' own tool, a real Prometheus and a real HAProxy take them."""

import asyncio
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.metrics import PrometheusMetrics
from adapters.metrics.prometheus.presets import PRESETS
from adapters.metrics.prometheus.queries import Labels, OwnQuery, Signal
from adapters.metrics.prometheus.rules import recorded, recording_rules, rule_tests
from adapters.metrics.prometheus.settings import ServerSettings
from adapters.metrics.source import Matcher, Op, SignalKind, SignalSource
from pipeline.model import Host, Pool
from pipeline.observed import HostFault
from pipeline.signals import Histogram, Reading
from pithead.clock import SystemClock
from tests.adapters.metrics.prometheus.scraping import Scraping
from tests.neighbours.need import need
from tests.neighbours.prometheus import free_address, running

LONG_S = 20.0
JOB = Labels(extra=(Matcher("job", Op.EQUAL, "app"),))
BACKEND = Labels(
    "server",
    (Matcher("proxy", Op.EQUAL, "be_web"),),
    up="haproxy_server_status",
    up_matchers=(Matcher("state", Op.EQUAL, "UP"),),
)
"""As docs/fleet.toml says it."""
SIGNALS: tuple[Signal, ...] = tuple(PRESETS["prometheus"].values())


def host(name: str) -> Host:
    return Host(name, f"{name}:80", Pool.PRODUCTION, "fra1")


def named(one: Host) -> str:
    return one.name


def promtool(*words: str, folder: Path) -> str:
    done = subprocess.run(
        [need("promtool"), *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


async def readings(
    url: str, signals: Sequence[Signal], labels: Labels, names: Sequence[str], least: float = 0.0
) -> dict[str, Reading]:
    """As soon as there is one of every host, with at least so many requests."""
    client = PrometheusClient(ServerSettings(url), SystemClock())
    metrics = PrometheusMetrics(client, signals, labels, client.clock, value_of=named)
    metrics.focus(names)
    try:
        async with asyncio.timeout(LONG_S):
            while True:
                seen = await metrics.readings([host(name) for name in names], LONG_S)
                found = {name: one for name, one in seen.items() if isinstance(one, Reading)}
                if len(found) == len(names) and all(one.counters["requests"] >= least for one in found.values()):
                    return found
                await asyncio.sleep(0.05)
    finally:
        await metrics.close()
        await client.close()


async def faulty(url: str, signals: Sequence[Signal], labels: Labels, name: str) -> HostFault:
    """As soon as this host's reading is a fault."""
    client = PrometheusClient(ServerSettings(url), SystemClock())
    metrics = PrometheusMetrics(client, signals, labels, client.clock, value_of=named)
    try:
        async with asyncio.timeout(LONG_S):
            while True:
                seen = (await metrics.readings([host(name)], LONG_S))[name]
                # Its first scrapes may be older than the balancer's first check of it, or not there yet.
                if isinstance(seen, HostFault) and " is 0 " in seen.why:
                    return seen
                await asyncio.sleep(0.05)
    finally:
        await metrics.close()
        await client.close()


@pytest.mark.parametrize("name", PRESETS)
def test_the_rules_of_every_preset_pass_the_server_s_own_tool(tmp_path: Path, name: str) -> None:
    signals = tuple(PRESETS[name].values())
    labels = BACKEND if name == "haproxy" else JOB
    (tmp_path / "rules.yml").write_text(recording_rules(signals, labels))
    (tmp_path / "tests.yml").write_text(rule_tests(signals, labels, "rules.yml"))
    assert f"SUCCESS: {len(signals) + 2} rules found" in promtool("check", "rules", "rules.yml", folder=tmp_path)
    told = promtool("test", "rules", "tests.yml", folder=tmp_path)
    assert "SUCCESS" in told
    tried = (tmp_path / "tests.yml").read_text()
    assert all(f"pithead:{signal}:sum" in tried for signal in PRESETS[name])


def test_a_test_of_rules_that_say_something_else_fails(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(recording_rules(SIGNALS, JOB).replace("5..", "2.."))
    (tmp_path / "tests.yml").write_text(rule_tests(SIGNALS, JOB, "rules.yml"))
    with pytest.raises(AssertionError, match="pithead:errors:sum"):
        promtool("test", "rules", "tests.yml", folder=tmp_path)


def test_own_queries_are_recorded_and_strange_text_stays_text(tmp_path: Path) -> None:
    own = OwnQuery("own.p-1", SignalKind.GAUGE, "sum by (instance) (x{$hosts} # \"'\n)")
    odd = SignalSource("odd", SignalKind.COUNTER, "x_total", (Matcher("a", Op.EQUAL, '": {[\\\n&*é'),))
    text = recording_rules((own, odd), JOB)
    (tmp_path / "rules.yml").write_text(text)
    (tmp_path / "tests.yml").write_text(rule_tests((own, odd), JOB, "rules.yml"))
    promtool("check", "rules", "rules.yml", folder=tmp_path)
    promtool("test", "rules", "tests.yml", folder=tmp_path)
    assert "pithead:own_p_1:sum" in text


def test_two_signals_under_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="under one name"):
        recording_rules([OwnQuery(name, SignalKind.GAUGE, "x") for name in ("a-b", "a.b")], JOB)


async def test_recorded_sums_are_read_like_the_hosts_own_series(scraping: Scraping) -> None:
    wanted = [PRESETS["prometheus"][name] for name in ("requests", "errors", "latency")]
    signals, labels = recorded(wanted, JOB)
    found = await readings(scraping.url, signals, labels, ("still-1", "still-2"))
    assert {name: one.counters for name, one in found.items()} == {
        "still-1": {"requests": 200.0, "errors": 10.0},
        "still-2": {"requests": 100.0, "errors": 0.0},
    }
    assert found["still-1"].histograms["latency"] == Histogram((0.1, 1.0, float("inf")), (100.0, 180.0, 200.0))
    assert SystemClock().monotonic() - found["still-1"].at_s < 10.0


HAPROXY = """
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend metrics
    bind {front}
    http-request use-service prometheus-exporter if {{ path /metrics }}
    default_backend be_web
backend be_web
    server web-1 {there} check inter 100ms
    server web-2 {nobody} check inter 100ms fall 1
backend be_other
    server web-1 {nobody}
"""


async def test_haproxy_s_own_exporter_tells_of_the_servers_of_one_backend(tmp_path: Path, scraping: Scraping) -> None:
    nobody = free_address()
    scraping.pages.texts[""] = "ok"
    written = HAPROXY.format(front=scraping.proxy, there=scraping.pages.address, nobody=nobody)
    (tmp_path / "haproxy.cfg").write_text(written)
    command = [need("haproxy"), "-db", "-f", str(tmp_path / "haproxy.cfg")]
    signals, labels = tuple(PRESETS["haproxy"].values()), BACKEND
    with running(command, tmp_path / "log", f"http://{scraping.proxy}/"):
        found = await readings(scraping.url, signals, labels, ("web-1",), least=1.0)
        fault = await faulty(scraping.url, signals, labels, "web-2")
    assert found["web-1"].counters["errors"] == 0.0
    assert fault.why == 'haproxy_server_status is 0 where server="web-2": down, or it cannot be scraped'
