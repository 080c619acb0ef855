import json
import stat
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from pipeline.events import AUTO, Event, Who
from pipeline.text import plain
from pipeline.view import HistoryPage, HistoryQuery
from tests.tui.fakes import NOW, FakeRoom, FrozenClock
from tests.tui.pages import company, drawn, opened, settled
from tests.tui.samples import event, sample_events, sample_fleet
from tui.app import PitheadApp
from tui.glyphs import ASCII, UNICODE
from tui.history import PAGE, HistoryScreen
from tui.history_export import ExportError, export
from tui.history_lines import Times, as_json, detail_sheet, line
from tui.page import PageScreen
from tui.theme import Colors, palette
from tui.widgets.lines import LineList
from tui.widgets.pane import Look
from tui.widgets.runs import length

OUTSIDE = st.text(max_size=80).map(plain)
PLAIN = Look(ASCII, palette(Colors.NONE))


def many(count: int) -> tuple[Event, ...]:
    """Newest first, a minute apart, the oldest with id 1."""
    return tuple(
        event(NOW - timedelta(minutes=n), AUTO, "cart", f"r{n}", "look", f"PASS number {count - n}", count - n)
        for n in range(count)
    )


def names(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def text(runs: Any) -> str:
    return "".join(part for part, _ in runs)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_history_looks_as_drawn(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(HistoryScreen(), company(), size) as (app, pilot):
        await pilot.press("j", "j")
        await settled(pilot)
        assert "\n".join(drawn(app)) == snapshot


def test_the_history_in_colour(snap_compare: Any) -> None:
    app = PitheadApp(company(), colors=Colors.TRUE, clock=FrozenClock(), operator="mira", first=sample_fleet())

    async def open_page(pilot: Any) -> None:
        await pilot.app.push_screen(HistoryScreen())
        await settled(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=open_page)


async def test_a_filter_is_asked_of_the_controller_counted_and_cleared_by_esc() -> None:
    async with opened(HistoryScreen(), company()) as (app, pilot):
        await pilot.press("slash", *"rollback", "enter")
        await settled(pilot)
        page = "\n".join(drawn(app))
        assert "filter: rollback  2 events" in page
        assert "to r446" in page
        assert "denied" not in page
        await pilot.press("escape")
        await settled(pilot)
        assert "11 events" in "\n".join(drawn(app))
        await pilot.press("slash", *"zzz", "enter")
        await settled(pilot)
        assert 'no event says "zzz": Esc clears the filter' in "\n".join(drawn(app))


async def test_older_pages_are_read_when_the_cursor_comes_near_their_end() -> None:
    room = FakeRoom(sample_fleet(), {}, many(3 * PAGE))
    async with opened(HistoryScreen(), room) as (app, pilot):
        rows = app.screen.query_one("#events", LineList)
        assert len(rows.items) == PAGE
        for expected in (2 * PAGE, 3 * PAGE):
            await pilot.press("G")
            await settled(pilot, 5)
            assert len(rows.items) == expected
        await pilot.press("G")
        await settled(pilot)
        assert rows.selected is not None
        assert rows.selected.id == 1
        assert [each.id for each in rows.items] == list(range(3 * PAGE, 0, -1))


async def test_what_happens_meanwhile_comes_on_top_and_the_cursor_stays_on_its_event() -> None:
    room = FakeRoom(sample_fleet(), {}, many(20))
    async with opened(HistoryScreen(), room) as (app, pilot):
        rows = app.screen.query_one("#events", LineList)
        await pilot.press("j", "j")
        new = event(NOW, AUTO, "cart", "r9", "settled", "done", 99_000)
        room.events = (new, *room.events)
        room.publish(replace(sample_fleet(), last=new, sequence=2))
        await settled(pilot, 5)
        assert rows.items[0] == new
        assert rows.selected is not None
        assert rows.selected.id == 18
        assert rows.index == 3


async def test_enter_opens_all_that_is_known_of_an_event() -> None:
    async with opened(HistoryScreen(), company()) as (app, pilot):
        await pilot.press("j", "j", "enter")
        await settled(pilot)
        assert isinstance(app.screen, PageScreen)
        page = "\n".join(drawn(app))
        assert "err canary 1.52% vs prod 0.42%" in page
        assert "fra1-07" in page
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, HistoryScreen)


async def test_z_shows_local_time_and_d_the_dates() -> None:
    async with opened(HistoryScreen(), company()) as (app, pilot):
        app.zone = timezone(timedelta(hours=2), "CEST")
        await pilot.press("z", "d")
        await settled(pilot)
        page = "\n".join(drawn(app))
        assert "2026-01-09 16:07:30" in page
        assert page.splitlines()[1].endswith("CEST")
        await pilot.press("z", "d")
        await settled(pilot)
        page = "\n".join(drawn(app))
        assert "  14:06:58" in page
        assert page.splitlines()[1].endswith("UTC")


async def test_an_export_holds_every_event_that_matches_and_is_private(tmp_path: Path) -> None:
    room = FakeRoom(sample_fleet(), {}, many(2_500))
    async with opened(HistoryScreen(folder=tmp_path), room) as (app, pilot):
        await pilot.press("e")
        while any(each.name == "export" for each in app.workers):
            await pilot.pause()
    path = tmp_path / "pithead-history-20260109T140731Z.jsonl"
    assert [path] == names(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [json.loads(each) for each in path.read_text().splitlines()]
    assert [each["id"] for each in lines] == list(range(2_500, 0, -1))
    assert lines[0]["at"] == "2026-01-09T14:07:31+00:00"


async def test_an_export_that_fails_says_what_to_do_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="start pithead in a folder that you may write to"):
        await export(FakeRoom(), HistoryQuery(), tmp_path / "missing", NOW)
    taken = tmp_path / "pithead-history-20260109T140731Z.jsonl"
    taken.write_text("kept")
    with pytest.raises(ExportError, match="File exists"):
        await export(FakeRoom(), HistoryQuery(), tmp_path, NOW)
    assert taken.read_text() == "kept"
    taken.unlink()

    class Breaking(FakeRoom):
        async def history(self, query: HistoryQuery) -> HistoryPage:
            if query.before_id is not None:
                self.lose()
            return await super().history(query)

    room = Breaking(sample_fleet(), {}, many(1_500))
    async with opened(HistoryScreen(folder=tmp_path), room, (120, 40)) as (app, pilot):
        await pilot.press("e")
        await settled(pilot, 5)
        assert "nothing was written" in "\n".join(drawn(app))
    assert names(tmp_path) == []


async def test_a_lost_controller_is_said_and_what_was_read_stays() -> None:
    room = company()
    async with opened(HistoryScreen(), room) as (app, pilot):
        room.lose()
        await settled(pilot, 5)
        await pilot.press("slash", "x")
        await settled(pilot, 5)
        page = "\n".join(drawn(app))
        assert "no history: no answer in 2 s" in page
        assert "checkout-api" in page
    room = company()
    room.lose()
    async with opened(HistoryScreen(), room) as (app, pilot):
        assert "no history: no answer in 2 s" in "\n".join(drawn(app))
        await pilot.press("e", "y", "enter", "G", "j", "z", "d")
        await settled(pilot)
        room.restore()
        app.clock.advance(60)  # type: ignore[attr-defined]
        await settled(pilot, 8)
        assert "11 events" in "\n".join(drawn(app))


async def test_an_empty_history_says_so() -> None:
    async with opened(HistoryScreen(), FakeRoom(sample_fleet())) as (app, _):
        assert "nothing has happened yet" in "\n".join(drawn(app))


@settings(max_examples=60, deadline=None)
@given(OUTSIDE, OUTSIDE, st.integers(72, 130), st.booleans(), st.booleans())
def test_an_event_is_one_line_as_wide_as_the_screen_whatever_it_says(
    detail: str, service: str, width: int, dates: bool, unicode: bool
) -> None:
    odd = Event(NOW, Who(service), service, service, service, detail, detail, (detail,), 7)
    look = Look(UNICODE if unicode else ASCII, palette(Colors.TRUE))
    times = Times(NOW, dates=dates)
    assert length(line(odd, width, times, look, selected=True)) == width
    assert detail_sheet(odd, width, times, look).body
    assert json.loads(as_json(odd))["detail"] == detail
    assert "\n" not in as_json(odd)


def test_an_event_of_another_day_shows_its_date() -> None:
    old = replace(sample_events()[0], at=NOW - timedelta(days=3))
    assert text(line(old, 80, Times(NOW), PLAIN, selected=False)).startswith("  26-01-06  auto")
