"""Widgets that draw lines and send only the cells that changed: `Lines`, `LineList`."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.style import Style
from textual.events import Click, Resize
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets.runs import Runs, spans, strip

T = TypeVar("T")


def ground(widget: Widget) -> Style:
    """The background that a widget's text stands on."""
    return Style(bgcolor=widget.background_colors[1].rich_color)


class Lines(Widget):
    """A block of lines that does not scroll; `show` it new text whenever there is some."""

    DEFAULT_CSS = "Lines { height: 1; width: 1fr; }"
    ALLOW_SELECT = False

    def __init__(self, lines: Sequence[Runs] = (), *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002  (the toolkit's name)
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Runs, ...] = tuple(lines)

    @property
    def lines(self) -> tuple[Runs, ...]:
        return self._lines

    def show(self, *lines: Runs) -> None:
        """Draw `lines` from the top; cells that look as before are not sent again."""
        old, self._lines = self._lines, lines
        for y in range(max(len(old), len(lines))):
            was = old[y] if y < len(old) else ()
            is_ = lines[y] if y < len(lines) else ()
            if was != is_:
                self.refresh(*(Region(x, y, width, 1) for x, width in spans(was, is_)))

    def render_line(self, y: int) -> Strip:
        return strip(self._lines[y] if y < len(self._lines) else (), self.size.width, ground(self))


class LineList(ScrollView, Generic[T], can_focus=True):
    """A list of one-line rows with a cursor that stays on the row's identity, whatever is sorted or filtered.

    `draw(item, width, selected)` gives a row's runs; it is called for rows in view only, so a thousand rows cost
    as much as forty. `key(item)` is the row's identity.
    """

    DEFAULT_CSS = """
    LineList { height: 1fr; overflow-x: hidden; scrollbar-size: 0 0; }
    """
    ALLOW_SELECT = False
    BINDINGS: ClassVar = [
        ("down,j", "move(1)", "Down"),
        ("up,k", "move(-1)", "Up"),
        ("pagedown", "page(1)", "Page down"),
        ("pageup", "page(-1)", "Page up"),
        ("ctrl+d", "half(1)", "Half a page down"),
        ("ctrl+u", "half(-1)", "Half a page up"),
        ("home,g", "edge(-1)", "First"),
        ("end,G", "edge(1)", "Last"),
    ]

    class Moved(Message):
        """The cursor is on another row, or on none."""

    class Used(Message):
        """The operator moved the cursor, or tried to."""

    class Chosen(Message):
        """A row was clicked while the cursor was on it."""

    def __init__(
        self,
        key: Callable[[T], str],
        draw: Callable[[T, int, bool], Runs],
        *,
        over: Style | None = None,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """`over` is laid over the selected row."""
        super().__init__(id=id)
        self._key = key
        self._draw = draw
        self._over = over
        self._items: Sequence[T] = ()
        self._blank: Sequence[Runs] = ()
        self._at: dict[str, int] = {}
        self._cursor = ""
        self._index = 0
        self._drawn: dict[int, tuple[Runs, bool]] = {}
        self._strips: dict[int, Strip] = {}
        self._width = 0

    @property
    def items(self) -> Sequence[T]:
        return self._items

    @property
    def selected(self) -> T | None:
        index = self._at.get(self._cursor)
        return None if index is None else self._items[index]

    @property
    def index(self) -> int:
        """Of the cursor, from 0."""
        return self._index

    def show(self, items: Sequence[T], blank: Sequence[Runs] = ()) -> None:
        """Draw `items`; the cursor goes with its row, or stays at its place if the row is gone.

        `blank` is drawn in place of no items at all.
        """
        had = self.selected is not None
        self._items = items
        self._blank = () if items else blank
        self._at = {self._key(item): index for index, item in enumerate(items)}
        followed = self._at.get(self._cursor)
        if followed is not None:
            self._index = followed
        else:
            self._index = min(self._index, max(len(items) - 1, 0))
            self._cursor = self._key(items[self._index]) if items else ""
        if self.virtual_size.height != len(items):
            self.virtual_size = Size(self.size.width or self.app.size.width, len(items))
        self._keep_in_view()
        self._repaint()
        if followed is None and (had or items):
            self.post_message(self.Moved())

    def select(self, key: str) -> None:
        """Put the cursor on the row `key`, if it is there."""
        index = self._at.get(key)
        if index is not None:
            self._place(index)

    def redraw(self) -> None:
        """Ask `draw` again for every row in view: its styles, widths or the cursor's look are others now."""
        self._repaint()

    def _go(self, index: int) -> None:
        self.post_message(self.Used())
        self._place(index)

    def _place(self, index: int) -> None:
        if not self._items:
            return
        index = min(max(index, 0), len(self._items) - 1)
        key = self._key(self._items[index])
        if key == self._cursor:
            return
        self._index, self._cursor = index, key
        self._keep_in_view()
        self._repaint()
        self.post_message(self.Moved())

    def _keep_in_view(self) -> None:
        height = self.size.height
        if not height:
            return
        top = self.scroll_offset.y
        if self._index < top:
            self.scroll_to(y=self._index, animate=False, immediate=True, force=True)
        elif self._index >= top + height:
            self.scroll_to(y=self._index - height + 1, animate=False, immediate=True, force=True)

    def _repaint(self) -> None:
        """Refresh the cells in view that look other than they were last drawn."""
        top, (width, height) = self.scroll_offset.y, self.size
        if self.has_focus:
            # for screen readers and magnifiers, which follow the terminal's own cursor
            self.app.cursor_position = self.region.offset + Offset(0, self._index - top)
        for index in [index for index in self._drawn if not top <= index < top + height]:
            del self._drawn[index], self._strips[index]
        for index, (was, was_selected) in list(self._drawn.items()):
            now, selected = self._row(index, width)
            if (now, selected) == (was, was_selected):
                continue
            self._keep(index, now, selected, width)
            y = index - top
            if selected != was_selected:
                self.refresh(Region(0, y, width, 1))
            else:
                self.refresh(*(Region(x, y, cells, 1) for x, cells in spans(was, now)))

    def _row(self, index: int, width: int) -> tuple[Runs, bool]:
        if index >= len(self._items):
            return (self._blank[index] if index < len(self._blank) else ()), False
        item = self._items[index]
        selected = self._key(item) == self._cursor
        return self._draw(item, width, selected), selected

    def _keep(self, index: int, runs: Runs, selected: bool, width: int) -> None:
        self._drawn[index] = (runs, selected)
        self._strips[index] = strip(runs, width, ground(self), self._over if selected else None)

    def render_line(self, y: int) -> Strip:
        index, width = y + self.scroll_offset.y, self.size.width
        if width != self._width:
            self._forget()
            self._width = width
        if index not in self._strips:
            self._keep(index, *self._row(index, width), width)
        return self._strips[index]

    def _forget(self) -> None:
        self._drawn.clear()
        self._strips.clear()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._forget()
        # The toolkit may still hold the lines of before and would not ask for them again.
        self.refresh()

    def on_resize(self, event: Resize) -> None:
        if event.size.width != self.virtual_size.width:
            self.virtual_size = Size(event.size.width, len(self._items))
        self._keep_in_view()

    def on_click(self, event: Click) -> None:
        index = event.y + self.scroll_offset.y
        if index >= len(self._items):
            return
        if index == self._index:
            self.post_message(self.Chosen())
        else:
            self._go(index)

    def action_move(self, by: int) -> None:
        self._go(self._index + by)

    def action_page(self, by: int) -> None:
        self._go(self._index + by * max(self.size.height - 1, 1))

    def action_half(self, by: int) -> None:
        self._go(self._index + by * max(self.size.height // 2, 1))

    def action_edge(self, side: int) -> None:
        self._go(0 if side < 0 else len(self._items) - 1)
