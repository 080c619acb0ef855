"""Metrics that are read more seldom than hosts are asked: looks follow the metrics, the rest follows the tick."""

from itertools import pairwise

import pytest
from world import Behaviour, Company

from pipeline.commands import Verb
from pipeline.judge.verdict import Verdict
from pipeline.view import State

LOOK_S = 3.0


async def test_a_good_release_settles_on_looks_three_ticks_apart() -> None:
    company = Company(look_s=LOOK_S)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("settled", 400)
    assert company.row.state is State.STEADY
    canary = company.history.looks(company.rollout.id, 0, 0, 1000)
    apart = [(b.at - a.at).total_seconds() for a, b in pairwise(canary)]
    assert canary and set(apart) == {LOOK_S}
    assert {look.look.seconds for look in canary} == {LOOK_S}


async def test_what_a_look_saw_holds_until_the_next_and_is_not_called_missing() -> None:
    company = Company(look_s=LOOK_S)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    seen: list[Verdict] = []
    for _ in range(20):
        await company.ticks(1)
        judgement = company.rollout.judgement
        if judgement is not None:
            seen.append(judgement.verdict)
        assert company.rollout.no_data_s <= LOOK_S
    settled = seen.index(Verdict.PASS)
    assert set(seen[settled:]) == {Verdict.PASS}


async def test_served_requests_are_counted_whole_on_looks_three_ticks_apart() -> None:
    every, seldom = Company(), Company(look_s=LOOK_S)
    for company in (every, seldom):
        await company.ticks(3)
        company.ask(Verb.SUBMIT, "r2")
        await company.until("canary-bake")
        await company.ticks(15)
    assert seldom.rollout.served.seconds == pytest.approx(every.rollout.served.seconds, abs=LOOK_S)
    assert seldom.rollout.served.requests == pytest.approx(every.rollout.served.requests, rel=0.35)


async def test_a_bad_canary_is_rolled_back_at_the_look_that_shows_it() -> None:
    company = Company(look_s=LOOK_S)
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.3)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("rolled-back")
    looks = company.history.looks(company.rollout.id, 0, 0, 1000)
    assert looks[-1].judgement.verdict is Verdict.FAIL
    assert all(look.judgement.verdict is not Verdict.FAIL for look in looks[:-1])


async def test_hosts_that_fall_silent_for_good_are_no_data_however_seldom_they_are_asked() -> None:
    company = Company(look_s=LOOK_S)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    await company.ticks(9)
    for machine in company.world.machines.values():
        machine.metrics_fault = "refused"
    await company.ticks(9)
    judgement = company.rollout.judgement
    assert judgement is not None and judgement.verdict is Verdict.NO_DATA
    assert company.rollout.no_data_s >= LOOK_S
