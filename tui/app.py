"""`PitheadApp`: the control room. `PitheadApp(room, ...).open()` shows the fleet until the operator leaves."""

from textual.screen import Screen

from tui.fleet import FleetScreen
from tui.room import RoomApp


class PitheadApp(RoomApp):
    """Arguments: `RoomApp`."""

    TITLE = "pithead"

    def get_default_screen(self) -> Screen[None]:
        return FleetScreen()
