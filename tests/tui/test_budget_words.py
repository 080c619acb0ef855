from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.slo.report import PaybackReport
from pipeline.view import Budget, Deploy, ServiceRow
from tests.tui.fakes import NOW
from tests.tui.rule_samples import BLOCKED, DOWN, FINE, GREY, HELD, UNKNOWN, UNTIL, quiet, ruled_rows, sample_budget
from tui.budget_lines import payback_line
from tui.budget_order import known, mark, worst_first
from tui.budget_rows import Board, columns, draw, head, header
from tui.budget_words import (
    allowed,
    gone_in,
    may_deploy,
    stamp,
    stretch,
    sum_of,
    time_left,
    times,
    tone,
    until,
    used_pct,
)
from tui.burn_down import trend
from tui.glyphs import ASCII, UNICODE
from tui.theme import Colors, palette
from tui.widgets.pane import Look
from tui.widgets.runs import Runs, length
from tui.words import many

PLAIN = Look(ASCII, palette(Colors.NONE))
FULL = Look(UNICODE, palette(Colors.TRUE))
ANY = st.floats(allow_nan=True, allow_infinity=True) | st.none()


def text(runs: Runs) -> str:
    return "".join(part for part, _ in runs)


def line(budget: Budget, width: int = 80) -> str:
    row = replace(quiet("ledger"), budget=budget)
    return text(draw(row, width, False, Board.of([row], NOW), PLAIN))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "?"),
        (0.0, "0m00s"),
        (161.9, "2m41s"),
        (1_870.9, "31m10s"),
        (-461.0, "-7m41s"),
        (-460.2, "-7m41s"),
        (21_600.0, "6h00m"),
        (-3_601.0, "-1h01m"),
        (1_051_200.0, "12d04h"),
        (float("nan"), "?"),
    ],
)
def test_time_left_is_said_in_at_most_seven_characters_and_never_as_more_than_it_is(
    seconds: float | None, said: str
) -> None:
    assert time_left(seconds) == said


@given(st.floats(-86_400 * 900, 86_400 * 900))
def test_time_left_fits_in_its_column(seconds: float) -> None:
    assert len(time_left(seconds)) <= 8


def test_what_is_used_and_left_make_a_whole() -> None:
    assert [used_pct(left) for left in (1.0, 0.124, 0.0, -1.78, -1e9, None)] == [
        "0%",
        "88%",
        "100%",
        "278%",
        ">99x",
        "?",
    ]
    assert [times(burn) for burn in (None, 0.0, 14.88, 99.94, 99.96, 12_345.0)] == [
        "-", "0.0", "14.9", "99.9", "100", "9999",
    ]  # fmt: skip
    assert (gone_in(BLOCKED), gone_in(HELD), gone_in(FINE)) == ("spent", "6h00m", "-")
    assert [stretch(s) for s in (300, 3_600, 259_200, 90)] == ["5m", "1h", "3d", "90s"]


def test_until_says_what_is_left_of_it() -> None:
    assert until(NOW + timedelta(minutes=19), NOW) == "until 14:26:31Z (19m)"
    assert until(UNTIL, NOW) == "until 5 Apr 09:04Z (85d)"
    assert until(NOW - timedelta(seconds=1), NOW) == "until 14:07:30Z (over)"
    assert may_deploy(BLOCKED, NOW) == "BLOCKED until 5 Apr 09:04Z (85d)"
    assert may_deploy(FINE, NOW) == "ok"
    assert stamp(datetime(2025, 3, 3, 4, tzinfo=UTC), NOW) == "3 Mar 2025 04:00Z"
    assert stamp(datetime(2025, 12, 31, 4, tzinfo=UTC), NOW) == "31 Dec 04:00Z"


def test_the_payback_is_said_with_its_sum() -> None:
    report = sample_budget()
    assert report.payback is not None
    said = text(payback_line(report.payback, report, PLAIN))
    assert said == " BLOCK from 5 Jan 09:04Z: 720s/262.8s = 2.74 -> 3 months, until 5 Apr 09:04Z"
    assert len(said) <= 80
    free = PaybackReport(262.8, 45.0, DOWN)
    assert text(payback_line(free, report, PLAIN)) == " quota 45s of 262.8s used since 5 Jan 09:00Z; no block"
    assert "switched off" in text(payback_line(None, report, PLAIN))
    held = replace(report.payback, held_open=True)
    assert "the service is down now" in text(payback_line(held, report, PLAIN))
    block = report.payback.block
    assert block is not None
    assert "3 months, the most there is" in sum_of(replace(block, capped=True), NOW)
    assert "1 month," in sum_of(replace(block, months=1), NOW)


def test_no_data_and_little_coverage_are_never_green() -> None:
    colors = FULL.palette
    assert tone(FINE, colors) == colors.good
    assert tone(HELD, colors) == colors.warn
    assert tone(BLOCKED, colors) == colors.block
    for poor in (UNKNOWN, GREY, replace(FINE, coverage=None), replace(FINE, left=None)):
        assert not known(poor)
        assert tone(poor, colors) == colors.dim
        assert mark(of(poor)) == "?"
        row = of(poor)
        assert colors.good not in [style for _, style in draw(row, 80, False, Board.of([row], NOW), FULL)]


def of(budget: Budget, release: str = "") -> ServiceRow:
    return replace(quiet("a"), budget=budget, release=release)


def test_a_mark_is_a_sign_of_its_own() -> None:
    assert [mark(of(each)) for each in (BLOCKED, HELD, UNKNOWN, FINE)] == ["!", "!", "?", " "]
    assert mark(of(replace(FINE, alarm="ticket"))) == "!"


def test_a_release_that_waits_for_its_time_is_no_trouble_and_one_that_its_rules_hold_is() -> None:
    waits = replace(FINE, deploy=Deploy.HOLD, deploy_why="traffic-cycle: 38 s of 40 s")
    assert mark(of(waits, "a-1")) == " "
    assert mark(of(waits)) == "!"
    assert mark(of(replace(waits, deploy_why="budget: burn: 14.9"), "a-1")) == "!"
    assert mark(of(replace(BLOCKED, left=0.9), "a-1")) == "!"
    names = [row.name for row in worst_first([replace(of(waits, "a-1"), name="waits"), replace(of(HELD), name="held")])]
    assert names == ["held", "waits"]


def test_a_row_says_all_of_it_in_80_columns() -> None:
    assert line(BLOCKED) == " ! ledger       99.99    -7m41s [#######] 278%    0.0  0.0 spent   BLOCKED 85d  "
    assert line(HELD) == " ! ledger       99.95     2m41s [######.]  88%   14.9  6.3 6h00m   HOLD burn    "
    assert line(UNKNOWN) == " ? ledger       99.99         ? [no data]    ?      -    - -       UNKNOWN      "
    assert line(FINE).rstrip() == "   ledger       99.9     31m10s [#......]  28%    0.4  0.9 -       ok"


def test_where_windows_differ_each_time_left_has_its_label() -> None:
    rows = [replace(quiet(name), budget=its) for name, its in (("a", FINE), ("b", FINE), ("c", BLOCKED))]
    rows[2] = replace(rows[2], budget=replace(BLOCKED, window="90d"))
    board = Board.of(rows, NOW)
    assert board.window == "30d"
    assert " -7m41s/90d [###] 278%" in text(draw(rows[2], 80, False, board, PLAIN))
    assert "     31m10s [#..]  28%" in text(draw(rows[0], 80, False, board, PLAIN))
    assert length(draw(rows[2], 80, False, board, PLAIN)) == 80


def test_break_glass_stands_in_place_of_the_deploy_word() -> None:
    row = replace(quiet("ledger"), budget=BLOCKED, glass="until 15:02 UTC by ana, approved by ben")
    runs = draw(row, 80, False, Board.of([row], NOW), FULL)
    assert ("BREAK-GLASS", FULL.palette.alarm) in runs


def test_the_worst_come_first_and_the_unknown_before_the_well() -> None:
    names = [row.name for row in worst_first(ruled_rows())]
    assert names[:6] == ["ledger", "profile", "checkout-api", "cart", "geo-lookup", "search-api"]
    assert len(names) == len(ruled_rows())


def test_the_header_says_window_zone_source_and_coverage() -> None:
    rows = ruled_rows()
    board = Board.of(rows, NOW)
    said = text(header(rows, board, "month 2026-01 Europe/Berlin", 120, PLAIN))
    assert said.startswith(" BUDGET rolling 30d | month Europe/Berlin | src 40/42 known | coverage: worst 81.0%")
    assert said.endswith("2 BLOCKED 1 HOLD 1 UNKNOWN 1 WARN")
    assert "src ok | coverage: 99.9%" in text(header([quiet("a")], Board.of([quiet("a")], NOW), "", 80, PLAIN))
    assert "coverage: ?" in text(header([], Board.of([], NOW), "", 80, PLAIN))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(80, 260),
    ANY,
    ANY,
    ANY,
    ANY,
    st.floats(0, 1) | st.none(),
    st.sampled_from(Deploy),
    st.text(max_size=40),
    st.booleans(),
)
def test_a_row_fills_its_width_whatever_is_in_it(
    width: int,
    left: float | None,
    left_s: float | None,
    burn: float | None,
    gone: float | None,
    coverage: float | None,
    deploy: Deploy,
    why: str,
    glass: bool,
) -> None:
    its = Budget(left, "30d", burn, why, left_s, burn, gone, deploy, why, UNTIL, coverage, "page", why, left_s, 1.0)
    row = replace(quiet(why), budget=its, glass=why if glass else "")
    board = Board.of([row], NOW)
    assert length(draw(row, width, True, board, PLAIN)) == width
    assert sum(column.width for column in columns(width, board.extras)) + 3 == width
    assert length(head(width, board, PLAIN.palette)) <= width
    assert length(header([row], board, why, width, PLAIN)) <= width


@pytest.mark.parametrize(
    ("gate", "opens"), [("payback", True), ("freeze", True), ("lock", False), ("pause", False), ("checks", False)]
)
def test_break_glass_is_offered_only_for_a_gate_that_it_opens(gate: str, opens: bool) -> None:
    for deploy in (Deploy.HOLD, Deploy.BLOCKED):
        said = allowed(replace(BLOCKED, deploy=deploy, deploy_why=f"{gate}: why"))
        assert said.startswith("a rollback")
        assert ("break-glass" in said) is opens
        assert ("security fix" in said) is (gate == "payback")


@given(st.integers(0, 10**12))
def test_many_takes_five_characters_and_never_says_too_much(count: int) -> None:
    said = many(count)
    assert len(said) <= 5
    size = {"k": 10**3, "M": 10**6, "G": 10**9}.get(said[-1], 1)
    assert float(said.rstrip("kMG")) * size <= count


@given(st.lists(st.none() | st.floats(-3, 2), max_size=20))
def test_a_trend_has_a_cell_for_every_point_and_none_where_nothing_is_known(points: list[float | None]) -> None:
    for glyphs in (ASCII, UNICODE):
        drawn = trend(points, Look(glyphs, palette(Colors.NONE)))
        assert len(drawn) == len(points)
        assert [cell == " " for cell in drawn] == [point is None for point in points]
