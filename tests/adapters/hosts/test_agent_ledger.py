"""The host's end of the agent protocol."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hosts.agent import AgentLedger, Answer, Start
from pipeline.events import Result

HOST = "cart-fra1-1"


def asked(
    operation: str, revision: str = "r2", token: int = 1, host: str = HOST, version: int = 1, **more: object
) -> bytes:
    body = {"version": version, "operation": operation, "host": host, "revision": revision, "token": token}
    return json.dumps(body | more).encode()


def put(ledger: AgentLedger, *args: object, **kwargs: object) -> Answer:
    return ledger.answer("PUT", "/agent/v1/deploy", asked(*args, **kwargs))  # type: ignore[arg-type]


def test_a_deploy_is_taken_runs_and_ends_on_the_new_revision() -> None:
    ledger = AgentLedger(HOST, "r1")
    taken = put(ledger, "op-1")
    assert (taken.status, taken.start) == (202, Start("op-1", "r2"))
    running = ledger.answer("GET", "/agent/v1/state").body
    assert (running["revision"], running["operation"], running["outcome"]) == ("r1", "op-1", "running")
    ledger.finish("op-1", Result.DONE)
    ended = ledger.state().body
    assert (ended["revision"], ended["outcome"], ended["healthy"]) == ("r2", "done", True)


def test_a_repeat_is_answered_with_the_first_outcome_and_never_begun_again() -> None:
    ledger = AgentLedger(HOST, "r1")
    assert put(ledger, "op-1").start is not None
    assert (put(ledger, "op-1").status, put(ledger, "op-1").start) == (202, None)
    ledger.finish("op-1", Result.FAILED, "disk full")
    again = put(ledger, "op-1")
    assert (again.status, again.start, again.body["outcome"], again.body["detail"]) == (
        200,
        None,
        "failed",
        "disk full",
    )
    assert ledger.revision == "r1"


def test_a_repeat_for_another_revision_is_refused() -> None:
    ledger = AgentLedger(HOST, "r1")
    put(ledger, "op-1")
    other = put(ledger, "op-1", "r3")
    assert (other.status, other.body["error"]) == (400, "op-1 was for r2, not r3")


def test_a_lower_token_than_any_seen_is_refused_even_if_that_one_was_only_told_to_wait() -> None:
    ledger = AgentLedger(HOST, "r1")
    put(ledger, "op-1", token=1)
    assert put(ledger, "op-2", token=5).status == 409
    ledger.finish("op-1", Result.DONE)
    late = put(ledger, "op-3", token=4)
    assert (late.status, late.start) == (412, None)
    assert put(ledger, "op-2", "r3", token=5).status == 202


def test_a_revision_that_runs_already_and_is_healthy_is_done_at_once() -> None:
    ledger = AgentLedger(HOST, "r2")
    same = put(ledger, "op-1")
    assert (same.status, same.start, same.body["outcome"]) == (200, None, "done")
    ledger.healthy = False
    assert put(ledger, "op-2").start == Start("op-2", "r2")


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "truncated"),
        (b"[]", 400, "array"),
        (b'{"version": NaN}', 400, "malformed"),
        (b'{"version": 1e999}', 400, ""),
        (b"[" * 100_000, 400, ""),
        (b'{"version": ' + b"9" * 10_000 + b"}", 400, ""),
        (asked("op-1", version=2), 400, "speaks protocol version 2, not 1"),
        (asked("--op"), 400, "must be of"),
        (asked("op-1", "r2; rm -rf"), 400, "must be of"),
        (asked("op-1", "\x1b[2J"), 400, "must be of"),
        (asked("op-1", token=-1), 400, "token out of range"),
        (asked("op-1", token=2**60), 400, "token out of range"),
        (asked("op-1", restart="yes"), 400, "Expected `bool`"),
        (asked("op-1", host="search-1"), 421, "this is cart-fra1-1, not search-1"),
    ],
)
def test_a_request_that_is_not_the_protocols_is_refused_and_changes_nothing(
    body: bytes, status: int, error: str
) -> None:
    ledger = AgentLedger(HOST, "r1")
    before = ledger.state()
    answer = ledger.answer("PUT", "/agent/v1/deploy", body)
    assert answer.status == status
    assert error in str(answer.body["error"])
    assert answer.start is None
    assert ledger.state() == before


def test_other_paths_and_methods_are_refused() -> None:
    ledger = AgentLedger(HOST, "r1")
    assert ledger.answer("GET", "/").status == 404
    assert ledger.answer("PUT", "/agent/v1/state").status == 405
    assert ledger.answer("GET", "/agent/v1/deploy").status == 405


def test_memory_is_bounded_and_the_oldest_operation_goes_first() -> None:
    ledger = AgentLedger(HOST, "r1", remembered=3)
    for n in range(5):
        put(ledger, f"op-{n}", f"r{n}x")
        ledger.finish(f"op-{n}", Result.DONE)
    assert put(ledger, "op-2", "r2x").status == 200
    assert put(ledger, "op-1", "r1x").status == 202


def test_only_the_running_operation_can_end_and_only_as_done_or_failed() -> None:
    ledger = AgentLedger(HOST, "r1")
    with pytest.raises(ValueError, match="is not running"):
        ledger.finish("", Result.DONE)
    put(ledger, "op-1")
    with pytest.raises(ValueError, match="is not running"):
        ledger.finish("op-2", Result.DONE)
    with pytest.raises(ValueError, match="unknown"):
        ledger.finish("op-1", Result.UNKNOWN)
    assert ledger.state().body["outcome"] == "running"


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 4), st.integers(0, 3)),
            st.sampled_from([Result.DONE, Result.FAILED]),
        ),
        max_size=40,
    )
)
def test_no_operation_ever_begins_twice_and_never_two_at_once(
    moves: list[tuple[int, int] | Result],
) -> None:
    ledger = AgentLedger(HOST, "r0")
    begun: list[str] = []
    running = ""
    for move in moves:
        if isinstance(move, Result):
            if running:
                ledger.finish(running, move)
                running = ""
            continue
        number, token = move
        start = put(ledger, f"op-{number}", f"r{number}", token=token).start
        if start is not None:
            assert not running
            running = start.operation
            begun.append(running)
    assert len(begun) == len(set(begun))


def test_an_answers_bytes_are_its_body_as_json() -> None:
    assert json.loads(AgentLedger(HOST, "r1").state().encoded())["host"] == HOST


def test_a_host_that_says_what_it_could_run_refuses_the_rest_and_begins_nothing() -> None:
    ledger = AgentLedger(HOST, "r1", available=("r1", "r2"))
    assert ledger.state().body["available"] == ("r1", "r2")
    refused = put(ledger, "op-1", "r3")
    assert (refused.status, refused.start) == (404, None)
    assert put(ledger, "op-2", "r2").start is not None


def test_a_restart_begins_the_process_anew_once_though_the_revision_runs_already() -> None:
    ledger = AgentLedger(HOST, "r2")
    taken = put(ledger, "op-1", restart=True)
    assert (taken.status, taken.start, taken.body["restart"]) == (202, Start("op-1", "r2"), True)
    assert put(ledger, "op-1", restart=True).start is None
    ledger.finish("op-1", Result.DONE)
    again = put(ledger, "op-1", restart=True)
    assert (again.status, again.start, again.body["outcome"], again.body["restart"]) == (200, None, "done", True)
    assert ledger.state().body["restart"] is True
    assert put(ledger, "op-2").body["detail"] == "ran already"
    assert "restart" not in ledger.state().body
