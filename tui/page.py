"""`PageScreen`: something to read in full, as of one moment; it scrolls and does not move under the reader."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult

from tui.keys import bindings
from tui.page_keys import READING
from tui.room import room_of
from tui.room_screen import RoomScreen
from tui.status import KeyLine, LostBanner, TopLine
from tui.widgets.pane import Look, Pane, Sheet

Draw = Callable[[int, Look], Sheet]
"""The sheet for a width."""


class Reading(Pane):
    def __init__(self, look: Look, draw: Draw) -> None:
        super().__init__(look, id="reading")
        self._sheet = draw

    def draw(self, width: int, height: int) -> Sheet:
        del height
        return self._sheet(width, self.look)


class PageScreen(RoomScreen):
    AUTO_FOCUS = "#reading"
    BINDINGS: ClassVar = bindings(READING)

    def __init__(self, where: str, draw: Draw) -> None:
        super().__init__()
        self._where = where
        self._draw = draw

    def compose(self) -> ComposeResult:
        app = room_of(self)
        yield TopLine(self._where)
        yield LostBanner()
        yield Reading(Look(app.glyphs, app.palette), self._draw)
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(KeyLine).offer([("q", "back", True), ("j k", "scroll", True), ("g G", "first, last", True)])

    def action_back(self) -> None:
        self.app.pop_screen()
