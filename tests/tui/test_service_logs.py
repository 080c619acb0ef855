"""`l` on a service's page: the canary's lines beside production's, followed, filtered, and dated."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from pipeline.logs import HostLog, LogPage
from pipeline.model import Track
from tests.tui.fakes import NOW, FakeRoom, FrozenClock
from tests.tui.pages import company, drawn, opened, settled
from tui.glyphs import ASCII, UNICODE
from tui.room import RoomApp
from tui.service import ServiceScreen
from tui.service_log_lines import Shown, kept_top, log_sheet, matching
from tui.service_logs import EVERY_S, LogsScreen
from tui.theme import Colors, palette
from tui.widgets.pane import Look
from tui.widgets.runs import length

SIZES = [(80, 24), (120, 40)]
HOSTILE = "\x1b]52;c;aGk=\x07[/x]\u202e\u200b\x9b2J{}"


def wrote(host: str, track: Track, count: int, first: int = 0, every_s: int = 7) -> HostLog:
    """A journal's lines, the newest at NOW."""
    lines = []
    for n in range(first, first + count):
        at = NOW - timedelta(seconds=every_s * (first + count - 1 - n))
        status, took = (500, 3_011) if track is Track.CANARY and n % 5 == 3 else (200, 8 + n % 7)
        said = "POST /basket/checkout" if n % 3 else "GET /basket/items?expand=prices,stock&currency=EUR&region=eu-west"
        lines.append(f"{at:%Y-%m-%dT%H:%M:%S}+0000 {host} checkout[812]: {said} {status} {took} ms")
    return HostLog(host, track, tuple(lines))


PAGE = LogPage(
    "checkout-api",
    NOW,
    (
        wrote("fra1-00", Track.CANARY, 20),
        wrote("ams2-14", Track.CANARY, 9, every_s=11),
        HostLog("sin1-14", Track.CANARY, (), "timed out: no login in 30 s"),
        wrote("fra1-03", Track.BASELINE, 8),
        wrote("fra1-01", Track.PRODUCTION, 40),
        HostLog("iad1-21", Track.PRODUCTION, (), "name not found: iad1-21"),
    ),
    165,
)
UNSET = 'logs are read by ssh, and it is reached by its agent: set reach.by = "ssh" and [service.checkout-api.logs]'


def room(page: LogPage = PAGE) -> FakeRoom:
    made = company()
    made.logged["checkout-api"] = page
    return made


async def press(pilot: "Pilot[Any]", *keys: str) -> None:
    await pilot.press(*keys)
    await settled(pilot)


async def later(app: RoomApp, pilot: "Pilot[Any]", seconds: float) -> None:
    assert isinstance(app.clock, FrozenClock)
    app.clock.advance(seconds)
    app.beat += 1
    await settled(pilot, 6)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ascii_", [True, False], ids=["ascii", "unicode"])
async def test_the_logs_look_as_drawn(size: tuple[int, int], ascii_: bool, snapshot: SnapshotAssertion) -> None:
    async with opened(ServiceScreen("checkout-api"), room(), size, ascii=ascii_) as (app, pilot):
        await press(pilot, "l")
        assert "\n".join(drawn(app)) == snapshot


async def test_long_lines_are_told_in_full_with_w(snapshot: SnapshotAssertion) -> None:
    async with opened(ServiceScreen("checkout-api"), room(), (120, 40)) as (app, pilot):
        await press(pilot, "l", "w")
        assert "\n".join(drawn(app)) == snapshot


async def test_a_service_without_logs_says_what_to_set(snapshot: SnapshotAssertion) -> None:
    hosts = tuple(replace(log, lines=(), why=UNSET) for log in PAGE.hosts)
    async with opened(ServiceScreen("checkout-api"), room(replace(PAGE, hosts=hosts))) as (app, pilot):
        await press(pilot, "l")
        assert "\n".join(drawn(app)) == snapshot


async def test_escape_leads_back_and_the_help_lists_the_key() -> None:
    async with opened(ServiceScreen("checkout-api"), room(), (80, 48)) as (app, pilot):
        await press(pilot, "l")
        assert isinstance(app.screen, LogsScreen)
        await press(pilot, "escape")
        assert isinstance(app.screen, ServiceScreen)
        await press(pilot, "question_mark", "G")
        await press(pilot, "g")
        assert "what its hosts wrote last" in "\n".join(drawn(app))


async def test_the_filter_looks_in_lines_hosts_and_tracks_and_escape_clears_it() -> None:
    async with opened(LogsScreen("checkout-api"), room()) as (app, pilot):
        await press(pilot, "slash", *" 500 ", "enter")
        page = "\n".join(drawn(app))
        assert "filter: 500" in page
        assert "POST /basket/checkout 500" in page
        assert " 200 " not in page
        assert 'none of 48 lines says "500"; Esc shows all' in page
        await press(pilot, "slash", *["backspace"] * 3, *"BASELINE", "enter")
        page = "\n".join(drawn(app))
        assert "- 8 lines, 2 of 3 hosts" in page
        await press(pilot, "escape")
        assert "filter: none" in "\n".join(drawn(app))
        assert isinstance(app.screen, LogsScreen)
        await press(pilot, "escape")
        assert not isinstance(app.screen, LogsScreen)


async def test_it_is_read_again_every_five_seconds_while_open_and_says_its_age() -> None:
    company_ = room()
    async with opened(LogsScreen("checkout-api"), company_) as (app, pilot):
        assert len(company_.asked_logs) == 1
        await later(app, pilot, 3)
        assert "read 3s ago" in drawn(app)[1]
        assert len(company_.asked_logs) == 1
        await later(app, pilot, EVERY_S - 3)
        assert len(company_.asked_logs) == 2
        await later(app, pilot, 0)
        assert "read 0s ago" in drawn(app)[1]
        await press(pilot, "r")
        await settled(pilot, 6)
        assert len(company_.asked_logs) == 3
        await press(pilot, "escape")
        await later(app, pilot, 60)
        assert len(company_.asked_logs) == 3


async def test_it_follows_the_end_and_stays_where_it_was_scrolled_to() -> None:
    company_ = room(replace(PAGE, hosts=(wrote("fra1-00", Track.CANARY, 60),)))
    async with opened(LogsScreen("checkout-api"), company_) as (app, pilot):
        assert "60 of 60" in "\n".join(drawn(app))
        newer = (*wrote("fra1-00", Track.CANARY, 60).lines[3:], f"{NOW:%Y-%m-%dT%H:%M:%S}Z the newest")
        company_.logged["checkout-api"] = replace(PAGE, hosts=(HostLog("fra1-00", Track.CANARY, newer),))
        await later(app, pilot, EVERY_S)
        assert "the newest" in "\n".join(drawn(app))
        await press(pilot, "k", "k", "k", "k")
        before = drawn(app)[3]
        gone = (*newer[2:], *(f"{NOW:%Y-%m-%dT%H:%M:%S}Z later still" for _ in range(9)))
        company_.logged["checkout-api"] = replace(PAGE, hosts=(HostLog("fra1-00", Track.CANARY, gone),))
        await later(app, pilot, EVERY_S)
        assert drawn(app)[3] == before
        assert "later still" not in "\n".join(drawn(app))
        await press(pilot, "G")
        assert "later still" in "\n".join(drawn(app))


async def test_a_lost_controller_keeps_the_lines_and_says_how_old_they_are() -> None:
    company_ = room()
    async with opened(LogsScreen("checkout-api"), company_) as (app, pilot):
        company_.lose("no answer in 2 s")
        await later(app, pilot, EVERY_S)
        page = drawn(app)
        assert page[1].startswith(" no logs: no answer in 2 s")
        assert page[1].endswith("read 5s ago")
        assert any("checkout[812]" in line for line in page)
        company_.restore()
        await later(app, pilot, 60)
        assert "no logs" not in "\n".join(drawn(app))


async def test_a_refusal_is_said_in_place_of_lines() -> None:
    async with opened(LogsScreen("nonesuch"), company()) as (app, pilot):
        await settled(pilot)
        assert drawn(app)[1].startswith(" no logs: no such service: see the fleet")


async def test_hostile_lines_stay_text_and_stay_in_their_column() -> None:
    hosts = (HostLog(HOSTILE, Track.CANARY, (HOSTILE * 9, "\u6f22" * 90)), HostLog("b", Track.PRODUCTION, (), HOSTILE))
    for size in (*SIZES, (20, 6), (10, 3)):
        async with opened(LogsScreen("checkout-api"), room(replace(PAGE, hosts=hosts)), size) as (app, pilot):
            for key in ("w", "w"):
                await press(pilot, key)
                strips = app.screen._compositor.render_strips()
                assert all(strip.cell_length == size[0] for strip in strips)
                assert all(
                    char.isprintable()
                    for strip in strips
                    for segment in strip.apply_filter(app.get_line_filters()[-2], app.screen.styles.background)
                    for char in segment.text
                )


@pytest.mark.parametrize("width", [6, 20, 57, 78])
@pytest.mark.parametrize("wrap", [True, False])
def test_a_line_fits_its_column_and_says_track_and_host(width: int, wrap: bool) -> None:
    for look in (Look(ASCII, palette(Colors.NONE)), Look(UNICODE, palette(Colors.TRUE))):
        sheet = log_sheet("canary", Shown(PAGE.hosts, wrap=wrap), width, look)
        texts = ["".join(part for part, _ in line) for line in sheet.body]
        if width >= 57:
            assert all(length(line) <= width for line in sheet.body)
            assert any(line.startswith("C fra1-00 14:07:31 checkout[812]: ") for line in texts)
            assert any(line.startswith("B fra1-03 ") for line in texts)
            said = "".join(texts).replace(" ", "")
            assert ("expand=prices,stock&currency=EUR&region=eu-west200" in said) == (wrap or width > 110)


def test_a_filter_without_words_is_none() -> None:
    assert matching([], "") == ()


def test_the_place_in_a_log_is_found_again_nearest_to_where_it_was() -> None:
    def rows(text: str) -> Any:
        return [((letter, palette(Colors.NONE).plain),) for letter in text]

    assert kept_top(rows("abcdef"), rows("cdefgh"), 3) == 1
    assert kept_top(rows("abcabc"), rows("abcabc"), 3) == 3
    assert kept_top(rows("abc"), rows("xyz"), 1) == 1
    assert kept_top([], rows("xyz"), 0) == 0
