import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pipeline.view import Budget, Mark, StageCell
from tui.glyphs import ASCII, UNICODE
from tui.words import bar, budget, fit, metric, percent, span, stage


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (93, "93s"),
        (100, "1m"),
        (1_140, "19m"),
        (3 * 3_600, "3h"),
        (71 * 86_400, "71d"),
        (-5, "0s"),
        (None, "?"),
    ],
)
def test_a_span_is_short_and_rounded_down(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.6199, "61%"), (0.29, "29%"), (0.9999, "99%"), (1.0, "100%"), (0.0, "0%"), (-0.001, "-1%"), (None, "?")],
)
def test_a_percentage_is_cut_and_never_rounded_up(ratio: float | None, text: str) -> None:
    assert percent(ratio) == text


@given(st.floats(-20, 20), st.integers(1, 60), st.sampled_from([ASCII, UNICODE]))
def test_a_bar_has_its_width_and_never_shows_more_than_there_is(ratio: float, width: int, glyphs: object) -> None:
    drawn = bar(ratio, width, glyphs)  # type: ignore[arg-type]
    assert len(drawn) == width
    if ratio < 1:
        assert set(drawn) != {glyphs.full} or width == 1  # type: ignore[attr-defined]
    if ratio > 0:
        assert drawn[0] in (glyphs.full, glyphs.half)  # type: ignore[attr-defined]
    else:
        assert set(drawn) == {glyphs.empty}  # type: ignore[attr-defined]


def test_an_unknown_budget_is_question_marks_and_never_a_full_bar() -> None:
    assert budget(Budget(None, "30d"), 11, ASCII) == "??????    ?"
    assert budget(Budget(0.0, "30d"), 11, ASCII) == "......   0%"
    assert budget(Budget(-12.0, "30d"), 11, ASCII) == ".... -1200%"
    assert budget(Budget(-1.28, "30d"), 11, ASCII) == "..... -128%"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0021, "ratio", "0.21%"), (0.188, "s", "188ms"), (12.3, "s", "12.3s"), (58.7 * 2**20, "bytes", "59 MiB"),
        (60.91, "/s", "60.9/s"), (None, "s", "?"), (float("nan"), "ratio", "?"),
    ],
)  # fmt: skip
def test_a_value_reads_in_its_unit(value: float | None, unit: str, text: str) -> None:
    assert metric(value, unit) == text


def test_the_axis_of_a_chart_has_four_digits() -> None:
    assert [metric(0.003196, "ratio", 4), metric(0.2191, "s", 4), metric(0.009043, "s", 4)] == [
        "0.3196%", "219.1ms", "9.043ms",
    ]  # fmt: skip


@given(st.text(max_size=30), st.integers(0, 40), st.booleans())
def test_fitted_text_has_exactly_its_width_in_cells(text: str, width: int, right: bool) -> None:
    assert cell_len(fit(text, width, right=right)) == width


def test_a_stage_says_revision_share_and_hosts_and_nothing_where_nothing_runs() -> None:
    canary = StageCell("r1203", Mark.GOOD, 12, 171, 0.07)
    assert stage(canary, ASCII) == "r1203 7%"
    assert stage(canary, ASCII, counts=True) == "r1203 7% 12/171"
    assert stage(StageCell("r310", Mark.GOOD), ASCII, marked=True) == "r310 +"
    assert stage(StageCell("r91", Mark.UNKNOWN, 3, 4), ASCII, counts=True) == "r91 ?"
    assert stage(StageCell(), ASCII) == "-"
