"""A canary's difference to its control, over time: a line over its confidence bounds, in character cells.

Drawn as `chart` draws a metric, with two lines more: at nought, and at the limit beyond which a difference counts.
Pure functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tui.widgets.chart import (
    Axis,
    Ink,
    Pen,
    Row,
    Series,
    axis,
    finite,
    labelled,
    plot,
    rows_down,
    runs_of,
    says,
)
from tui.words import difference

Bounds = Sequence[tuple[float | None, float, float | None] | None]
"""(low, difference, high) at each point, oldest first; None before there is one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the chart."""

    value: float
    label: str
    ink: Ink
    banded: Ink
    """Where the band is behind it."""
    char: str


def series(points: Bounds, gone: int = 0) -> Series:
    """The difference as the line, its bounds as the band."""
    low, middle, high = zip(*(point or (None, None, None) for point in points), strict=True) if points else ((), (), ())
    return Series(middle, low, high, gone)


def bounds_axis(line: Series, limit: float | None, before: Axis | None = None) -> Axis | None:
    """Round limits around nought, the limit and the newer half of the data; None without any.

    The first bounds are as wide as little data make them: what sticks out of the axis is drawn at its edge.
    """
    known = [at for at, value in enumerate(line.canary) if finite(value) is not None]
    if not known:
        return None
    newer = slice(known[len(known) // 2], None)
    marks = (0.0, limit) if limit is not None else (0.0,)
    return axis(Series((*line.canary[newer], *marks), line.low[newer], line.high[newer]), before)


def bounds_chart(
    line: Series, width: int, height: int, scale: Axis | None, pen: Pen, *, unit: str = "", limit: float | None = None
) -> list[Row]:
    """`height` rows, each exactly `width` cells wide. `scale` is of `bounds_axis`; None says that there is nothing."""
    if width < 1 or height < 1:
        return []
    if scale is None:
        return says("no bounds yet", width, height)
    rows = plot(line, width, height, scale, pen)
    labels = {0: difference(scale.high, unit, 3), height - 1: difference(scale.low, unit, 3)} if height > 1 else {}
    to_row = rows_down(scale, height)
    # The limit comes last: where both fall in one row, it is what one wants to know.
    for rule in _rules(unit, limit, pen):
        if scale.low <= rule.value <= scale.high:
            y = to_row(rule.value)
            rows[y] = _ruled(*rows[y], rule)
            labels[y] = rule.label
    for y, label in labels.items():
        rows[y] = labelled(*rows[y], label)
    return [runs_of(text, inks) for text, inks in rows]


def _rules(unit: str, limit: float | None, pen: Pen) -> list[Rule]:
    dots, line = ("·", "─") if pen.braille else (".", "-")
    rules = [Rule(0.0, "0", Ink.ZERO, Ink.ZERO_BAND, dots)]
    if finite(limit) is not None and limit is not None:
        rules.append(Rule(limit, f"limit {difference(limit, unit)}", Ink.LIMIT, Ink.LIMIT_BAND, line))
    return rules


def _ruled(text: str, inks: list[Ink], rule: Rule) -> tuple[str, list[Ink]]:
    """The row with the rule in it, behind the canary's line."""
    chars, drawn = [], []
    for char, ink in zip(text, inks, strict=True):
        free = ink not in (Ink.CANARY, Ink.BOTH)
        chars.append(rule.char if free else char)
        drawn.append(ink if not free else rule.banded if ink in (Ink.BAND, Ink.ZERO_BAND) else rule.ink)
    return "".join(chars), drawn
