"""`BudgetScreen`: every service's error budget, worst first, and in full that of the row under the cursor.

It holds no truth: rows are the newest view's, the rest is asked of the controller while the cursor rests on a row.
"""

import asyncio
from datetime import UTC, datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize, ScreenResume
from textual.worker import Worker, WorkerState

from pipeline.view import ServiceRow
from tui.acting import Acting
from tui.budget_asked import EVERY_S, Told, ask
from tui.budget_lines import LINES, doors, glance
from tui.budget_order import worst_first
from tui.budget_report import going
from tui.budget_report import rest as beside
from tui.budget_rows import Board, draw, head, header
from tui.feed import rest
from tui.keys import Key, bindings
from tui.page_keys import BUDGETS
from tui.room import room_of
from tui.status import KeyLine, LostBanner, TopLine
from tui.widgets.lines import LineList, Lines
from tui.widgets.pane import Look, Pane, Sheet, faded
from tui.widgets.runs import Runs
from tui.words import harmless

RESTS_S = 0.3
"""The cursor must rest on a row for so long before the controller is asked about it."""
WIDE, TALL, VAST = 110, 34, 180


class ToldPane(Pane):
    """A part of what was told of the service under the cursor."""

    def __init__(self, look: Look, *, id: str) -> None:  # noqa: A002  (the toolkit's name)
        super().__init__(look, id=id)
        self._told = Told()

    def put(self, told: Told) -> None:
        if told != self._told:
            self._told = told
            self.fade(told.old)
            self.redraw()

    def draw(self, width: int, height: int) -> Sheet:
        if self._told.report is None:
            said = self._told.said or f"asking for the budget of {harmless(self._told.service)}"
            return Sheet(self.named(), (((f" {said}", self.look.palette.warn),),))
        said = self._told.said
        return Sheet(self.named(), self.lines_of(width, height), ((said, self.look.palette.warn),) if said else ())

    def named(self) -> Runs:
        raise NotImplementedError

    def lines_of(self, width: int, height: int) -> tuple[Runs, ...]:
        raise NotImplementedError


class Going(ToldPane):
    def named(self) -> Runs:
        return (("burn-down", self.look.palette.strong),)

    def lines_of(self, width: int, height: int) -> tuple[Runs, ...]:
        return going(self._told, width, height, self.look)


class Beside(ToldPane):
    def named(self) -> Runs:
        return (("burn, payback, outages", self.look.palette.strong), ("  Tab", self.look.palette.key))

    def lines_of(self, width: int, height: int) -> tuple[Runs, ...]:
        del height
        return beside(self._told, width, self.look)


class BudgetScreen(Acting):
    KEYS: ClassVar[tuple[Key, ...]] = BUDGETS
    BINDINGS: ClassVar = bindings(BUDGETS)
    AUTO_FOCUS = "#budgets"
    DEFAULT_CSS = f"""
    BudgetScreen {{ layout: vertical; }}
    BudgetScreen #page {{ height: 1fr; layout: vertical; }}
    BudgetScreen #list {{ height: 1fr; }}
    BudgetScreen #budgets {{ height: 1fr; }}
    BudgetScreen #glance {{ height: {LINES + 1}; }}
    BudgetScreen #full {{ display: none; }}
    BudgetScreen.-wide #glance {{ height: 4; }}
    BudgetScreen.-wide #full {{ display: block; height: 20; layout: horizontal; }}
    BudgetScreen.-wide #going {{ width: 3fr; }}
    BudgetScreen.-wide #beside {{ width: 2fr; }}
    BudgetScreen.-vast #going {{ width: 1fr; }}
    BudgetScreen.-vast #beside {{ width: 1fr; }}
    """

    def __init__(self, service: str = "") -> None:
        """With the cursor on `service`."""
        super().__init__()
        self._first = service
        self._board = Board(datetime.fromtimestamp(0, UTC), "")
        self._told = Told()
        self._hurry = asyncio.Event()

    def compose(self) -> ComposeResult:
        app = room_of(self)
        look = Look(app.glyphs, app.palette)
        yield TopLine("fleet > budgets")
        yield Lines(id="summary")
        yield LostBanner()
        with Container(id="page"):
            with Container(id="list"):
                yield Lines(id="head")
                yield LineList[ServiceRow](lambda row: row.name, self._row, over=app.palette.cursor, id="budgets")
                yield Lines(id="glance")
            with Container(id="full"):
                yield Going(look, id="going")
                yield Beside(look, id="beside")
        yield KeyLine()

    def on_mount(self) -> None:
        self.watch(room_of(self), "live", self._on_live, init=False)
        self._renew()
        self.run_worker(self._follow(), name="budget", group="budget", exit_on_error=False)

    def on_resize(self, event: Resize) -> None:
        width, height = event.size
        wide = width >= WIDE and height >= TALL
        self.set_class(wide, "-wide")
        self.set_class(wide and width >= VAST, "-vast")
        self.call_after_refresh(self._renew)

    def on_screen_resume(self, event: ScreenResume) -> None:
        del event
        self._renew()

    @property
    def _list(self) -> LineList[ServiceRow]:
        return self.query_one("#budgets", LineList)

    @property
    def _look(self) -> Look:
        app = room_of(self)
        return Look(app.glyphs, app.palette)

    # asking

    def _wanted(self) -> str:
        row = self._list.selected
        return row.name if row else ""

    async def _follow(self) -> None:
        """One question at a time, about the row on which the cursor rests."""
        app = room_of(self)
        while True:
            wanted = self._wanted()
            if self._told.service and wanted != self._told.service:
                await rest(app.clock, RESTS_S, self._hurry)
                if wanted != self._wanted():
                    continue
            if wanted:
                self._told = await ask(app.room, wanted, self._told, app.clock.monotonic())
                self._renew()
            if wanted == self._wanted():
                await rest(app.clock, EVERY_S, self._hurry)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.worker.name == "budget" and event.state is WorkerState.ERROR:
            failed = type(event.worker.error).__name__
            said = f"no budget: asking failed: {failed}; close this page and open it again"
            self._told = Told(self._wanted(), said=said)
            self._renew()

    def _on_live(self) -> None:
        if self._told.said and not room_of(self).live.lost:
            self._hurry.set()
        self._renew()

    # what is shown

    def _row(self, row: ServiceRow, width: int, selected: bool) -> Runs:
        return self._aged(draw(row, width, selected, self._board, self._look))

    def _aged(self, runs: Runs) -> Runs:
        app = room_of(self)
        return faded(runs, app.palette.dim) if app.live.lost else runs

    def _renew(self) -> None:
        if not self.is_mounted or not self.is_current:
            return
        view, look = room_of(self).live.view, self._look
        rows = worst_first(view.services) if view else []
        board = Board.of(rows, view.at) if view else self._board
        width = self.query_one("#list").size.width or self.size.width
        self.query_one("#summary", Lines).show(header(rows, board, self._month(), self.size.width, look))
        self.query_one("#head", Lines).show(head(width, board, look.palette))
        self._board = board
        nothing = "no service is configured yet" if view else "asking the controller for its services ..."
        self._list.show(rows, ((), ((f"   {nothing}", look.palette.dim),)))
        if rows and self._first:
            self._list.select(self._first)
            self._first = ""
        self._detail(width)

    def _month(self) -> str:
        """Of the quota: "month 2025-01 UTC", as the newest answer labels it."""
        report = self._told.report
        return report.slos[0].month.label if report and report.slos else ""

    def _detail(self, width: int) -> None:
        look, row = self._look, self._list.selected
        told = self._told if row is not None and self._told.service == row.name else Told(row.name if row else "")
        rule: Runs = ((look.glyphs.box.horizontal * width, look.palette.dim),)
        if self.has_class("-wide") and row is not None:
            # the panes say the rest
            lines = doors(row, self._board.at, width, look, most=2)
        else:
            lines = glance(row, told, self._board.at, width, look)
        self.query_one("#glance", Lines).show(rule, *map(self._aged, lines))
        for pane in self.query(ToldPane):
            pane.put(told)
        self.offer_keys()

    def on_line_list_moved(self) -> None:
        self._hurry.set()
        if self.is_mounted:
            self._detail(self.query_one("#list").size.width)

    def on_line_list_chosen(self) -> None:
        self.action_open()

    # keys

    def target(self) -> None:
        return None

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_open(self) -> None:
        row = self._list.selected
        if row is not None:
            from tui.budget_page import BudgetPage

            told = self._told if self._told.service == row.name else None
            self.app.push_screen(BudgetPage(row.name, told))

    def action_service(self) -> None:
        row = self._list.selected
        if row is not None:
            from tui.service import ServiceScreen

            self.app.push_screen(ServiceScreen(row.name))

    def action_history(self) -> None:
        row = self._list.selected
        if row is not None:
            from tui.history import HistoryScreen

            self.app.push_screen(HistoryScreen(row.name))

    def action_retry(self) -> None:
        super().action_retry()
        self._hurry.set()
