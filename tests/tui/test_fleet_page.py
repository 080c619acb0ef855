from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.events import Key

from pipeline.commands import Refused, Verb
from pipeline.view import FleetView, Mark, StageCell, State
from tests.tui.fakes import NOW, FakeRoom, FrozenClock
from tests.tui.pages import company, drawn, opened, settled
from tests.tui.samples import large_fleet, sample_fleet
from tui.app import PitheadApp
from tui.fleet_lines import counts_line
from tui.fleet_order import Choice
from tui.glyphs import ASCII
from tui.theme import Colors, palette
from tui.widgets.lines import LineList
from tui.widgets.pane import Look

HOSTILE = "\x1b]52;c;AAAA\x07 [/x] [bold]\u202e \u7532\u7532"
ROWS_AT_80 = """\
   SERVICE       STAGING  CANARY    PROD      STATE  VERDICT BUDGET 30d    T-
>x payments-gw   r881 +   r880 5%   r877      BACK   FAIL    #.....  12%   2m
 ! checkout-api  r1204 +  r1203 7%  r1201     BAKE   WATCH   ###...  61%  19m
 # ledger        r310 +   -         r305      BLOCK  -       ......   0%  71d
 ? geo-lookup    r91 ?    r90 ?     r90       STALE  NODATA  ??????    ?  93s
 = search-api    r884 +   r884      r884 40%  PAUSED PASS    ####..  83%   6m
 % cart          r512 +   r512      r512 25%  ROLL   PASS    #####.  88%  11m
""".splitlines()
ROWS_AT_120 = """\
   SERVICE         TEAM  TIER STAGING   CANARY          PROD      STATE  VERDICT BUDGET 30d        P99    ERR    T-
>x payments-gw     pay   1    r881 6/6  r880 5% 9/180   r877      BACK   FAIL    #........  12%  412ms  1.31%    2m
 ! checkout-api    shop  1    r1204 6/6 r1203 7% 12/171 r1201     BAKE   WATCH   #####....  61%  188ms  0.21%   19m
""".splitlines()


def names(app: PitheadApp) -> list[str]:
    return [row.name for row in app.screen.query_one("#fleet", LineList).items]


@pytest.mark.parametrize(("size", "rows"), [((80, 24), ROWS_AT_80), ((120, 40), ROWS_AT_120)])
async def test_rows_stand_in_the_columns_that_were_drawn(size: tuple[int, int], rows: list[str]) -> None:
    async with opened(None, company(), size) as (app, _):
        lines = drawn(app)
    assert lines[2 : 2 + len(rows)] == rows
    assert len(lines) == size[1]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("ascii_", [True, False], ids=["ascii", "unicode"])
async def test_a_long_revision_is_cut_and_its_share_is_not(size: tuple[int, int], ascii_: bool) -> None:
    view = sample_fleet()
    cell = StageCell("r1204.7-hotfix", Mark.GOOD, 171, 171, 1.0)
    long = replace(view.services[0], canary=replace(cell, share=0.07), production=cell)
    short = replace(view.services[1], production=replace(cell, revision="r1204"))
    async with opened(None, FakeRoom(replace(view, services=(long, short))), size, ascii=ascii_) as (app, _):
        lines = drawn(app)[3:5]
    assert " 7% " in lines[0]
    assert " 100% " in lines[0]
    assert " 100% " in lines[1]
    assert all("r1204.7-hotfix" not in line for line in lines)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
@pytest.mark.parametrize("ascii_", [True, False], ids=["ascii", "unicode"])
async def test_the_page_as_text(size: tuple[int, int], ascii_: bool, snapshot: SnapshotAssertion) -> None:
    async with opened(None, company(), size, ascii=ascii_) as (app, _):
        assert "\n".join(drawn(app)) == snapshot


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("colors", [Colors.TRUE, Colors.FEW, Colors.NONE])
def test_the_page_in_colour(size: tuple[int, int], colors: Colors, snap_compare: Any) -> None:
    app = PitheadApp(company(), colors=colors, clock=FrozenClock(), operator="mira", first=sample_fleet())
    assert snap_compare(app, terminal_size=size, press=["j"])


async def test_a_terminal_without_colour_is_sent_none() -> None:
    async with opened(None, company(), colors=Colors.NONE) as (app, _):
        styles = [part.style for line in app.screen._compositor.render_strips() for part in line if part.style]
    assert styles
    assert {(style.color, style.bgcolor) for style in styles} == {(None, None)}


async def test_no_colour_is_chosen_by_the_environment_unless_it_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    none = PitheadApp(company()).palette.fail.color
    monkeypatch.setenv("NO_COLOR", "")
    some = PitheadApp(company()).palette.fail.color
    assert none is None
    assert some is not None


async def test_hostile_text_stays_text_and_sends_no_control_character() -> None:
    view = sample_fleet()
    bad = replace(view.services[0], name="a" * 100, team=HOSTILE, why=HOSTILE * 20)
    view = replace(
        view, services=(bad, *view.services[1:]), notices=(HOSTILE,), last=replace(view.last, detail=HOSTILE)
    )
    for size in ((80, 24), (120, 40)):
        async with opened(None, FakeRoom(view), size) as (app, _):
            lines = drawn(app)
        assert all(line.isprintable() for line in lines)
        assert any("[/x] [bold]" in line for line in lines)


@pytest.mark.parametrize(("width", "said"), [(80, " 1 service  "), (120, " 1 service: 1 ")])
def test_one_service_is_counted_as_one(width: int, said: str) -> None:
    line = counts_line(sample_fleet().services[:1], 1, Choice(), width, Look(ASCII, palette(Colors.NONE)))
    assert line[0][0].startswith(said)


async def test_an_empty_fleet_says_what_to_add() -> None:
    async with opened(None, FakeRoom(FleetView(NOW, 1, 2.0, ()))) as (app, pilot):
        assert any("No services yet" in line for line in drawn(app))
        await pilot.press("p", "P", "R", "enter", "j", "G")
        assert app.is_running


async def test_before_the_first_answer_the_page_says_what_it_waits_for() -> None:
    async with opened(None, FakeRoom(None)) as (app, _):
        assert any("asking the controller" in line for line in drawn(app))
        assert "ASKING" in drawn(app)[0]


async def test_a_lost_controller_is_a_banner_with_its_age_and_turns_actions_off() -> None:
    room = company()
    async with opened(None, room) as (app, pilot):
        room.lose("no answer in 2 s")
        await settled(pilot)
        app.clock.advance(0.5)  # type: ignore[attr-defined]
        app.beat += 1
        await settled(pilot)
        lines = drawn(app)
        assert "LOST" in lines[0]
        assert "showing data of 14:07:31 UTC, actions off, retry in 0 s" in lines[3]
        assert any("payments-gw" in line for line in lines)
        await pilot.press("p", "P", "R")
        assert (room.sent, len(app.screen_stack)) == ([], 1)
        room.restore()
        await pilot.press("r")
        await settled(pilot)
        assert "LIVE 2s" in drawn(app)[0]
        assert not any("CONTROLLER LOST" in line for line in drawn(app))


async def test_late_news_show_their_age() -> None:
    async with opened(None, company()) as (app, pilot):
        app.clock.advance(14)  # type: ignore[attr-defined]
        app.beat += 1
        await settled(pilot)
        assert "LATE 14s" in drawn(app)[0]


async def test_a_read_only_room_offers_nothing_that_changes_and_says_so() -> None:
    room = company(read_only=True)
    async with opened(None, room) as (app, pilot):
        assert "RO mira" in drawn(app)[0]
        await pilot.press("p", "P", "R")
        assert (room.sent, len(app.screen_stack)) == ([], 1)
        await pilot.press("question_mark")
        await settled(pilot)
        assert any("off: this room is read-only" in line for line in drawn(app))


async def test_p_pauses_at_once_and_resumes_what_is_paused_by_the_version_seen() -> None:
    room = company()
    async with opened(None, room) as (app, pilot):
        await pilot.press("p")
        await settled(pilot)
        app.screen.query_one("#fleet", LineList).select("search-api")
        await pilot.press("p")
        await settled(pilot)
        said = [toast.message for toast in app._notifications]
    first, second = room.sent
    assert (first.verb, first.service, first.version) == (Verb.PAUSE, "payments-gw", None)
    assert (second.verb, second.service, second.version) == (Verb.RESUME, "search-api", 9)
    assert first.request != second.request
    assert "payments-gw: pause taken" in said


async def test_a_refusal_is_told_with_its_reason_and_what_to_do() -> None:
    room = company()
    room.refusal = Refused("pause payments-gw", "it is rolling back [/x]", "wait until it is back")
    async with opened(None, room) as (app, pilot):
        await pilot.press("p")
        await settled(pilot)
        assert any("it is rolling back [/x]" in line for line in drawn(app))
        assert [toast.message for toast in app._notifications] == ["it is rolling back [/x]: wait until it is back"]


async def test_keys_typed_quickly_after_a_slash_filter_and_pause_nothing() -> None:
    room = company()
    async with opened(None, room) as (app, pilot):
        for name, char in (("slash", "/"), ("p", "p"), ("a", "a"), ("y", "y")):
            app.post_message(Key(name, char))
        await settled(pilot, 8)
        assert (room.sent, names(app)) == ([], ["payments-gw", "ledger"])
        assert "2 of 42 services" in drawn(app)[1]
        await pilot.press("enter", "j")
        await settled(pilot)
        assert app.screen.query_one("#fleet", LineList).selected.name == "ledger"
        await pilot.press("escape")
        await settled(pilot)
        assert len(names(app)) == 42


async def test_a_filter_that_takes_nothing_says_so_and_how_to_clear_it() -> None:
    async with opened(None, company()) as (app, pilot):
        await pilot.press("slash", *"zzz")
        await settled(pilot)
        assert any("No service matches /zzz. Esc clears the filter." in line for line in drawn(app))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("team:pay", ["payments-gw", "ledger"]),
        ("team:pay !ledger", ["payments-gw"]),
        ("state:bake", ["checkout-api"]),
        ("verdict:nodata", ["geo-lookup"]),
        ("r1203", ["checkout-api"]),
        ("TEAM:Find state:paused", ["search-api"]),
    ],
)
def test_a_filter_takes_fields_and_inverse_words(words: str, found: list[str]) -> None:
    assert [row.name for row in Choice(filter=words).of(sample_fleet().services)] == found


def test_an_unknown_budget_is_never_sorted_as_the_best() -> None:
    order = [row.name for row in Choice(order="budget").of(sample_fleet().services)]
    assert order[:2] == ["ledger", "payments-gw"]
    assert order[-1] == "geo-lookup"


async def test_presets_and_sorting_show_what_was_chosen() -> None:
    async with opened(None, company()) as (app, pilot):
        await pilot.press("2")
        await settled(pilot)
        assert names(app) == ["cart", "media-thumb", "inventory", "pricing", "notify"]
        await pilot.press("3", "s", "S")
        await settled(pilot)
        assert names(app) == sorted(names(app), reverse=True)
        assert "only:attention  sort:service reversed" in drawn(app)[1]


async def test_rows_keep_their_places_under_a_cursor_that_was_just_used() -> None:
    room = company()
    view = sample_fleet()
    async with opened(None, room) as (app, pilot):
        await pilot.press("j")
        late = [replace(row, attention=9 if row.name == "payments-gw" else row.attention) for row in view.services]
        room.publish(replace(view, sequence=2, services=tuple(late)))
        await settled(pilot)
        assert names(app)[:2] == ["payments-gw", "checkout-api"]
        app.clock.advance(3)  # type: ignore[attr-defined]
        app.beat += 1
        await settled(pilot)
        assert names(app)[0] == "checkout-api"
        assert app.screen.query_one("#fleet", LineList).selected.name == "checkout-api"


async def test_the_cursor_stays_with_its_service_when_rows_change_places() -> None:
    room = company()
    view = sample_fleet()
    async with opened(None, room) as (app, pilot):
        await pilot.press("j", "j")
        app.clock.advance(5)  # type: ignore[attr-defined]
        room.publish(replace(view, sequence=2, services=tuple(reversed(view.services))))
        await settled(pilot)
        rows = app.screen.query_one("#fleet", LineList)
        assert rows.selected.name == "ledger"
        gone = tuple(row for row in view.services if row.name != "ledger")
        room.publish(replace(view, sequence=3, services=gone))
        await settled(pilot)
        assert rows.selected is not None


async def test_notices_and_a_clock_that_differs_are_shown() -> None:
    view = replace(sample_fleet(), notices=("history cannot be written: disk full",), at=NOW.replace(minute=3))
    async with opened(None, FakeRoom(view)) as (app, _):
        lines = drawn(app)
        assert lines[2] == " ! history cannot be written: disk full"
        assert "this terminal's clock is 4m ahead of the controller's" in lines[3]


async def test_a_terminal_too_small_still_names_the_worst_service() -> None:
    async with opened(None, company(), (72, 20)) as (app, pilot):
        assert drawn(app)[0] == "too small, have 72x20, need 80x24"
        assert "payments-gw" in drawn(app)[1]
        await pilot.resize_terminal(10, 3)
        await settled(pilot)
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert drawn(app)[3].startswith(">x payments-gw")


async def test_a_page_too_small_to_be_seen_takes_no_key_but_help_and_quit() -> None:
    room = company()
    async with opened(None, room) as (app, pilot):
        await pilot.resize_terminal(72, 20)
        await settled(pilot)
        choice = app.screen.choice  # type: ignore[attr-defined]
        for key in ("p", "P", "R", "enter", "s", "S", "2", "slash", "t"):
            await pilot.press(key)
            await settled(pilot)
            assert (room.sent, len(app.screen_stack)) == ([], 1), key
        assert app.screen.choice == choice  # type: ignore[attr-defined]
        assert not app.screen.has_class("-filtering")
        await pilot.press("question_mark")
        await settled(pilot)
        assert len(app.screen_stack) == 2
        await pilot.press("escape")
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        await pilot.press("p")
        await settled(pilot)
        assert [each.verb for each in room.sent] == [Verb.PAUSE]
        await pilot.resize_terminal(72, 20)
        await settled(pilot)
        await pilot.press("q")
        await settled(pilot)
        assert app._exit is True


async def test_a_thousand_services_scroll_to_their_end() -> None:
    async with opened(None, FakeRoom(large_fleet(1_000)), (120, 40)) as (app, pilot):
        await pilot.press("G")
        await settled(pilot)
        rows = app.screen.query_one("#fleet", LineList)
        assert rows.index == 999
        assert any(line.startswith(">") for line in drawn(app))
        assert "1000/1000" in drawn(app)[-4]


async def test_q_leaves_and_ctrl_c_needs_two() -> None:
    async with opened(None, company()) as (app, pilot):
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert any("Ctrl+C again leaves" in line for line in drawn(app))
        app.clock.advance(5)  # type: ignore[attr-defined]
        await pilot.press("ctrl+c")
        assert app._exit is False
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert app._exit is True


async def test_a_feed_that_fails_in_an_unforeseen_way_is_a_lost_line() -> None:
    class Odd(FakeRoom):
        async def fleet(self) -> Any:
            if self.events == ():
                raise LookupError("no such thing")
            yield sample_fleet()

    app = PitheadApp(Odd(sample_fleet()), clock=FrozenClock(), first=sample_fleet())
    async with app.run_test() as pilot:
        await settled(pilot)
        assert app.live.lost == "the feed failed: LookupError"
        assert app.live.view is not None
        assert app.is_running


async def test_steady_services_can_still_be_rolled_back_but_not_paused() -> None:
    room = company()
    async with opened(None, room) as (app, pilot):
        app.screen.query_one("#fleet", LineList).select("auth")
        assert app.screen.target().state is State.STEADY  # type: ignore[attr-defined]
        await pilot.press("p")
        assert room.sent == []
        await pilot.press("R")
        await settled(pilot)
        assert len(app.screen_stack) == 2
