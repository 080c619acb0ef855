"""Since when a gate is closed that cannot tell by itself."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from world import Company, make_rules

from pipeline.commands import Verb
from pipeline.gates import Answer, Gate
from pipeline.lifecycle import Phase
from pipeline.policy.break_glass import WAITING
from pipeline.service.watched import since_seen

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
TICK = timedelta(seconds=5)


def gate(answer: Answer, since: datetime | None = None) -> Gate:
    return Gate("isolation", answer, "why", since)


def test_a_closed_gate_is_closed_since_it_was_first_seen_so_whatever_it_says_meanwhile() -> None:
    (first,), seen = since_seen((gate(Answer.UNKNOWN),), {}, NOW)
    (later,), _ = since_seen((gate(Answer.FAIL),), seen, NOW + TICK)
    assert first.since == later.since == NOW


def test_a_gate_that_knows_since_when_is_believed_and_one_that_passes_says_nothing() -> None:
    assert since_seen((gate(Answer.HOLD, NOW - TICK),), {}, NOW) == ((gate(Answer.HOLD, NOW - TICK),), {})
    assert since_seen((gate(Answer.PASS),), {"isolation": NOW}, NOW) == ((gate(Answer.PASS),), {})


@given(st.lists(st.sampled_from(Answer), min_size=1, max_size=20))
def test_it_is_the_first_tick_of_the_last_stretch_without_a_pass(answers: list[Answer]) -> None:
    seen: dict[str, datetime] = {}
    for tick, answer in enumerate(answers):
        (shown,), seen = since_seen((gate(answer),), seen, NOW + tick * TICK)
    passes = [tick for tick, answer in enumerate(answers) if answer is Answer.PASS]
    first = passes[-1] + 1 if passes else 0
    assert shown.since == (None if answers[-1] is Answer.PASS else NOW + first * TICK)


async def test_every_gate_that_is_closed_on_the_way_says_since_when_and_whether_break_glass_opens_it() -> None:
    company = Company(make_rules())
    asked: set[str] = set()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    for _ in range(400):
        view = company.controller.service("checkout")
        for one in view.gates:
            if one.answer is not Answer.PASS:
                asked.add(one.name)
                assert one.since is not None, one
                assert one.since <= view.at
                assert ("break-glass" in one.lifts) is (one.name in WAITING), one
        await company.ticks(1)
        if company.rollout.phase is Phase.SETTLED:
            break
    assert {"traffic-cycle", "verdict", "deploy", "soak", "settle"} <= asked


async def test_a_service_at_rest_keeps_since_when_a_host_has_drifted() -> None:
    company = Company(make_rules())
    await company.ticks(3)
    machine = next(iter(company.world.machines.values()))
    machine.revision = "r0"
    await company.ticks(1)
    before = company.world.clock.now()
    for _ in range(20):
        await company.ticks(1)
        drift = next(one for one in company.controller.gate("checkout").gates if one.name == "drift")
        assert drift.answer is Answer.HOLD
        assert drift.since is not None
        assert drift.since <= before
