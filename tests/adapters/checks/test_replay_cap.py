"""A replay that its rate, or a cap on it, leaves little room: what was not sent is no pass."""

import pytest

from adapters.checks.finding import Finding
from adapters.checks.replay.headers import header_fault
from adapters.checks.replay.plan import per_second
from tests.adapters.checks.replay_support import ANSWERS, CART, Answering, partial, service

CAP = "the most that partial staging may"
FEW = "too few to say anything: raise deadline or rate_share"


@pytest.mark.parametrize(
    ("recorded", "production_rps", "passed", "said"),
    [
        (120, 6.99532, False, f"2 of 120 requests had room in 30 s at 0.07/s, {CAP}: {FEW}"),
        (120, 45.0, False, f"11 of 120 requests had room in 30 s at 0.45/s, {CAP}: {FEW}"),
        (120, 46.0, True, f"12 of 12 answers as recorded; sent at 0.46/s, {CAP}; 108 not sent as 30 s at 0.46/s have"),
        (1_000, 78.0, False, f"19 of 1,000 requests had room in 30 s at 0.78/s, {CAP}: {FEW}"),
        (1_000, 80.0, True, f"20 of 20 answers as recorded; sent at 0.8/s, {CAP}; 980 not sent as 30 s at 0.8/s have"),
        (5, 20.0, True, f"5 of 5 answers as recorded; sent at 0.2/s, {CAP}"),
    ],
)
async def test_a_cap_that_leaves_room_for_only_a_few_says_nothing_and_is_no_pass(
    tape, peers, play, recorded: int, production_rps: float, passed: bool, said: str
) -> None:
    host = Answering(ANSWERS)
    capped = service((await peers.talking(host),), rules=partial(rate_share=0.01))
    check = tape.check(tape.lines(*[CART] * recorded), rps=10.0)
    found = await play(check, capped, production_rps)
    assert found == Finding(passed, found.detail)
    assert found.detail.startswith(said)
    assert bool(host.heard) is passed


@pytest.mark.parametrize(
    ("recorded", "passed", "said"),
    [
        (
            1_000,
            False,
            "13 of 1,000 requests had room in 30 s at 0.5/s: too few to say anything: raise deadline or rps",
        ),
        (120, True, "13 of 13 answers as recorded; 107 not sent as 30 s at 0.5/s have no room for them"),
    ],
)
async def test_a_rate_of_its_own_that_has_room_for_only_a_few_is_no_pass_either(
    tape, peers, play, recorded: int, passed: bool, said: str
) -> None:
    host = Answering(ANSWERS)
    found = await play(tape.check(tape.lines(*[CART] * recorded), rps=0.5), service((await peers.talking(host),)))
    assert found == Finding(passed, said)
    assert bool(host.heard) is passed


@pytest.mark.parametrize(
    ("share", "production_rps", "said"),
    [
        (0.01, None, "production's traffic is not known yet, and rate_share caps it: asked again"),
        (0.01, 0.0, "0.01 of production's traffic may be sent, and it has none now: waits for some"),
        (0.0, None, "staging.rate_share is 0, so nothing may be sent: raise it, or do without this check"),
        (0.0, 100.0, "staging.rate_share is 0, so nothing may be sent: raise it, or do without this check"),
    ],
)
async def test_what_the_cap_does_not_let_through_is_not_sent_and_no_pass(
    tape, peers, play, share: float, production_rps: float | None, said: str
) -> None:
    host = Answering(ANSWERS)
    capped = service((await peers.talking(host),), rules=partial(rate_share=share))
    assert await play(tape.check(tape.lines(CART)), capped, production_rps) == Finding(False, said)
    assert host.heard == []


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "X-Forwarded-For", "Accept", "If-Match"]
)
def test_a_header_that_means_something_already_marks_no_request(name: str) -> None:
    assert header_fault(name).endswith("name a header of your own, such as X-Environment")
    assert header_fault("X-Environment") == header_fault("Environment") == ""


def test_rates_are_shown_with_three_digits() -> None:
    assert [per_second(rps) for rps in (0.0699532, 1.0, 12.345, 1234.5)] == ["0.07", "1", "12.3", "1,230"]
