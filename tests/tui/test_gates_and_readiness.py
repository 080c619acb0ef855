from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from pipeline.gates import Answer, Gate
from pipeline.readiness.report import ReadinessReport
from tests.tui.fakes import NOW
from tests.tui.pages import drawn, opened, settled
from tests.tui.rule_samples import ruled_company, ruled_gates, ruled_service, sample_checklist
from tui.budget_page import BudgetPage
from tui.gate_lines import closed_first, gate_sheet
from tui.glyphs import ASCII
from tui.readiness import ReadinessPage, readiness_sheet
from tui.service import ServiceScreen
from tui.service_explain import ExplainScreen
from tui.service_gates import Gates
from tui.theme import Colors, palette
from tui.widgets.pane import Look, Sheet
from tui.widgets.runs import length
from tui.words import harmless

PLAIN = Look(ASCII, palette(Colors.NONE))


def said(sheet: Sheet) -> str:
    return "\n".join("".join(text for text, _ in line) for line in (sheet.title, *sheet.body, sheet.foot))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_gates_look_as_drawn(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with opened(ServiceScreen("ledger"), ruled_company(), size) as (app, pilot):
        await pilot.press("3", "j", "j")
        await settled(pilot)
        assert "\n".join(drawn(app)) == snapshot


def test_every_answer_has_a_sign_a_word_why_until_since_and_what_lifts_it() -> None:
    page = said(gate_sheet(ruled_service(), 78, PLAIN, whole=True))
    for part in (
        "+ pass    lock          nobody has locked it",
        "~ hold    payback       720 s of 262.8 s = 2.74 -> 3 months",
        "until 5 Apr 09:04Z (85d)",
        "since 5 Jan 09:00Z",
        "lifts: by itself on that day",
        "? unknown coverage      81.0 % of the last 24 h is known",
        "x fail    isolation     FUL-01 config.toml:31",
        "until 22:59:31Z (8h)",
        "! below 25 %: one outage of 9m04s spends it",
        "2 pass, 3 hold, 1 fail, 1 unknown",
    ):
        assert part in page


def test_at_rest_the_gates_are_said_to_be_a_new_releases() -> None:
    view = ruled_service()
    assert "of a new release" not in said(gate_sheet(view, 78, PLAIN, whole=True))
    resting = replace(view, row=replace(view.row, release=""))
    assert "gates  3  of a new release" in said(gate_sheet(resting, 78, PLAIN, whole=True))


def test_on_one_line_a_gate_says_how_long_it_still_holds() -> None:
    page = said(gate_sheet(ruled_service(), 60, PLAIN, whole=False))
    assert "~ payback       hold 85d: 720 s of 262.8 s" in page
    assert "+ budget        ! below 25 %" in page
    assert len(page.splitlines()) == len(ruled_gates()) + 2


def test_the_chosen_gate_is_told_in_full_and_nothing_of_it_is_cut() -> None:
    page = said(gate_sheet(ruled_service(), 42, PLAIN, whole=False, chosen="payback"))
    words = page.replace("\n", " ").split()
    for word in (*ruled_gates()[1].why.split(), *ruled_gates()[1].lifts.split()):
        assert word in words


def test_where_not_all_fit_the_closed_ones_come_first() -> None:
    names = [gate.name for gate in closed_first(ruled_service()).gates]
    assert names[:2] == ["payback", "coverage"]
    assert names[-2:] == ["lock", "budget"]


async def test_the_cursor_goes_from_gate_to_gate_and_stays_on_one_when_news_come() -> None:
    room = ruled_company()
    async with opened(ServiceScreen("ledger"), room, (120, 40)) as (app, pilot):
        await pilot.press("3", "G")
        await settled(pilot)
        gates = app.screen.query_one(Gates)
        assert gates.chosen == "traffic-cycle"
        view = ruled_service()
        room.publish_service(replace(view, gates=view.gates[3:]))
        await settled(pilot)
        assert gates.chosen == "traffic-cycle"
        await pilot.press("g", "k")
        await settled(pilot)
        assert gates.chosen == "coverage"
        room.publish_service(replace(view, gates=()))
        await settled(pilot)
        await pilot.press("j", "enter")
        await settled(pilot)
        assert isinstance(app.screen, ServiceScreen)
        assert "no gates: nothing is on its way" in "\n".join(drawn(app))


async def test_enter_on_a_gate_opens_what_there_is_to_read_of_it() -> None:
    async with opened(ServiceScreen("ledger"), ruled_company()) as (app, pilot):
        await pilot.press("enter")
        assert isinstance(app.screen, ServiceScreen)
        await pilot.press("3")
        for gate, screen in (("readiness", ReadinessPage), ("payback", BudgetPage), ("lock", ExplainScreen)):
            app.screen.query_one(Gates).chosen = gate
            await pilot.press("enter")
            await settled(pilot)
            assert isinstance(app.screen, screen)
            await pilot.press("escape")
            await settled(pilot)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.builds(Gate, st.text(max_size=30), st.sampled_from(Answer), st.text(max_size=200)), max_size=6),
    st.integers(10, 200),
    st.booleans(),
)
def test_gates_never_outgrow_their_pane(gates: list[Gate], width: int, whole: bool) -> None:
    view = replace(ruled_service(), gates=tuple(gates))
    for chosen in ("", gates[0].name if gates else ""):
        for line in gate_sheet(view, width, PLAIN, whole=whole, chosen=chosen).body:
            assert all(harmless(part) == part for part, _ in line)
            assert length(line) <= width or width < 40 or not "".join(part for part, _ in line).isascii()


async def test_5_opens_the_readiness_list_as_drawn_and_escape_closes_it(snapshot: SnapshotAssertion) -> None:
    async with opened(ServiceScreen("checkout-api"), ruled_company()) as (app, pilot):
        await pilot.press("5")
        await settled(pilot)
        assert isinstance(app.screen, ReadinessPage)
        assert "\n".join(drawn(app)) == snapshot
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, ServiceScreen)


def test_what_is_missing_stands_first_with_what_mends_it() -> None:
    page = said(readiness_sheet("a", sample_checklist(), "", 78, PLAIN))
    assert "3 of 6 rows are missing: releases are held until every one passes or is" in page
    assert page.index("x fail    PRF-2") < page.index("x expired CAT-2") < page.index("? unknown STB-4")
    assert page.index("~ waived  SCA-3") < page.index("+ pass    STB-1")
    assert "lifts: set readiness.memory_limit in config.toml" in page
    assert "expired (2 Jan 14:07Z)" in page
    assert "expires 14 Jan 14:07Z, in 5d" in page
    assert "1 fail, 1 expired, 1 unknown, 1 waived, 2 pass" in page


def test_advice_is_not_called_a_hold_and_an_empty_list_is_no_pass() -> None:
    report = sample_checklist()
    assert "advice, it holds no release" in said(readiness_sheet("a", replace(report, binding=False), "", 120, PLAIN))
    kept = tuple(row for row in report.rows if row not in report.missing)
    assert "all 3 rows pass or are waived" in said(readiness_sheet("a", replace(report, rows=kept), "", 78, PLAIN))
    empty = ReadinessReport("a", NOW, True, ())
    assert "the list has no row" in said(readiness_sheet("a", empty, "", 78, PLAIN))
    assert "asking the controller" in said(readiness_sheet("a", None, "", 78, PLAIN))


async def test_a_list_that_cannot_be_had_is_said_and_asked_for_again() -> None:
    room = ruled_company()
    room.lose("no answer in 2 s")
    async with opened(ReadinessPage("checkout-api"), room) as (app, pilot):
        assert "no readiness list: no answer in 2 s" in "\n".join(drawn(app))
        room.restore()
        await pilot.press("r")
        await settled(pilot, 5)
        assert "PRF-2" in "\n".join(drawn(app))
    async with opened(ReadinessPage("nonesuch"), room) as (app, _):
        assert "no readiness list: no such service" in "\n".join(drawn(app))


def test_a_pass_in_force_is_loud_among_the_gates() -> None:
    view = ruled_service()
    glass = Gate("break-glass", Answer.PASS, "pass-1 by ana, approved by ben, until 15:02 UTC: waiting is skipped")
    shown = closed_first(replace(view, gates=(glass, *view.gates)))
    assert shown.gates[0] is glass
    for whole in (True, False):
        sheet = gate_sheet(shown, 78, PLAIN, whole=whole)
        assert any(style.reverse and "break-glass" in part for part, style in sheet.body[0])
