"""`l` on a service's page: what its hosts wrote last, the canary's beside production's, while it is open."""

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize, ScreenResume
from textual.worker import Worker, WorkerState

from pipeline.commands import Refused
from pipeline.logs import DEADLINE_S, LogPage
from pipeline.ports import ControllerLost
from pipeline.text import plain
from tui.acting import Acting
from tui.keys import Key, bindings
from tui.page_keys import LOGS
from tui.room import room_of
from tui.service_log_lines import Shown, columns, kept_top, log_sheet, summary
from tui.status import KeyLine, LostBanner, TopLine
from tui.widgets.lines import Lines
from tui.widgets.pane import Look, Pane, Sheet
from tui.widgets.prompt import Prompt
from tui.widgets.runs import Runs

LINES = 100
"""Asked of each host."""
EVERY_S = 5.0
PATIENCE_S = 2 * DEADLINE_S + 2.0
"""Beyond the controller's own deadline and the line's nobody answers any more."""
WIDE = 110
"""From this width on the two columns stand side by side."""


class LogPane(Pane):
    """A column; it stays at its end as lines come, unless somebody has scrolled up."""

    def __init__(self, look: Look, name: str, *, id: str) -> None:  # noqa: A002  (the toolkit's name)
        super().__init__(look, id=id)
        self._heading = name
        self._column = Shown(waiting="asking the hosts")
        self._at_end = True
        self._body: tuple[Runs, ...] = ()

    def put(self, column: Shown) -> None:
        if column != self._column:
            self._column = column
            self.redraw()

    def draw(self, width: int, height: int) -> Sheet:
        sheet = log_sheet(self._heading, self._column, width, self.look)
        self._top = max(len(sheet.body) - height, 0) if self._at_end else kept_top(self._body, sheet.body, self._top)
        self._body = sheet.body
        return sheet

    def _go(self, top: int) -> None:
        self._at_end = top >= self._longest
        super()._go(top)


class LogsScreen(Acting):
    """Holds no truth: it asks the controller, which asks the hosts, and shows how old the answer is."""

    KEYS: ClassVar[tuple[Key, ...]] = LOGS
    BINDINGS: ClassVar = bindings(LOGS)
    AUTO_FOCUS = "#canary"
    DEFAULT_CSS = """
    LogsScreen { layout: vertical; }
    LogsScreen #columns { height: 1fr; layout: vertical; }
    LogsScreen.-wide #columns { layout: horizontal; }
    LogsScreen Prompt { display: none; }
    LogsScreen.-filtering KeyLine { display: none; }
    LogsScreen.-filtering Prompt { display: block; }
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service
        self.page: LogPage | None = None
        self.text = ""
        self._wrap = False
        self._said = "asking the hosts for their logs"
        """What keeps lines, or newer lines, away; "" while they come."""
        self._got = 0.0
        self._hurry = asyncio.Event()

    def compose(self) -> ComposeResult:
        app = room_of(self)
        look = Look(app.glyphs, app.palette)
        yield TopLine(f"fleet > {self.service} > logs")
        yield Lines(id="summary")
        yield LostBanner()
        with Container(id="columns"):
            yield LogPane(look, "canary", id="canary")
            yield LogPane(look, "production", id="production")
        yield KeyLine()
        yield Prompt("/", strong=app.palette.key, plain_=app.palette.plain)

    def on_mount(self) -> None:
        app = room_of(self)
        self.watch(app, "beat", self._head, init=False)
        self.watch(app, "live", self._on_live, init=False)
        self.run_worker(self._follow(), name="logs", group="logs", exit_on_error=False)

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.width >= WIDE, "-wide")
        self.call_after_refresh(self._renew)

    def on_screen_resume(self, event: ScreenResume) -> None:
        del event
        self._renew()

    # asking

    async def _follow(self) -> None:
        while True:
            self._hurry.clear()
            await self._ask()
            await self._rest()

    async def _ask(self) -> None:
        app = room_of(self)
        try:
            async with asyncio.timeout(PATIENCE_S):
                self.page = await app.room.logs(self.service, LINES)
            self._said, self._got = "", app.clock.monotonic()
        except TimeoutError:
            self._said = f"no logs: no answer in {PATIENCE_S:g} s"
        except Refused as no:
            self._said = f"no logs: {plain(no.why)}: {plain(no.mend)}"
        except ControllerLost as lost:
            self._said = f"no logs: {plain(str(lost)) or 'the controller does not answer'}"
        self._renew()

    async def _rest(self) -> None:
        """Until the next look is due, or somebody wants it now."""
        waits = {
            asyncio.ensure_future(room_of(self).clock.sleep(EVERY_S)),
            asyncio.ensure_future(self._hurry.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.worker.name == "logs" and event.state is WorkerState.ERROR:
            self._said = f"no logs: it failed: {type(event.worker.error).__name__}; close this page and open it again"
            self._renew()

    def _on_live(self) -> None:
        if not room_of(self).live.lost and self._said:
            self._hurry.set()
        self._renew()

    # what is shown

    def _renew(self) -> None:
        if not self.is_mounted or not self.is_current:
            return
        self._head()
        self.offer_keys()
        canary, others = columns(self.page) if self.page is not None else ((), ())
        waiting = "asking the hosts" if self.page is None else ""
        old = bool(self.page is not None and self._said)
        for name, logs in (("#canary", canary), ("#production", others)):
            pane = self.query_one(name, LogPane)
            pane.fade(old)
            pane.put(Shown(logs, self.text, self._wrap, waiting))

    def _head(self) -> None:
        app = room_of(self)
        if self.is_mounted and self.is_current:
            look = Look(app.glyphs, app.palette)
            age_s = app.clock.monotonic() - self._got
            line = summary(self.page, self.text, self._said, age_s, self.size.width, look)
            self.query_one("#summary", Lines).show(line)

    # keys

    def target(self) -> None:
        return None

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_clear(self) -> None:
        if self.text:
            self._filter("")
        else:
            self.action_back()

    def action_wrap(self) -> None:
        self._wrap = not self._wrap
        self._renew()

    def action_retry(self) -> None:
        super().action_retry()
        self._hurry.set()

    # the filter

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one(Prompt).edit(self.text)

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        self._filter(event.text)

    def on_prompt_done(self) -> None:
        if self.has_class("-filtering"):
            self.remove_class("-filtering")
            self.query_one("#canary", LogPane).focus()

    def on_prompt_dropped(self) -> None:
        self._filter("")
        self.on_prompt_done()

    def _filter(self, text: str) -> None:
        self.text = plain(text.strip())
        self._renew()
