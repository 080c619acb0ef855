"""`?`: the keys of the view in hand, and why one is off."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.screen import Screen

from tui.glyphs import Glyphs
from tui.keys import BACK, MOVES, Key, bindings
from tui.room import room_of
from tui.status import KeyLine, TopLine
from tui.theme import Palette
from tui.widgets.lines import LineList
from tui.widgets.runs import Runs
from tui.words import fit


def help_lines(keys: Sequence[tuple[Key, str]], glyphs: Glyphs, palette: Palette) -> list[Runs]:
    """A line a key: its name, what it does, its id, and why it is off."""
    lines: list[Runs] = [((" KEYS OF THIS VIEW", palette.strong),), ()]
    for key, off in keys:
        style = palette.dim if off else palette.plain
        line: Runs = (
            (fit(f"   {key.shown}", 12), palette.dim if off else palette.key),
            (fit(key.help, 58, glyphs.more), style),
        )
        lines.append(line)
        if off:
            lines.append(((" " * 12 + f"off: {off}", palette.warn),))
    lines += [(), ((" EVERYWHERE", palette.strong),), ()]
    lines += [((fit(f"   {shown}", 20), palette.key), (does, palette.plain)) for shown, does in MOVES]
    lines += [(), ((" IDS, to give an action another key", palette.strong),), ()]
    lines += [((fit(f"   {key.id}", 24), palette.plain), (key.shown, palette.dim)) for key, _ in keys]
    return lines


class HelpScreen(Screen[None]):
    BINDINGS: ClassVar = [*bindings([BACK]), ("question_mark", "back", "Back")]

    def __init__(self, keys: Sequence[tuple[Key, str]]) -> None:
        """`keys`: each with why it is off, or ""."""
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        yield TopLine("help")
        yield LineList[tuple[int, Runs]](lambda line: str(line[0]), lambda line, _width, _selected: line[1], id="help")
        yield KeyLine()

    def on_mount(self) -> None:
        app = room_of(self)
        lines = help_lines(self._keys, app.glyphs, app.palette)
        self.query_one(LineList).show(list(enumerate(lines)))
        self.query_one(LineList).focus()
        self.query_one(KeyLine).offer([("Esc", "back", True), ("j k", "scroll", True)])

    def action_back(self) -> None:
        self.dismiss()
