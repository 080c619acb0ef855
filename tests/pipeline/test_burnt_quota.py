"""A service that has burnt its downtime quota: one refusal, in one wording, wherever somebody asks.

The whole chain is real: the controller, its API on a socket, the verbs and the control room.
"""

import os
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from world import Behaviour, Company, make_rules

from adapters.api.client import ApiRoom
from adapters.api.server import ApiServer
from pipeline.commands import Refused, Verb
from pipeline.gates import Answer, Gate
from pipeline.model import BudgetRules, Promotion, Promotions
from pipeline.slo.report import Debt
from pipeline.view import Deploy, GateReport
from pithead.exits import GateExit
from pithead.verbs import gate as gate_verb
from pithead.verbs import submit as submit_verb
from tests.pithead.test_verbs import Heard, typed
from tests.tui.fakes import FrozenClock
from tests.tui.pages import drawn, settled
from tui.app import PitheadApp
from tui.theme import Colors
from tui.widgets.lines import LineList

TICK_S = 5.0
TICK = timedelta(seconds=TICK_S)
RULES = make_rules(
    budget=BudgetRules(Decimal("0.9999"), slice_s=5),
    promotions=Promotions(canary=Promotion.OPERATOR),
)
WHY = "payback: 720 s of 262.8 s = 2.74 -> 3 months: 12m00s down since 2026-03-02 09:00 UTC; until 2026-06-02 09:05 UTC"


async def run(company: Company, seconds: float) -> None:
    for _ in range(round(seconds / TICK_S)):
        company.world.serve(TICK_S - 1)
        await company.ticks(1)


async def broken(company: Company, seconds: float) -> None:
    """Every answer of production is an error for so long."""
    company.world.behaviours["r1"] = Behaviour(error_ratio=1.0)
    await run(company, seconds)
    company.world.behaviours["r1"] = Behaviour(error_ratio=0.0)


@pytest.fixture
async def company() -> Company:
    """A release waits for its promote while production is down for 12 minutes, which is over now."""
    company = Company(RULES, production=3)
    company.world.behaviours["r1"] = Behaviour(error_ratio=0.0)
    await run(company, 20)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("staging-checks")
    await run(company, 20)
    await broken(company, 720)
    await run(company, 60)
    return company


@pytest.fixture
async def room(company: Company, tmp_path: Path) -> AsyncIterator[ApiRoom]:
    """The controller, as any front end has it."""
    server = ApiServer(company.controller, tmp_path / "run", clock=company.world.clock, beat_s=0.05, gap_s=0.0)
    await server.start()
    client = ApiRoom(tmp_path / "run" / "pithead.sock")
    yield client
    await client.close()
    await server.stop()


def payback_of(report: GateReport) -> Gate:
    return next(gate for gate in report.gates if gate.name == "payback")


def block_of(company: Company) -> Debt:
    paid = company.controller.budget("checkout").payback
    assert paid is not None
    assert paid.block is not None
    return paid.block


async def undone(company: Company) -> None:
    """The way back is open all the while."""
    company.ask(Verb.ROLLBACK, reason="it may not go on")
    await company.until("rolled-back")
    await run(company, 10)


async def test_twelve_minutes_block_for_three_months_and_row_page_dialog_and_gate_say_so_alike(
    company: Company,
) -> None:
    block, report = block_of(company), company.controller.gate("checkout")
    assert (block.downtime_s, block.months) == (720.0, 3)
    assert block.until == datetime(2026, 6, 2, 9, 5, 7, 800_000, tzinfo=UTC)
    its = payback_of(report)
    assert (report.deploy, report.why) == (Deploy.BLOCKED, WHY)
    assert (its.answer, its.until) == (Answer.HOLD, block.until)
    assert f"payback: {its.why}" == WHY
    assert company.row.why == company.row.budget.deploy_why == WHY
    assert company.row.budget.deploy_until == block.until
    assert its in company.controller.service("checkout").gates
    dialog = company.controller.propose(Verb.PROMOTE, "checkout")
    assert not dialog.allowed
    assert (dict(dialog.rows)["why"], dict(dialog.rows)["lifts"]) == (WHY, its.lifts)
    with pytest.raises(Refused) as no:
        company.ask(Verb.PROMOTE)
    assert (no.value.why, no.value.mend) == (WHY, f"wait; it lifts {its.lifts}")


async def test_a_new_release_is_not_even_queued_in_the_words_of_the_gate_and_that_is_in_the_history(
    company: Company,
) -> None:
    await undone(company)
    report = company.controller.gate("checkout")
    assert report.why == WHY
    with pytest.raises(Refused) as no:
        company.ask(Verb.SUBMIT, "r3")
    assert (no.value.why, no.value.mend) == (WHY, f"it lifts {payback_of(report).lifts}")
    assert company.rollout.revision == "r2"
    denied = company.history.log[-1]
    assert (denied.action, denied.detail) == ("denied", f"submit checkout r3: {WHY}")


async def test_the_verbs_say_it_through_the_api(company: Company, room: ApiRoom) -> None:
    out = Heard()
    assert await gate_verb.run(typed("gate", "checkout"), room, out, company.world.clock.now) == GateExit.STOP
    assert out.lines == [f"checkout BLOCKED: {WHY}"]
    await undone(company)
    with pytest.raises(Refused) as no:
        await submit_verb.run(typed("submit", "checkout", "r3"), room, out)
    assert no.value.why == WHY


async def test_the_control_room_says_it_in_its_list_and_in_the_dialog(company: Company, room: ApiRoom) -> None:
    clock = FrozenClock(company.world.clock.now())
    app = PitheadApp(room, ascii=True, colors=Colors.NONE, clock=clock, first=company.controller.fleet())
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await settled(pilot)
        assert any(WHY[:60] in line for line in drawn(app))
        app.screen.query_one("#fleet", LineList).select("checkout")
        await pilot.press("P")
        said = ""
        for _ in range(100):
            await settled(pilot)
            said = " ".join(" ".join(drawn(app)).replace("|", " ").split())
            if "not allowed" in said:
                break
        assert WHY in said


async def test_a_restart_remembers_the_block_and_its_words(company: Company) -> None:
    before = block_of(company)
    company.start()
    await run(company, 20)
    assert block_of(company) == before
    assert company.controller.gate("checkout").why == WHY


@pytest.mark.parametrize("jump_s", [3_600, -3_600, 86_400])
@pytest.mark.parametrize("restarted", [False, True])
async def test_a_jump_of_the_wall_clock_and_back_moves_no_block(company: Company, jump_s: int, restarted: bool) -> None:
    before = block_of(company)
    for by_s in (jump_s, -jump_s):
        company.world.clock.wall += timedelta(seconds=by_s)
        if restarted:
            company.start()
        await run(company, 60)
        assert abs(block_of(company).until - before.until) <= TICK
    assert block_of(company) == before
    assert company.controller.gate("checkout").why == WHY


async def test_a_clock_that_was_a_year_ahead_for_a_minute_leaves_the_block_as_it_was(company: Company) -> None:
    before = block_of(company)
    for by in (timedelta(days=366), timedelta(days=-366)):
        company.world.clock.wall += by
        await broken(company, 60)
    await run(company, 20)
    after = block_of(company)
    assert (after.breach, after.until) == (before.breach, before.until)
    assert abs(after.downtime_s - 780.0) <= TICK_S, "the minute of next year is not known yet"


async def test_a_jump_ahead_in_the_middle_of_an_outage_moves_no_block_that_is_open() -> None:
    company = Company(RULES, production=3)
    await run(company, 20)
    await broken(company, 360)
    before = block_of(company)
    company.world.clock.wall += timedelta(hours=1)
    await broken(company, 360)
    await run(company, 20)
    after = block_of(company)
    assert after.breach == before.breach
    assert (before.months, after.months) == (2, 3)
    assert abs(after.downtime_s - 720.0) <= TICK_S


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns"])
async def test_the_zone_of_the_machine_moves_no_block(
    company: Company, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, was = block_of(company), os.environ.get("TZ")
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        company.start()
        await run(company, 20)
        assert block_of(company) == before
        assert company.controller.gate("checkout").why == WHY
    finally:
        monkeypatch.undo()
        assert os.environ.get("TZ") == was
        time.tzset()
