"""A release that a person must free does not look as if it moved; what may not begin says why, also at rest."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from world import MIRA, START, Company, make_rules

from pipeline.commands import Refused, Stretch, Verb
from pipeline.docket import LockCause
from pipeline.events import Who
from pipeline.gates import Answer, Gate
from pipeline.lifecycle import Phase
from pipeline.model import BudgetRules, Freeze, FrequencyRules, TrafficCycle
from pipeline.showing.present import row
from pipeline.view import Deploy, ServiceRow, State

ANA = Who("ana", 1001)
AHEAD = timedelta(hours=2)
LONG = make_rules(cycle=TrafficCycle(duration_s=3_600, requests=1, peak_ratio=0.0))


async def in_canary(company: Company) -> Company:
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    return company


async def shown(company: Company, *gates: Gate) -> ServiceRow:
    """The row, with these gates in place of the controller's."""
    station = company.controller._stations["checkout"]
    station.gates = gates
    return row(station, company.world.clock.now(), company.world.clock.monotonic())


async def test_a_locked_canary_is_blocked_says_the_lock_first_and_that_it_still_bakes() -> None:
    company = await in_canary(Company(LONG))
    assert company.row.state is State.BAKE
    company.ask(Verb.LOCK, reason="the database moves tonight")
    await company.ticks(2)
    assert company.row.state is State.BLOCK
    assert company.row.why.startswith(
        "lock: lock-1: locked by mira at 2026-03-02 09:00 UTC: the database moves tonight"
    )
    assert "; bake " in company.row.why
    assert company.row.wait_s is None
    company.ask(Verb.UNLOCK)
    await company.ticks(2)
    assert company.row.state is State.BAKE
    company.ask(Verb.LOCK, reason="tonight", end=company.world.clock.now() + 2 * AHEAD)
    await company.ticks(1)
    assert 3_600 < (company.row.wait_s or 0) <= 14_400


async def test_what_only_requests_are_missing_for_is_not_said_to_go_on_in_no_time() -> None:
    company = await in_canary(Company(make_rules(cycle=TrafficCycle(duration_s=20, requests=10**9, peak_ratio=0.0))))
    assert (company.row.wait_s or 0) > 0
    await company.ticks(30)
    assert company.row.state is State.BAKE
    assert company.row.wait_s is None


@pytest.mark.parametrize("name", ["lock", "load-test", "payback", "budget", "coverage", "freeze", "canary-overlap"])
async def test_a_gate_of_the_door_blocks_once_nothing_else_is_waited_for(name: str) -> None:
    company = await in_canary(Company(LONG))
    held = Gate(name, Answer.UNKNOWN if name == "coverage" else Answer.HOLD, "so it is", until=START + AHEAD)
    bakes = Gate("traffic-cycle", Answer.HOLD, "10 s of 1 h")
    promote = Gate("promote", Answer.HOLD, "waits for an operator's promote into production")
    full = await shown(company, Gate("verdict", Answer.PASS, "PASS"), held)
    assert (full.state, full.why.partition(";")[0]) == (State.BLOCK, f"{name}: so it is")
    assert full.attention // 10 == 3
    assert (await shown(company, held, promote)).state is State.BLOCK
    assert (await shown(company, promote)).state is State.WAIT
    baking = await shown(company, held, bakes)
    assert baking.state is (State.BLOCK if name in {"lock", "load-test"} else State.BAKE)
    assert (await shown(company, bakes)).state is State.BAKE
    unwell = await shown(company, held, Gate("hosts", Answer.FAIL, "2 of 3 hosts healthy"))
    assert unwell.state is State.HOLD


@pytest.mark.parametrize("name", ["verdict", "traffic-cycle", "alerts", "check smoke"])
async def test_what_the_release_itself_has_still_to_show_blocks_nothing(name: str) -> None:
    company = await in_canary(Company(LONG))
    assert (await shown(company, Gate(name, Answer.HOLD, "not yet"))).state is State.BAKE


async def test_locks_and_freezes_of_the_next_door_are_shown_while_hosts_are_told_and_stop_none() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-deploy")
    company.ask(Verb.PAUSE)
    company.ask(Verb.LOCK, reason="the database moves tonight")
    await company.ticks(5)
    assert company.rollout.phase is Phase.CANARY_DEPLOY
    gates = {gate.name: gate for gate in company.controller.service("checkout").gates}
    assert {"budget", "payback", "lock", "load-test", "freeze"} <= gates.keys()
    assert gates["lock"].answer is Answer.PASS
    assert gates["lock"].warns.startswith("holds it at the next door: lock-1: locked by mira")
    assert company.row.state is State.PAUSED
    company.ask(Verb.RESUME)
    await company.until("canary-bake")
    await company.ticks(60)
    assert (company.rollout.phase, company.row.state) == (Phase.CANARY_BAKE, State.BLOCK)


async def test_a_service_at_rest_that_may_not_release_says_so_and_stays_steady() -> None:
    freeze = Freeze("eva", "quarter end", START - AHEAD, START + AHEAD)
    company = Company(make_rules(freezes=(freeze,)))
    await company.ticks(5)
    assert (company.row.state, company.row.budget.deploy) == (State.STEADY, Deploy.HOLD)
    assert company.row.why == (
        "r1 is stable; may not deploy: freeze: frozen by eva until 2026-03-02 11:00 UTC: quarter end"
    )


async def test_a_service_locked_by_a_load_test_says_what_ends_it() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.LOCK, reason="p99 900 ms")
    station = company.controller._stations["checkout"]
    station.file([replace(station.docket.locks[0], by="auto", cause=LockCause.LOAD_TEST)])
    await company.ticks(1)
    assert company.row.why.startswith("locked by auto until a load test passes: p99 900 ms (lock-1)")


async def test_a_row_says_how_ready_its_service_is_and_who_has_locked_it() -> None:
    company = Company()
    await company.ticks(3)
    passed, _, of = company.row.readiness.partition("/")
    assert 0 < int(passed) < int(of)
    assert company.row.lock == ""
    company.ask(Verb.LOCK, reason="tonight", end=company.world.clock.now() + AHEAD)
    await company.ticks(1)
    assert company.row.lock == "mira until 2 Mar 11:00Z"


async def test_the_receipt_of_a_submit_says_at_once_what_holds_it() -> None:
    company = Company(make_rules(frequency=FrequencyRules(per_day=1)))
    await company.ticks(3)
    said = company.ask(Verb.SUBMIT, "r2").said
    assert said == "checkout r2 is queued as checkout-1; a rollback would restore r1"
    await company.until("staging-checks")
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back")
    said = company.ask(Verb.SUBMIT, "r3").said
    assert said.startswith(
        "checkout r3 is queued as checkout-2; held by frequency: 1 of 1 releases of the last 24 h are used; the next "
        "may begin at 2026-03-03 09:0"
    )


async def test_a_reservation_holds_the_submit_of_another_and_says_so_and_not_its_owners() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.RESERVE, reason="demo", end=company.world.clock.now() + AHEAD)
    await company.ticks(1)
    assert company.controller.gate("checkout").deploy is Deploy.WARN
    said = company.ask(Verb.SUBMIT, "r2", who=ANA).said
    assert "; held by reservation: staging is reserved by mira until 2026-03-02 11:00 UTC: demo; " in said
    await company.ticks(3)
    assert company.controller.gate("checkout").deploy is Deploy.HOLD
    assert "held by" not in company.ask(Verb.SUBMIT, "r3", who=MIRA).said
    await company.until("staging-deploy", 10)


async def test_a_promote_refused_by_a_lock_says_who_lifts_it() -> None:
    company = await in_canary(Company(LONG))
    company.ask(Verb.LOCK, reason="tonight")
    await company.ticks(1)
    with pytest.raises(Refused) as no:
        company.ask(Verb.PROMOTE)
    assert no.value.mend == "wait, or a person lifts it: pithead unlock checkout"
    rows = dict(company.controller.propose(Verb.PROMOTE, "checkout").rows)
    assert rows["lifts"] == "a person: pithead unlock checkout"


async def test_an_approval_says_beforehand_what_the_correction_does_to_the_payback() -> None:
    company = Company()
    await company.ticks(10)
    now = company.world.clock.now()
    company.ask(Verb.CORRECT, subject="bad", start=START, end=now, reason="seen by users", evidence="ticket 7")
    rows = dict(company.controller.propose(Verb.APPROVE, "checkout").rows)
    assert "counts as down; mira: seen by users (ticket 7)" in rows["fix-1"]
    company.history.broken = "disk full"
    assert dict(company.controller.propose(Verb.APPROVE, "checkout").rows).keys() == rows.keys()


async def test_a_correction_says_what_it_would_do_to_the_payback_before_it_is_asked_for() -> None:
    company = Company(make_rules(budget=BudgetRules(Decimal("0.9999"))))
    await company.ticks(10)
    about = Stretch("bad", START - timedelta(minutes=12), START)

    def effect(about: Stretch | None) -> str:
        return dict(company.controller.propose(Verb.CORRECT, "checkout", about).rows)["effect"]

    plain = "its budgets change once a second person agrees"
    assert effect(about) == f"{plain}; a block of 3 months would begin, until 2026-06-02 08:52 UTC"
    # What would be refused, and what changes no block, foretell nothing.
    late = replace(about, end=START + timedelta(days=1))
    for one in (None, late, replace(about, kind="worse"), replace(about, kind="good")):
        assert effect(one) == plain
