"""`RoomScreen`: what every screen of the room can do while the controller does not answer."""

from textual.screen import Screen

from tui.room import room_of


class RoomScreen(Screen[None]):
    def action_retry(self) -> None:
        room_of(self).hurry()

    def action_fault(self) -> None:
        why = room_of(self).live.lost
        if why:
            self.notify(why, title="the controller", severity="error", markup=False)
