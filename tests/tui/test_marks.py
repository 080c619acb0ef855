from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from pipeline.view import Deploy, ServiceRow, State
from tests.tui.fakes import NOW
from tests.tui.pages import drawn, opened, settled
from tests.tui.rule_samples import BLOCKED, FINE, HELD, quiet, ruled_company, ruled_fleet
from tui.budget_page import BudgetPage
from tui.fleet_lines import why_lines
from tui.fleet_order import Choice
from tui.fleet_rows import draw
from tui.glyphs import ASCII, UNICODE
from tui.marks import MOST, banner, head_lines, said_of
from tui.service import ServiceScreen
from tui.theme import Colors, palette
from tui.wallboard import WallboardApp
from tui.wallboard_rows import budget_line
from tui.widgets.pane import Look
from tui.widgets.runs import Runs, length

PLAIN = Look(ASCII, palette(Colors.NONE))
FULL = Look(UNICODE, palette(Colors.TRUE))
GLASS = "until 15:02 UTC by ana, approved by ben"
FIX = "r9 (CVE-2026-1) until 2026-03-02 15:02 UTC by ana"


def text(runs: Runs) -> str:
    return "".join(part for part, _ in runs)


def glassy() -> ServiceRow:
    return replace(quiet("ledger"), budget=BLOCKED, glass=GLASS, incident="sev1 inc-3")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_fleet_under_its_rules_looks_as_drawn(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(None, ruled_company(glass=True), size) as (app, pilot):
        await pilot.press("j", "j")
        await settled(pilot)
        assert "\n".join(drawn(app)) == snapshot


async def test_a_page_under_break_glass_looks_as_drawn(snapshot: SnapshotAssertion) -> None:
    async with opened(ServiceScreen("ledger"), ruled_company(glass=True)) as (app, _):
        assert "\n".join(drawn(app)) == snapshot


async def test_a_wallboard_under_its_rules_looks_as_drawn(snapshot: SnapshotAssertion) -> None:
    async with opened(None, ruled_company(glass=True), (120, 40), kind=WallboardApp) as (app, _):
        assert "\n".join(drawn(app)) == snapshot


async def test_break_glass_is_loud_on_every_page() -> None:
    async with opened(None, ruled_company(glass=True)) as (app, pilot):
        for screen in (ServiceScreen("checkout-api"), BudgetPage("cart")):
            assert "BREAK-GLASS 1" in drawn(app)[0]
            await app.push_screen(screen)
            await settled(pilot)
        assert "BREAK-GLASS 1" in drawn(app)[0]


async def test_a_security_fix_is_loud_on_every_page() -> None:
    company = ruled_company()
    its = ruled_fleet()
    rows = (replace(row, security_fix=FIX) if row.name == "ledger" else row for row in its.services)
    company.publish(replace(its, services=tuple(rows)))
    async with opened(None, company) as (app, pilot):
        assert any(f"ledger: SECURITY FIX {FIX}" in line for line in drawn(app))
        for screen in (ServiceScreen("checkout-api"), BudgetPage("ledger")):
            assert "SECURITY FIX 1" in drawn(app)[0]
            await app.push_screen(screen)
            await settled(pilot)
        assert any(f"SECURITY FIX {FIX}" in line for line in drawn(app))
    async with opened(None, company, (120, 40), kind=WallboardApp) as (app, _):
        assert any(f"ledger: SECURITY FIX {FIX}" in line for line in drawn(app))


def test_a_security_fix_is_reversed_has_a_letter_and_is_found() -> None:
    row = replace(quiet("ledger"), budget=BLOCKED, security_fix=FIX, incident="sev2 inc-3")
    style = next(style for part, style in head_lines(row, NOW, 80, PLAIN, most=2)[0] if "SECURITY FIX" in part)
    assert style.reverse
    assert "ledger      S " in text(draw(row, 80, False, PLAIN))
    assert f"SECURITY FIX {FIX}" in text(banner([row], 80, PLAIN)[0])
    rows = (row, quiet("a"))
    assert [one.name for one in Choice(filter="incident:security").of(rows)] == ["ledger"]
    assert [one.name for one in Choice(preset="attention").of(rows)] == ["ledger"]


def test_break_glass_is_reversed_so_that_it_is_loud_without_colour() -> None:
    style = next(style for part, style in head_lines(glassy(), NOW, 80, PLAIN, most=2)[0] if "BREAK-GLASS" in part)
    assert style.reverse
    assert f"BREAK-GLASS {GLASS}" in text(banner([glassy()], 80, PLAIN)[0])


def test_a_row_has_a_letter_for_break_glass_and_for_an_incident() -> None:
    assert "ledger      G " in text(draw(glassy(), 80, False, PLAIN))
    assert "ledger      I " in text(draw(replace(glassy(), glass=""), 80, False, PLAIN))
    assert length(draw(glassy(), 80, False, PLAIN)) == length(draw(quiet("ledger"), 80, False, PLAIN))


def test_at_rest_the_sign_says_whether_a_release_could_begin() -> None:
    signs = [text(draw(replace(quiet("a"), budget=its), 80, False, PLAIN))[1] for its in (FINE, BLOCKED, HELD)]
    assert signs == [".", "#", "="]
    moving = replace(quiet("a"), budget=BLOCKED, state=State.BACK)
    assert text(draw(moving, 80, False, PLAIN))[1] == "x"


def test_the_line_of_the_cursor_says_the_deploy_word_and_why() -> None:
    held = replace(quiet("a"), budget=HELD)
    said = "".join(text(line) for line in why_lines(held, 1, 9, 120, PLAIN, NOW))
    assert (
        "deploy HOLD: budget: burn: availability 30d: 14.9 and 16.1 of 14.4 allowed; 2m41s left; nothing under way"
        in said
    )
    same = replace(held, why=f"held: {HELD.deploy_why}")
    assert "deploy HOLD" not in "".join(text(line) for line in why_lines(same, 1, 9, 120, PLAIN, NOW))
    assert text(said_of(quiet("a"), NOW, PLAIN.palette)) == ""
    empty = replace(HELD, deploy_why="")
    assert text(said_of(replace(held, budget=empty), NOW, PLAIN.palette)) == "deploy HOLD; "


def test_a_service_without_marks_has_no_line_of_them() -> None:
    assert head_lines(quiet("a"), NOW, 80, PLAIN, most=2) == ()
    warned = replace(quiet("a"), budget=replace(FINE, deploy=Deploy.WARN, deploy_why="budget: low"))
    assert head_lines(warned, NOW, 80, PLAIN, most=2) == ()
    assert all(length(line) <= 80 for line in head_lines(glassy(), NOW, 80, PLAIN, most=2))


def test_many_marks_are_counted_and_none_is_dropped_in_silence() -> None:
    rows = [replace(glassy(), name=f"s{n}") for n in range(9)]
    lines = [text(line) for line in banner(rows, 80, PLAIN)]
    assert len(lines) == MOST
    assert lines[-1] == " and 7 more under break-glass, a security fix or an incident"


def test_the_wallboard_says_time_left_and_the_closed_door() -> None:
    assert text(budget_line(replace(quiet("ledger"), budget=BLOCKED), 80, PLAIN)).endswith(" -178%   -7m41s BLOCKED")
    assert text(budget_line(replace(quiet("a"), budget=FINE), 80, PLAIN)).rstrip().endswith("72%   31m10s")
    grey = replace(FINE, coverage=0.5)
    styles = [style for _, style in budget_line(replace(quiet("a"), budget=grey), 80, FULL)]
    assert FULL.palette.good not in styles


def test_what_is_marked_is_found_by_a_filter_and_wants_attention() -> None:
    rows = ruled_fleet(glass=True).services
    assert [row.name for row in Choice(filter="deploy:blocked").of(rows)] == ["ledger", "profile"]
    assert [row.name for row in Choice(filter="incident:break-glass").of(rows)] == ["ledger"]
    assert "auth" in [row.name for row in Choice(preset="attention").of(rows)]


def test_the_sample_company_has_one_of_each_kind() -> None:
    assert {row.budget.deploy for row in ruled_fleet().services} == set(Deploy)
