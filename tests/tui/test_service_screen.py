from dataclasses import replace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from pipeline.commands import Verb
from pipeline.gates import Answer, Gate
from pipeline.model import Track
from pipeline.view import Budget, HostLine, Mark, Progress, StageCell, State
from tests.tui.fakes import FakeRoom, FrozenClock
from tests.tui.pages import company, drawn, opened, settled
from tests.tui.samples import COLD, sample_fleet, sample_rows, sample_service
from tui.app import PitheadApp
from tui.gate_lines import gate_sheet
from tui.glyphs import ASCII, UNICODE
from tui.history import HistoryScreen
from tui.page import PageScreen
from tui.service import ServiceScreen
from tui.service_judge import judging_line
from tui.service_lane import judged_line, lane, waited
from tui.service_sheets import wrapped
from tui.theme import Colors, palette
from tui.widgets.pane import Look, Pane, Sheet, framed
from tui.widgets.runs import length

PLAIN = Look(ASCII, palette(Colors.NONE))
HOSTILE = "\x1b]52;c;AAAA\x07[/x] [bold]\u202e evil \u7532\u7532\u7532"


def text(runs: Any) -> str:
    return "".join(part for part, _ in runs)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("ascii_", [True, False], ids=["ascii", "unicode"])
async def test_the_page_looks_as_drawn(size: tuple[int, int], ascii_: bool, snapshot: SnapshotAssertion) -> None:
    async with opened(ServiceScreen("checkout-api"), company(), size, ascii=ascii_) as (app, _):
        assert "\n".join(drawn(app)) == snapshot


@pytest.mark.parametrize("tab", ["2", "3", "4"])
async def test_each_tab_looks_as_drawn(tab: str, snapshot: SnapshotAssertion) -> None:
    async with opened(ServiceScreen("checkout-api"), company()) as (app, pilot):
        await pilot.press(tab)
        await settled(pilot)
        assert "\n".join(drawn(app)) == snapshot


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_the_page_in_colour(size: tuple[int, int], snap_compare: Any) -> None:
    app = PitheadApp(company(), colors=Colors.TRUE, clock=FrozenClock(), operator="mira", first=sample_fleet())

    async def open_page(pilot: Any) -> None:
        await pilot.app.push_screen(ServiceScreen("checkout-api"))
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=open_page)


async def test_every_size_is_drawn_to_its_edges_and_no_further() -> None:
    async with opened(ServiceScreen("checkout-api"), company()) as (app, pilot):
        for size in ((10, 3), (1, 1), (72, 20), (110, 30), (110, 34), (200, 50), (300, 12), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.press("3", "1")
            await settled(pilot)
            strips = app.screen._compositor.render_strips()
            assert [strip.cell_length for strip in strips] == [size[0]] * size[1]


@pytest.mark.parametrize("row", sample_rows()[:12], ids=lambda row: row.state)
@pytest.mark.parametrize("wide", [True, False])
def test_the_head_fits_in_its_line_in_every_state(row: Any, wide: bool) -> None:
    view = replace(sample_service("checkout-api"), row=row)
    for look in (PLAIN, Look(UNICODE, palette(Colors.TRUE))):
        for width in (20, 80, 120):
            assert length(lane(view, width, look, wide=wide)) <= width
            assert length(judged_line(view, width, look)) <= width
    assert row.state.value in text(lane(view, 400, PLAIN, wide=wide)) + text(judged_line(view, 400, PLAIN))


def test_the_lane_says_where_the_release_is() -> None:
    view = sample_service("checkout-api")
    said = text(lane(view, 80, PLAIN, wide=False))
    assert said == " staging r1204 [6/6] ==> canary r1203 7% [BAKE 41/60m] --> prod r1201"
    cart = replace(sample_service("cart"), wave=2)
    assert text(lane(cart, 80, PLAIN, wide=False)).endswith("==> prod r512 25% [ROLL 25% 25/100s]")


def test_a_stale_service_shows_its_age_and_never_a_number_it_does_not_have() -> None:
    view = sample_service("geo-lookup")
    assert "[STALE 93s old]" in text(lane(view, 80, PLAIN, wide=False))
    assert "canary r90 ?" in text(lane(view, 80, PLAIN, wide=False))
    line = text(judged_line(view, 80, PLAIN))
    assert line.startswith(" STALE no metrics for 93 s")
    assert line.endswith("budget ?????? ? burn 1h ?")


def test_the_control_is_named_wherever_there_is_a_verdict() -> None:
    view = sample_service("checkout-api")
    assert text(judging_line(view, 80, PLAIN)).startswith(" against 3 baseline hosts restarted beside it")
    unjudged = replace(view, judge=None)
    assert ", against production, 159 hosts" in text(judged_line(unjudged, 120, PLAIN))
    assert " vs production " in text(judged_line(unjudged, 84, PLAIN))
    assert judging_line(unjudged, 80, PLAIN) == ()


def test_requests_and_a_peak_are_said_as_such_and_cut() -> None:
    assert waited(Progress(299, 100_000, "req"), wide=False) == "299/100k req"
    assert waited(Progress(999_999, 1_250_000, "req"), wide=True) == "999k/1.2M req"
    assert waited(Progress(9_990, 10_000, "req"), wide=True) == "9.9k/10k req"
    assert waited(Progress(12.9, 35, "req/s"), wide=False) == "peak 12/35"
    assert waited(Progress(12.9, 35, "req/s"), wide=True) == "peak 12/35 req/s"


@pytest.mark.parametrize(
    ("done", "of", "short", "long"),
    [
        (41 * 60, 60 * 60, "41/60m", "41/60 min"),
        (5, 30, "5/30s", "5/30 s"),
        (86_400, 2 * 86_400, "24.0/48h", "24.0/48 h"),
    ],
)
def test_a_wait_is_said_in_the_unit_of_its_length(done: float, of: float, short: str, long: str) -> None:
    assert waited(Progress(done, of), wide=False) == short
    assert waited(Progress(done, of), wide=True) == long


def test_evidence_is_said_to_be_of_what_where_there_is_room() -> None:
    view = sample_service("checkout-api")
    assert view.judge is not None
    strong = replace(view, judge=replace(view.judge, control="7 production hosts", evidence=3.32))
    assert text(judging_line(strong, 80, PLAIN)).endswith("  evidence 332 % of what rolls it back")
    assert text(judging_line(strong, 60, PLAIN)).endswith("  evidence 332%")


def test_a_closed_gate_says_why_until_when_and_who_lifts_it() -> None:
    view = sample_service("checkout-api")
    said = "\n".join(text(line) for line in gate_sheet(view, 78, PLAIN, whole=True).body)
    assert "~ hold    traffic cycle       41/60 min" in said
    assert "until 14:26:31Z (19m)" in said
    assert "by itself, once a full cycle is served" in said
    assert text(gate_sheet(view, 78, PLAIN, whole=True).foot) == "6 pass, 1 hold, 1 unknown"


async def test_a_view_with_nothing_in_it_is_said_in_words() -> None:
    bare = replace(
        sample_service("checkout-api"),
        row=replace(
            sample_rows()[10],
            name="checkout-api",
            why="",
            budget=Budget(None, "30d"),
            staging=StageCell(),
            production=StageCell(),
        ),
        panes=(),
        gates=(),
        hosts=(),
        timeline=(),
        decisions=(),
        waves=(),
        control="",
    )
    async with opened(ServiceScreen("checkout-api"), FakeRoom(sample_fleet(), {"checkout-api": bare}), (120, 40)) as (
        app,
        _,
    ):
        page = "\n".join(drawn(app))
        assert "STEADY nothing under way" in page
        assert "no gates: nothing is on its way" in page
        assert "no hosts are known" in page
        assert "nothing yet" in page
        assert "budget ?????? ?" in page


async def test_hostile_text_stays_text_and_stays_in_its_pane() -> None:
    view = sample_service("checkout-api")
    bad = replace(
        view,
        row=replace(view.row, why=HOSTILE * 20),
        control=HOSTILE,
        panes=tuple(replace(pane, title=HOSTILE, difference=HOSTILE, unit=HOSTILE) for pane in view.panes),
        gates=(Gate(HOSTILE, Answer.FAIL, HOSTILE * 9, lifts=HOSTILE),),
        hosts=(HostLine("a", HOSTILE, Track.CANARY, Mark.BAD, HOSTILE, HOSTILE),),
        timeline=tuple(replace(event, action=HOSTILE, detail=HOSTILE * 5) for event in view.timeline),
        judge=replace(
            COLD, control=HOSTILE, calibration=HOSTILE, warmup=HOSTILE, caveats=(HOSTILE,), alerts=(HOSTILE,)
        ),
    )
    for size in ((80, 24), (120, 40)):
        room = FakeRoom(sample_fleet(), {"checkout-api": bad})
        async with opened(ServiceScreen("checkout-api"), room, size) as (app, pilot):
            for key in ("1", "2", "3", "4", "b", "e"):
                await pilot.press(key)
                await settled(pilot)
                strips = app.screen._compositor.render_strips()
                assert all(strip.cell_length == size[0] for strip in strips)
                assert all(
                    char.isprintable()
                    for strip in strips
                    for segment in strip.apply_filter(app.get_line_filters()[-2], app.screen.styles.background)
                    for char in segment.text
                )


async def test_a_lost_feed_keeps_the_page_says_so_and_takes_no_action() -> None:
    room = company()
    async with opened(ServiceScreen("checkout-api"), room) as (app, pilot):
        room.lose("no answer in 2 s")
        await settled(pilot)
        app.clock.advance(0.5)  # type: ignore[attr-defined]
        app.beat += 1
        await settled(pilot)
        page = "\n".join(drawn(app))
        assert "no news of checkout-api: no answer in 2 s" in page
        assert "CONTROLLER LOST" in page
        assert "error rate" in page
        await pilot.press("p")
        await settled(pilot)
        assert room.sent == []
        room.restore()
        app.clock.advance(60)  # type: ignore[attr-defined]
        await settled(pilot, 6)
        assert "no news" not in "\n".join(drawn(app)[:4])


async def test_an_unknown_service_is_said_to_be_unknown() -> None:
    async with opened(ServiceScreen("nonesuch"), company()) as (app, pilot):
        assert "nonesuch: no such service: see the fleet" in "\n".join(drawn(app))
        await pilot.press("p", "e", "m", "right_square_bracket", "escape")
        await settled(pilot)
        assert not isinstance(app.screen, ServiceScreen)


async def test_p_pauses_at_once_and_a_read_only_room_does_not() -> None:
    room = company()
    async with opened(ServiceScreen("checkout-api"), room) as (_, pilot):
        await pilot.press("p")
        await settled(pilot)
        assert [(sent.verb, sent.service) for sent in room.sent] == [(Verb.PAUSE, "checkout-api")]
    viewer = company(read_only=True)
    async with opened(ServiceScreen("checkout-api"), viewer) as (app, pilot):
        await pilot.press("p", "P", "R")
        await settled(pilot)
        assert viewer.sent == []
        assert isinstance(app.screen, ServiceScreen)


async def test_brackets_go_through_the_fleet_in_its_order_and_around() -> None:
    room = company()
    async with opened(ServiceScreen("payments-gw"), room) as (app, pilot):
        await pilot.press("right_square_bracket")
        await settled(pilot)
        page = drawn(app)
        assert "fleet > checkout-api" in page[0]
        assert "canary r1203" in page[1]
        await pilot.press("left_square_bracket", "left_square_bracket")
        await settled(pilot)
        assert "fleet > etl-orders" in drawn(app)[0]


async def test_m_shows_the_metrics_that_do_not_fit() -> None:
    async with opened(ServiceScreen("checkout-api"), company()) as (app, pilot):
        assert "gc pause" not in "\n".join(drawn(app))
        await pilot.press("m")
        await settled(pilot)
        page = "\n".join(drawn(app))
        assert "gc pause" in page
        assert "m 5-6/6" in page
        assert "error rate  2h" not in page


async def test_e_explains_every_metric_and_gate_in_full_and_esc_comes_back() -> None:
    async with opened(ServiceScreen("checkout-api"), company(), (80, 66)) as (app, pilot):
        await pilot.press("e")
        await settled(pilot)
        assert isinstance(app.screen, PageScreen)
        page = "\n".join(drawn(app))
        for said in ("error rate", "gc pause p95", "traffic cycle", "iad1-21", "judged against 3 baseline hosts"):
            assert said in page
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, ServiceScreen)


async def test_t_opens_the_history_of_this_service_only() -> None:
    async with opened(ServiceScreen("checkout-api"), company()) as (app, pilot):
        await pilot.press("t")
        await settled(pilot)
        assert isinstance(app.screen, HistoryScreen)
        page = "\n".join(drawn(app))
        assert "checkout-api  filter: none  3 events" in page
        assert "payments-gw" not in page


async def test_a_view_that_looks_the_same_repaints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    room = company()
    async with opened(ServiceScreen("checkout-api"), room, (120, 40)) as (_, pilot):
        repainted: list[object] = []
        monkeypatch.setattr(Pane, "refresh", lambda self, *regions, **_: repainted.extend(regions))
        room.publish_service(replace(sample_service("checkout-api")))
        await settled(pilot)
        assert repainted == []
        view = sample_service("checkout-api")
        silent = tuple(replace(host, mark=Mark.UNKNOWN) if host.mark is Mark.BAD else host for host in view.hosts)
        room.publish_service(replace(view, hosts=silent))
        await settled(pilot)
        assert 0 < len(repainted) <= 4


@pytest.mark.parametrize(("width", "height"), [(0, 0), (5, 1), (6, 2), (40, 9)])
def test_a_frame_is_as_large_as_it_should_be(width: int, height: int) -> None:
    sheet = Sheet((("title " * 9, PLAIN.palette.plain),), ((("x" * 99, PLAIN.palette.plain),),) * 20)
    lines = framed(sheet, width, height, PLAIN)
    assert len(lines) == height
    if width >= 6 and height >= 2:
        assert {length(line) for line in lines} == {width}


def test_long_text_is_wrapped_and_nothing_is_lost() -> None:
    said = "one two " * 9 + "x" * 50
    lines = wrapped(said, 20)
    assert all(len(line) <= 20 for line in lines)
    assert "".join(lines).replace(" ", "") == said.replace(" ", "")


def test_waiting_for_an_operator_is_told_before_the_verdict() -> None:
    view = sample_service("inventory")
    row = replace(view.row, state=State.WAIT, why="everything passes; an operator promotes")
    said = text(judged_line(replace(view, row=row), 120, PLAIN))
    assert said.startswith(" WAIT everything passes; an operator promotes  PASS")
