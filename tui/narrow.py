"""Sends the cells that changed, and nothing a second time.

The toolkit paints the first page three times, each page again when one is opened over it, and a partial update from
the widget's left edge on (a crop that is still to be done there). Over a slow line that is the difference between a
room and a slide show, so `Terminal` keeps what each line shows and leaves out lines that would look the same.
"""

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.control import Control
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip


class Terminal:
    """What the terminal shows, as far as it is known: each line's strips, where the whole line was sent."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[Strip, ...]] = {}

    def forget(self) -> None:
        """Something else may have drawn on it, or its size is another: send everything next time."""
        self._lines.clear()

    def narrowed(self, update: RenderableType | None) -> RenderableType | None:
        """`update`, without what is there already."""
        if type(update) is ChopsUpdate:
            return _Cells(update, self)
        if type(update) is LayoutUpdate:
            return _Page(update, self)
        return update

    def line(self, y: int, strips: Iterable[Strip], console: Console) -> str:
        """What to send so that line `y`, from its left edge, shows `strips`."""
        wanted = tuple(strips)
        if self._lines.get(y) == wanted:
            return ""
        self._lines[y] = wanted
        return Control.move_to(0, y).segment.text + "".join(strip.render(console) for strip in wanted)

    def touch(self, y: int) -> None:
        """A part of line `y` is being sent."""
        self._lines.pop(y, None)


class _Page(LayoutUpdate):
    def __init__(self, update: LayoutUpdate, terminal: Terminal) -> None:
        super().__init__(update.strips, update.region)
        self._terminal = terminal

    def render_segments(self, console: Console) -> str:
        if self.region.x:
            self._terminal.forget()
            return super().render_segments(console)
        lines = enumerate(self.strips, self.region.y)
        return "".join(self._terminal.line(y, strips, console) for y, strips in lines)


class _Cells(ChopsUpdate):
    def __init__(self, update: ChopsUpdate, terminal: Terminal) -> None:
        super().__init__(update.chops, update.spans, update.chop_ends)
        self._terminal = terminal

    def render_segments(self, console: Console) -> str:
        return "".join(self._span(y, left, right, console) for y, left, right in self.spans)

    def _span(self, y: int, left: int, right: int, console: Console) -> str:
        ends, line = self.chop_ends[y], self.chops[y]
        whole = [strip for strip in line.values() if strip is not None]
        if left == 0 and right >= ends[-1] and len(whole) == len(line):
            return self._terminal.line(y, whole, console)
        self._terminal.touch(y)
        sent: list[str] = []
        for end, (x, strip) in zip(ends, line.items(), strict=False):
            if strip is None or x >= right or end <= left:
                continue
            start, stop = max(x, left), min(end, right)
            part = strip if (start, stop) == (x, end) else strip.crop(start - x, stop - x)
            sent += (Control.move_to(start, y).segment.text, part.render(console))
        return "".join(sent)
