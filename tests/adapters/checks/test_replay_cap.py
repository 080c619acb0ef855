"""A replay in partial staging that its cap leaves little room: what was not sent is no pass."""

import pytest

from adapters.checks.finding import Finding
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


def test_rates_are_shown_with_three_digits() -> None:
    assert [per_second(rps) for rps in (0.0699532, 1.0, 12.345, 1234.5)] == ["0.07", "1", "12.3", "1,230"]
