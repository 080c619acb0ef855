"""`WallboardApp`: the fleet for a wall. It takes no command, needs no key, and shows by its clock that it lives."""

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen

from pipeline.ports import ControlRoom
from tui.room import RoomApp, room_of
from tui.wallboard_lines import Moment, board
from tui.wallboard_pages import EVERY_S, Turn
from tui.widgets.lines import Lines
from tui.widgets.pane import Look


class WallboardScreen(Screen[None]):
    DEFAULT_CSS = "WallboardScreen #board { height: 1fr; }"
    BINDINGS: ClassVar = [Binding("q,escape", "leave", "leave", id="wallboard.leave")]

    def __init__(self, every_s: float = EVERY_S) -> None:
        """`every_s`: how long a page stands."""
        super().__init__()
        self._every_s = every_s
        self._turn = Turn()

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
        moment = Moment(app.live, app.clock.now(), app.clock.monotonic(), self._turn, self._every_s)
        lines, self._turn = board(moment, width, height, Look(app.glyphs, app.palette))
        self.query_one("#board", Lines).show(*lines)

    def action_leave(self) -> None:
        self.app.exit()


class WallboardApp(RoomApp):
    TITLE = "pithead wallboard"

    def __init__(self, room: ControlRoom, *, page_s: float = EVERY_S, **rest: Any) -> None:
        """`page_s`: how long a page stands; `rest`: as `RoomApp` takes it; it is read-only whatever the room is."""
        super().__init__(room, **{**rest, "read_only": True})
        self._page_s = page_s

    def get_default_screen(self) -> Screen[None]:
        return WallboardScreen(self._page_s)
