import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui.widgets.chart import (
    ASCII,
    BRAILLE,
    COLOURLESS,
    Axis,
    Ink,
    Pen,
    Row,
    Series,
    axis,
    chart,
    extremes,
    moved_on,
    plot,
)

POINT = st.one_of(st.none(), st.floats(), st.floats(0, 1), st.sampled_from([math.nan, math.inf, -math.inf, 1.8e308, 0]))
FEW = settings(max_examples=40, deadline=None)
PENS = st.sampled_from([BRAILLE, COLOURLESS, ASCII])


@st.composite
def series(draw: st.DrawFn) -> Series:
    size = draw(st.integers(0, 120))
    column = st.lists(POINT, min_size=size, max_size=size).map(tuple)
    return Series(draw(column), draw(column), draw(column), draw(st.integers(0, 500)))


def text(rows: list[Row]) -> list[str]:
    return ["".join(text for text, _ in row) for row in rows]


def canary_cells(s: Series, width: int, height: int, pen: Pen) -> set[tuple[int, int]]:
    scale = axis(s)
    assert scale is not None
    return {
        (x, y)
        for y, (_, inks) in enumerate(plot(s, width, height, scale, pen))
        for x, ink in enumerate(inks)
        if ink in (Ink.CANARY, Ink.BOTH)
    }


@FEW
@given(series(), st.integers(-1, 90), st.integers(-1, 20), PENS)
@example(Series((), (), ()), 10, 3, BRAILLE)
@example(Series((5e-324,), (None,), (None,)), 10, 3, BRAILLE)
@example(Series((1.7e308, -1.7e308), (0, 0), (0, 0)), 10, 3, ASCII)
@example(Series((1e16, 1e16 + 2), (1e16, 1e16), (1e16, 1e16)), 10, 3, ASCII)
def test_whatever_the_numbers_a_chart_is_exactly_as_large_as_its_pane(
    s: Series, width: int, height: int, pen: Pen
) -> None:
    rows = chart(s, width, height, axis(s), pen, unit="ratio")
    expected = max(height, 0) if width > 0 else 0
    assert [len(line) for line in text(rows)] == [width] * expected


@FEW
@given(series(), st.integers(1, 90), st.integers(1, 20), PENS)
def test_the_greatest_and_the_least_of_the_canary_are_drawn_where_the_axis_puts_them(
    s: Series, width: int, height: int, pen: Pen
) -> None:
    finite = [v for v in s.canary if v is not None and math.isfinite(v)]
    if not finite:
        return
    scale = axis(s)
    assert scale is not None
    drawn = {y for _, y in canary_cells(s, width, height, pen)}
    rows = height * (4 if pen.braille else 1)
    for extreme in (max(finite), min(finite)):
        value = min(max(extreme, -1e300), 1e300)
        dot = round((scale.high - value) / (scale.high - scale.low) * (rows - 1))
        assert 0 <= dot < rows
        assert dot // (4 if pen.braille else 1) in drawn


@FEW
@given(st.lists(POINT, min_size=1, max_size=200), st.integers(1, 200))
def test_resampling_loses_no_finite_extreme_and_invents_none(points: list[float | None], columns: int) -> None:
    spans = [span for span in extremes(points, columns) if span is not None]
    kept = [min(max(v, -1e300), 1e300) for v in points if v is not None and math.isfinite(v)]
    assert max((high for _, high in spans), default=None) == max(kept, default=None)
    assert min((low for low, _ in spans), default=None) == min(kept, default=None)


@FEW
@given(series())
def test_an_axis_holds_all_of_its_data(s: Series) -> None:
    scale = axis(s)
    known = [v for column in (s.canary, s.low, s.high) for v in column if v is not None and math.isfinite(v)]
    assert (scale is None) == (not known)
    if scale is not None:
        assert scale.low < scale.high
        assert all(scale.low <= min(max(v, -1e300), 1e300) <= scale.high for v in known)


@FEW
@given(series(), series())
def test_an_axis_that_came_before_never_leaves_data_out(first: Series, then: Series) -> None:
    scale = axis(then, axis(first))
    if scale is not None:
        known = [v for c in (then.canary, then.low, then.high) for v in c if v is not None and math.isfinite(v)]
        assert all(scale.low <= min(max(v, -1e300), 1e300) <= scale.high for v in known)


def test_an_axis_does_not_jump_with_each_tick_but_follows_a_new_size() -> None:
    band = (0.10,) * 60
    steady = axis(Series((0.21,) * 60, band, (0.18,) * 60))
    assert axis(Series((0.205,) * 60, band, (0.18,) * 60), steady) is steady
    grown = axis(Series((0.9,) * 60, band, (0.18,) * 60), steady)
    assert grown is not None
    assert grown.high >= 0.9
    back = axis(Series((0.2,) * 60, band, (0.18,) * 60), grown)
    assert back is not None
    assert back.high < 0.5


def test_limits_are_round_numbers_that_start_at_nought_for_ratios() -> None:
    assert axis(Series((0.0137, 0.0291), (None, None), (None, None))) == Axis(pytest.approx(0.012), 0.03)
    flat = axis(Series((0.0, 0.0), (0.0, 0.0), (0.0, 0.0)))
    assert flat is not None
    assert flat.low == 0.0


def test_a_spike_of_one_point_among_thousands_reaches_the_top() -> None:
    points = [0.1] * 5_000
    points[3_333] = 0.9
    s = Series(tuple(points), (None,) * 5_000, (None,) * 5_000)
    for pen in (BRAILLE, ASCII):
        top = min(y for _, y in canary_cells(s, 38, 7, pen))
        assert top == 0


def test_a_new_point_changes_the_end_of_the_line_only() -> None:
    band = (None,) * 100
    points = tuple(0.5 + 0.4 * math.sin(n / 5) for n in range(100))
    scale = Axis(0.0, 1.0)
    before = text(chart(Series(points[:99], band[:99], band[:99]), 38, 7, scale, BRAILLE))
    after = text(chart(Series(points, band, band), 38, 7, scale, BRAILLE))
    changed = {x for was, now in zip(before, after, strict=True) for x in range(38) if was[x] != now[x]}
    assert max(changed) - min(changed) <= 1
    assert max(changed) >= 38 * 0.8


def test_a_full_chart_moves_by_whole_columns() -> None:
    points = tuple(0.5 + 0.4 * math.sin(n / 5) for n in range(300))
    scale = Axis(0.0, 1.0)

    def drawn(gone: int) -> list[str]:
        window = points[gone : gone + 180]
        return text(chart(Series(window, window, window, gone), 36, 7, scale, BRAILLE))

    def unmoved(before: list[str], after: list[str]) -> bool:
        return all(was[8:33] == now[8:33] for was, now in zip(before[1:-1], after[1:-1], strict=True))

    still = [unmoved(drawn(gone), drawn(gone + 1)) for gone in range(60)]
    assert sum(still) >= 45
    assert not all(still)


def test_how_far_a_line_moved_on_is_seen_from_its_points() -> None:
    line = (1.0, 2.0, 3.0, 4.0, 5.0)
    assert moved_on(line, (1.0, 2.0, 3.0, 4.0, 5.5)) == 0
    assert moved_on(line, (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)) == 0
    assert moved_on(line, (2.0, 3.0, 4.0, 5.0, 6.0)) == 1
    assert moved_on(line, (3.0, 4.0, 5.0, 6.0, 7.0)) == 2
    assert moved_on(line, (7.0, 8.0, 9.0, 9.0, 9.0)) is None
    assert moved_on(line, (1.5, 3.5, 5.0)) is None
    assert moved_on((), ()) == 0


def test_a_gap_stays_a_gap() -> None:
    points = (1.0,) * 20 + (None,) * 20 + (math.nan,) * 20 + (2.0,) * 20
    s = Series(points, (None,) * 80, (None,) * 80)
    for pen in (BRAILLE, ASCII):
        columns = {x for x, _ in canary_cells(s, 40, 8, pen)}
        assert columns == set(range(10)) | set(range(30, 40))


def test_the_ascii_twin_draws_canary_over_band() -> None:
    s = Series((4.0, 3.0, 2.0, 1.0), (1.0,) * 4, (2.0,) * 4)
    assert text(chart(s, 4, 4, Axis(1, 4), ASCII)) == ["*   ", " *  ", "::*:", ":::*"]


def test_labels_say_the_limits_and_give_way_to_the_canary() -> None:
    s = Series((0.2191, 0.2191, 0.16, 0.16), (None,) * 4, (None,) * 4)
    rows = text(chart(s, 24, 4, Axis(0.155, 0.220), ASCII, unit="s"))
    assert rows[0] == "*" * 12 + "220.0ms" + " " * 5
    assert rows[-1].startswith("155.0ms")
    assert rows[-1].endswith("*" * 12)


def test_nothing_to_draw_is_said_in_words() -> None:
    assert text(chart(Series((), (), ()), 12, 3, None, BRAILLE)) == [" " * 12, "  no data   ", " " * 12]
