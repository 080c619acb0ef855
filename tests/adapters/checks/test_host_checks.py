"""Staging checks against real servers and real programs."""

import asyncio
import errno
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.checks import command
from adapters.checks.command import filled
from adapters.checks.runner import HostChecks
from pipeline.checks import CheckKind, CheckRule
from pipeline.model import Host, Pool, Service

LONG_S = 30.0


@pytest.fixture
async def checks(clock) -> AsyncIterator[HostChecks]:
    it = HostChecks(clock)
    yield it
    await it.close()


def cart(*addresses: str) -> Service:
    hosts = tuple(Host(f"stg-{n}", address, Pool.STAGING, "fra1") for n, address in enumerate(addresses, 1))
    return Service("cart", (*hosts, Host("cart-1", "127.0.0.1:1", Pool.PRODUCTION, "fra1")), "r1")


def probe(path: str = "/ready", status: int = 200, contains: str = "", deadline_s: float = LONG_S) -> CheckRule:
    return CheckRule("ready", CheckKind.PROBE, path, status, contains, deadline_s=deadline_s)


def program(*arguments: str, deadline_s: float = LONG_S) -> CheckRule:
    return CheckRule("smoke", CheckKind.COMMAND, command=arguments, deadline_s=deadline_s)


def python(code: str, *arguments: str, deadline_s: float = LONG_S) -> CheckRule:
    return program(sys.executable, "-c", code, *arguments, deadline_s=deadline_s)


async def test_a_probe_asks_every_staging_host_and_no_other(checks, peers, http_answer, clock) -> None:
    addresses = [await peers.answering(lambda *_: http_answer(200, "migrations: done")) for _ in range(2)]
    result = await checks.run(probe(contains="migrations: done"), cart(*addresses), "r2")
    assert (result.name, result.passed, result.detail) == ("ready", True, "200 from stg-1, stg-2")
    assert result.at == clock.now()
    assert peers.requests == [("GET", "/ready")] * 2


@pytest.mark.parametrize(
    ("rule", "status", "body", "detail"),
    [
        (probe(), 503, "", "stg-2: 503, expected 200; 1 of 2 passed"),
        (probe(), 302, "", "stg-2: 302, expected 200; 1 of 2 passed"),
        (
            probe(contains="ok"),
            200,
            "migrations: \x1b[31mpending\n",
            'stg-2: 200 without "ok": "migrations: \ufffd[31mpending"; 1 of 2 passed',
        ),
        (probe(contains="ok"), 200, "", 'stg-2: 200 without "ok": an empty body; 1 of 2 passed'),
    ],
)
async def test_one_host_that_answers_otherwise_fails_the_probe(
    checks, peers, http_answer, rule: CheckRule, status: int, body: str, detail: str
) -> None:
    good = await peers.answering(lambda *_: http_answer(200, "ok"))
    bad = await peers.answering(lambda *_: http_answer(status, body))
    result = await checks.run(rule, cart(good, bad), "r2")
    assert (result.passed, result.detail) == (False, detail)


async def test_a_probe_may_ask_for_another_status_than_200(checks, peers, http_answer) -> None:
    address = await peers.answering(lambda *_: http_answer(401, ""))
    assert (await checks.run(probe(status=401), cart(address), "r2")).passed


def wanting(**fields: object) -> CheckRule:
    return replace(probe(), **fields)


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (wanting(headers={"x-build": "r2"}), None),
        (wanting(headers={"X-Build": "r2", "content-length": ""}), None),
        (wanting(headers={"x-build": "r3"}), '200 with x-build "r2", expected "r3"'),
        (wanting(headers={"x-other": ""}), "200 without header x-other"),
        (wanting(within_s=0.5), None),
        (wanting(within_s=0.25), "200 after 300 ms, expected within 250 ms"),
    ],
)
async def test_a_probe_may_ask_for_headers_and_for_an_answer_in_time(
    checks, peers, http_answer, clock, rule: CheckRule, wrong: str | None
) -> None:
    def reply(*_: object) -> bytes:
        clock.elapsed_s += 0.3
        return http_answer(200, "ok", "X-Build: r2\r\n")

    result = await checks.run(rule, cart(await peers.answering(reply)), "r2")
    detail = "200 from stg-1" if wrong is None else f"stg-1: {wrong}; 0 of 1 passed"
    assert (result.passed, result.detail) == (wrong is None, detail)


async def test_a_check_for_a_person_is_never_passed_here(checks) -> None:
    result = await checks.run(CheckRule("look", CheckKind.MANUAL), cart("127.0.0.1:1"), "r2")
    assert (result.passed, result.detail) == (False, "a person looks at it: pithead attest cart look")


async def test_hosts_that_do_not_answer_fail_the_probe_with_their_reason(checks, peers) -> None:
    service = cart(
        await peers.refusing(), await peers.answering(lambda *_: None), await peers.saying(b"\x00" * 100_000)
    )
    result = await checks.run(probe(deadline_s=0.2), service, "r2")
    assert not result.passed
    assert result.detail.startswith("stg-1: refused; stg-2: no answer in 0.2 s; stg-3: malformed answer: ")
    assert result.detail.endswith("0 of 3 passed")


async def test_without_a_staging_host_nothing_passes(checks) -> None:
    for rule in (probe(), program("true")):
        result = await checks.run(rule, cart(), "r2")
        assert (result.passed, result.detail) == (False, "cart has no staging host to check")


async def test_a_revision_that_is_no_name_is_not_checked(checks) -> None:
    assert not (await checks.run(program("true"), cart("127.0.0.1:1"), "-rf")).passed


async def test_a_command_passes_with_exit_0_and_its_last_words_are_kept(checks) -> None:
    result = await checks.run(python("print('one'); print('12 passed\\n')"), cart("127.0.0.1:1"), "r2")
    assert (result.passed, result.detail) == (True, "exit 0: 12 passed")


async def test_a_command_fails_with_any_other_status(checks) -> None:
    result = await checks.run(python("import sys; sys.exit('3 \\x1b[31mfailed')"), cart("127.0.0.1:1"), "r2")
    assert (result.passed, result.detail) == (False, "exit 1: 3 \ufffd[31mfailed")


async def test_the_last_lines_of_a_command_are_kept_where_it_failed(checks) -> None:
    code = "import sys; print(*range(30), sep='\\n\\n'); print('\\x1b[31mred'); sys.exit(int(sys.argv[1]))"
    result = await checks.run(python(code, "1"), cart("127.0.0.1:1"), "r2")
    assert result.output == (*map(str, range(11, 30)), "\ufffd[31mred")
    assert (await checks.run(python(code, "0"), cart("127.0.0.1:1"), "r2")).output == ()


async def test_a_command_that_dies_by_a_signal_fails(checks) -> None:
    result = await checks.run(python("import os; os.kill(os.getpid(), 15)"), cart("127.0.0.1:1"), "r2")
    assert (result.passed, result.detail) == (False, "ended by SIGTERM")


async def test_arguments_are_filled_one_by_one_and_never_read_by_a_shell(checks) -> None:
    code = "import sys; print(sys.argv[1:])"
    rule = python(code, "{service}@{revision}", "{hosts}", "$(id); {other} 'x'")
    result = await checks.run(rule, cart("127.0.0.1:1", "127.0.0.1:2"), "r2")
    assert result.detail == """exit 0: ['cart@r2', '127.0.0.1:1,127.0.0.1:2', "$(id); {other} 'x'"]"""


def test_what_is_filled_in_is_not_filled_again() -> None:
    filling = {"revision": "{service}", "service": "cart", "hosts": ""}
    assert filled('{revision} {"a": 1} {}', filling) == '{service} {"a": 1} {}'


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        (("/nonexistent/smoke",), "/nonexistent/smoke cannot be run: No such file or directory"),
        (("/",), "/ cannot be run: Permission denied"),
        (("echo", "a\0b"), "echo cannot be run: embedded null byte"),
        ((), "no command to run"),
    ],
)
async def test_a_command_that_cannot_be_run_fails(checks, arguments: tuple[str, ...], detail: str) -> None:
    result = await checks.run(program(*arguments), cart("127.0.0.1:1"), "r2")
    assert (result.passed, result.detail) == (False, detail)


async def test_a_commands_environment_has_nothing_of_ours(checks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITHEAD_SECRET", "x")
    result = await checks.run(python("import os; print('PITHEAD_SECRET' in os.environ)"), cart("127.0.0.1:1"), "r2")
    assert result.detail == "exit 0: False"


async def test_a_flood_of_output_is_read_and_only_its_end_kept(checks) -> None:
    code = "import sys; sys.stdout.write('x' * 3_000_000 + '\\n' + 'y' * 100_000)"
    result = await checks.run(python(code), cart("127.0.0.1:1"), "r2")
    assert result.passed
    assert result.detail == f"exit 0: {'y' * 197}..."


HOLDS_A_CONNECTION = """
import os, signal, socket, sys
line = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
child = not os.fork()
line.send(b"x")
if sys.argv[2] == "wait" or child:
    signal.pause()
line.recv(1)
"""


async def test_a_command_that_goes_on_past_the_deadline_is_ended_and_fails(checks) -> None:
    code = "import signal; signal.signal(15, signal.SIG_IGN); signal.pause()"
    result = await checks.run(python(code, deadline_s=0.2), cart("127.0.0.1:1"), "r2")
    assert (result.passed, result.detail) == (False, "not done in 0.2 s, ended")


async def test_what_a_command_leaves_behind_is_ended_with_it(checks, peers) -> None:
    """Two processes hold one connection: it closes when both are gone."""
    gone = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        writer.write(b"go")
        try:
            await reader.read()
        finally:
            gone.set()

    port = (await peers.talking(hold)).split(":")[1]
    result = await checks.run(python(HOLDS_A_CONNECTION, port, "end"), cart("127.0.0.1:1"), "r2")
    assert (result.passed, result.detail) == (True, "exit 0")
    async with asyncio.timeout(LONG_S):
        await gone.wait()


async def test_a_machine_short_of_descriptors_fails_the_check(checks, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> tuple[int, int]:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "pipe", none_left)
    result = await checks.run(program("true"), cart("127.0.0.1:1"), "r2")
    assert (result.passed, result.detail) == (False, "cannot be run: Too many open files")


async def test_a_program_that_left_the_session_does_not_hold_the_check_up(
    checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "DRAIN_S", 0.05)
    code = """
import os, signal, sys
told, tell = os.pipe()
if pid := os.fork():
    os.read(told, 1)
    print(pid)
else:
    os.setsid()
    os.write(tell, b"x")
    signal.pause()
"""
    result = await checks.run(python(code), cart("127.0.0.1:1"), "r2")
    assert result.passed
    os.kill(int(result.detail.removeprefix("exit 0: ")), signal.SIGKILL)


async def test_a_check_that_is_given_up_ends_its_command(checks, peers) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def hold(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        begun.set()
        try:
            await reader.read()
        finally:
            gone.set()

    port = (await peers.talking(hold)).split(":")[1]
    running = asyncio.create_task(checks.run(python(HOLDS_A_CONNECTION, port, "wait"), cart("127.0.0.1:1"), "r2"))
    async with asyncio.timeout(LONG_S):
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await gone.wait()
