"""Alerts of the company's own alerting: on the service's page, in its explanation, and as a mark in the fleet."""

from dataclasses import replace
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from pipeline.alerts import Alert
from pipeline.text import plain
from pipeline.view import ServiceView
from pithead import sheet
from tests.tui.fakes import NOW, FakeRoom
from tests.tui.pages import company, drawn, opened, settled
from tests.tui.samples import sample_fleet, sample_rows, sample_service
from tui.fleet_lines import why_lines
from tui.fleet_rows import draw
from tui.glyphs import ASCII, UNICODE
from tui.service import ServiceScreen
from tui.service_alerts import alert_texts, alerts_line
from tui.theme import Colors, palette
from tui.widgets.pane import Look
from tui.widgets.runs import Runs, length

PLAIN = Look(ASCII, palette(Colors.NONE))
SIZES = [(80, 24), (120, 40)]
SILENT = "no word from Alertmanager for 2 min: no answer in 5 s"


def alert(name: str, severity: str, summary: str, track: str = "canary", ago_s: float = 720) -> Alert:
    said = {"name": name, "service": "checkout-api", "environment": "prod", "track": track, "severity": severity}
    its = {key: plain(value) for key, value in (said | {"summary": summary, "fingerprint": name}).items()}
    return Alert(**its, since=NOW - timedelta(seconds=ago_s))


FIRES = (
    alert("HighErrors", "critical", "5 % of requests fail"),
    alert("QueueGrows", "warning", "", "production", 93),
)


def alarmed(alerts: tuple[Alert, ...] = FIRES, fault: str = "", count: int | None = None) -> ServiceView:
    view = sample_service("checkout-api")
    row = replace(view.row, alerts=len(alerts) if count is None else count)
    return replace(view, row=row, alerts=alerts, alerts_fault=fault)


def room(view: ServiceView) -> FakeRoom:
    made = company()
    made.services["checkout-api"] = view
    return made


def text(runs: Runs) -> str:
    return "".join(part for part, _ in runs)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ascii_", [True, False], ids=["ascii", "unicode"])
async def test_a_page_with_alerts_looks_as_drawn(
    size: tuple[int, int], ascii_: bool, snapshot: SnapshotAssertion
) -> None:
    async with opened(ServiceScreen("checkout-api"), room(alarmed()), size, ascii=ascii_) as (app, _):
        assert "\n".join(drawn(app)) == snapshot


async def test_the_line_of_alerts_is_there_while_they_fire_or_nobody_knows_and_only_then() -> None:
    made = room(alarmed())
    async with opened(ServiceScreen("checkout-api"), made) as (app, pilot):
        said = " ! 2 alerts fire: HighErrors (critical) on canary in prod, since 12m: 5 % of requests fail"
        assert drawn(app)[4] == f"{said[:78]}.."
        made.publish_service(alarmed((), SILENT))
        await settled(pilot)
        assert drawn(app)[4] == f" ? alerts unknown: {SILENT}"
        made.publish_service(alarmed(()))
        await settled(pilot)
        assert drawn(app)[4].startswith(" [1 Metrics]")


async def test_the_explanation_tells_all_of_them() -> None:
    async with opened(ServiceScreen("checkout-api"), room(alarmed(fault=SILENT, count=7)), (120, 60)) as (app, pilot):
        await pilot.press("e")
        await settled(pilot)
        page = "\n".join(drawn(app))
        assert f"unknown: {SILENT}" in page
        assert "HighErrors (critical) on canary in prod, since 12m: 5 % of requests fail" in page
        assert "QueueGrows (warning) on production in prod, since 93s" in page
        assert "and 5 more" in page


@pytest.mark.parametrize("width", [1, 10, 40, 80, 120, 200])
@pytest.mark.parametrize("view", [alarmed(), alarmed(fault=SILENT), alarmed((), SILENT), alarmed(())])
def test_the_line_fits_and_silence_comes_before_what_was_told(width: int, view: ServiceView) -> None:
    for look in (PLAIN, Look(UNICODE, palette(Colors.TRUE))):
        line = alerts_line(view, width, look)
        assert length(line) <= width
        assert bool(line) == bool(view.alerts or view.alerts_fault)
        if width >= 40 and view.alerts_fault:
            assert text(line).startswith(" ? alerts unknown: no word")


def test_one_alert_without_labels_is_told_by_its_name() -> None:
    bare = replace(FIRES[0], environment=plain(""), track=plain(""), severity=plain(""), summary=plain(""))
    assert text(alerts_line(alarmed((bare,)), 80, PLAIN)) == " ! alert fires: HighErrors, since 12m"
    assert alert_texts(alarmed(())) == ()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_mark_in_the_fleet_says_that_alerts_fire_and_moves_no_column(width: int) -> None:
    for row in sample_rows():
        calm, loud = (text(draw(replace(row, alerts=count), width, False, PLAIN)) for count in (0, 3))
        assert len(calm) == len(loud)
        differing = [at for at in range(len(calm)) if calm[at] != loud[at]]
        assert len(differing) == 1
        assert loud[differing[0]] == "!"


def test_the_line_under_the_fleet_counts_the_selected_services_alerts() -> None:
    row = sample_rows()[0]
    assert "; " not in text(why_lines(row, 1, 9, 80, PLAIN)[0]).partition(row.why[:9])[0]
    for count, said in ((1, "1 alert fires; "), (3, "3 alerts fire; ")):
        line = text(why_lines(replace(row, alerts=count), 1, 9, 80, PLAIN)[0])
        assert f"{row.name}: {said}{row.why[:9]}" in line
        assert len(line) == 80


def test_a_reason_that_does_not_fit_under_the_fleet_goes_on_in_a_second_line() -> None:
    why = "r999 was rolled back to r101: the deploy failed on web-1: r999 was not found in /srv/builds: see what was"
    row = replace(sample_rows()[0], why=f"{why} built")
    first, second = map(text, why_lines(row, 1, 9, 80, PLAIN))
    assert len(first) == 80
    assert f"{first.partition(': ')[2].rstrip(' -')} {second.strip()}" == f"{why} built"
    assert why_lines(replace(row, why="short"), 1, 9, 80, PLAIN)[1:] == ()


def test_status_tells_alerts_with_their_time_and_silence_as_unknown() -> None:
    lines = list(sheet.page(alarmed(fault=SILENT)))
    assert f"  ? alerts: {SILENT}" in lines
    assert "  ! HighErrors (critical) on canary in prod, since 2026-01-09 13:55:31Z: 5 % of requests fail" in lines


def test_the_sample_company_has_no_alerts() -> None:
    assert all(row.alerts == 0 for row in sample_fleet().services)
