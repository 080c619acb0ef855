"""A service's page shows what the judge saw: bounds, control, warm-up, alerts."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from pipeline.judge.verdict import Verdict
from pipeline.view import JudgeView, State
from tests.tui.fakes import FakeRoom, FrozenClock
from tests.tui.pages import company, drawn, opened, settled
from tests.tui.samples import COLD, JUDGE, bound, sample_fleet, sample_service
from tui.app import PitheadApp
from tui.glyphs import ASCII, UNICODE
from tui.page import Reading
from tui.service import ServiceScreen
from tui.service_explain_judge import judging, metric_texts
from tui.service_judge import judging_line
from tui.service_lane import judged_line
from tui.theme import Colors, palette
from tui.widgets.pane import Look, Pane
from tui.widgets.runs import length

PLAIN = Look(ASCII, palette(Colors.NONE))
SIZES = [(80, 24), (120, 40)]


def text(runs: Any) -> str:
    return "".join(part for part, _ in runs)


def cold() -> FakeRoom:
    room = company()
    room.services["checkout-api"] = replace(sample_service("checkout-api"), judge=COLD)
    return room


def test_the_head_names_a_metric_of_the_very_verdict_and_a_reason_where_data_are_missing() -> None:
    view = sample_service("checkout-api")
    first, second, *_ = view.panes
    few = replace(first, verdict=Verdict.NO_DATA, title="queue", difference="-4%", limit="50%")
    well = replace(second, verdict=Verdict.PASS, title="errors", difference="+0.02pp", limit="0.50pp")
    row = replace(view.row, verdict=Verdict.PASS, state=State.BAKE, why="bakes; queue: 5 of 50 requests")
    assert " PASS errors +0.02pp (limit 0.50pp)" in text(
        judged_line(replace(view, row=row, panes=(few, well)), 120, PLAIN)
    )
    unknown = replace(view, row=replace(row, verdict=Verdict.NO_DATA), panes=(few, well))
    said = text(judged_line(unknown, 120, PLAIN))
    assert "queue: 5 of 50 requests" in said
    assert "-4%" not in said


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ascii_", [True, False], ids=["ascii", "unicode"])
async def test_the_bounds_look_as_drawn(size: tuple[int, int], ascii_: bool, snapshot: SnapshotAssertion) -> None:
    async with opened(ServiceScreen("checkout-api"), cold(), size, ascii=ascii_) as (app, pilot):
        await pilot.press("b")
        await settled(pilot)
        assert "\n".join(drawn(app)) == snapshot


@pytest.mark.parametrize("colors", [Colors.TRUE, Colors.FEW], ids=["truecolor", "16"])
def test_the_bounds_in_colour(colors: Colors, snap_compare: Any) -> None:
    app = PitheadApp(cold(), colors=colors, clock=FrozenClock(), operator="mira", first=sample_fleet())

    async def open_page(pilot: Any) -> None:
        await pilot.app.push_screen(ServiceScreen("checkout-api"))
        await settled(pilot)
        await pilot.press("b")
        await settled(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=open_page)


async def test_the_explanation_looks_as_drawn(snapshot: SnapshotAssertion) -> None:
    async with opened(ServiceScreen("checkout-api"), cold(), (100, 46)) as (app, pilot):
        await pilot.press("e")
        await settled(pilot)
        assert "\n".join(drawn(app)) == snapshot


async def test_b_turns_values_into_bounds_and_back_and_stays_from_service_to_service() -> None:
    async with opened(ServiceScreen("checkout-api"), company()) as (app, pilot):
        values = drawn(app)
        await pilot.press("b")
        await settled(pilot)
        assert "limit +0.10pp--" in "\n".join(drawn(app))
        assert "b values" in "\n".join(drawn(app))
        await pilot.press("right_square_bracket")
        await settled(pilot)
        assert "limit +0.10pp--" in "\n".join(drawn(app))
        await pilot.press("left_square_bracket", "b")
        await settled(pilot)
        assert drawn(app) == values


async def test_b_on_another_tab_opens_the_metrics() -> None:
    async with opened(ServiceScreen("checkout-api"), company()) as (app, pilot):
        await pilot.press("3", "b")
        await settled(pilot)
        page = "\n".join(drawn(app))
        assert "[1 Metrics]" in page
        assert "limit +0.10pp--" in page


async def test_a_service_without_bounds_says_so_in_each_pane() -> None:
    view = sample_service("checkout-api")
    bare = replace(view, panes=tuple(replace(pane, bounds=(), limit_at=None) for pane in view.panes), judge=None)
    async with opened(ServiceScreen("checkout-api"), FakeRoom(sample_fleet(), {"checkout-api": bare})) as (app, pilot):
        await pilot.press("b")
        await settled(pilot)
        page = "\n".join(drawn(app))
        assert page.count("no bounds yet") == 4
        assert "against" not in page


async def test_a_new_look_repaints_a_few_cells_only(monkeypatch: pytest.MonkeyPatch) -> None:
    room = company()
    view = sample_service("checkout-api")
    async with opened(ServiceScreen("checkout-api"), room, (120, 40)) as (_, pilot):
        await pilot.press("b")
        await settled(pilot)
        repainted: list[Any] = []
        monkeypatch.setattr(Pane, "refresh", lambda self, *regions, **_: repainted.extend(regions))
        first = view.panes[0]
        moved = replace(first, bounds=(*first.bounds[:-1], bound(0.0021, 0.4, 79)))
        room.publish_service(replace(view, panes=(moved, *view.panes[1:])))
        await settled(pilot)
        assert 0 < sum(region.area for region in repainted) < 60


async def test_the_line_of_the_judge_is_there_while_it_judges_and_only_then() -> None:
    room = cold()
    async with opened(ServiceScreen("checkout-api"), room) as (app, pilot):
        page = drawn(app)
        assert page[2].startswith(" WATCH error rate +0.08pp (limit 0.10)")
        assert page[3] == " ! 2 alerts: iad1-21 fails 12.1 % of its r..   warm-up 3 of 10 min  uncalibrated"
        assert page[4].startswith(" [1 Metrics]")
        room.publish_service(replace(sample_service("checkout-api"), judge=None))
        await settled(pilot)
        assert drawn(app)[3].startswith(" [1 Metrics]")


@pytest.mark.parametrize("width", [1, 20, 40, 59, 60, 80, 120, 200])
@pytest.mark.parametrize("judge", [JUDGE, COLD, replace(JUDGE, control=""), replace(COLD, alerts=())])
def test_the_line_of_the_judge_fits_and_says_the_gravest_first(width: int, judge: JudgeView) -> None:
    view = replace(sample_service("checkout-api"), judge=judge)
    for look in (PLAIN, Look(UNICODE, palette(Colors.TRUE))):
        line = judging_line(view, width, look)
        assert length(line) <= width
        said = text(line)
        if width >= 20:
            begins = "  warm-up 3 of 10" if width < 60 and judge.warmup else " against "
            assert said.startswith(f" {look.glyphs.watched} 2 alerts: iad" if judge.alerts else begins)
        if width >= 60:
            assert ("uncalibrated" in said) == (not judge.calibrated)
            assert ("warm-up 3 of 10 min" in said) == bool(judge.warmup)


@pytest.mark.parametrize(
    "few", ["2 production hosts are too few to compare with", "no production host is left beside it"]
)
def test_a_control_from_before_is_told_after_why_it_is_needed(few: str) -> None:
    judge = replace(JUDGE, control=f"{few}: held against production before")
    view = replace(sample_service("checkout-api"), judge=judge)
    assert text(judging_line(view, 120, PLAIN)).startswith(f" {few}: judged against production before")
    assert text(judging_line(view, 60, PLAIN)).startswith(" against production before  ")
    assert text(judging(view, 100, PLAIN)[0]).strip() == f"{few}: judged against production before"
    alarmed = replace(view, judge=replace(judge, alerts=("a is slow",)))
    assert "  vs production before" in text(judging_line(alarmed, 120, PLAIN))


def test_what_the_judge_adds_never_cuts_the_verdicts_reason() -> None:
    view = sample_service("checkout-api")
    for width in (40, 80, 120):
        said = text(judged_line(replace(view, judge=COLD), width, PLAIN))
        assert said.split(" vs ")[0].rstrip().startswith(text(judged_line(view, width, PLAIN))[:30].rstrip())
        assert "uncalibrated" not in said


def test_an_alert_stands_out_by_colour_and_by_its_word() -> None:
    look = Look(UNICODE, palette(Colors.TRUE))
    view = replace(sample_service("checkout-api"), judge=replace(COLD, alerts=("fra1-07 is slow",)))
    styles = [style for part, style in judging_line(view, 120, look) if "alert: fra1-07 is slow" in part]
    assert styles == [look.palette.warn]


def test_a_metric_says_its_bounds_limit_evidence_and_cost_in_words() -> None:
    errors, latency, *_ = sample_service("checkout-api").panes
    assert metric_texts(errors)[:2] == [
        "errors: canary 0.29 % of 9,812, production 0.21 % of 131,440, limit +0.10 pp",
        "+0.059pp, with 95 % confidence between +0.045pp and +0.073pp; limit +0.10pp",
    ]
    told = (
        "evidence 12 % of what rolls a release back, strongest over all 41 min; 0.08 % of false rollbacks spent on it"
    )
    assert metric_texts(latency)[-1] == told


def test_a_quantiles_bounds_are_told_as_read_off_beside_what_was_counted() -> None:
    _, latency, *_ = sample_service("checkout-api").panes
    why = "p99: canary 4.10 % of 98 requests above 250 ms, production 1.00 % of 315, limit +0.20pp"
    said = metric_texts(replace(latency, why=why, difference="+3.10pp slow", limit="0.20", evidence=1.119))
    assert said[0] == why
    assert said[1].startswith("read off buckets: +2.0ms, with 95 % confidence between ")
    assert said[2].startswith("evidence 111 % of what rolls a release back")


def test_a_metric_without_bounds_says_what_there_is_too_little_of() -> None:
    errors, *_ = sample_service("checkout-api").panes
    assert metric_texts(replace(errors, bounds=((None, 0.001, None),)))[1] == (
        "+0.10pp, no bounds yet: too few requests; limit +0.10pp"
    )
    assert "at most +0.30pp" in metric_texts(replace(errors, bounds=((None, 0.001, 0.003),)))[1]


# the explanation goes on


async def test_an_open_explanation_follows_the_service_and_keeps_its_place() -> None:
    room = cold()
    async with opened(ServiceScreen("checkout-api"), room) as (app, pilot):
        await pilot.press("e")
        await settled(pilot)
        await pilot.press("j", "j", "j", "j")
        await settled(pilot)
        before = drawn(app)
        view = room.services["checkout-api"]
        assert view.judge is not None
        room.publish_service(replace(view, at=view.at + timedelta(seconds=5), judge=replace(view.judge, looks=13)))
        await settled(pilot)
        after = drawn(app)
        assert any("12 looks" in line for line in before)
        assert any("13 looks" in line for line in after)
        assert "as of 14:07:36 UTC" in after[1]
        assert [line for line in after if "looks" not in line and "as of" not in line] == [
            line for line in before if "looks" not in line and "as of" not in line
        ]
        assert any("5-" in line and " of " in line for line in after)


async def test_an_explanation_that_is_closed_is_let_go_and_the_page_is_the_newest() -> None:
    room = cold()
    async with opened(ServiceScreen("checkout-api"), room) as (app, pilot):
        await pilot.press("e", "escape")
        await settled(pilot)
        view = room.services["checkout-api"]
        room.publish_service(replace(view, row=replace(view.row, revision="r1299"), judge=JUDGE))
        await settled(pilot)
        assert "against 3 baseline hosts" in "\n".join(drawn(app))
        await pilot.press("e")
        await settled(pilot)
        assert "r1299" in "\n".join(drawn(app))


async def test_an_explanation_without_news_looks_old_until_they_come_again() -> None:
    room = cold()
    async with opened(ServiceScreen("checkout-api"), room) as (app, pilot):
        await pilot.press("e")
        await settled(pilot)
        reading = app.screen.query_one(Reading)
        room.lose()
        await settled(pilot)
        assert reading._faded
        room.restore()
        assert isinstance(app.clock, FrozenClock)
        app.clock.advance(20)
        await settled(pilot, 6)
        assert not reading._faded
