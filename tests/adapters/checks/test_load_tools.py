"""Load tests by programs that people have: wrk as it runs here, and what locust printed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.checks.load import Figures, figures
from adapters.checks.runner import HostChecks
from pipeline.checks import CheckKind, CheckRule, LoadRule
from pipeline.docket import Docket
from pipeline.gates import Answer
from pipeline.lifecycle import CheckResult, Phase, Rollout
from pipeline.papers.following import load_tested
from pipeline.policy.load_test import load_test
from tests.adapters.checks.replay_support import LONG_S, service
from tests.adapters.checks.test_replay_docs import blocks
from tests.adapters.conftest import read_request
from tests.neighbours.need import need

LOCUST = Path(__file__).parent / "locust.out"
LIMITS = LoadRule(least_rps=50.0, most_p99_s=0.9, most_errors=0.01)
NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
async def loaded(peers, clock, tmp_path: Path):
    """Load a host by wrk, with the script of docs/replay.md: what the check says of it."""
    script = tmp_path / "load.lua"
    script.write_text(blocks("lua")[0])
    command = (need("wrk"), "-t1", "-c2", "--timeout", "1s", "-s", str(script), "http://{hosts}/")
    checks = HostChecks(clock)

    async def run(address: str, rule: LoadRule = LIMITS, seconds: int = 1) -> CheckResult:
        timed = (*command, f"-d{seconds}s")
        check = CheckRule("rush", CheckKind.LOAD, command=timed, deadline_s=LONG_S, load=rule)
        return await checks.run(check, service((address,)), "r2")

    yield run
    await checks.close()


def gate(result: CheckResult, docket: Docket) -> tuple[Docket, Answer]:
    """The papers that follow from it, and what the gate says to the next build."""
    rollout = Rollout("cart-1", "cart", "r2", "r1", Phase.STAGING_CHECKS, NOW, 1, "mira", NOW, 7)
    papers, _ = load_tested(rollout, result, docket)
    after = docket.with_papers(papers)
    return after, load_test(service(("127.0.0.1:1",)), after, result.at).answer


async def test_a_host_that_holds_passes_and_one_that_fails_its_limits_locks_until_one_passes(
    loaded, peers, http_answer
) -> None:
    status = 503
    address = await peers.answering(lambda *_: http_answer(status, b"ok"))
    bad = await loaded(address)
    assert not bad.passed
    assert bad.detail == "100 % errors, expected at most 1 %"
    assert bad.peak_rps is not None
    assert bad.peak_rps == pytest.approx(len(peers.requests), rel=0.5)
    docket, answer = gate(bad, Docket())
    assert answer is Answer.HOLD
    status = 200
    good = await loaded(address)
    assert good.passed, good.detail
    assert good.detail.endswith(", 0 % errors")
    assert gate(good, docket)[1] is Answer.PASS


async def test_a_host_that_never_answers_fails_whatever_the_limits_are(loaded, peers) -> None:
    found = await loaded(await peers.answering(lambda *_: None), LoadRule(most_p99_s=5.0, most_errors=0.5))
    assert (found.passed, found.detail) == (False, "no request was answered")


async def test_answers_after_the_time_are_errors_and_leave_no_p99_to_pass_by(loaded, peers, http_answer) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            await asyncio.sleep(1.2)
            writer.write(http_answer(200, b"ok"))

    found = await loaded(await peers.talking(talk), replace(LIMITS, least_rps=None), seconds=2)
    assert not found.passed
    assert found.detail.startswith("no p99 in its JSON, expected at most 900 ms")
    assert found.detail.endswith("; 100 % errors, expected at most 1 %")


async def test_a_host_where_nobody_listens_fails_with_the_words_of_the_tool(loaded, peers) -> None:
    address = await peers.refusing()
    found = await loaded(address)
    assert (found.passed, found.detail) == (False, f"exit 1: unable to connect to {address} Connection refused")


def test_what_locust_prints_has_its_own_figures_in_it() -> None:
    raw = LOCUST.read_bytes()
    found = figures(raw)
    assert found is not None
    # Of its table: 247 requests, 18 of them failed, 88.26 a second, p99 55 ms.
    assert found.rps == pytest.approx(88.26, rel=0.01)
    assert (found.p99_s, found.errors) == (0.055, 18 / 247)


def test_locust_that_got_no_answer_prints_an_empty_list_and_that_is_no_pass() -> None:
    assert figures(b"vm/INFO/locust.main: Shutting down (exit code 0)\n[]\nType     Name\n") == Figures(rps=0.0)
