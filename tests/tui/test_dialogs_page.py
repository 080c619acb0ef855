from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.events import Paste
from textual.pilot import Pilot

from pipeline.commands import Refused, Verb
from pipeline.view import State
from tests.tui.fakes import FakeRoom
from tests.tui.pages import company, drawn, opened, settled
from tests.tui.samples import sample_proposals
from tui.dialog_box import Face, Step, box
from tui.glyphs import ASCII
from tui.room import RoomApp
from tui.theme import Colors, palette
from tui.widgets.lines import LineList
from tui.widgets.runs import length

HOSTILE = "\x1b]52;c;AAAA\x07 [/x] [bold]\u202e \u7532" * 20


def told() -> FakeRoom:
    room = company()
    room.proposals.update(sample_proposals())
    return room


@asynccontextmanager
async def asked(
    key: str, service: str, room: FakeRoom, *, wait_s: float = 0.5
) -> "AsyncIterator[tuple[RoomApp, Pilot[Any]]]":
    async with opened(None, room) as (app, pilot):
        app.screen.query_one("#fleet", LineList).select(service)
        await pilot.press(key)
        await settled(pilot)
        app.clock.advance(wait_s)  # type: ignore[attr-defined]
        yield app, pilot


@pytest.mark.parametrize(("key", "service"), [("P", "pricing"), ("R", "checkout-api"), ("P", "ledger")])
async def test_dialogs_look_as_drawn(key: str, service: str, snapshot: SnapshotAssertion) -> None:
    async with asked(key, service, told()) as (app, _):
        assert "\n".join(line[2:78] for line in drawn(app)[6:18]) == snapshot


async def test_a_promote_is_sent_only_once_the_name_is_typed() -> None:
    room = told()
    async with asked("P", "pricing", room) as (app, pilot):
        await pilot.press(*"pricin", "enter")
        assert room.sent == []
        assert any("Promote (off until the name matches)" in line for line in drawn(app))
        await pilot.press("g", "enter", "enter")
        await settled(pilot)
        assert any("pricing: promote taken" in line for line in drawn(app))
        app.clock.advance(0.5)  # type: ignore[attr-defined]
        await pilot.press("enter")
        await settled(pilot)
        assert len(app.screen_stack) == 1
    (sent,) = room.sent
    assert (sent.verb, sent.service, sent.release, sent.version) == (Verb.PROMOTE, "pricing", "pricing-450", 5)


async def test_a_rollback_begins_on_cancel_and_y_confirms_it() -> None:
    room = told()
    async with asked("R", "checkout-api", room) as (app, pilot):
        await pilot.press("enter")
        await settled(pilot)
        assert (room.sent, len(app.screen_stack)) == ([], 1)
        await pilot.press("R")
        await settled(pilot)
        app.clock.advance(0.5)  # type: ignore[attr-defined]
        await pilot.press("y")
        await settled(pilot)
    (sent,) = room.sent
    assert (sent.verb, sent.release, sent.version, sent.reason) == (Verb.ROLLBACK, "checkout-api-1203", None, "")


async def test_a_reason_may_hold_a_y_and_goes_with_the_rollback() -> None:
    room = told()
    async with asked("R", "checkout-api", room) as (_, pilot):
        await pilot.press("tab", *"my", "space", *"way", "enter")
        assert room.sent == []
        await pilot.press("y")
        await settled(pilot)
    assert [each.reason for each in room.sent] == ["my way"]


async def test_keys_of_the_first_four_tenths_of_a_second_confirm_nothing() -> None:
    room = told()
    async with asked("R", "checkout-api", room, wait_s=0.39) as (app, pilot):
        await pilot.press("y", "tab", "y")
        await settled(pilot)
        assert (room.sent, len(app.screen_stack)) == ([], 2)
        await pilot.press("escape")
        await settled(pilot)
        assert len(app.screen_stack) == 1


@pytest.mark.parametrize(("key", "service"), [("R", "checkout-api"), ("P", "ledger")])
async def test_q_closes_a_dialog_that_can_be_read_and_sends_nothing(key: str, service: str) -> None:
    room = told()
    async with asked(key, service, room, wait_s=0.39) as (app, pilot):
        await pilot.press("q")
        assert len(app.screen_stack) == 2
        app.clock.advance(0.1)  # type: ignore[attr-defined]
        await pilot.press("q")
        await settled(pilot)
        assert (room.sent, len(app.screen_stack)) == ([], 1)


async def test_what_is_too_narrow_to_be_read_is_not_confirmed() -> None:
    room = told()
    async with asked("R", "checkout-api", room) as (app, pilot):
        await pilot.resize_terminal(75, 24)
        await settled(pilot)
        assert "too narrow to be read: 75 columns, 76 needed" in "\n".join(drawn(app))
        await pilot.press("y", "tab", "tab", "enter")
        await settled(pilot)
        assert (room.sent, len(app.screen_stack)) == ([], 2)
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        assert any("[ Cancel ]" in line for line in drawn(app))
        await pilot.resize_terminal(75, 24)
        await pilot.press("q")
        await settled(pilot)
        assert (room.sent, len(app.screen_stack)) == ([], 1)


async def test_a_q_that_is_typed_closes_nothing() -> None:
    room = told()
    async with asked("R", "checkout-api", room) as (app, pilot):
        await pilot.press("tab", *"queue")
        await settled(pilot)
        assert any("[ queue_" in line for line in drawn(app))
        assert any("Esc cancels   Tab, then y" in line for line in drawn(app))


async def test_a_pasted_name_is_ignored() -> None:
    room = told()
    async with asked("P", "pricing", room) as (app, pilot):
        app.post_message(Paste("pricing\n"))
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
    assert room.sent == []


async def test_what_is_not_allowed_has_no_confirm_button() -> None:
    room = told()
    async with asked("P", "ledger", room) as (app, pilot):
        assert not any("Promote (" in line or "[ Promote ]" in line for line in drawn(app))
        await pilot.press("y", *"ledger", "tab", "enter")
        await settled(pilot)
        assert (room.sent, len(app.screen_stack)) == ([], 1)


async def test_a_refusal_is_shown_in_the_dialog_with_its_reason() -> None:
    room = told()
    room.refusal = Refused("promote pricing", "it changed since you looked (version 6)", "look again")
    async with asked("P", "pricing", room) as (app, pilot):
        await pilot.press(*"pricing", "enter")
        await settled(pilot)
        lines = drawn(app)
        assert any("why" in line and "it changed since you looked (version 6)" in line for line in lines)
        assert any("mend" in line and "look again" in line for line in lines)


async def test_a_lost_answer_can_be_asked_for_again_with_the_same_request() -> None:
    room = told()
    async with asked("P", "pricing", room) as (app, pilot):
        await pilot.press(*"pricing")
        room.lose("no answer in 2 s")
        await pilot.press("enter")
        await settled(pilot)
        assert any("it may have been taken" in line for line in drawn(app))
        room.restore()
        app.clock.advance(0.5)  # type: ignore[attr-defined]
        await pilot.press("y")
        await settled(pilot)
        assert any("pricing: promote taken" in line for line in drawn(app))
    assert len(room.sent) == 1


async def test_the_service_named_is_the_one_acted_on_whatever_happens_below() -> None:
    room = told()
    async with asked("R", "checkout-api", room) as (app, pilot):
        view = app.live.view
        assert view is not None
        room.publish(replace(view, sequence=2, services=tuple(reversed(view.services))))
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
    assert [each.service for each in room.sent] == ["checkout-api"]


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("height", [8, 24])
def test_a_box_keeps_its_width_and_height_whatever_it_is_told(step: Step, height: int) -> None:
    face = Face(Verb.PROMOTE, "x" * 100, step, HOSTILE, ((HOSTILE, HOSTILE), ("why", "w" * 400)), typed="y" * 200)
    lines = box(face, ASCII, palette(Colors.NONE), height)
    assert {length(line) for line in lines} == {76}
    assert len(lines) <= height


async def test_the_page_behind_a_dialog_goes_on_living() -> None:
    room = told()
    async with asked("R", "checkout-api", room) as (app, pilot):
        view = room._fleet
        assert view is not None
        behind = replace(view.services[1], state=State.SETTLE)
        room.publish(replace(view, sequence=view.sequence + 1, services=(view.services[0], behind, *view.services[2:])))
        await settled(pilot, 6)
        assert len(app.screen_stack) == 2
        lines = ["".join(part.text for part in line) for line in app.screen_stack[0]._compositor.render_strips()]
        assert any("SETTLE" in line for line in lines)


async def test_what_is_not_allowed_wraps_in_its_box_and_says_until_when() -> None:
    why = "payback: 720 s of 262.8 s = 2.74 -> 3 months: 12m00s down since 2026-01-05 09:00 UTC"
    lifts = "by itself on that day, or an approved correction (pithead correct), or break-glass in a severe incident"
    rows = (("why", why), ("rule", "payback"), ("until", "2026-04-05 09:04 UTC, 85 days from now"), ("lifts", lifts))
    room = told()
    blocked = room.proposals[Verb.PROMOTE, "ledger"]
    room.proposals[Verb.PROMOTE, "ledger"] = replace(blocked, rows=rows)
    async with asked("P", "ledger", room) as (app, pilot):
        lines = [line[2:78] for line in drawn(app)]
        page = " ".join(line.strip("|").strip() for line in lines)
        words = page.split()
        assert all(word in words for _, told_ in rows for word in told_.split())
        assert any(line.startswith("| until     2026-04-05 09:04 UTC") for line in lines)
        assert not any(line.endswith("..|") for line in lines)
        await pilot.press("y", "enter")
        await settled(pilot)
        assert room.sent == []
