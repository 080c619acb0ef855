from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from pipeline.view import Budget, FleetView, State
from tests.tui.fakes import NOW, FakeRoom, FrozenClock
from tests.tui.pages import company, drawn, opened, settled
from tests.tui.samples import large_fleet, sample_fleet, sample_rows
from tui.feed import Live
from tui.glyphs import ASCII, UNICODE
from tui.theme import Colors, palette
from tui.wallboard import WallboardApp
from tui.wallboard_lines import TURN_S, Moment, board, worst_budgets
from tui.widgets.lines import Lines
from tui.widgets.pane import Look
from tui.widgets.runs import length

PLAIN = Look(ASCII, palette(Colors.NONE))
SIZE = (80, 24)


def shown(view: FleetView | None, beat: int = 0, size: tuple[int, int] = SIZE, lost: str = "", age: float = 0) -> str:
    live = Live(view, 1_000.0, lost, 1_004.0 + age)
    return "\n".join(
        "".join(text for text, _ in line) for line in board(Moment(live, NOW, 1_000.0 + age, beat), *size, PLAIN)
    )


def at_rest(view: FleetView) -> FleetView:
    return replace(view, services=tuple(row for row in view.services if row.state is State.STEADY))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("ascii_", [True, False], ids=["ascii", "unicode"])
async def test_the_board_looks_as_drawn(size: tuple[int, int], ascii_: bool, snapshot: SnapshotAssertion) -> None:
    async with opened(None, company(), size, kind=WallboardApp, ascii=ascii_) as (app, _):
        assert "\n".join(drawn(app)) == snapshot


def test_the_board_in_colour(snap_compare: Any) -> None:
    app = WallboardApp(company(), colors=Colors.TRUE, clock=FrozenClock(), first=sample_fleet())
    assert snap_compare(app, terminal_size=(120, 40))


def test_what_needs_a_person_is_on_every_page_and_pages_turn_by_themselves() -> None:
    pages = [shown(sample_fleet(), beat) for beat in range(0, 2 * TURN_S, TURN_S)]
    assert all("x BACK    payments-gw" in page for page in pages)
    assert "MOVING  5" in pages[0]
    assert "BUDGET  30d, worst 4" in pages[0]
    assert "FLEET  one mark a service" in pages[1]
    assert shown(sample_fleet(), 2 * TURN_S) == pages[0]
    assert "1/2 6s" in shown(sample_fleet(), 9)


def test_more_attention_than_room_takes_turns_and_nobody_is_left_out() -> None:
    view = large_fleet(420)
    waiting = [row.name for row in view.services if row.state is State.BACK]
    pages = "".join(shown(view, beat) for beat in range(0, 200 * TURN_S, TURN_S))
    assert all(name[:12] in pages for name in waiting)
    assert "ATTENTION  50 of 420" in pages


def test_a_quiet_fleet_says_that_it_is_quiet() -> None:
    page = shown(at_rest(sample_fleet()))
    assert "ATTENTION  none: 32 of 32 at rest" in page
    assert "MOVING  0" in page


def test_stale_rows_carry_their_age_and_unknown_budgets_are_not_ranked() -> None:
    assert "93s old: no metrics" in shown(sample_fleet())
    rows = sample_rows()
    assert "geo-lookup" not in [row.name for row in worst_budgets(rows)]
    assert worst_budgets(rows)[0].name == "ledger"
    overdrawn = replace(rows[0], budget=Budget(-0.4, "30d"))
    assert worst_budgets((*rows, overdrawn))[0] is overdrawn


def test_a_lost_controller_is_large_and_says_of_when_the_picture_is() -> None:
    page = shown(sample_fleet(), lost="refused", age=14)
    assert "LOST 14s" in page.splitlines()[0]
    assert "CONTROLLER LOST 14s" in page
    assert "showing 14:07:31 UTC, retry in 4 s" in page
    assert "payments-gw" in page
    never = shown(None, lost="refused")
    assert "nothing to show yet" in never
    assert "asking the controller" in shown(None)


def test_the_controllers_own_trouble_is_on_the_board() -> None:
    view = replace(sample_fleet(), notices=("history cannot be written: disk full",))
    assert " ! history cannot be written: disk full" in shown(view)


def test_an_unknown_day_is_said_to_be_unknown() -> None:
    assert "24 h: not known yet" in shown(replace(sample_fleet(), day=None))
    assert "24 h: 31 releases, 2 rolled back, 1 refused. Worst budget: ledger 0%" in shown(sample_fleet())


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 210),
    st.integers(1, 60),
    st.integers(0, 400),
    st.integers(0, 30),
    st.booleans(),
    st.text(max_size=60),
)
def test_a_board_never_outgrows_its_wall(
    width: int, height: int, services: int, turn: int, lost: bool, why: str
) -> None:
    view = large_fleet(services)
    rows = tuple(replace(row, why=why) for row in view.services)
    live = Live(replace(view, services=rows), 1_000.0, "gone" if lost else "", 1_001.0)
    for look in (PLAIN, Look(UNICODE, palette(Colors.FEW))):
        lines = board(Moment(live, NOW, 1_000.0, turn * TURN_S), width, height, look)
        assert len(lines) <= height
        assert all(length(line) <= width for line in lines)


async def test_each_second_moves_the_clock_and_sends_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(None, company(), (120, 40), kind=WallboardApp) as (app, pilot):
        sent: list[Any] = []
        monkeypatch.setattr(Lines, "refresh", lambda self, *regions, **_: sent.extend(regions))
        app.clock.advance(1)  # type: ignore[attr-defined]
        app.beat += 1
        await settled(pilot)
        assert sum(region.area for region in sent) <= 12


async def test_a_board_takes_no_command_and_q_leaves() -> None:
    room = FakeRoom(sample_fleet())
    async with opened(None, room, kind=WallboardApp) as (app, pilot):
        assert app.read_only
        await pilot.press("p", "P", "R", "enter", "slash")
        await settled(pilot)
        assert room.sent == []
        assert "RO" in drawn(app)[0]
        await pilot.press("q")
    assert app.return_code == 0


async def test_news_reach_the_board_and_a_lost_line_too() -> None:
    room = company()
    async with opened(None, room, kind=WallboardApp) as (app, pilot):
        room.publish(replace(at_rest(sample_fleet()), sequence=2))
        await settled(pilot)
        assert "ATTENTION  none" in "\n".join(drawn(app))
        room.lose()
        await settled(pilot)
        assert "CONTROLLER LOST" in "\n".join(drawn(app))
