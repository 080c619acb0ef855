"""`pithead check --reach`: hosts with agents, metrics pages, sources of hosts, and the command itself."""

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.config import load
from adapters.demo.builds import Fault
from adapters.demo.host import DemoHost
from adapters.hosts.protocol import DEPLOY_PATH
from adapters.wire import Wire
from pipeline.model import Host, MetricKind, MetricRule, Pool
from pipeline.signals import Histogram, Reading
from pithead.cli import main
from pithead.exits import Exit
from pithead.places import Places
from pithead.reaching.folders import folders
from pithead.reaching.progress import Progress
from pithead.reaching.reached import Kind, Reached
from pithead.reaching.recipes import SKEW_S, skewed
from pithead.reaching.signals import Read, Signals, metrics, needed
from pithead.reaching.verb import lines, summary
from tests.pithead.reaching_support import company, reaching, write

LIMIT_S = 15.0
NAMES = ("cart-stg-1", "cart-1", "cart-2")


def free_address(index: int) -> str:
    with socket.socket() as probe:
        probe.bind((f"127.0.78.{index}", 0))
        return "{}:{}".format(*probe.getsockname())


@pytest.fixture
async def hosts() -> AsyncIterator[dict[str, DemoHost]]:
    """A staging host and two of production, all with an agent and a metrics page."""
    made = {}
    for index, name in enumerate(NAMES, start=1):
        pool = Pool.STAGING if index == 1 else Pool.PRODUCTION
        made[name] = DemoHost("cart", Host(name, free_address(index), pool, "fra1"), "r1", 0.1, seed=7)
        await made[name].start()
    yield made
    for host in made.values():
        host.close()
    await asyncio.sleep(0)


def addresses(hosts: dict[str, DemoHost]) -> dict[str, str]:
    return {name: host.host.address for name, host in hosts.items()}


async def test_a_company_that_is_well_has_no_line_and_all_counts(hosts: dict[str, DemoHost], tmp_path: Path) -> None:
    came = await reaching(tmp_path, company(addresses(hosts), '[organisation.health]\npath = "/healthz"'))
    assert came.lines == []
    assert came.summary == "hosts 3 of 3, metrics 6 of 6"
    assert came.of("host") == [f"{name}: by agent, runs r1" for name in NAMES]
    assert "errors on production: 2 of 2 production hosts" in came.of("metric")
    assert "budget on staging: 1 of 1 staging hosts" in came.of("metric")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.REFUSE, "no agent: refused: start its agent, or"),
        (Fault.HANG, "no agent: no answer in 0.5 s: see whether it is up"),
        (Fault.RUBBISH, "no agent: malformed answer"),
    ],
)
async def test_a_host_that_does_not_answer_is_told_and_its_metrics_too(
    fault: Fault, said: str, hosts: dict[str, DemoHost], tmp_path: Path
) -> None:
    await hosts["cart-2"].become(fault)
    came = await reaching(tmp_path, company(addresses(hosts)))
    host, metric = came.lines
    assert host.startswith(f"host cart-2 | cart | {said}")
    assert metric.startswith("metric errors, p99, budget on production | cart | 1 of 2 production hosts; cart-2: ")
    assert came.summary == "hosts 2 of 3, metrics 3 of 6"


async def test_a_host_that_answers_as_another_is_told(hosts: dict[str, DemoHost], tmp_path: Path) -> None:
    swapped = addresses(hosts)
    swapped["cart-1"], swapped["cart-2"] = swapped["cart-2"], swapped["cart-1"]
    came = await reaching(tmp_path, company(swapped))
    assert len(came.wrong("host")) == 2
    assert all("answers as cart-" in line and "give each host its own address" in line for line in came.wrong("host"))


async def test_a_host_that_calls_itself_sick_is_told(hosts: dict[str, DemoHost], tmp_path: Path) -> None:
    hosts["cart-1"]._ledger.healthy = False
    came = await reaching(tmp_path, company(addresses(hosts)))
    assert came.wrong("host") == ["cart-1: not healthy: it does not say why: see the service's log on the host"]


async def test_a_host_in_mid_deploy_is_not_called_sick(hosts: dict[str, DemoHost], tmp_path: Path) -> None:
    hosts["cart-1"]._restart_s = LIMIT_S
    asked = {"version": 1, "operation": "cart-7.forward.cart-1.1", "host": "cart-1", "revision": "r2", "token": 1}
    wire = Wire()
    address = hosts["cart-1"].host.address
    answer = await wire.request(address, "PUT", DEPLOY_PATH, timeout_s=LIMIT_S, body=json.dumps(asked).encode())
    await wire.close()
    assert answer.status == 202
    came = await reaching(tmp_path, company(addresses(hosts), '[organisation.health]\npath = "/healthz"'))
    assert came.wrong("host") == []
    assert "cart-1: by agent, runs r1, a deploy is under way" in came.of("host")


async def test_a_health_check_that_fails_is_told_with_what_was_asked(
    hosts: dict[str, DemoHost], tmp_path: Path
) -> None:
    came = await reaching(tmp_path, company(addresses(hosts), '[organisation.health]\npath = "/nowhere"'))
    assert len(came.wrong("host")) == 3
    assert "cart-1: health check: GET /nowhere: HTTP 404: see whether the service serves at" in came.wrong("host")[1]


async def test_a_signal_that_no_page_has_is_told_with_its_series(hosts: dict[str, DemoHost], tmp_path: Path) -> None:
    text = company(addresses(hosts)) + (
        '[signals.queue]\nkind = "gauge"\nseries = "queue_length"\n'
        '[service.cart.metrics]\nqueue = { kind = "gauge", of = "queue" }\n'
    )
    came = await reaching(tmp_path, text)
    mend = "see whether the service exposes it there, or correct signals.queue"
    why = f"no queue_length on /metrics: {mend}"
    assert came.lines == [
        f"metric queue on production | cart | 0 of 2 production hosts; cart-1, cart-2: {why}",
        f"metric queue on staging | cart | 0 of 1 staging hosts; cart-stg-1: {why}",
    ]


async def test_only_the_named_services_are_reached(hosts: dict[str, DemoHost], tmp_path: Path) -> None:
    other = company({"web-stg": "127.0.0.1:1", "web-1": "127.0.0.2:1"}, service="web")
    came = await reaching(tmp_path, company(addresses(hosts)), other, only=["cart"])
    assert came.summary == "hosts 3 of 3, metrics 6 of 6"


async def test_hosts_that_a_source_finds_are_reached_and_what_it_says_wrong_is_told(
    hosts: dict[str, DemoHost], tmp_path: Path
) -> None:
    at = addresses(hosts)
    found = [
        {"targets": [at["cart-2"]], "labels": {"service": "cart", "name": "cart-2", "datacenter": "fra1"}},
        {"targets": ["10.0.0.9:80"], "labels": {"service": "cart", "name": "cart-9", "datacenter": "mars"}},
    ]
    (tmp_path / "hosts.json").write_text(json.dumps(found))
    more = f'[discovery.list]\nfile = "{tmp_path}/hosts.json"\n[discovery.gone]\nfile = "{tmp_path}/gone.json"'
    came = await reaching(tmp_path, company({name: at[name] for name in NAMES[:2]}, more))
    assert "cart-2: by agent, runs r1" in came.of("host")
    mistake, gone = came.wrong("discovery")
    assert mistake.startswith('list: datacenter "mars" is not declared: expected fra1: cart-9')
    assert "correct it at" in mistake
    assert gone.startswith("gone: No such file or directory: see discovery.gone")
    assert came.summary == "discovery 0 of 2, hosts 3 of 3, metrics 6 of 6"


async def test_a_staging_host_that_is_found_on_a_machine_of_production_is_told_with_its_rule(
    hosts: dict[str, DemoHost], tmp_path: Path
) -> None:
    at = addresses(hosts)
    beside = f"{at['cart-1'].rpartition(':')[0]}:1"
    labels = {"service": "cart", "name": "cart-stg-2", "datacenter": "fra1", "pool": "staging"}
    (tmp_path / "hosts.json").write_text(json.dumps([{"targets": [beside], "labels": labels}]))
    came = await reaching(tmp_path, company(at, f'[discovery.list]\nfile = "{tmp_path}/hosts.json"'))
    (told,) = came.wrong("rule")
    assert told.startswith("isolation: STG-02 (")
    assert "staging host cart-stg-2 and production host cart-1 are one machine: put staging on" in told


def test_the_command_says_by_its_exit_code_whether_anything_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, company({"cart-stg-1": free_address(1), "cart-1": free_address(2)}))
    assert main(["check", "--reach", str(path)]) == Exit.REFUSED
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"{path}: no errors")
    assert said[1].split() == ["WHAT", "SERVICE", "WHY:", "HOW", "TO", "MEND", "IT"]
    assert said[2].startswith("host cart-stg-1, cart-1 ")
    assert said[-1] == "hosts 0 of 2, metrics 0 of 6"


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("file/pithead", "cannot be made: {}/file is no folder: move it away, or set "),
        ("file", "is no folder: move it away, or set "),
        ("circle/x", "cannot be made: {}/circle is no folder: "),
        ("strange", "belongs to uid 1: run as that user, or set "),
    ],
)
@pytest.mark.parametrize("key", ["state_dir", "run_dir"])
def test_a_folder_that_no_controller_could_use_is_told(
    key: str, folder: str, said: str, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path = tmp_path_factory.mktemp("f")  # sockets need short paths
    (tmp_path / "file").write_text("")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "strange").mkdir()
    if folder == "strange":
        if os.geteuid() != 0:
            pytest.skip("needs root")
        os.chown(tmp_path / "strange", 1, -1)
    path = write(tmp_path, company({"cart-stg-1": free_address(1), "cart-1": free_address(2)}))
    places = {"state_dir": tmp_path / "state", "run_dir": tmp_path / "run", key: tmp_path / folder}
    keys = "".join(f'{name} = "{value}"\n' for name, value in places.items())
    path.write_text(path.read_text().replace("[controller]\n", f"[controller]\n{keys}"))
    assert main(["check", "--reach", str(path)]) == Exit.REFUSED
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith(f"folder {tmp_path / folder} ")
    assert said.replace("{}", str(tmp_path)) in lines[2]
    assert lines[-1].startswith("folders 0 of 1, hosts ")
    assert not (tmp_path / "state").exists()
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        found = folders(Places(tmp_path / "state", tmp_path, tmp_path))
    finally:
        tmp_path.chmod(0o700)
    assert [each.said for each in found] == [f"cannot be made: {tmp_path} cannot be written", "cannot be written"]


def test_as_json_there_is_a_row_for_each_thing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, company({"cart-stg-1": free_address(1), "cart-1": free_address(2)}))
    assert main(["check", "--reach", "--json", "--service", "cart", str(path)]) == Exit.REFUSED
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 8
    assert all(row.keys() == {"kind", "service", "name", "ok", "said", "mend"} for row in rows)
    assert rows[1]["name"] == "cart-1"
    assert rows[1]["said"] == "no agent: refused"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--reach", "--service", "crat"], "cart"),
        (["--service", "cart"], "say --reach with it"),
    ],
)
def test_a_service_that_cannot_be_meant_is_a_mistake_of_usage(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, company({"cart-stg-1": "127.0.0.1:1", "cart-1": "127.0.0.2:1"}))
    assert main(["check", str(path), *words]) == Exit.USAGE
    assert said in capsys.readouterr().err


def test_nothing_is_reached_by_a_configuration_with_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, company({"cart-1": "127.0.0.2:1"}))
    assert main(["check", "--reach", str(path)]) == Exit.USAGE
    assert capsys.readouterr().out == ""


def test_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.settimeout(LIMIT_S)
        address = "{}:{}".format(*silent.getsockname())
        text = company({"cart-stg-1": address, "cart-1": free_address(2)})
        path = write(tmp_path, text)
        path.write_text(path.read_text().replace('"500ms"', '"1m"'))
        program = subprocess.Popen(
            [sys.executable, "-m", "pithead", "check", "--reach", str(path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        connection, _ = silent.accept()
        with connection:
            program.send_signal(signal.SIGINT)
            _, said = program.communicate(timeout=LIMIT_S)
    assert program.returncode == Exit.INTERRUPTED
    assert said == b""


def test_without_reach_no_client_is_loaded(tmp_path: Path) -> None:
    path = write(tmp_path, company({"cart-stg-1": "127.0.0.1:1", "cart-1": "127.0.0.2:1"}))
    code = (
        f"import sys; from pithead.cli import main; main(['check', {str(path)!r}]);"
        "print({'httpx', 'requests', 'prometheus_api_client', 'numpy', 'textual'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():  # noqa: ASYNC110 - a text that grows raises no event
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("stream", "told"),
    [(Terminal(), "\rreaching 1 of 3: cart-2\x1b[K"), (io.StringIO(), "reaching 1 of 3: cart-2\n")],
    ids=["terminal", "pipe"],
)
async def test_progress_names_the_one_that_is_waited_for(stream: io.StringIO, told: str) -> None:
    progress = Progress(stream, line_s=0.01)
    progress.expect(3)
    for name in ("cart-1", "cart-2", "cart-3"):
        progress.begin(name)
    progress.end("cart-1")
    async with progress.shown():
        await until(lambda: told in stream.getvalue())
    assert stream.getvalue().endswith("\r\x1b[K") == stream.isatty()


async def test_progress_that_is_over_soon_says_nothing_on_a_pipe() -> None:
    stream = io.StringIO()
    async with Progress(stream).shown():
        await asyncio.sleep(0)
    assert stream.getvalue() == ""


@given(st.text(max_size=20), st.floats(0, 1e10), st.floats(0, 100))
def test_a_clock_that_says_anything_is_at_most_one_fault(said: str, before_s: float, took_s: float) -> None:
    assert len(skewed(said, before_s, before_s + took_s)) <= 1


@given(st.integers(10**9, 10**10), st.integers(-100, 100))
def test_a_clock_is_wrong_beyond_the_limit_alone(now_s: int, off_s: int) -> None:
    wrong = skewed(str(now_s + off_s), float(now_s), now_s + 0.5)
    assert bool(wrong) == (off_s - 0.5 > SKEW_S or -off_s - 1 > SKEW_S)


def test_a_thing_with_two_faults_has_two_lines_and_counts_once() -> None:
    found = [
        Reached(Kind.HOST, "cart", "cart-1", ok=False, said="a", mend="b"),
        Reached(Kind.HOST, "cart", "cart-1", ok=False, said="c", mend="d"),
        Reached(Kind.HOST, "cart", "cart-2", ok=True, said="fine"),
    ]
    assert [row[2] for row in lines(found)] == ["a: b", "c: d"]
    assert summary(found) == "hosts 1 of 2"


def test_what_is_reached_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    path = write(tmp_path, company({"cart-stg-1": free_address(1), "cart-1": free_address(2)}))
    before = sorted(tmp_path.iterdir())
    main(["check", "--reach", str(path)])
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (MetricRule("m", "", MetricKind.RATIO, bad="errors", total="requests"), ("requests", "errors")),
        (MetricRule("m", "", MetricKind.QUANTILE, of="latency"), ("latency",)),
        (MetricRule("m", "", MetricKind.EXPRESSION, expression="cpu / max(requests, 1)"), ("cpu", "requests")),
        (MetricRule("m", "", MetricKind.RESTARTS), ()),
    ],
    ids=lambda value: value.kind if isinstance(value, MetricRule) else "",
)
def test_a_metric_needs_what_it_is_worked_out_from(rule: MetricRule, names: tuple[str, ...]) -> None:
    assert needed(rule) == names


def test_a_reading_that_the_judge_would_not_take_is_told_with_its_age(tmp_path: Path) -> None:
    settings = load(write(tmp_path, company({"cart-stg-1": "127.0.0.1:1", "cart-1": "127.0.0.2:1"})))
    whole = Histogram((1.0, float("inf")), (1.0, 2.0))
    reading = Reading(0.0, {"requests": 2.0, "errors": 0.0}, {}, {"latency": whole})
    read = {"cart-stg-1": Read(reading, 1.0), "cart-1": Read(reading, 99.0)}
    found = metrics(settings.fleet.services["cart"], read, Signals(settings))
    assert [each.ok for each in found] == [False] * 3 + [True] * 3
    assert found[0].said.endswith("cart-1: newest scrape is 99 s old, and the judge takes none over 30 s")
    assert found[0].mend == "scrape more often, or raise judge.stale"
