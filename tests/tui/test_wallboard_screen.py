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
from tui.wallboard_lines import Moment, board
from tui.wallboard_pages import EVERY_S, WORST, Turn, all_pages
from tui.wallboard_rows import worst_budgets
from tui.widgets.lines import Lines
from tui.widgets.pane import Look
from tui.widgets.runs import length

PLAIN = Look(ASCII, palette(Colors.NONE))
SIZE = (80, 24)


def shown(view: FleetView | None, page: int = 0, size: tuple[int, int] = SIZE, lost: str = "", age: float = 0) -> str:
    """The board after `page` turns."""
    live = Live(view, 1_000.0, lost, 1_004.0 + age)
    turn = Turn()
    for n in range(page + 1):
        lines, turn = board(Moment(live, NOW, 1_000.0 + age + n * EVERY_S, turn), *size, PLAIN)
    return "\n".join("".join(text for text, _ in line) for line in lines)


def pages_of(view: FleetView, size: tuple[int, int] = SIZE) -> list[str]:
    first = shown(view, size=size).splitlines()[0]
    count = int(first.partition(" of ")[2].split()[0]) if " of " in first else 1
    return [shown(view, page, size) for page in range(count)]


def at_rest(view: FleetView) -> FleetView:
    return replace(view, services=tuple(row for row in view.services if row.state is State.STEADY))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
@pytest.mark.parametrize("ascii_", [True, False], ids=["ascii", "unicode"])
async def test_the_board_looks_as_drawn(size: tuple[int, int], ascii_: bool, snapshot: SnapshotAssertion) -> None:
    async with opened(None, company(), size, kind=WallboardApp, ascii=ascii_) as (app, _):
        assert "\n".join(drawn(app)) == snapshot


def test_the_board_in_colour(snap_compare: Any) -> None:
    app = WallboardApp(company(), colors=Colors.TRUE, clock=FrozenClock(), first=sample_fleet())
    assert snap_compare(app, terminal_size=(120, 40))


def test_what_needs_a_person_is_on_every_page_and_pages_turn_by_themselves() -> None:
    pages = pages_of(sample_fleet())
    assert all("x BACK    payments-gw" in page for page in pages)
    assert [f"page {n} of {len(pages)}" in page for n, page in enumerate(pages, 1)] == [True] * len(pages)
    assert "MOVING  5" in pages[0]
    assert "BUDGET  30d, worst 20: 1-4" in pages[0]
    assert "FLEET  42 services: 1-" in "".join(pages)
    assert shown(sample_fleet(), len(pages)).splitlines()[2:] == pages[0].splitlines()[2:]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
def test_the_worst_twenty_budgets_and_every_service_have_their_turn(size: tuple[int, int]) -> None:
    view = large_fleet(420)
    shown_ = "\n".join(pages_of(view, size))
    below = shown_[shown_.index("BUDGET") :]
    assert all(row.name in below for row in worst_budgets(view.services)[:WORST])
    assert all(row.name in below for row in view.services)


def test_a_small_fleet_on_a_large_wall_needs_no_second_page() -> None:
    assert "page" not in shown(sample_fleet(), size=(200, 50)).splitlines()[0]


def test_budgets_of_several_windows_say_which_they_are_of() -> None:
    rows = tuple(
        replace(row, budget=replace(row.budget, window="6h")) if row.name == "ledger" else row for row in sample_rows()
    )
    page = shown(replace(sample_fleet(), services=rows))
    assert "BUDGET  worst 20: 1-4" in page
    assert "0% of 6h" in page
    assert page.count("% of 30d") == 3
    assert "% of 30d" not in shown(sample_fleet())


def test_more_attention_than_room_takes_turns_and_nobody_is_left_out() -> None:
    view = large_fleet(420)
    pages = pages_of(view)
    waiting = [row.name for row in view.services if row.state in (State.BACK, State.BLOCK, State.STALE, State.PAUSED)]
    tops = "".join(page.partition("MOVING")[0].partition("BUDGET")[0].partition("FLEET")[0] for page in pages)
    assert waiting
    assert all(name[:12] in tops for name in waiting)
    assert "ATTENTION  50 of 420" in pages[0]


def test_what_fails_or_rolls_back_stays_where_it_is_while_the_rest_takes_turns() -> None:
    view = sample_fleet()
    rows = [replace(row, state=State.STALE, attention=3) for row in view.services[10:40]]
    pages = pages_of(replace(view, services=(*view.services[:10], *rows)))
    assert len(pages) > 3
    assert {page.splitlines()[3][:24] for page in pages} == {"   x BACK    payments-gw"}
    assert {page.splitlines()[4][:25] for page in pages} == {"   ! BAKE    checkout-api"}
    assert len({page.splitlines()[5] for page in pages}) > 1


def test_a_page_stands_for_its_time_and_comes_back_in_its_turn() -> None:
    keys = [page.key for page in all_pages(sample_fleet(), 80, 19, PLAIN)]
    turn = Turn().after(keys, 0.0, 10.0)
    seen = []
    for second in range(1, 61):
        turn = turn.after(keys, float(second), 10.0)
        seen.append(turn.index)
    assert seen[:9] == [0] * 9
    assert seen[9:19] == [1] * 10
    assert set(seen) == set(range(len(keys)))


def test_pages_that_come_and_go_do_not_turn_the_one_that_is_read() -> None:
    view = sample_fleet()
    busy = tuple(replace(row, name=f"{row.name}-{n}") for n in range(4) for row in view.services[5:10])
    many = replace(view, services=(*view.services, *busy))
    few, more = ([page.key for page in all_pages(each, 80, 19, PLAIN)] for each in (view, many))
    turn = Turn().after(more, 0.0, 10.0)
    while turn.key[0] != "FLEET":
        turn = turn.after(more, turn.since + 10.0, 10.0)  # type: ignore[operator]
    kept = turn.after(few, turn.since + 1.0, 10.0)  # type: ignore[operator]
    assert kept.key == turn.key
    assert kept.index != turn.index
    assert kept.since == turn.since


@given(st.lists(st.integers(0, 6), min_size=1, max_size=60), st.floats(1.0, 60.0))
def test_a_turn_always_names_a_page_that_is_there(sizes: list[int], every_s: float) -> None:
    turn = Turn()
    for second, size in enumerate(sizes):
        keys = [("MOVING", n, 0) for n in range(size + 1)]
        turn = turn.after(keys, float(second), every_s)
        assert keys[turn.index] == turn.key


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
        stood = Turn(("FLEET", turn, 0), turn, 1_000.0 - EVERY_S)
        lines, _ = board(Moment(live, NOW, 1_000.0, stood), width, height, look)
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


async def test_the_page_turns_on_the_wall_after_the_seconds_that_were_asked_for() -> None:
    app = WallboardApp(company(), ascii=True, clock=FrozenClock(), first=sample_fleet(), page_s=30.0)
    async with app.run_test(size=SIZE) as pilot:
        await settled(pilot)
        heads = []
        for _ in range(2):
            app.clock.advance(15)  # type: ignore[attr-defined]
            app.beat += 1
            await settled(pilot)
            heads.append(drawn(app)[0])
    assert "page 1 of" in heads[0]
    assert "page 2 of" in heads[1]


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
