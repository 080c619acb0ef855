"""A canary's difference to its control, over time: a line over its confidence bounds, in character cells.

Drawn as `chart` draws a metric, with two lines more: at nought, and at the limit beyond which a difference counts.
Pure functions.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from tui.widgets.chart import (
    Axis,
    Ink,
    Pen,
    Points,
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
    rows = plot(_inside(line, scale), width, height, scale, pen)
    to_row = rows_down(scale, height)
    rules = [rule for rule in _rules(unit, limit, pen) if scale.low <= rule.value <= scale.high]
    labels: dict[int, list[str]] = {}
    for y, end in ((0, scale.high), (height - 1, scale.low)) if height > 1 else ():
        if all(difference(end, unit) != difference(rule.value, unit) for rule in rules):
            labels[y] = [difference(end, unit, 3)]
    for rule in rules:
        y = to_row(rule.value)
        rows[y] = _ruled(*rows[y], rule)
        labels.setdefault(y, []).append(rule.label)
    taken = set(labels)
    for y, texts in labels.items():
        label = _beside(texts, width)
        at = _row_for(len(label), y, [inks for _, inks in rows], taken)
        taken.add(at)
        rows[at] = labelled(*rows[at], label)
    return [runs_of(text, inks) for text, inks in rows]


def _inside(line: Series, scale: Axis) -> Series:
    """What sticks out of the axis at its edge, however far out it is."""

    def kept(points: Points) -> Points:
        known = map(finite, points)
        return tuple(None if value is None else min(max(value, scale.low), scale.high) for value in known)

    return replace(line, canary=kept(line.canary), low=kept(line.low), high=kept(line.high))


def _beside(texts: Sequence[str], width: int) -> str:
    """The labels of one row in one; where not all have room, the last says most."""
    return next((said for at in range(len(texts)) if len(said := ", ".join(texts[at:])) <= width), "")


def _row_for(size: int, y: int, inks: Sequence[Sequence[Ink]], taken: Container[int]) -> int:
    """`y`, or a free row next to it where a label in `y` would hide the canary's line, and there would not."""
    near = [row for row in (y - 1, y + 1) if 0 <= row < len(inks) and row not in taken]
    return next((row for row in (y, *near) if _has_room(inks[row], size)), y)


def _has_room(inks: Sequence[Ink], size: int) -> bool:
    free = "".join(" " if ink in (Ink.CANARY, Ink.BOTH) else "." for ink in inks)
    return "." * size in free


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
