from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.slo.report import Outage
from pipeline.view import ServiceRow
from tests.tui.fakes import NOW
from tests.tui.rule_samples import BLOCKED, HELD, UNKNOWN, quiet, sample_budget
from tui.budget_asked import Told
from tui.budget_lines import LINES, glance
from tui.budget_report import whole
from tui.burn_down import BurnDown, burn_down, even, happened, legend, one_line
from tui.glyphs import ASCII, UNICODE
from tui.theme import Colors, palette
from tui.widgets.pane import Look
from tui.widgets.runs import Runs, length

PLAIN = Look(ASCII, palette(Colors.NONE))
FULL = Look(UNICODE, palette(Colors.TRUE))


def text(runs: Runs) -> str:
    return "".join(part for part, _ in runs)


def told(**more: object) -> Told:
    return replace(Told("ledger", sample_budget(), (), "", 1_000.0), **more)  # type: ignore[arg-type]


def blocked_row() -> ServiceRow:
    return replace(quiet("ledger"), budget=BLOCKED)


def test_the_row_under_the_cursor_is_told_in_six_lines() -> None:
    lines = [text(each) for each in glance(blocked_row(), told(), NOW, 80, PLAIN)]
    assert len(lines) == LINES
    assert lines[0] == " ledger  avail between 99.961 and 99.972% (slices)  bad 12m00s in 1 outage"
    assert lines[1].startswith(" 30d left            100%|~~~~")
    assert lines[2].startswith(" x/o down ^release v back|")
    assert lines[1].endswith("__| -178% now")
    assert lines[3] == " BLOCK from 5 Jan 09:04Z: 720s/262.8s = 2.74 -> 3 months, until 5 Apr 09:04Z"
    assert lines[4].startswith(" allowed: a rollback")
    assert lines[5] == " data: 99.8% of the last 24 h known, the newest 20s old"
    assert all(len(each) <= 80 for each in lines)


def test_a_hold_says_why_and_what_may_be_done() -> None:
    lines = [text(each) for each in glance(replace(blocked_row(), budget=HELD), told(), NOW, 80, PLAIN)]
    assert lines[3] == " deploy HOLD: budget: burn: availability 30d: 14.9 and 16.1 of 14.4 allowed;"
    assert lines[4] == "   2m41s left"
    unknown = [text(each) for each in glance(replace(blocked_row(), budget=UNKNOWN), told(), NOW, 80, PLAIN)]
    assert any("deploy UNKNOWN: coverage: 81.0 %" in each for each in unknown)
    assert any("vouches" in each for each in unknown)


def test_before_an_answer_and_after_a_lost_one_it_says_so() -> None:
    asking = [text(each) for each in glance(blocked_row(), Told(), NOW, 80, PLAIN)]
    assert asking[0] == " asking for the budget of ledger"
    assert asking[1].startswith(" deploy BLOCKED until 5 Apr")
    old = [text(each) for each in glance(blocked_row(), told(said="no budget: refused"), NOW, 80, PLAIN)]
    assert old[1] == " no budget: refused; as of 9 Jan 14:07Z"
    assert glance(None, Told(), NOW, 80, PLAIN) == ()


def test_outages_and_releases_stand_under_their_place_in_the_line() -> None:
    report = sample_budget()
    start, end = NOW - timedelta(days=30), NOW
    middle = start + (end - start) / 2
    outages = (Outage(middle, middle + timedelta(minutes=1)), Outage(start, start + timedelta(hours=1), excluded="x"))
    down = BurnDown(report.slos[0], outages, (), NOW)
    said = text(happened(down, 60, PLAIN))
    assert said[30] == "x"
    assert said[0] == "o"
    assert said.count("x") == 1
    open_ = (Outage(end - timedelta(days=1), end - timedelta(days=1), open=True),)
    assert text(happened(replace(down, outages=open_), 60, PLAIN)).endswith("xx")
    assert even(replace(down, slo=replace(report.slos[0], burn_down=()))) == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-50, 1) | st.none(), max_size=70),
    st.integers(1, 220),
    st.integers(1, 40),
    st.sampled_from([PLAIN, FULL]),
)
def test_a_burn_down_is_as_large_as_it_should_be(
    lefts: list[float | None], width: int, height: int, look: Look
) -> None:
    start = NOW - timedelta(days=30)
    points = tuple((start + n * timedelta(hours=10), left) for n, left in enumerate(lefts))
    report = sample_budget()
    down = BurnDown(replace(report.slos[0], burn_down=points), report.outages, (), NOW)
    lines = burn_down(down, width, height, look)
    assert len(lines) == max(height, 3)
    assert all(length(each) <= width for each in lines)
    above, below = one_line(down, width, look)
    assert length(above) == width or width < 40
    assert text(above).rindex("|") == length(below) - 1


def test_the_whole_page_has_everything() -> None:
    page = "\n".join(text(each) for each in whole(blocked_row(), told(), 78, PLAIN).body)
    for said in (
        "deploy BLOCKED until 5 Apr 09:04Z (85d)",
        "allowed: a rollback",
        "availability: 99.99 % by slices, 99.8% of the last 24 h known",
        "rolling 30d: -7m41s left (-178%)",
        "month 2026-01 UTC: -7m38s left (-174%)",
        "rolling 30d: ? too few events",
        "page    6.0x   6h  6.3  30m  7.1  FIRES",
        "no traffic",
        "before: from 3 Mar 2025 04:00Z: 300s/262.8s = 1.14 -> 2 months",
        "not charged: ana, approved by ben",
        "charged, found afterwards",
    ):
        assert said in page
    nothing = replace(sample_budget(), slos=(), payback=None, outages=())
    bare = "\n".join(text(each) for each in whole(None, told(report=nothing), 78, PLAIN).body)
    assert "has no objective" in bare
    assert "payback of downtime is switched off" in bare
    assert "asking the controller for it" in text(whole(None, Told("ledger"), 78, PLAIN).body[0])


@pytest.mark.parametrize("look", [PLAIN, FULL])
def test_the_curve_has_its_scale_beside_it_a_line_where_it_is_spent_and_a_whole_legend(look: Look) -> None:
    down = told().burn_down()
    assert down is not None
    lines = [text(each) for each in burn_down(down, 78, 10, look)]
    assert [line[:5].strip() for line in lines[:-3] if line[:5].strip()] == ["100%", "0%", "-200%"]
    (spent,) = [line for line in lines if line.startswith("   0%")]
    assert spent.count(".") + spent.count("\u00b7") > 60
    assert lines[-1] == legend(78)
    for sign in ("x down", "o not charged", "^ release", "v rollback", "band: spent evenly"):
        assert sign in lines[-1]
    assert not any("%" in line[6:] for line in lines)


@given(st.integers(1, 200))
def test_a_legend_has_room(width: int) -> None:
    assert len(legend(width)) <= width
