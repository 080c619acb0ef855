"""What a dangerous key would do, in full, before it is done: `ProposalDialog`.

The controller says what is proposed; this shows it, takes the confirmation that it asks for, sends it, and shows the
answer in the same place. Keys typed before the proposal was there to be read cannot confirm it, nor can a paste.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.events import Key, Paste
from textual.screen import ModalScreen

from pipeline.commands import OF_RELEASES, SAFE, Command, Refused, Verb
from pipeline.ports import ControllerLost
from pipeline.view import Asks, Proposal
from tui.acting import new_request, propose, send
from tui.dialog_box import WIDTH, Face, Step, box, narrow
from tui.room import room_of
from tui.widgets.lines import Lines
from tui.widgets.runs import Runs

DEAF_S = 0.4
"""So long a new proposal or answer ignores keys: type-ahead on a slow line must not confirm it, nor hide it."""
LONGEST_REASON = 200


class ProposalDialog(ModalScreen[None]):
    DEFAULT_CSS = f"""
    ProposalDialog {{ align: center middle; background: $background 60%; }}
    ProposalDialog Lines {{ width: {WIDTH}; height: auto; background: $surface; }}
    """
    BINDINGS: ClassVar = [("escape", "close", "Cancel")]

    def __init__(self, verb: Verb, service: str) -> None:
        super().__init__()
        self._verb = verb
        self._service = service
        self._request = new_request()
        self._proposal: Proposal | None = None
        self._shown_at = float("inf")
        self.face = Face(verb, service)

    def compose(self) -> ComposeResult:
        yield Lines(id="box")

    def on_mount(self) -> None:
        self._draw()
        self.run_worker(self._ask(), exit_on_error=True)

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        app = room_of(self)
        size = self.app.size
        if self._narrow:
            lines: tuple[Runs, ...] = narrow(self.face, size.width, app.glyphs, app.palette)
        else:
            lines = box(self.face, app.glyphs, app.palette, size.height)
        block = self.query_one(Lines)
        block.styles.height = len(lines)
        block.show(*lines)

    @property
    def _narrow(self) -> bool:
        return self.app.size.width < WIDTH

    def _turn(self, face: Face) -> None:
        if face.step is not self.face.step:
            self._shown_at = room_of(self).clock.monotonic()
        self.face = face
        self._draw()

    async def _ask(self) -> None:
        try:
            proposal = await self.proposed()
        except Refused as exc:
            self._turn(_refused(self.face, exc))
        except ControllerLost as exc:
            self._turn(replace(self.face, step=Step.CLOSED, rows=(("lost", str(exc)), ("mend", "nothing was sent"))))
        else:
            self._proposal = proposal
            self._turn(self.turned(self.face, proposal))

    async def proposed(self) -> Proposal:
        """Raises `Refused`, `ControllerLost`."""
        return await propose(room_of(self).room, self._verb, self._service)

    def turned(self, face: Face, proposal: Proposal) -> Face:
        """The face with what is proposed."""
        return replace(
            face,
            step=Step.ASKING if proposal.allowed else Step.CLOSED,
            title=proposal.title,
            rows=proposal.rows,
            asks=proposal.asks,
            focus=_first(proposal),
        )

    def on_paste(self, event: Paste) -> None:
        event.stop()

    def on_key(self, event: Key) -> None:
        if event.key in ("escape", "ctrl+c", "ctrl+q", "ctrl+z", "ctrl+l"):
            return
        event.stop()
        event.prevent_default()
        if not self._hears() and not (self._writes() and event.is_printable):
            return
        if self._narrow:
            # nobody may confirm what is not to be read
            if event.key == "q":
                self.action_close()
        elif event.key == "q" and not self._types():
            self.action_close()
        elif self.face.step is Step.ASKING:
            self._answer(event)
        elif self.face.step is Step.UNSURE and event.key == "y":
            self._confirm()
        elif self.face.step in (Step.CLOSED, Step.UNSURE) and event.key == "enter":
            self.action_close()

    def _hears(self) -> bool:
        return room_of(self).clock.monotonic() - self._shown_at >= DEAF_S

    def _types(self) -> bool:
        return self.face.step is Step.ASKING and self.face.focus in ("name", "reason")

    def _writes(self) -> bool:
        """Whether a key only adds to the reason: that confirms and hides nothing, so none of it need be lost."""
        return self.face.step is Step.ASKING and self.face.focus == "reason"

    def _answer(self, event: Key) -> None:
        face = self.face
        if event.key in ("tab", "down", "shift+tab", "up"):
            self._turn(face.moved(1 if event.key in ("tab", "down") else -1))
        elif event.key == "enter":
            self._enter()
        elif self._types():
            typed = face.typed
            if event.key == "backspace":
                typed = typed[:-1]
            elif event.key == "ctrl+u":
                typed = ""
            elif event.is_printable and event.character:
                typed = (typed + event.character)[:LONGEST_REASON]
            self._turn(replace(face, typed=typed))
        elif event.key == "y" and face.asks is Asks.YES:
            self._confirm()

    def _enter(self) -> None:
        face = self.face
        if face.focus == "cancel":
            self.action_close()
        elif face.focus == "reason":
            self._turn(replace(face, focus="cancel"))
        elif face.ready:
            self._confirm()

    def _confirm(self) -> None:
        proposal = self._proposal
        if proposal is None or not self.face.ready:
            return
        reason = self.face.typed.strip() if proposal.asks is Asks.YES else ""
        wanted = self.wanted(proposal, self._request, reason)
        self._turn(replace(self.face, step=Step.SENDING))
        self.run_worker(self._send(wanted), exit_on_error=True)

    def wanted(self, proposal: Proposal, request: str, reason: str) -> Command:
        """The command that carries `proposal` out; a forward one names the version seen."""
        version = proposal.version if proposal.verb in OF_RELEASES - SAFE else None
        return Command(
            proposal.verb, proposal.service, request, release=proposal.release, version=version, reason=reason
        )

    async def _send(self, wanted: Command) -> None:
        try:
            receipt = await send(room_of(self).room, wanted)
        except Refused as exc:
            self._turn(_refused(self.face, exc))
        except ControllerLost as exc:
            self._turn(replace(self.face, step=Step.UNSURE, answer=(("unsure", f"{exc}; it may have been taken"),)))
        else:
            self._turn(replace(self.face, step=Step.CLOSED, answer=(("taken", receipt.said),)))

    def action_close(self) -> None:
        self.dismiss()


def _first(proposal: Proposal) -> str:
    """Where the focus begins: typing where a name is asked for, else on Cancel."""
    return "name" if proposal.asks is Asks.NAME else "cancel"


def _refused(face: Face, exc: Refused) -> Face:
    rows: Sequence[tuple[str, str]] = (("refused", exc.what), ("why", exc.why), ("mend", exc.mend))
    return replace(face, step=Step.CLOSED, answer=tuple(rows))
