"""A chart of differences: bounds as a band, lines at nought and at the limit."""

import math
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.judge.verdict import Verdict
from pipeline.view import MetricPane
from tests.tui.samples import pane
from tui.glyphs import ASCII, UNICODE
from tui.service_bounds import bounds_sheet
from tui.theme import Colors, palette
from tui.widgets.bounds import Bounds, bounds_axis, bounds_chart, series
from tui.widgets.chart import ASCII as PLAIN_PEN
from tui.widgets.chart import BRAILLE, COLOURLESS, Row
from tui.widgets.pane import Look, framed
from tui.widgets.runs import length
from tui.words import bounds, difference

NUMBER = st.one_of(st.floats(), st.floats(-1, 1), st.sampled_from([math.nan, math.inf, 1.8e308, -1e308, 5e-324, 0.0]))
POINT = st.one_of(st.none(), st.tuples(NUMBER, NUMBER, NUMBER))
POINTS = st.lists(POINT, max_size=120).map(tuple)
FEW = settings(max_examples=40, deadline=None)
PLAIN = Look(ASCII, palette(Colors.NONE))
STEADY = ((0.001, 0.003, 0.005),) * 40


def text(rows: list[Row]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def drawn(points: Bounds, limit: float | None, width: int = 40, height: int = 9) -> list[str]:
    line = series(points)
    return text(bounds_chart(line, width, height, bounds_axis(line, limit), PLAIN_PEN, unit="ratio", limit=limit))


@FEW
@given(POINTS, st.none() | NUMBER, st.integers(-1, 90), st.integers(-1, 20))
@example(((1.7e308, 0.0, -1.7e308),), 5e-324, 10, 3)
@example((None,), 0.1, 10, 3)
@example(((0.0, 0.0, 2.5e62), (0.0, 0.0, 1.3e-246)), None, 1, 2)
def test_whatever_the_numbers_the_chart_is_exactly_as_large_as_its_pane(
    points: Bounds, limit: float | None, width: int, height: int
) -> None:
    line = series(points)
    for pen in (BRAILLE, COLOURLESS, PLAIN_PEN):
        rows = bounds_chart(line, width, height, bounds_axis(line, limit), pen, unit="s", limit=limit)
        assert [len(row) for row in text(rows)] == [width] * (max(height, 0) if width > 0 else 0)


@FEW
@given(POINTS, st.none() | NUMBER, POINTS)
def test_nought_and_the_limit_are_always_on_the_axis(points: Bounds, limit: float | None, before: Bounds) -> None:
    scale = bounds_axis(series(points), limit, bounds_axis(series(before), limit))
    if scale is not None:
        assert scale.low <= 0 <= scale.high
        if limit is not None and math.isfinite(limit):
            assert scale.low <= min(max(limit, -1e300), 1e300) <= scale.high


def test_the_lines_carry_their_names_and_the_canary_is_drawn_over_them() -> None:
    rows = drawn(STEADY, 0.005)
    (limit,) = [row for row in rows if "limit" in row]
    (nought,) = [row for row in rows if row.startswith("0")]
    assert limit.startswith("limit +0.50pp---")
    assert nought.startswith("0....")
    assert rows.index(limit) < next(n for n, row in enumerate(rows) if "*" in row) < rows.index(nought)
    crossed = drawn(((-0.002, 0.0, 0.002),) * 40, 0.005)
    (nought,) = [row for row in crossed if "*" in row]
    assert "." not in nought.removeprefix("0")


def test_a_limit_below_nought_is_drawn_below_it() -> None:
    rows = drawn(((-0.03, -0.01, 0.01),) * 40, -0.05)
    (limit,) = [n for n, row in enumerate(rows) if "limit -5.0pp" in row]
    (nought,) = [n for n, row in enumerate(rows) if row.startswith("0")]
    assert limit > nought


def test_wide_bounds_of_the_first_looks_do_not_flatten_the_rest() -> None:
    narrow = ((0.001, 0.003, 0.005),) * 30
    line = series((*((-0.9, 0.2, 0.9),) * 3, *narrow))
    scale = bounds_axis(line, 0.005)
    assert scale is not None
    assert scale.high < 0.01
    assert ":" in text(bounds_chart(line, 33, 8, scale, PLAIN_PEN))[0]


def test_without_bounds_it_says_so() -> None:
    for points in ((), (None,) * 9, ((math.nan, math.nan, math.nan),)):
        assert "no bounds yet" in "\n".join(drawn(points, 0.005))


def test_an_axis_stays_while_the_data_fit() -> None:
    first = bounds_axis(series(STEADY), 0.005)
    assert bounds_axis(series(((0.001, 0.0031, 0.0049),) * 41), 0.005, first) is first
    assert bounds_axis(series(STEADY), 0.5, first) != first


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.0031, "ratio", "+0.31pp"),
        (-0.000_04, "ratio", "-0.0040pp"),
        (0.0, "ratio", "0.0pp"),
        (-0.0, "s", "0.0ms"),
        (-0.0124, "s", "-12ms"),
        (3 * 2**20, "bytes", "+3.0 MiB"),
        (-2.6, "/s", "-2.6/s"),
        (None, "s", "?"),
        (math.inf, "ratio", "?"),
    ],
)
def test_a_difference_has_a_sign_and_its_unit(value: float | None, unit: str, said: str) -> None:
    assert difference(value, unit) == said


def test_bounds_leave_out_the_unit_only_where_it_is_the_same() -> None:
    assert bounds(0.0012, 0.0055, "ratio", "+0.31pp") == "[+0.12, +0.55]"
    assert bounds(0.0012, 0.0055, "ratio") == "[+0.12pp, +0.55pp]"
    assert bounds(-2.0, 12.0, "s", difference(5.0, "s")) == "[-2000ms, +12s]"
    assert bounds(-math.inf, 0.0055, "ratio", "+0.31pp") == "[?, +0.55pp]"


@pytest.mark.parametrize("width", [6, 12, 20, 25, 30, 38, 40, 60, 90])
@pytest.mark.parametrize("look", [PLAIN, Look(UNICODE, palette(Colors.FEW))])
def test_a_frame_of_any_width_keeps_the_verdict_and_cuts_no_number(width: int, look: Look) -> None:
    more = {"limit_at": 0.001, "evidence": 0.43, "verdict": Verdict.WATCH}
    shown = pane("errors", "error rate", "ratio", 0.0021, 0.3, **more)
    line = series(shown.bounds)
    sheet = bounds_sheet(shown, line, bounds_axis(line, 0.001), (width - 2, 7), look, stale=False)
    lines = framed(sheet, width, 9, look)
    assert {length(each) for each in lines} == {width}
    foot = "".join(part for part, _ in lines[-1])
    head = "".join(part for part, _ in lines[0])
    assert ("WATCH" in foot) == (width >= 12)
    assert ("+0.059pp" in foot) == (width >= 25)
    assert ("[" in foot) == ("[+0.045, +0.073]" in foot) == (width >= 38)
    assert ("limit" in foot) == ("limit +0.10pp" in foot)
    assert ("evidence" in head) == ("evidence 43%" in head) == (width >= 30)


def test_a_metric_that_is_not_judged_shows_its_difference_and_claims_no_evidence() -> None:
    shown = pane("errors", "error rate", "ratio", 0.0021, 0.3)
    line = series(shown.bounds)
    sheet = bounds_sheet(shown, line, bounds_axis(line, None), (58, 7), PLAIN, stale=False)
    assert "".join(part for part, _ in sheet.title) == "error rate  last 2h"
    assert "".join(part for part, _ in sheet.foot) == "+0.059pp [+0.045, +0.073]  not judged"


WIDE = ((None, 0.0, 0.14),) * 40
"""Of a canary that differs not at all, with the bounds of few requests: nought and a small limit are one row."""


def test_where_nought_and_limit_are_one_row_both_are_named_and_the_line_stays_whole() -> None:
    for width in (34, 36, 38):
        rows = drawn(WIDE, 0.005, width, 6)
        (named,) = [row for row in rows if "limit" in row]
        assert named.startswith("0, limit +0.50pp")
        assert sum(row.count("*") for row in rows) == sum(row.count("*") for row in drawn(WIDE, None, width, 6))


def test_a_label_next_to_an_end_of_the_axis_hides_it_not() -> None:
    rows = drawn(((-0.004, 0.003, 0.0104),) * 40, 0.0103, 40, 7)
    assert rows[0].startswith("+1.20pp, limit +1.0pp") or "limit +1.0pp" in rows[1]
    both = drawn(((-0.004, 0.003, 0.0104),) * 40, 0.0103, 40, 3)
    assert both[0].startswith("+1.20pp, limit +1.0pp")
    assert drawn(((-0.004, 0.003, 0.0104),) * 40, 0.0103, 14, 3)[0].startswith("limit +1.0pp")


@FEW
@given(POINTS, st.floats(-1e6, 1e6), st.integers(20, 60), st.integers(3, 12))
def test_the_limit_is_named_wherever_it_is_drawn(points: Bounds, limit: float, width: int, height: int) -> None:
    line = series(points)
    scale = bounds_axis(line, limit)
    label = f"limit {difference(limit, 'ratio')}"
    if scale is None or not scale.low <= limit <= scale.high or len(label) > width:
        return
    rows = text(bounds_chart(line, width, height, scale, PLAIN_PEN, unit="ratio", limit=limit))
    assert sum(label in row for row in rows) == 1


def of_buckets(**more: object) -> MetricPane:
    alike = ((-0.003, 0.002, 0.04),) * 120
    return pane(
        "p99", "latency p99", "s", 0.188, 0.03, verdict=Verdict.FAIL, difference="+3.10pp slow", limit="0.20",
        limit_at=0.0188, evidence=1.119, bounds=alike, **more,
    )  # fmt: skip


def edges(shown: MetricPane, width: int) -> tuple[str, str]:
    """What a pane's frame says above and below."""
    line = series(shown.bounds)
    sheet = bounds_sheet(shown, line, bounds_axis(line, shown.limit_at), (width - 2, 7), PLAIN, stale=False)
    lines = framed(sheet, width, 9, PLAIN)
    return "".join(part for part, _ in lines[0]), "".join(part for part, _ in lines[-1])


@pytest.mark.parametrize("width", [36, 38, 40, 60, 90])
def test_bounds_that_are_read_off_buckets_say_so_and_what_was_counted_stands_by_the_verdict(width: int) -> None:
    head, foot = edges(of_buckets(), width)
    assert "latency p99  read off buckets" in head
    assert "+3.10pp slow" in foot
    assert "FAIL" in foot
    assert ("read off buckets +2.0ms [-3.0, +40]" in foot) == (width >= 80)
    assert ("evidence 111%" in head) == (width >= 60)
    verdict_of = edges(of_buckets(), width)[1]
    assert "[" not in verdict_of.split("read off buckets")[0]


def test_bounds_that_are_counted_are_not_called_read_off() -> None:
    head, foot = edges(pane("errors", "error rate", "ratio", 0.0021, 0.3, verdict=Verdict.PASS, limit_at=0.001), 90)
    assert "buckets" not in head + foot


def test_without_any_bound_the_foot_says_so_in_words() -> None:
    shown = pane("restarts", "restarts", "/h", 0.0, 0.0, verdict=Verdict.PASS, limit="3x")
    _, foot = edges(replace(shown, bounds=((None, 0.0, None),) * 120), 60)
    assert "0.0/h no bounds yet  limit 3x  PASS" in foot
    assert "?" not in foot
