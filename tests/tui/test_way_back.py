"""`q`: one page back from every page, and out from the fleet."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.screen import Screen

from tests.tui.pages import company, drawn, opened, settled
from tests.tui.rule_samples import ruled_company
from tests.tui.samples import sample_service
from tui.budget import BudgetScreen
from tui.budget_page import BudgetPage
from tui.help import HelpScreen
from tui.history import HistoryScreen
from tui.page_keys import READING
from tui.readiness import ReadinessPage
from tui.service import ServiceScreen
from tui.service_explain import ExplainScreen
from tui.service_logs import LogsScreen

PAGES: dict[str, Callable[[], Screen[Any]]] = {
    "service": lambda: ServiceScreen("checkout-api"),
    "budgets": BudgetScreen,
    "budget": lambda: BudgetPage("checkout-api"),
    "history": HistoryScreen,
    "logs": lambda: LogsScreen("checkout-api"),
    "readiness": lambda: ReadinessPage("checkout-api"),
    "explain": lambda: ExplainScreen(sample_service()),
    "help": lambda: HelpScreen([(key, "") for key in READING]),
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("key", ["q", "escape"])
async def test_it_leads_back_to_the_fleet_and_the_line_of_keys_says_so(page: str, key: str) -> None:
    async with opened(PAGES[page](), ruled_company(), (120, 40)) as (app, pilot):
        assert "q back" in drawn(app)[-1]
        await pilot.press(key)
        await settled(pilot)
        assert len(app.screen_stack) == 1
        assert not app._exit
        await pilot.press("q")
        await settled(pilot)
        assert app._exit is True


@pytest.mark.parametrize("page", ["history", "logs"])
async def test_a_filter_keeps_nobody_and_escape_only_clears_it(page: str) -> None:
    async with opened(PAGES[page](), company()) as (app, pilot):
        await pilot.press("slash", *"quiet", "enter", "escape")
        await settled(pilot)
        assert len(app.screen_stack) == 2
        assert app.screen.text == ""  # type: ignore[attr-defined]
        await pilot.press("slash", *"quiet", "enter", "q")
        await settled(pilot)
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize("page", PAGES)
async def test_a_lost_controllers_banner_names_what_its_keys_do_here(page: str) -> None:
    room = ruled_company()
    async with opened(PAGES[page](), room) as (app, pilot):
        room.lose("the socket is closed")
        await settled(pilot)
        assert "r retry now   ! show last error   q back" in "\n".join(drawn(app))
        await pilot.press("exclamation_mark")
        await settled(pilot)
        assert "the socket is closed" in "\n".join(drawn(app))
        await pilot.press("q")
        await settled(pilot)
        assert "q leave" in "\n".join(drawn(app))
