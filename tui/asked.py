"""`AskedScreen`: a page about one service that the controller is asked for, again and again while it is open."""

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.events import ScreenResume
from textual.worker import Worker, WorkerState

from tui.acting import Acting
from tui.feed import rest
from tui.keys import Key, bindings
from tui.page import Reading
from tui.page_keys import ASKED
from tui.room import room_of
from tui.status import KeyLine, LostBanner, TopLine
from tui.widgets.pane import Look, Sheet

EVERY_S = 10.0


class AskedScreen(Acting):
    KEYS: ClassVar[tuple[Key, ...]] = ASKED
    BINDINGS: ClassVar = bindings(ASKED)
    AUTO_FOCUS = "#reading"

    def __init__(self, service: str, about: str) -> None:
        super().__init__()
        self.service = service
        self._about = about
        self._hurry = asyncio.Event()
        self._broken = ""
        """Why nobody asks any more; "" while somebody does."""

    async def ask(self) -> None:
        """Ask once, and keep the answer, or why there is none."""
        raise NotImplementedError

    def sheet(self, width: int, look: Look) -> Sheet:
        raise NotImplementedError

    @property
    def old(self) -> bool:
        """Whether what is shown is old."""
        return False

    @property
    def fails(self) -> bool:
        """Whether the newest question has no answer: then it is asked again as soon as the line is back."""
        return False

    def compose(self) -> ComposeResult:
        app = room_of(self)
        yield TopLine(f"fleet > {self.service} > {self._about}")
        yield LostBanner()
        yield Reading(Look(app.glyphs, app.palette), self._drawn)
        yield KeyLine()

    def on_mount(self) -> None:
        self.watch(room_of(self), "live", self._on_live, init=False)
        self.run_worker(self._follow(), name="asked", group="asked", exit_on_error=False)
        self.offer_keys()

    def on_screen_resume(self, event: ScreenResume) -> None:
        del event
        self._renew()

    async def _follow(self) -> None:
        while True:
            await self.ask()
            self._renew()
            await rest(room_of(self).clock, EVERY_S, self._hurry)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.worker.name == "asked" and event.state is WorkerState.ERROR:
            failed = type(event.worker.error).__name__
            self._broken = f"asking failed: {failed}; close this page and open it again"
            self._renew()

    def _on_live(self) -> None:
        if self.fails and not room_of(self).live.lost:
            self._hurry.set()
        self._renew()

    def _drawn(self, width: int, look: Look) -> Sheet:
        sheet = self.sheet(width, look)
        if not self._broken:
            return sheet
        return Sheet(sheet.title, (((f" {self._broken}", look.palette.warn),), *sheet.body), sheet.foot)

    def _renew(self) -> None:
        if not self.is_mounted or not self.is_current:
            return
        self.offer_keys()
        for reading in self.query(Reading):
            reading.fade(self.old or bool(self._broken))
            reading.redraw()

    def target(self) -> None:
        return None

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_history(self) -> None:
        from tui.history import HistoryScreen

        self.app.push_screen(HistoryScreen(self.service))

    def action_retry(self) -> None:
        super().action_retry()
        self._hurry.set()
