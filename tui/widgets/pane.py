"""A framed block of lines with a title above, a word below and room to scroll: `Sheet`, `framed`, `Pane`."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import dropwhile, groupby
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual.binding import Binding
from textual.events import MouseScrollDown, MouseScrollUp, Resize

from tui.glyphs import Glyphs
from tui.theme import Palette
from tui.widgets.lines import Lines
from tui.widgets.runs import Runs, length

NARROWEST = 6
"""Of a frame that can still show something."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a screen's text is drawn: its marks and its styles."""

    glyphs: Glyphs
    palette: Palette


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands in a pane."""

    title: Runs
    body: tuple[Runs, ...]
    """May be longer than the pane is high."""
    foot: Runs = ()


def crop(runs: Runs, width: int, more: str = "") -> Runs:
    """`runs` in at most `width` cells; what is cut ends in `more`."""
    if length(runs) <= width:
        return runs
    room = max(width - cell_len(more), 0)
    kept: list[tuple[str, Style]] = []
    for text, style in runs:
        size = cell_len(text)
        if size >= room:
            kept.append((set_cell_size(text, room) + more, style))
            break
        kept.append((text, style))
        room -= size
    return tuple((set_cell_size(text, width) if cell_len(text) > width else text, style) for text, style in kept)


def row(runs: Runs, width: int, more: str = "") -> Runs:
    """`runs` in exactly `width` cells."""
    cut = crop(runs, width, more)
    left = width - length(cut)
    return (*cut, (" " * left, Style.null())) if left > 0 else cut


def ends(left: Runs, right: Runs, width: int, more: str = "") -> Runs:
    """`left` and `right` at the two ends of a line; where both do not fit, the left one is cut."""
    tail = crop(right, width, more)
    room = width - length(tail)
    return (*row(left, max(room - 1, 0), more), (" " if room else "", Style.null()), *tail)


def folded(runs: Runs, first: int, width: int, *, indent: int, most: int = 2, more: str = "") -> tuple[Runs, ...]:
    """`runs` in a line of at most `first` cells and, as far as need be, indented ones of `width` below it.

    Broken at blanks where there are some; what does not fit in `most` lines either is cut with `more`.
    """
    lead: Runs = ((" " * indent, Style.null()),)
    lines: list[Runs] = []
    rest, room = runs, first
    while length(rest) > room and len(lines) < most - 1:
        above, rest = _broken(rest, room)
        lines.append((*lead, *above) if lines else above)
        room = width - indent
    if rest or not lines:
        lines.append(crop((*lead, *rest) if lines else rest, width if lines else first, more))
    return tuple(crop(line, width) for line in lines)


def _broken(runs: Runs, width: int) -> tuple[Runs, Runs]:
    """What is in front of the last blank within `width` cells, and what is behind it."""
    cells = [(char, style) for text, style in runs for char in text]
    used = end = blank = 0
    for at, (char, _) in enumerate(cells):
        used += cell_len(char)
        if char == " " and cells[at - 1][0] != " " and at:
            blank = at
        if used > width:
            break
        end = at + 1
    rest = dropwhile(lambda cell: cell[0] == " ", cells[blank or end :])
    return _runs(cells[: blank or end]), _runs(rest)


def _runs(cells: Iterable[tuple[str, Style]]) -> Runs:
    grouped = groupby(cells, key=lambda cell: cell[1])
    return tuple(("".join(char for char, _ in group), style) for style, group in grouped)


def faded(runs: Runs, style: Style) -> Runs:
    """The same text, all in one style."""
    return tuple((text, style) for text, _ in runs)


def framed(sheet: Sheet, width: int, height: int, look: Look, *, top: int = 0, focused: bool = False) -> list[Runs]:
    """`height` lines of `width` cells: the sheet's body from line `top` on, in a frame."""
    if width < NARROWEST or height < 2:
        return [()] * max(height, 0)
    box, line = look.glyphs.box, look.palette.strong if focused else look.palette.dim
    inner, rows = width - 2, height - 2
    shown = sheet.body[top : top + rows]
    foot = sheet.foot
    if len(sheet.body) > rows > 0:
        place = f"{top + 1}-{top + len(shown)} of {len(sheet.body)}"
        foot = (*foot, (f"  {place}" if foot else place, look.palette.dim))
    heavy = look.glyphs.double if focused else box.horizontal
    side = (box.vertical, line)
    return [
        _edge(box.top_left, sheet.title, box.top_right, heavy, width, line, look),
        *((side, *row(text, inner, look.glyphs.more), side) for text in shown),
        *[(side, (" " * inner, Style.null()), side)] * (rows - len(shown)),
        _edge(box.bottom_left, foot, box.bottom_right, box.horizontal, width, line, look),
    ]


def _edge(left: str, text: Runs, right: str, rule: str, width: int, line: Style, look: Look) -> Runs:
    if not text:
        return ((left + rule * (width - 2) + right, line),)
    inner = crop(text, max(width - 6, 0), look.glyphs.more)
    rest = width - 4 - length(inner)
    return ((f"{left}{rule} ", line), *inner, (f" {rule * (rest - 1)}{right}", line))


class Pane(Lines, can_focus=True):
    """A frame whose subclass draws what is in it, for the size that it has at the time."""

    DEFAULT_CSS = "Pane { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar = [
        Binding("down,j", "scroll_by(1)", "Down", show=False),
        Binding("up,k", "scroll_by(-1)", "Up", show=False),
        Binding("pagedown,ctrl+d", "scroll_page(1)", "Page down", show=False),
        Binding("pageup,ctrl+u", "scroll_page(-1)", "Page up", show=False),
        Binding("home,g", "scroll_edge(-1)", "First", show=False),
        Binding("end,G", "scroll_edge(1)", "Last", show=False),
    ]

    def __init__(self, look: Look, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.look = look
        self._top = 0
        self._longest = 0
        self._faded = False

    def fade(self, old: bool) -> None:
        """Whether what is shown is old, and looks it."""
        if old != self._faded:
            self._faded = old
            self.redraw()

    def draw(self, width: int, height: int) -> Sheet:
        """The sheet for an inside of `width` x `height` cells."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw again what there is to draw; only cells that look different are sent."""
        width, height = self.size
        if not self.display or width < NARROWEST or height < 2:
            return
        sheet = self.draw(width - 2, height - 2)
        self._longest = max(len(sheet.body) - (height - 2), 0)
        self._top = min(self._top, self._longest)
        lines = framed(sheet, width, height, self.look, top=self._top, focused=self.has_focus)
        self.show(*(faded(line, self.look.palette.dim) for line in lines) if self._faded else lines)

    def on_resize(self, event: Resize) -> None:
        del event
        self.redraw()

    def on_show(self) -> None:
        self.redraw()

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def _go(self, top: int) -> None:
        self._top = min(max(top, 0), self._longest)
        self.redraw()

    def action_scroll_by(self, by: int) -> None:
        self._go(self._top + by)

    def action_scroll_page(self, by: int) -> None:
        self._go(self._top + by * max(self.size.height - 3, 1))

    def action_scroll_edge(self, side: int) -> None:
        self._go(0 if side < 0 else self._longest)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self._go(self._top + 3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self._go(self._top - 3)
