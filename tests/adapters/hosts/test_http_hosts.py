"""Hosts over the agent protocol: a good agent, and every bad one."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from adapters.hosts.agent import AgentLedger
from adapters.hosts.http import HttpHosts
from pipeline.events import Intent, Result
from pipeline.model import Host, Pool
from pipeline.observed import HostFault, HostState

LONG_S = 30.0
GOOD = {"version": 1, "host": "cart-1", "revision": "r1", "healthy": True, "operation": "", "outcome": "none"}


@pytest.fixture
async def hosts(clock) -> AsyncIterator[HttpHosts]:
    fleet = HttpHosts(clock)
    yield fleet
    await fleet.close()


def host(address: str, name: str = "cart-1") -> Host:
    return Host(name, address, Pool.PRODUCTION, "fra1")


def intent(clock, revision: str = "r2", operation: str = "cart-1.forward.cart-1.1") -> Intent:
    return Intent(operation, "cart-1", "cart", "cart-1", revision, clock.now())


class Agent:
    """An agent on a real port that ends a deploy after so many looks at it."""

    def __init__(self, http_answer: Callable[..., bytes], looks: int = 2, result: Result = Result.DONE) -> None:
        self.ledger = AgentLedger("cart-1", "r1")
        self.http_answer = http_answer
        self.looks = looks
        self.result = result
        self.starts = 0

    def __call__(self, method: str, path: str, body: bytes) -> bytes:
        state = self.ledger.state().body
        if method == "GET" and state["outcome"] == "running":
            self.looks -= 1
            if self.looks == 0:
                self.ledger.finish(str(state["operation"]), self.result, "as told")
        answer = self.ledger.answer(method, path, body)
        self.starts += answer.start is not None
        return self.http_answer(answer.status, answer.encoded())


async def test_an_agents_state_is_what_it_says(hosts, peers, http_answer, clock) -> None:
    agent = Agent(http_answer)
    address = await peers.answering(agent)
    assert await hosts.states([host(address)], LONG_S) == {"cart-1": HostState(clock.monotonic(), "r1", True)}
    agent.ledger.healthy = False
    agent.ledger.detail = "restarting\x1b[2J"
    seen = (await hosts.states([host(address)], LONG_S))["cart-1"]
    assert seen == HostState(clock.monotonic(), "r1", False, detail="restarting\ufffd[2J")


async def test_every_host_has_an_entry_whatever_the_others_do(hosts, peers, http_answer) -> None:
    good = await peers.answering(Agent(http_answer))
    fleet = [
        host(good),
        host(await peers.refusing(), "cart-2"),
        host(await peers.answering(lambda *_: None), "cart-3"),
        host(await peers.saying(b"\x00\xff garbage\r\n"), "cart-4"),
        host(good, "cart-5"),
    ]
    seen = await hosts.states(fleet, 0.2)
    assert list(seen) == ["cart-1", "cart-2", "cart-3", "cart-4", "cart-5"]
    assert isinstance(seen["cart-1"], HostState)
    whys = [fault.why for fault in seen.values() if isinstance(fault, HostFault)]
    assert whys == [
        "refused",
        "no answer in 0.2 s",
        'malformed answer: not HTTP: "\ufffd\ufffd garbage"',
        f"malformed state: {good} answers as cart-1",
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (GOOD | {"version": 2, "healthy": "perhaps"}, "speaks protocol version 2, not 1"),
        (GOOD | {"version": "1"}, "malformed state"),
        (GOOD | {"healthy": 1}, "Expected `bool`"),
        (GOOD | {"healthy": None}, "Expected `bool`"),
        (GOOD | {"revision": None}, "Expected `str`"),
        (GOOD | {"revision": "\x1b[31mr1"}, 'revision "\ufffd[31mr1"'),
        (GOOD | {"revision": "r" * 100_000}, "a body of more than 0.0625 MiB"),
        (GOOD | {"revision": "r" * 101}, "revision"),
        (GOOD | {"operation": "-x"}, 'operation "-x"'),
        (GOOD | {"outcome": "splendid"}, "splendid"),
        (GOOD | {"host": "search-9\n"}, "answers as search-9 "),
        ({"version": 1}, "missing required field"),
        ({}, "missing required field `version`"),
    ],
)
async def test_a_state_that_is_not_the_protocols_is_a_fault(hosts, peers, http_answer, body, why: str) -> None:
    address = await peers.answering(lambda *_: http_answer(200, body))
    seen = (await hosts.states([host(address)], LONG_S))["cart-1"]
    assert isinstance(seen, HostFault)
    assert why in seen.why


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"<html>",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"version": 1, "host": "cart-1", "revision": "r1", "healthy": NaN}',
        b'{"version": 1, "host": "cart-1", "revision": "r1", "healthy": true} and more',
        b'{"version": 1, "host": "\xff", "revision": "r1", "healthy": true}',
        b'{"version": ' + b"1" * 5_000 + b"}",
    ],
)
async def test_rubbish_is_a_fault(hosts, peers, http_answer, raw: bytes) -> None:
    address = await peers.answering(lambda *_: http_answer(200, raw))
    seen = (await hosts.states([host(address)], LONG_S))["cart-1"]
    assert isinstance(seen, HostFault)
    assert seen.why.startswith("malformed state: ")


async def test_a_status_other_than_200_is_a_fault(hosts, peers, http_answer) -> None:
    address = await peers.answering(lambda *_: http_answer(503, json.dumps(GOOD)))
    assert (await hosts.states([host(address)], LONG_S))["cart-1"].why == "HTTP 503"


async def test_a_host_on_which_nothing_runs_is_not_healthy(hosts, peers, http_answer) -> None:
    address = await peers.answering(lambda *_: http_answer(200, GOOD | {"revision": ""}))
    seen = (await hosts.states([host(address)], LONG_S))["cart-1"]
    assert (seen.revision, seen.healthy) == ("", False)


@pytest.mark.parametrize("result", [Result.DONE, Result.FAILED])
async def test_a_deploy_returns_with_the_hosts_own_outcome(hosts, peers, http_answer, clock, result: Result) -> None:
    agent = Agent(http_answer, looks=3, result=result)
    address = await peers.answering(agent)
    outcome = await hosts.deploy(host(address), intent(clock), 1, 20.0)
    assert (outcome.operation, outcome.result, outcome.detail) == ("cart-1.forward.cart-1.1", result, "as told")
    assert agent.ledger.revision == ("r2" if result is Result.DONE else "r1")
    assert outcome.at == clock.now()


async def test_a_repeated_deploy_gives_the_first_outcome_and_begins_nothing(hosts, peers, http_answer, clock) -> None:
    agent = Agent(http_answer)
    address = await peers.answering(agent)
    first = await hosts.deploy(host(address), intent(clock), 1, 20.0)
    again = await hosts.deploy(host(address), intent(clock), 1, 20.0)
    assert replace(again, at=first.at) == first
    assert agent.starts == 1


async def test_a_deploy_whose_answer_is_lost_is_asked_again_and_begins_once(hosts, peers, http_answer, clock) -> None:
    agent = Agent(http_answer)
    puts = 0

    def lossy(method: str, path: str, body: bytes) -> bytes:
        nonlocal puts
        answer = agent(method, path, body)
        puts += method == "PUT"
        return http_answer(502, "lost") if method == "PUT" and puts < 3 else answer

    outcome = await hosts.deploy(host(await peers.answering(lossy)), intent(clock), 1, 20.0)
    assert (outcome.result, puts, agent.starts) == (Result.DONE, 3, 1)


async def test_a_host_that_never_ends_is_unknown_after_the_deadline(hosts, peers, http_answer, clock) -> None:
    address = await peers.answering(Agent(http_answer, looks=10**6))
    began = clock.monotonic()
    outcome = await hosts.deploy(host(address), intent(clock), 1, 20.0)
    assert (outcome.result, outcome.detail) == (Result.UNKNOWN, "no outcome in 20 s: still running")
    assert clock.monotonic() - began == pytest.approx(20.0)


async def test_a_host_lost_in_mid_deploy_is_unknown_never_done_never_failed(hosts, peers, http_answer, clock) -> None:
    agent = Agent(http_answer)
    address = await peers.answering(lambda m, p, b: agent(m, p, b) if m == "PUT" else http_answer(500, "gone"))
    outcome = await hosts.deploy(host(address), intent(clock), 1, 5.0)
    assert (outcome.result, outcome.detail) == (Result.UNKNOWN, "no outcome in 5 s: HTTP 500")


async def test_an_agent_that_has_lost_its_memory_is_unknown(hosts, peers, http_answer, clock) -> None:
    agent = Agent(http_answer)
    address = await peers.answering(lambda m, p, b: agent(m, p, b) if m == "PUT" else http_answer(200, GOOD))
    outcome = await hosts.deploy(host(address), intent(clock), 1, 5.0)
    assert (outcome.result, outcome.detail) == (Result.UNKNOWN, "the host now tells of no operation")


async def test_a_host_that_takes_no_connection_has_failed_with_nothing_done(hosts, peers, clock) -> None:
    began = clock.monotonic()
    outcome = await hosts.deploy(host(await peers.refusing()), intent(clock), 1, 120.0)
    assert (outcome.result, outcome.detail) == (Result.FAILED, "nothing done: refused")
    assert clock.monotonic() - began == pytest.approx(10.0)


async def test_an_older_controller_is_refused(hosts, peers, http_answer, clock) -> None:
    agent = Agent(http_answer)
    address = await peers.answering(agent)
    await hosts.deploy(host(address), intent(clock), 7, 20.0)
    late = await hosts.deploy(host(address), intent(clock, "r3", "cart-1.forward.cart-1.2"), 6, 20.0)
    assert late.result is Result.FAILED
    assert late.detail == "a newer controller has taken over: HTTP 412: token 6 is older than 7"
    assert agent.ledger.revision == "r2"


async def test_a_busy_host_is_waited_for(hosts, peers, http_answer, clock) -> None:
    agent = Agent(http_answer)
    begun = agent.ledger.deploy(
        json.dumps(
            {"version": 1, "operation": "cart-1.forward.cart-1.1", "host": "cart-1", "revision": "r2", "token": 1}
        ).encode()
    )
    assert begun.status == 202
    puts = 0

    def busy(method: str, path: str, body: bytes) -> bytes:
        nonlocal puts
        puts += method == "PUT"
        if puts == 3 and agent.starts == 0:
            agent.ledger.finish("cart-1.forward.cart-1.1", Result.DONE)
        return agent(method, path, body)

    outcome = await hosts.deploy(
        host(await peers.answering(busy)), intent(clock, "r1", "cart-1.back.cart-1.1"), 1, 20.0
    )
    assert (outcome.result, puts, agent.ledger.revision) == (Result.DONE, 3, "r1")


async def test_a_host_that_stays_busy_has_failed_with_nothing_done(hosts, peers, http_answer, clock) -> None:
    address = await peers.answering(lambda *_: http_answer(409, {"version": 1, "error": "busy with \x07x"}))
    outcome = await hosts.deploy(host(address), intent(clock), 1, 5.0)
    assert (outcome.result, outcome.detail) == (Result.FAILED, "nothing done: HTTP 409: busy with \ufffdx")


@pytest.mark.parametrize("status", [400, 404, 405, 421])
async def test_a_refusal_by_the_host_is_a_failure_at_once(hosts, peers, http_answer, clock, status: int) -> None:
    address = await peers.answering(lambda *_: http_answer(status, {"version": 1, "error": "no"}))
    outcome = await hosts.deploy(host(address), intent(clock), 1, 20.0)
    assert (outcome.result, outcome.detail) == (Result.FAILED, f"the host refuses: HTTP {status}: no")
    assert len(peers.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"version": 2, "operation": "cart-1.forward.cart-1.1", "outcome": "done"},
        {"version": 1, "operation": "of-another", "outcome": "done"},
        {"version": 1, "operation": "cart-1.forward.cart-1.1", "outcome": "splendid"},
        {},
    ],
)
async def test_an_answer_that_cannot_be_read_is_never_done(hosts, peers, http_answer, clock, body) -> None:
    address = await peers.answering(lambda *_: http_answer(200, body))
    outcome = await hosts.deploy(host(address), intent(clock), 1, 5.0)
    assert outcome.result is Result.UNKNOWN
    assert "malformed answer" in outcome.detail


RESTART = "cart-1.baseline.cart-1.1"


async def test_a_baselines_operation_restarts_the_revision_that_runs_and_no_other_does(
    hosts, peers, http_answer, clock
) -> None:
    agent = Agent(http_answer)
    address = await peers.answering(agent)
    assert (await hosts.deploy(host(address), intent(clock, "r1"), 1, 20.0)).detail == "ran already"
    assert agent.starts == 0
    outcome = await hosts.deploy(host(address), intent(clock, "r1", RESTART), 1, 20.0)
    assert (outcome.result, agent.starts) == (Result.DONE, 1)
    assert (await hosts.states([host(address)], LONG_S))["cart-1"].result is Result.DONE


async def test_an_agent_that_knows_no_restart_has_not_restarted_whatever_it_says(
    hosts, peers, http_answer, clock
) -> None:
    agent = Agent(http_answer)

    def old(method: str, path: str, body: bytes) -> bytes:
        fields = json.loads(body or "{}")
        fields.pop("restart", None)
        return agent(method, path, json.dumps(fields).encode())

    address = await peers.answering(old)
    outcome = await hosts.deploy(host(address), intent(clock, "r1", RESTART), 1, 20.0)
    assert (outcome.result, agent.starts) == (Result.FAILED, 0)
    assert outcome.detail == "the agent knows no restart, and left the process as it was: ran already"
    seen = (await hosts.states([host(address)], LONG_S))["cart-1"]
    assert (seen.operation, seen.result, seen.detail) == (RESTART, Result.FAILED, outcome.detail)
