from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from pipeline.slo.report import BudgetReport
from pipeline.view import Deploy
from tests.tui.fakes import FakeRoom, FrozenClock
from tests.tui.pages import drawn, opened, settled
from tests.tui.rule_samples import ruled_company, ruled_fleet
from tests.tui.samples import sample_fleet
from tui.app import PitheadApp
from tui.budget import RESTS_S, BudgetScreen
from tui.budget_page import BudgetPage
from tui.history import HistoryScreen
from tui.room import RoomApp
from tui.service import ServiceScreen
from tui.theme import Colors

HOSTILE = "\x1b]52;c;AAAA\x07[/x] [bold]\u202e evil \u7532\u7532\u7532"


async def press(app: RoomApp, pilot: "Pilot[Any]", *keys: str) -> None:
    """Press `keys`, and let the cursor rest."""
    await pilot.press(*keys)
    await settled(pilot)
    app.clock.advance(RESTS_S)  # type: ignore[attr-defined]
    await settled(pilot)


def page(app: RoomApp) -> str:
    return "\n".join(drawn(app))


class Deaf(FakeRoom):
    """Knows nothing of budgets, as an older controller."""

    async def budget(self, service: str) -> BudgetReport:
        raise NotImplementedError(service)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
@pytest.mark.parametrize("ascii_", [True, False], ids=["ascii", "unicode"])
async def test_the_screen_looks_as_drawn(size: tuple[int, int], ascii_: bool, snapshot: SnapshotAssertion) -> None:
    async with opened(BudgetScreen(), ruled_company(), size, ascii=ascii_) as (app, _):
        assert page(app) == snapshot


def test_the_screen_in_colour(snap_compare: Any) -> None:
    app = PitheadApp(ruled_company(), colors=Colors.TRUE, clock=FrozenClock(), operator="mira", first=ruled_fleet())

    async def open_page(pilot: Any) -> None:
        await pilot.app.push_screen(BudgetScreen())
        await settled(pilot)

    assert snap_compare(app, terminal_size=(120, 40), run_before=open_page)


async def test_u_opens_it_on_the_services_row_and_escape_leads_back() -> None:
    room = ruled_company()
    async with opened(None, room) as (app, pilot):
        await press(app, pilot, "j", "u")
        assert isinstance(app.screen, BudgetScreen)
        assert any(line.startswith(">! checkout-api") for line in drawn(app))
        assert room.asked_budgets[-1] == "checkout-api"
        await press(app, pilot, "escape")
        assert not isinstance(app.screen, BudgetScreen)


async def test_the_controller_is_asked_only_once_the_cursor_rests_and_again_every_ten_seconds() -> None:
    room = ruled_company()
    async with opened(BudgetScreen(), room) as (app, pilot):
        assert room.asked_budgets == ["ledger"]
        await pilot.press("j", "j", "j")
        await settled(pilot)
        assert room.asked_budgets == ["ledger"]
        app.clock.advance(RESTS_S)  # type: ignore[attr-defined]
        await settled(pilot)
        assert room.asked_budgets == ["ledger", "cart"]
        assert " cart  avail" in page(app)
        app.clock.advance(10)  # type: ignore[attr-defined]
        await settled(pilot)
        assert room.asked_budgets == ["ledger", "cart", "cart"]
        await press(app, pilot, "r")
        assert len(room.asked_budgets) == 4


async def test_enter_opens_everything_s_the_service_and_t_its_history() -> None:
    room = ruled_company()
    async with opened(BudgetScreen(), room) as (app, pilot):
        for key, screen, said in (
            ("enter", BudgetPage, "budget of ledger"),
            ("s", ServiceScreen, "fleet > ledger"),
            ("t", HistoryScreen, "ledger > history"),
        ):
            await press(app, pilot, key)
            assert isinstance(app.screen, screen)
            assert said in page(app)
            await press(app, pilot, "escape")
            assert isinstance(app.screen, BudgetScreen)


async def test_a_page_of_one_service_looks_as_drawn_and_scrolls(snapshot: SnapshotAssertion) -> None:
    async with opened(BudgetPage("ledger"), ruled_company()) as (app, pilot):
        assert page(app) == snapshot
        await press(app, pilot, "G")
        assert "not charged: ana, approved by ben" in page(app)


async def test_a_lost_controller_leaves_old_numbers_that_are_said_to_be_old() -> None:
    room = ruled_company()
    for screen in (BudgetScreen(), BudgetPage("ledger")):
        async with opened(screen, room, (80, 33)) as (app, pilot):
            room.lose("no answer in 2 s")
            app.clock.advance(10)  # type: ignore[attr-defined]
            await settled(pilot)
            lost = page(app)
            assert "CONTROLLER LOST" in lost
            assert "no budget: no answer in 2 s" in lost
            assert "-7m41s" in lost
            room.restore()
            app.clock.advance(60)  # type: ignore[attr-defined]
            await settled(pilot, 6)
            assert "no budget" not in page(app)


async def test_a_refusal_a_fault_and_an_older_controller_are_said() -> None:
    room = ruled_company()
    room.budgets.clear()
    async with opened(BudgetScreen(), room, (120, 40)) as (app, _):
        assert "no budget: no such service: see the fleet" in page(app)
    deaf = Deaf(ruled_fleet())
    async with opened(BudgetScreen(), deaf) as (app, _):
        assert "asking failed: NotImplementedError" in page(app)
    async with opened(BudgetPage("ledger"), deaf) as (app, _):
        assert "asking failed: NotImplementedError" in page(app)


async def test_no_service_and_no_view_are_said_in_words() -> None:
    async with opened(BudgetScreen(), FakeRoom(replace(sample_fleet(), services=()))) as (app, pilot):
        assert "no service is configured yet" in page(app)
        await press(app, pilot, "enter", "s", "t", "j")
        assert isinstance(app.screen, BudgetScreen)
    async with opened(BudgetScreen(), FakeRoom()) as (app, _):
        assert "asking the controller for its services" in page(app)


async def test_news_move_rows_and_the_cursor_stays_on_its_service() -> None:
    room = ruled_company()
    async with opened(BudgetScreen("checkout-api"), room) as (app, pilot):
        fleet = ruled_fleet()
        well = tuple(
            replace(row, budget=replace(row.budget, left=0.9, deploy=Deploy.OK, deploy_why="", deploy_until=None))
            if row.name == "ledger"
            else row
            for row in fleet.services
        )
        room.publish(replace(fleet, sequence=2, services=well))
        await settled(pilot)
        lines = drawn(app)
        assert lines[3].startswith(" ! profile")
        assert lines[4].startswith(">! checkout-api")


def edges(app: RoomApp) -> Sequence[int]:
    return [strip.cell_length for strip in app.screen._compositor.render_strips()]


async def test_hostile_words_and_every_size_stay_on_the_screen() -> None:
    room = ruled_company()
    fleet = ruled_fleet()
    bad = tuple(
        replace(
            row, glass=HOSTILE, incident=HOSTILE, budget=replace(row.budget, deploy_why=HOSTILE * 9, target=HOSTILE)
        )
        for row in fleet.services
    )
    room.publish(replace(fleet, services=bad))
    report = room.budgets["ledger"]
    outages = tuple(replace(each, excluded=HOSTILE * 5) for each in report.outages)
    slos = tuple(replace(slo, name=HOSTILE, target=HOSTILE) for slo in report.slos)
    room.budgets["ledger"] = replace(report, service=HOSTILE, outages=outages, slos=slos)
    async with opened(BudgetScreen(), room) as (app, pilot):
        for size in ((10, 3), (1, 1), (79, 20), (110, 34), (200, 50), (80, 24)):
            await pilot.resize_terminal(*size)
            await settled(pilot)
            assert edges(app) == [size[0]] * size[1]
        await press(app, pilot, "enter")
        assert edges(app) == [80] * 24
        assert "\x1b" not in page(app)


async def test_an_unchanged_view_repaints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    room = ruled_company()
    async with opened(BudgetScreen(), room, (120, 40)) as (_, pilot):
        sent: list[Any] = []
        monkeypatch.setattr("tui.widgets.lines.Lines.refresh", lambda self, *regions, **_: sent.extend(regions))
        monkeypatch.setattr("tui.widgets.lines.LineList.refresh", lambda self, *regions, **_: sent.extend(regions))
        room.publish(replace(ruled_fleet(), sequence=2))
        await settled(pilot)
        assert sent == []
