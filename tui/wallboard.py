"""`WallboardApp`: the fleet for a wall. It takes no command, needs no key, and shows by its clock that it lives."""

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen

from pipeline.ports import ControlRoom
from tui.room import RoomApp, room_of
from tui.wallboard_lines import Moment, board
from tui.widgets.lines import Lines
from tui.widgets.pane import Look


class WallboardScreen(Screen[None]):
    DEFAULT_CSS = "WallboardScreen #board { height: 1fr; }"
    BINDINGS: ClassVar = [Binding("q,escape", "leave", "leave", id="wallboard.leave")]

    def compose(self) -> ComposeResult:
        yield Lines(id="board")

    def on_mount(self) -> None:
        app = room_of(self)
        self.watch(app, "live", self._renew, init=False)
        self.watch(app, "beat", self._renew, init=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._renew)

    def _renew(self) -> None:
        app = room_of(self)
        width, height = self.size
        moment = Moment(app.live, app.clock.now(), app.clock.monotonic(), app.beat)
        self.query_one("#board", Lines).show(*board(moment, width, height, Look(app.glyphs, app.palette)))

    def action_leave(self) -> None:
        self.app.exit()


class WallboardApp(RoomApp):
    TITLE = "pithead wallboard"

    def __init__(self, room: ControlRoom, **rest: Any) -> None:
        """`rest`: as `RoomApp` takes it; the board is read-only whatever the room is."""
        super().__init__(room, **{**rest, "read_only": True})

    def get_default_screen(self) -> Screen[None]:
        return WallboardScreen()
