"""A canary's metric over production's band, in character cells.

Pure functions: numbers in, rows of runs out; a widget only paints them. A braille cell holds one
foreground colour, so the canary is dots and the band is the cell's background; the ASCII twin
has `*` for the canary and `:` for the band. A column shows the least and the greatest of the
points that fall in it, so a spike of one point is never averaged away.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

from tui.words import metric

Points = Sequence[float | None]
Span = tuple[float, float]

HUGE = 1e300
"""Beyond this, differences would overflow; what is larger is drawn at the edge."""
STEPS = 8
"""About how many round steps an axis has: more of them waste less room, fewer are calmer."""
SLACK = 0.6
"""An axis stays as long as the data fill this much of it."""
FLAT = 0.02
"""The span of an axis for nothing but noughts: 0 to 1 %, 0 to 10 ms."""
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_BRAILLE = 0x2800


class Ink(Enum):
    NOTHING = 0
    BAND = 1
    CANARY = 2
    BOTH = 3
    LABEL = 4
    ZERO = 5
    """The line at nought, of a chart of differences."""
    ZERO_BAND = 6
    LIMIT = 7
    """The line at the limit."""
    LIMIT_BAND = 8


@dataclass(frozen=True, slots=True)
class Axis:
    low: float
    high: float
    """Above `low`, both finite."""


@dataclass(frozen=True, slots=True)
class Series:
    """All three equally long, oldest first; None, NaN and infinities are gaps."""

    canary: Points
    low: Points
    high: Points
    gone: int = 0
    """How many older points have left: a column keeps its share of points while the rest moves on."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How the cells are drawn; `band` is a blank where the background shows the band."""

    braille: bool
    band: str

    @property
    def grid(self) -> tuple[int, int]:
        """Dots in a cell, across and down."""
        return (2, 4) if self.braille else (1, 1)


Row = tuple[tuple[str, Ink], ...]
"""Cells that are drawn alike, run by run."""
BRAILLE = Pen(braille=True, band=" ")
COLOURLESS = Pen(braille=True, band="░")
ASCII = Pen(braille=False, band=":")


def axis(series: Series, before: Axis | None = None) -> Axis | None:
    """Round limits around all of the data, None without any.

    `before` is kept while the data fit in it and fill enough of it, so that a live chart does not jump.
    """
    known = [v for column in (series.canary, series.low, series.high) for v in map(finite, column) if v is not None]
    if not known:
        return None
    least, most = min(known), max(known)
    if before is not None and before.low <= least and most <= before.high:
        filled = max(most - least, _thinnest(least, most)) / (before.high - before.low)
        if filled >= SLACK:
            return before
    return _round_limits(least, most)


def finite(value: float | None) -> float | None:
    """None where there is no number to draw."""
    if value is None or not math.isfinite(value):
        return None
    return min(max(value, -HUGE), HUGE)


def _thinnest(least: float, most: float) -> float:
    """The smallest span worth an axis: a flat line gets room above and below."""
    return max(abs(least), abs(most)) * 0.05 or FLAT


def _round_limits(least: float, most: float) -> Axis:
    span = most - least
    thin = _thinnest(least, most)
    if span < thin:
        middle = least + span / 2
        floor = 0.0 if least >= 0 else -math.inf
        least, most = min(least, max(middle - thin / 2, floor)), max(most, middle + thin / 2)
        span = most - least
    step = _round_step(span / STEPS)
    if step == 0:
        return Axis(least, least + 1.0)
    low, high = math.floor(least / step) * step, math.ceil(most / step) * step
    return Axis(min(low, least), max(high, most))


def _round_step(rough: float) -> float:
    """The next of 1, 2, 2.5, 5, 10 times a power of ten at or above `rough`; 0 where floats end."""
    if rough < 1e-300:
        return 0.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next((power * nice for nice in (1.0, 2.0, 2.5, 5.0) if power * nice >= rough), power * 10.0)


def extremes(points: Points, columns: int, gone: int = 0, base: int = 0) -> list[Span | None]:
    """The least and greatest of each column's points: (columns,); None where it has none.

    A column's share of the points stays what it was until the chart is full, so that a new point changes the
    end of the line only. No point is left out. `base` columns have left with the `gone` points.
    """
    room = _room(len(points))
    known = [finite(point) for point in points]
    spans: list[Span | None] = [None] * columns
    if room <= columns:
        for c in range(columns):
            at = c * room // columns
            value = known[at] if at < len(known) else None
            spans[c] = None if value is None else (value, value)
        return spans
    for at, value in enumerate(known, gone):
        if value is not None:
            c = min(at * columns // room - base, columns - 1)
            span = spans[c]
            spans[c] = (value, value) if span is None else (min(span[0], value), max(span[1], value))
    return spans


def moved_on(before: Points, after: Points) -> int | None:
    """By how many points `after` has moved on from `before`, its open last one aside; None if it is another line."""
    if len(after) != len(before):
        return 0 if len(after) > len(before) and before[:-1] == after[: len(before) - 1] else None
    return next((k for k in range(4) if before[k:-1] == after[: max(len(after) - 1 - k, 0)]), None)


def _room(count: int) -> int:
    """For how many points a chart of `count` is laid out: the next of 4, 5, 6, 7, 8, 10, 12, 14, 16, 20 ..."""
    step = 1 << max(count.bit_length() - 3, 0)
    return max(-(-count // step) * step, 4)


def plot(series: Series, width: int, height: int, scale: Axis, pen: Pen) -> list[tuple[str, list[Ink]]]:
    """`height` rows of `width` cells, top first: each row's text and its cells' inks."""
    across, down = pen.grid
    room = _room(len(series.canary))
    gone = series.gone if room > width * across else 0
    base = gone * width // room
    spans = extremes(series.canary, width * across, gone, base * across)
    cells = _canary_cells(spans, rows_down(scale, height * down), width, height, pen)
    lows, highs = extremes(series.low, width, gone, base), extremes(series.high, width, gone, base)
    band = _band_cells(lows, highs, width, height, rows_down(scale, height))
    rows = []
    for y in range(height):
        text, inks = [], []
        for bits, banded in zip(cells[y], band[y], strict=True):
            if bits:
                text.append(chr(_BRAILLE + bits) if pen.braille else "*")
                inks.append(Ink.BOTH if banded else Ink.CANARY)
            else:
                text.append(pen.band if banded else " ")
                inks.append(Ink.BAND if banded else Ink.NOTHING)
        rows.append(("".join(text), inks))
    return rows


def rows_down(scale: Axis, rows: int) -> Callable[[float], int]:
    """From a value to its row of `rows`, 0 on top; never outside."""
    span, last = scale.high - scale.low, rows - 1
    return lambda value: min(max(round((scale.high - value) / span * last), 0), last)


def _canary_cells(
    spans: Sequence[Span | None], to_dot: Callable[[float], int], width: int, height: int, pen: Pen
) -> list[list[int]]:
    """Bits of the canary's dots, cell by cell; in braille, neighbouring columns are joined, gaps are not."""
    across, down = pen.grid
    cells = [[0] * width for _ in range(height)]
    before: tuple[int, int] | None = None
    for column, span in enumerate(spans):
        if span is None:
            before = None
            continue
        top, bottom = to_dot(span[1]), to_dot(span[0])
        first, last = top, bottom
        if before is not None and pen.braille:
            first, last = min(top, before[1] + 1), max(bottom, before[0] - 1)
        before = top, bottom
        x, side = divmod(column, across)
        for dot in range(first, last + 1):
            y, part = divmod(dot, down)
            cells[y][x] |= _BITS[side][part]
    return cells


def _band_cells(
    lows: Sequence[Span | None], highs: Sequence[Span | None], width: int, height: int, to_row: Callable[[float], int]
) -> list[list[bool]]:
    cells = [[False] * width for _ in range(height)]
    for x, (low, high) in enumerate(zip(lows, highs, strict=True)):
        if low is None or high is None:
            continue
        for y in range(to_row(max(high[1], low[0])), to_row(min(low[0], high[1])) + 1):
            cells[y][x] = True
    return cells


def chart(series: Series, width: int, height: int, scale: Axis | None, pen: Pen, *, unit: str = "") -> list[Row]:
    """The plot with the axis's limits as labels: `height` rows, each exactly `width` cells wide.

    `scale` is of `axis`; None, where there is nothing to draw, says so.
    """
    if width < 1 or height < 1:
        return []
    if scale is None:
        return says("no data", width, height)
    rows = plot(series, width, height, scale, pen)
    if height > 1:
        rows[0] = labelled(*rows[0], metric(scale.high, unit, 4))
        rows[-1] = labelled(*rows[-1], metric(scale.low, unit, 4))
    return [runs_of(text, inks) for text, inks in rows]


def labelled(text: str, inks: list[Ink], label: str) -> tuple[str, list[Ink]]:
    """The row with `label` in it, as far left as it hides fewest of the canary's cells."""
    room = len(text) - len(label)
    if room < 0:
        return text, inks
    hidden = [ink in (Ink.CANARY, Ink.BOTH) for ink in inks]
    at = min(range(room + 1), key=lambda x: sum(hidden[x : x + len(label)]))
    end = at + len(label)
    return text[:at] + label + text[end:], inks[:at] + [Ink.LABEL] * len(label) + inks[end:]


def runs_of(text: str, inks: Sequence[Ink]) -> Row:
    """A row's cells, run by run."""
    runs, start = [], 0
    for ink, cells in groupby(inks):
        end = start + sum(1 for _ in cells)
        runs.append((text[start:end], ink))
        start = end
    return tuple(runs)


def says(word: str, width: int, height: int) -> list[Row]:
    """A chart with nothing but a word in it."""
    blank: Row = ((" " * width, Ink.NOTHING),)
    rows = [blank] * height
    rows[(height - 1) // 2] = ((word[:width].center(width), Ink.LABEL),)
    return rows
