"""Hosts from real files and real programs, whole or broken."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discovery import file_sd
from adapters.discovery.command import CommandTargets
from adapters.discovery.file_sd import FileTargets
from adapters.discovery.found import Found, SourceFault, listed
from adapters.discovery.labels import LabelNames, Target
from adapters.discovery.prometheus import PrometheusTargets
from adapters.discovery.sd_json import LIMIT, hosts_in
from adapters.metrics.source import Matcher, Op
from pipeline.model import Host, Pool
from pipeline.text import is_identifier, plain
from pithead.clock import SystemClock

LONG_S = 30.0
WEB_1 = Host("web-1", "10.0.0.1:7077", Pool.PRODUCTION, "fra1")


def group(*targets: str, **labels: str) -> dict[str, object]:
    return {"targets": list(targets), "labels": {"service": "web", "datacenter": "fra1"} | labels}


def written(*groups: Mapping[str, object]) -> str:
    return json.dumps(groups)


def replaced(path: Path, text: str) -> None:
    """By a rename, as it should be."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.rename(path)


async def found(source: FileTargets | CommandTargets | PrometheusTargets) -> dict[str, tuple[Host, ...]]:
    answer = (await source.look()).answer
    assert isinstance(answer, Found), answer
    return dict(answer.hosts)


async def fault(source: FileTargets | CommandTargets | PrometheusTargets) -> str:
    answer = (await source.look()).answer
    assert isinstance(answer, SourceFault), answer
    return answer.why


def program(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *arguments)


# ---- What the JSON says


def test_labels_become_a_host() -> None:
    labels = {
        "name": "web-1",
        "pool": "staging",
        "region": "eu",
        "country": "de",
        "provider": "acme",
        "ssh": "deploy@web-1",
    }
    answer = hosts_in(written(group("10.0.0.1:7077", **labels)).encode(), LabelNames())
    host = Host("web-1", "10.0.0.1:7077", Pool.STAGING, "fra1", "eu", "de", "acme", "deploy@web-1")
    assert answer == Found({"web": (host,)})


def test_without_a_name_or_a_pool_a_host_is_called_like_its_machine_and_is_of_production() -> None:
    answer = hosts_in(written(group("10.0.0.1:7077", "web-2.example:80")).encode(), LabelNames())
    assert answer == Found(
        {
            "web": (
                Host("10.0.0.1", "10.0.0.1:7077", Pool.PRODUCTION, "fra1"),
                Host("web-2.example", "web-2.example:80", Pool.PRODUCTION, "fra1"),
            )
        }
    )


def test_labels_may_have_other_names_and_pools_other_words() -> None:
    names = LabelNames(
        service="__meta_consul_service",
        name="__meta_consul_node",
        datacenter="__meta_consul_dc",
        pool="env",
        address="agent",
        staging=("stage", "test"),
        production=("prod",),
    )
    labels = {
        "__meta_consul_service": "web",
        "__meta_consul_node": "web-1",
        "__meta_consul_dc": "fra1",
        "agent": "10.0.0.1:7077",
    }
    groups = [{"targets": ["10.0.0.1:9100"], "labels": labels | {"env": env}} for env in ("test", "prod", "production")]
    answer = hosts_in(json.dumps(groups).encode(), names)
    assert isinstance(answer, Found)
    assert [(host.name, host.address, host.pool) for host in answer.hosts["web"]] == [
        ("web-1", "10.0.0.1:7077", Pool.STAGING),
        ("web-1", "10.0.0.1:7077", Pool.PRODUCTION),
    ]
    assert [unsound.why for unsound in answer.unsound] == ['pool "production", expected "stage" or "test" or "prod"']


def test_targets_that_the_matchers_leave_out_are_no_problem() -> None:
    raw = written(group("10.0.0.1:7077", name="web-1", job="web"), {"targets": ["10.0.0.1:9100"]}).encode()
    assert hosts_in(raw, LabelNames(), (Matcher("job", Op.EQUAL, "web"),)) == Found({"web": (WEB_1,)})


@pytest.mark.parametrize(
    ("target", "labels", "why"),
    [
        ("10.0.0.1:7077", {"service": ""}, 'no label "service": set it, or leave such targets out with a matcher'),
        ("10.0.0.1:7077", {"service": "a b"}, 'service "a b" is not a name of letters'),
        ("10.0.0.1:7077", {"service": "-rf"}, 'service "-rf" is not a name of letters'),
        ("10.0.0.1:7077", {"name": "-oProxyCommand=x"}, 'no name of a host: label "name" takes'),
        ("10.0.0.1:7077", {"name": "web\x1b[2J"}, 'no name of a host: label "name" takes'),
        ("[::1]:7077", {}, 'no name of a host: label "name" takes'),
        ("10.0.0.1", {"name": "web-1"}, "the address is not host:port"),
        ("http://10.0.0.1:80", {"name": "web-1"}, "the address is not host:port"),
        ("10.0.0.1:70770", {"name": "web-1"}, "the address is not host:port"),
        ("10.0.0.1:80", {"datacenter": "fra\n1"}, 'datacenter "fra 1" is not a name'),
        ("10.0.0.1:80", {"region": "\u202eeu"}, 'region "\ufffdeu" is not a name'),
        ("10.0.0.1:80", {"pool": "prod"}, 'pool "prod", expected "staging" or "production"'),
        ("10.0.0.1:80", {"ssh": "-oProxyCommand=x"}, 'label "ssh" is not what ssh is called with'),
        ("10.0.0.1:80", {"ssh": "web-1; id"}, 'label "ssh" is not what ssh is called with'),
    ],
)
def test_what_is_wrong_with_one_target_costs_no_other(target: str, labels: dict[str, str], why: str) -> None:
    raw = written(group(target, **labels), group("10.0.0.2:7077", name="web-2")).encode()
    answer = hosts_in(raw, LabelNames())
    assert isinstance(answer, Found)
    assert [host.name for host in answer.hosts["web"]] == ["web-2"]
    (unsound,) = answer.unsound
    assert unsound.why.startswith(why)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", 'empty: expected "[]" where there is no host'),
        (b" \n", 'empty: expected "[]" where there is no host'),
        (b"- targets: [a]", "not the JSON of file_sd: "),
        (b"{}", "not the JSON of file_sd: Expected `array`, got `object`"),
        (b'[{"labels": {}}]', "not the JSON of file_sd: Object missing required field `targets`"),
        (b'[{"targets": ["a:1"], "labels": {"n": 1}}]', "not the JSON of file_sd: Expected `str`, got `int`"),
        (b"[" * 100_000, "not the JSON of file_sd: "),
        (b"[" + b" " * LIMIT + b"]", "more than 4 MiB: split it, or leave hosts of others out"),
    ],
)
def test_what_is_no_list_of_targets_is_a_fault(raw: bytes, why: str) -> None:
    answer = hosts_in(raw, LabelNames())
    assert isinstance(answer, SourceFault)
    assert answer.why.startswith(why)


TEXTS = st.text(max_size=30) | st.sampled_from(
    ["web", "-x", "10.0.0.1:80", "[::1]:80", "staging", "\x1b[2J", "a" * 300]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
LABELS = st.sampled_from(["service", "name", "datacenter", "pool", "region", "ssh"]) | TEXTS
GROUPS = st.lists(
    st.fixed_dictionaries({"targets": st.lists(TEXTS, max_size=4), "labels": st.dictionaries(LABELS, TEXTS)}),
    max_size=4,
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_a_file_holds_is_hosts_or_a_fault(raw: bytes) -> None:
    answer = hosts_in(raw, LabelNames())
    if isinstance(answer, SourceFault):
        assert plain(answer.why) == answer.why


@settings(max_examples=50)
@given(GROUPS)
def test_every_host_that_is_read_is_safe_to_show_and_to_call(groups: list[dict[str, object]]) -> None:
    answer = hosts_in(json.dumps(groups).encode(), LabelNames())
    if isinstance(answer, SourceFault):
        return
    for service, hosts in answer.hosts.items():
        assert is_identifier(service)
        assert hosts
        for host in hosts:
            assert is_identifier(host.name)
            assert all(is_identifier(place) for place in (host.datacenter, host.region) if place)
            assert not host.ssh.startswith("-")
            assert host.address.isascii()
    for unsound in answer.unsound:
        assert plain(unsound.why) == unsound.why
        assert plain(unsound.address) == unsound.address


@settings(max_examples=50)
@given(GROUPS.filter(bool), st.data())
def test_the_beginning_of_a_file_is_never_taken_for_the_whole(groups: list[dict[str, object]], data) -> None:
    raw = json.dumps(groups).encode()
    cut = data.draw(st.integers(0, len(raw) - 1))
    assert isinstance(hosts_in(raw[:cut], LabelNames()), SourceFault)


def test_a_long_list_is_counted() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(number) for number in range(1_006)]) == "0, 1, 2, 3, 4, 5 and 1,000 more"


# ---- Files


async def test_a_file_replaced_by_a_rename_is_picked_up(tmp_path: Path) -> None:
    path = tmp_path / "hosts.json"
    path.write_text(written(group("10.0.0.1:7077", name="web-1")))
    source = FileTargets(path, SystemClock())
    assert await found(source) == {"web": (WEB_1,)}
    replaced(path, written(group("10.0.0.2:7077", name="web-2")))
    assert [host.name for host in (await found(source))["web"]] == ["web-2"]


async def test_a_file_that_did_not_change_is_not_read_again_and_gives_the_same_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock
) -> None:
    read = 0

    def counting(raw: bytes, names: LabelNames, matchers: Sequence[Matcher]) -> Found | SourceFault:
        nonlocal read
        read += 1
        return hosts_in(raw, names, matchers)

    monkeypatch.setattr(file_sd, "hosts_in", counting)
    path = tmp_path / "hosts.json"
    path.write_text(written(group("10.0.0.1:7077", name="web-1")))
    source = FileTargets(path, clock)
    looks = []
    for _ in range(3):
        looks.append(await source.look())
        await clock.sleep(10)
    assert read == 1
    assert all(look.answer is looks[0].answer for look in looks)
    assert [look.at_s for look in looks] == [1_000.0, 1_010.0, 1_020.0]
    path.write_text("broken")
    for _ in range(2):
        assert (await fault(source)).startswith("not the JSON of file_sd")
    assert read == 2


async def test_a_file_changed_a_moment_ago_is_read_again_though_nothing_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "hosts.json"
    path.write_text(written(group("10.0.0.1:7077", name="web-1")))
    source = FileTargets(path, SystemClock())
    await found(source)
    earlier = path.stat()
    with path.open("r+") as file:
        file.write(written(group("10.0.0.1:7077", name="web-9")))
    os.utime(path, ns=(earlier.st_atime_ns, earlier.st_mtime_ns))
    assert [host.name for host in (await found(source))["web"]] == ["web-9"]


async def test_a_half_written_file_is_a_fault_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "hosts.json"
    whole = written(group("10.0.0.1:7077", name="web-1"))
    source = FileTargets(path, SystemClock())
    with path.open("w") as file:
        file.write(whole[:40])
        file.flush()
        assert (await fault(source)).startswith("not the JSON of file_sd")
        file.write(whole[40:])
        file.flush()
        assert await found(source) == {"web": (WEB_1,)}


async def test_what_is_no_file_to_trust_is_a_fault_and_never_hangs(tmp_path: Path, clock) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    anyones = tmp_path / "anyones.json"
    anyones.write_text("[]")
    anyones.chmod(0o666)
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(LIMIT + 1)
    for path, why in (
        (tmp_path / "none.json", "No such file or directory"),
        (tmp_path, "not a file"),
        (pipe, "not a file"),
        (anyones, "anyone on this machine may write it: chmod o-w"),
        (large, "more than 4 MiB: split it, or leave hosts of others out"),
        (Path("a\0b"), "embedded null byte"),
    ):
        assert await fault(FileTargets(path, clock)) == why


async def test_a_file_that_may_be_trusted_again_is_read_again(tmp_path: Path, clock) -> None:
    path = tmp_path / "hosts.json"
    path.write_text(written(group("10.0.0.1:7077", name="web-1")))
    source = FileTargets(path, clock)
    await found(source)
    path.chmod(0o666)
    await fault(source)
    path.chmod(0o644)
    assert await found(source) == {"web": (WEB_1,)}


# ---- Commands


async def test_a_command_is_run_again_only_when_it_is_time(tmp_path: Path, clock) -> None:
    counter = tmp_path / "runs"
    code = (
        "import json, pathlib, sys; p = pathlib.Path(sys.argv[1]); n = len(p.read_text()) if p.exists() else 0;"
        "p.write_text('x' * (n + 1)); print(json.dumps([{'targets': [f'10.0.0.{n + 1}:80'],"
        "'labels': {'service': 'web', 'name': '$(id)' if n > 5 else f'web-{n + 1}'}}]))"
    )
    source = CommandTargets(program(code, str(counter)), clock, every_s=60)
    first = await source.look()
    await clock.sleep(59)
    assert await source.look() is first
    assert first.at_s == 1_000.0
    await clock.sleep(1)
    assert [host.name for host in (await found(source))["web"]] == ["web-2"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "no command to run"),
        (("/nonexistent/hosts",), "/nonexistent/hosts cannot be run: No such file or directory"),
        (("echo", "a\0b"), "echo cannot be run: embedded null byte"),
        (program("print('[')"), "not the JSON of file_sd: Input data was truncated"),
        (program("import sys; print('[]'); sys.exit('no \\x1b[31mlogin')"), "exit 1: no \ufffd[31mlogin"),
        (program("import os; print('[]', flush=True); os.kill(os.getpid(), 15)"), "ended by SIGTERM"),
        (program("import sys\nwhile True: sys.stdout.write(' ' * 65536)"), "more than 4 MiB of output"),
    ],
)
async def test_a_command_without_a_whole_answer_is_a_fault(clock, arguments: tuple[str, ...], why: str) -> None:
    assert await fault(CommandTargets(arguments, clock, deadline_s=LONG_S)) == why


async def test_a_command_past_its_deadline_is_ended_with_all_it_started(peers, clock) -> None:
    gone = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            gone.set()

    port = (await peers.talking(hold)).split(":")[1]
    code = (
        "import os, signal, socket, sys; line = socket.create_connection(('127.0.0.1', int(sys.argv[1])));"
        "os.fork(); print('[]', flush=True); signal.pause()"
    )
    source = CommandTargets(program(code, port), clock, deadline_s=0.4)
    assert await fault(source) == "not done in 0.4 s, ended"
    async with asyncio.timeout(LONG_S):
        await gone.wait()


async def test_a_command_gets_nothing_of_our_environment_and_no_input(clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITHEAD_SECRET", "x")
    code = "import os, sys; sys.exit(f'{sys.stdin.read()!r} {\"PITHEAD_SECRET\" in os.environ}')"
    assert await fault(CommandTargets(program(code), clock)) == "exit 1: '' False"


async def test_a_command_floods_its_errors_and_is_read_nevertheless(clock) -> None:
    code = "import sys; sys.stderr.write('x' * 1_000_000); print('[]')"
    assert await found(CommandTargets(program(code), clock)) == {}


def descriptors() -> list[Path]:
    return sorted(Path("/proc/self/fd").iterdir())


async def test_commands_and_files_leave_no_descriptor_behind(clock, tmp_path: Path) -> None:
    await CommandTargets(program("print('[]')"), clock).look()
    before = descriptors()
    for arguments in (program("print('[]')"), ("/nonexistent/hosts",), program("import sys; sys.exit(1)")):
        await CommandTargets(arguments, clock).look()
    for path in (tmp_path, tmp_path / "none.json"):
        await FileTargets(path, clock).look()
    await asyncio.sleep(0)
    assert descriptors() == before


# ---- Prometheus


def asked(answer: Callable[[], Sequence[Target]]) -> Callable[[], "asyncio.Future[Sequence[Target]]"]:
    async def ask() -> Sequence[Target]:
        return answer()

    return ask  # type: ignore[return-value]


async def test_what_prometheus_scrapes_becomes_hosts(clock) -> None:
    labels = {"service": "web", "datacenter": "fra1", "name": "web-1", "job": "web"}
    targets: list[Target] = [
        (labels, "10.0.0.1:7077"),
        (labels, "http://us:pass@10.0.0.1:7077/metrics"),
        (labels | {"job": "node"}, "10.0.0.1:9100"),
        (labels | {"name": "web-2"}, "http://[::1/"),
    ]
    source = PrometheusTargets(asked(lambda: targets), clock, matchers=(Matcher("job", Op.EQUAL, "web"),))
    answer = (await source.look()).answer
    assert isinstance(answer, Found)
    assert answer.hosts == {"web": (WEB_1,)}
    assert [unsound.address for unsound in answer.unsound] == ["http://[::1/"]


async def test_prometheus_is_asked_again_only_when_it_is_time(clock) -> None:
    times = 0

    def answer() -> Sequence[Target]:
        nonlocal times
        times += 1
        return ()

    source = PrometheusTargets(asked(answer), clock, every_s=30)
    await source.look()
    await clock.sleep(29)
    await source.look()
    assert times == 1
    await clock.sleep(1)
    await source.look()
    assert times == 2


async def test_a_prometheus_that_fails_hangs_or_floods_is_a_fault(clock) -> None:
    def broken() -> Sequence[Target]:
        raise RuntimeError("503 from \x1b[2Jprometheus")

    async def hangs() -> Sequence[Target]:
        return await asyncio.Future()

    assert await fault(PrometheusTargets(asked(broken), clock)) == "503 from \ufffd[2Jprometheus"
    assert await fault(PrometheusTargets(hangs, clock, deadline_s=0.05)) == "no answer in 0.05 s"
    many: list[Target] = [({}, "a:1")] * 100_001
    assert (await fault(PrometheusTargets(asked(lambda: many), clock))).startswith("100,001 targets, at most 100,000")
