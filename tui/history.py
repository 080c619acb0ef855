"""`HistoryScreen(service)`: what happened, newest first, of one service or of all."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.events import Resize
from textual.worker import Worker, WorkerState

from pipeline.commands import Refused
from pipeline.events import Event
from pipeline.ports import ControllerLost, HistoryError
from pipeline.text import plain
from pipeline.view import HistoryPage, HistoryQuery
from tui.acting import Acting
from tui.history_export import ExportError, export
from tui.history_lines import Times, detail_sheet, head, line, summary
from tui.keys import Key, bindings
from tui.page import PageScreen
from tui.page_keys import HISTORY
from tui.room import room_of
from tui.status import KeyLine, LostBanner, TopLine
from tui.widgets.lines import LineList, Lines
from tui.widgets.pane import Look, Pane, Sheet
from tui.widgets.prompt import Prompt
from tui.widgets.runs import Runs

PAGE = 200
AHEAD = 50
"""So many rows before the last one, older events are asked for."""


class Detail(Pane, can_focus=False):
    """The event under the cursor."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, id="detail")
        self._event: Event | None = None
        self._times: Times | None = None

    def put(self, event: Event | None, times: Times) -> None:
        if (event, times) != (self._event, self._times):
            self._event, self._times = event, times
            self.redraw()

    def draw(self, width: int, height: int) -> Sheet:
        del height
        if self._times is None:
            return Sheet((), ())
        return detail_sheet(self._event, width, self._times, self.look, foot="Enter full  e export JSONL  y copy id")


class HistoryScreen(Acting):
    KEYS: ClassVar[tuple[Key, ...]] = HISTORY
    BINDINGS: ClassVar = bindings(HISTORY)
    AUTO_FOCUS = "#events"
    DEFAULT_CSS = """
    HistoryScreen { layout: vertical; }
    HistoryScreen #events { height: 1fr; }
    HistoryScreen #detail { height: 5; }
    HistoryScreen.-tall #detail { height: 10; }
    HistoryScreen Prompt { display: none; }
    HistoryScreen.-filtering KeyLine { display: none; }
    HistoryScreen.-filtering Prompt { display: block; }
    """

    def __init__(self, service: str = "", folder: Path | None = None) -> None:
        """`folder` is where an export goes; None is the one that pithead was started in."""
        super().__init__()
        self.service = service
        self.text = ""
        self._folder = folder
        self._events: tuple[Event, ...] = ()
        self._total = 0
        self._said = "asking the controller for its history"
        """In place of the summary; "" once there are events."""
        self._times: Times | None = None
        self._newest = 0
        self._older: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        app = room_of(self)
        look = Look(app.glyphs, app.palette)
        yield TopLine(f"fleet > {self.service} > history" if self.service else "history")
        yield Lines(id="summary")
        yield Lines(id="columns")
        yield LostBanner()
        yield LineList[Event](lambda event: str(event.id), self._draw, over=app.palette.cursor, id="events")
        yield Detail(look)
        yield KeyLine()
        yield Prompt("/", strong=app.palette.key, plain_=app.palette.plain)

    def on_mount(self) -> None:
        app = room_of(self)
        self._times = Times(app.clock.now())
        self.watch(app, "live", self._on_live, init=False)
        self._look_up()

    def on_resize(self, event: Resize) -> None:
        self.set_class(event.size.height >= 34, "-tall")
        self.call_after_refresh(self._renew)

    @property
    def _list(self) -> LineList[Event]:
        return self.query_one("#events", LineList)

    @property
    def _query(self) -> HistoryQuery:
        return HistoryQuery(service=self.service, text=self.text, limit=PAGE)

    # asking

    def _look_up(self) -> None:
        self.run_worker(self._first(), name="first", group="first", exclusive=True, exit_on_error=False)

    async def _first(self) -> None:
        """The newest page; events that are at hand already stay below it."""
        query = self._query
        page = await self._page(query)
        if page is None or query != self._query:
            return
        known = {event.id for event in self._events}
        joined = any(event.id in known for event in page.events)
        oldest = page.events[-1].id if page.events else 0
        kept = tuple(event for event in self._events if event.id < oldest) if joined else ()
        self._take(page.events + kept, page.total)

    async def _next(self) -> None:
        query = replace(self._query, before_id=self._events[-1].id)
        page = await self._page(query)
        if page is not None and self._events and replace(self._query, before_id=self._events[-1].id) == query:
            self._take(self._events + page.events, page.total)

    async def _page(self, query: HistoryQuery) -> HistoryPage | None:
        try:
            return await room_of(self).room.history(query)
        except (ControllerLost, HistoryError, Refused) as exc:
            self._said = f"no history: {plain(str(exc)) or 'the controller does not answer'}"
            self._renew()
            return None

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.state is WorkerState.ERROR and event.worker.group in ("first", "older"):
            self._said = f"no history: {type(event.worker.error).__name__}"
            self._renew()

    def _take(self, events: tuple[Event, ...], total: int) -> None:
        self._events, self._total, self._said = events, total, ""
        self._list.show(events)
        self._renew()

    def _on_live(self) -> None:
        """Something new has happened: look at the top again; a line that is back: try again."""
        live = room_of(self).live
        last = live.view.last.id if live.view and live.view.last else 0
        if not live.lost and (last > self._newest or self._said):
            self._newest = last
            self._look_up()
        self.offer_keys()

    # what is shown

    def _draw(self, event: Event, width: int, selected: bool) -> Runs:
        app = room_of(self)
        times = self._times or Times(app.clock.now())
        return line(event, width, times, Look(app.glyphs, app.palette), selected=selected)

    def _renew(self) -> None:
        if not self.is_mounted or self._times is None:
            return
        app = room_of(self)
        width, look = self.size.width, Look(app.glyphs, app.palette)
        if self._said:
            top: Runs = ((f" {self._said}", look.palette.warn),)
        elif not self._events:
            wanted = f'no event says "{self.text}": Esc clears the filter' if self.text else "nothing has happened yet"
            top = ((f" {wanted}", look.palette.plain),)
        else:
            top = summary(self._events, self._total, (self.service, self.text), self._times, width, look)
        self.query_one("#summary", Lines).show(top)
        self.query_one("#columns", Lines).show(head(width, self._times, look))
        self.query_one(Detail).put(self._list.selected, self._times)
        self.offer_keys()

    def on_line_list_moved(self) -> None:
        self._renew()
        waiting = self._older is not None and self._older.is_running
        if len(self._events) < self._total and self._list.index >= len(self._events) - AHEAD and not waiting:
            self._older = self.run_worker(self._next(), name="older", group="older", exit_on_error=False)

    def on_line_list_chosen(self) -> None:
        self.action_open()

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

    def action_open(self) -> None:
        event, times = self._list.selected, self._times
        if event is None or times is None:
            return
        where = f"history > event {event.id}"
        self.app.push_screen(PageScreen(where, lambda width, look: detail_sheet(event, width, times, look)))

    def action_zone(self) -> None:
        app = room_of(self)
        times = self._times or Times(app.clock.now())
        self._retime(replace(times, zone=app.zone if times.zone is not app.zone else Times(times.now).zone))

    def action_dates(self) -> None:
        if self._times is not None:
            self._retime(replace(self._times, dates=not self._times.dates))

    def _retime(self, times: Times) -> None:
        self._times = times
        self._list.redraw()
        self._renew()

    def action_copy(self) -> None:
        event = self._list.selected
        if event is not None:
            self.app.copy_to_clipboard(str(event.id))
            self.notify(f"event {event.id}: sent to the terminal's clipboard", markup=False)

    def action_export(self) -> None:
        self.run_worker(self._export(), name="export", group="export", exclusive=True, exit_on_error=False)

    async def _export(self) -> None:
        app = room_of(self)
        try:
            path, count = await export(app.room, self._query, self._folder or Path.cwd(), app.clock.now())
        except (ExportError, ControllerLost, HistoryError, Refused) as exc:
            self.notify(f"nothing was written: {plain(str(exc))}", title="export", severity="error", markup=False)
        else:
            self.notify(f"{count} events in {plain(str(path))}", title="export", markup=False)

    # the filter

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one(Prompt).edit(self.text)

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        self._filter(event.text)

    def on_prompt_done(self) -> None:
        if self.has_class("-filtering"):
            self.remove_class("-filtering")
            self._list.focus()

    def on_prompt_dropped(self) -> None:
        self._filter("")
        self.on_prompt_done()

    def _filter(self, text: str) -> None:
        wanted = plain(text.strip())
        if wanted != self.text:
            self.text, self._events = wanted, ()
            self._look_up()
