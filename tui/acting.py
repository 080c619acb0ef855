"""`Acting`: a screen with a service under the eye, and the keys that pause, promote and roll it back.

What a key may do is refused by the controller; here it is only not offered, with the reason.
"""

import asyncio
import secrets
from typing import ClassVar

from pipeline.commands import SAFE, Command, Receipt, Refused, Verb
from pipeline.ports import ControllerLost, ControlRoom
from pipeline.view import Proposal, ServiceRow, State
from tui.keys import HELP, LOCK, ROLLBACK, Key
from tui.room import room_of
from tui.room_screen import RoomScreen
from tui.status import KeyLine

DEADLINE_S = 10.0
"""For an answer of the controller; beyond it nobody knows whether a command was taken."""


def command(verb: Verb, row: ServiceRow, reason: str = "") -> Command:
    """`verb` for what `row` shows; a forward one names the version seen, so that it cannot hit something newer."""
    version = None if verb in SAFE else row.version
    return Command(verb, row.name, new_request(), release=row.release, version=version, reason=reason)


def new_request() -> str:
    return secrets.token_hex(8)


async def send(room: ControlRoom, wanted: Command) -> Receipt:
    """Raises `Refused`; `ControllerLost` also where no answer came in time."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await room.send(wanted)
    except TimeoutError:
        raise ControllerLost(f"no answer in {DEADLINE_S:g} s") from None


async def propose(room: ControlRoom, verb: Verb, service: str) -> Proposal:
    """Raises `Refused`; `ControllerLost` also where no answer came in time."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await room.propose(verb, service)
    except TimeoutError:
        raise ControllerLost(f"no answer in {DEADLINE_S:g} s") from None


class Acting(RoomScreen):
    KEYS: ClassVar[tuple[Key, ...]] = ()

    def target(self) -> ServiceRow | None:
        """The service that a key acts on, as the operator sees it."""
        raise NotImplementedError

    def why_off(self, key: Key) -> str:
        """Why `key` does nothing now; "" if it does."""
        app = room_of(self)
        if not key.changes:
            return ""
        if app.read_only:
            return "this room is read-only"
        if app.live.lost:
            return "the controller is lost"
        row = self.target()
        if row is None:
            return "no service is selected"
        if key in (ROLLBACK, LOCK):
            # also a settled release can be undone: the controller knows, and says why if not; a lock needs none
            return ""
        return "" if row.release else f"{row.name} has no release on its way"

    def offer_keys(self) -> None:
        """Show in the line of keys which of them work now; call it when that may have changed."""
        keys = [(key.shown, key.label, not self.why_off(key)) for key in self.KEYS if key.label]
        self.query_one(KeyLine).offer(keys)

    def _may(self, key_id: str) -> ServiceRow | None:
        key = next(each for each in self.KEYS if each.id == key_id)
        why = self.why_off(key)
        if why:
            self.notify(f"{key.shown} {key.label} is off: {why}", severity="warning", markup=False)
            return None
        return self.target()

    def action_pause(self) -> None:
        row = self._may("release.pause")
        if row is not None:
            verb = Verb.RESUME if row.state is State.PAUSED else Verb.PAUSE
            self.run_worker(self._carry_out(command(verb, row)), exit_on_error=True)

    async def _carry_out(self, wanted: Command) -> None:
        try:
            receipt = await send(room_of(self).room, wanted)
        except Refused as exc:
            self.notify(f"{exc.why}: {exc.mend}", title=exc.what, severity="error", markup=False)
        except ControllerLost as exc:
            self.notify(
                f"{exc}; nobody knows whether it was taken: look at its state before you press it again",
                title=f"{wanted.verb} {wanted.service}",
                severity="error",
                markup=False,
            )
        else:
            self.notify(receipt.said, markup=False)

    def action_promote(self) -> None:
        self._open_dialog("release.promote", Verb.PROMOTE)

    def action_rollback(self) -> None:
        self._open_dialog("release.rollback", Verb.ROLLBACK)

    def _open_dialog(self, key_id: str, verb: Verb) -> None:
        row = self._may(key_id)
        if row is not None:
            from tui.dialogs import ProposalDialog

            self.app.push_screen(ProposalDialog(verb, row.name))

    def action_show_help(self) -> None:
        from tui.help import HelpScreen

        keys = [(key, self.why_off(key)) for key in self.KEYS if key is not HELP]
        self.app.push_screen(HelpScreen(keys, room_of(self).beside))
