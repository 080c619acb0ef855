"""Styled text as plain values, and where two lines of it differ.

A line of the screen is `Runs`: (text, style) pairs. Comparing what is shown with what should be shown, cell by cell,
is what keeps the traffic to the terminal small: the toolkit sends every region that it is told to repaint.
"""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Run = tuple[str, Style]
Runs = tuple[Run, ...]

_GAP = 4
"""Unchanged cells that cost less to send again than to jump over."""


def strip(runs: Iterable[Run], width: int, under: Style, over: Style | None = None) -> Strip:
    """One strip of exactly `width` cells on the ground of `under`; `over` is laid over every run."""
    ground = under if over is None else under + over
    segments = [Segment(text, under + style if over is None else under + style + over) for text, style in runs]
    return Strip(segments).adjust_cell_length(width, ground).simplify()


def length(runs: Iterable[Run]) -> int:
    """In cells."""
    return sum(cell_len(text) for text, _ in runs)


def spans(old: Runs, new: Runs) -> list[tuple[int, int]]:
    """(x, width) of the cells in which `new` looks other than `old`, left to right."""
    before, after = _cells(old), _cells(new)
    blank = (" ", Style.null())
    longest = max(len(before), len(after))
    before += [blank] * (longest - len(before))
    after += [blank] * (longest - len(after))
    found: list[tuple[int, int]] = []
    for x, (was, is_) in enumerate(zip(before, after, strict=True)):
        if was == is_:
            continue
        if found and x - sum(found[-1]) < _GAP:
            found[-1] = (found[-1][0], x + 1 - found[-1][0])
        else:
            found.append((x, 1))
    return found


def _cells(runs: Sequence[Run]) -> list[tuple[str, Style]]:
    cells: list[tuple[str, Style]] = []
    for text, style in runs:
        if text.isascii():
            cells.extend((char, style) for char in text)
            continue
        for char in text:
            size = cell_len(char)
            if size:
                cells.append((char, style))
                # the second cell of a wide character is never sent without the first
                cells.extend([(f"\0{char}", style)] * (size - 1))
            elif cells:
                cells[-1] = (cells[-1][0] + char, cells[-1][1])
    return cells
