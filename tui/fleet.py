"""Every service on one page: `FleetScreen`. It holds no truth: it shows the newest snapshot."""

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from pipeline.view import FleetView, ServiceRow
from tui.acting import Acting
from tui.budget_order import one_window
from tui.fleet_lines import counts_line, empty_lines, last_line, notice_lines, too_small, why_lines
from tui.fleet_order import Choice, next_order
from tui.fleet_rows import draw, head
from tui.keys import FLEET, Key, bindings
from tui.marks import banner
from tui.room import room_of
from tui.status import KeyLine, LostBanner, TopLine, skew_notice
from tui.widgets.lines import LineList, Lines
from tui.widgets.pane import Look, faded
from tui.widgets.prompt import Prompt
from tui.widgets.runs import Runs

STILL_S = 3.0
"""Rows do not change places under a cursor that was used within this time."""
LEAST_WIDTH, LEAST_HEIGHT = 80, 24
BLIND = frozenset({"show_help", "leave"})
"""What a key may do while the page is too small to be drawn: nobody may act on what is not to be seen."""

_ACTIONS = frozenset(key.action.partition("(")[0] for key in FLEET)


class FleetScreen(Acting):
    KEYS: ClassVar[tuple[Key, ...]] = FLEET
    BINDINGS: ClassVar[list[BindingType]] = bindings(FLEET)
    DEFAULT_CSS = """
    FleetScreen { layout: vertical; }
    FleetScreen #small, FleetScreen #notices, FleetScreen Prompt { display: none; }
    FleetScreen #notices { height: auto; }
    FleetScreen #why { height: 2; }
    FleetScreen.-filtering KeyLine { display: none; }
    FleetScreen.-filtering Prompt { display: block; }
    FleetScreen.-small > * { display: none; }
    FleetScreen.-small #small { display: block; height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.choice = Choice()
        self._order: dict[str, int] = {}
        self._moved_at = float("-inf")

    def compose(self) -> ComposeResult:
        palette = room_of(self).palette
        yield Lines(id="small")
        yield TopLine("fleet")
        yield Lines(id="counts")
        yield Lines(id="notices")
        yield LostBanner()
        yield Lines(id="head")
        yield LineList[ServiceRow](lambda row: row.name, self._row, over=palette.cursor, id="fleet")
        yield Lines(id="why")
        yield Lines(id="last")
        yield KeyLine()
        yield Prompt("/", strong=palette.key, plain_=palette.plain)

    def on_mount(self) -> None:
        app = room_of(self)
        self.watch(app, "live", self._on_live, init=False)
        self.watch(app, "beat", self._on_beat, init=False)
        self._list.focus()
        self._fit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if self.has_class("-small") and action in _ACTIONS - BLIND:
            return False
        return super().check_action(action, parameters)

    @property
    def _list(self) -> "LineList[ServiceRow]":
        return self.query_one("#fleet", LineList)

    def _row(self, row: ServiceRow, width: int, selected: bool) -> Runs:
        return self._aged(draw(row, width, selected, self._look))

    @property
    def _look(self) -> Look:
        app = room_of(self)
        return Look(app.glyphs, app.palette)

    def _aged(self, runs: Runs) -> Runs:
        """What a lost controller said is drawn without colour: it may not be so any more."""
        app = room_of(self)
        return faded(runs, app.palette.dim) if app.live.lost else runs

    def target(self) -> ServiceRow | None:
        return self._list.selected

    def _on_live(self) -> None:
        if self.is_current:
            self._renew()

    def _on_beat(self) -> None:
        if self.is_current and self._order_waits and self._still():
            self._renew()

    def on_resize(self) -> None:
        self._fit()

    def on_screen_resume(self) -> None:
        self._fit()

    def _fit(self) -> None:
        width, height = self.app.size
        self.set_class(width < LEAST_WIDTH or height < LEAST_HEIGHT, "-small")
        self._renew()

    def _renew(self) -> None:
        """Lay the newest view out anew; what looks as before is not sent."""
        app, width = room_of(self), self.app.size.width
        view, look = app.live.view, self._look
        rows = view.services if view else ()
        if self.has_class("-small"):
            self.query_one("#small", Lines).show(*too_small(rows, self.app.size, LEAST_WIDTH, LEAST_HEIGHT, look))
            return
        shown = self._settle(self.choice.of(rows))
        notices = self._notices(view)
        block = self.query_one("#notices", Lines)
        block.display = bool(notices)
        block.styles.height = len(notices)
        block.show(*notices)
        self.query_one("#counts", Lines).show(counts_line(rows, len(shown), self.choice, width, look))
        self.query_one("#head", Lines).show(head(width, one_window(rows), look.palette))
        self._list.show(shown, empty_lines(view, self.choice, look))
        self.query_one("#last", Lines).show(last_line(view.last if view else None, width, look))
        self._explain()

    def _notices(self, view: FleetView | None) -> tuple[Runs, ...]:
        app = room_of(self)
        skew = skew_notice(app.live, app.clock.now(), app.clock.monotonic())
        said = (*(view.notices if view else ()), *((skew,) if skew else ()))
        width, look = self.app.size.width, self._look
        return (*banner(view.services if view else (), width, look), *notice_lines(said, width, look))

    def _settle(self, rows: list[ServiceRow]) -> list[ServiceRow]:
        """`rows` in the order they are on screen while the cursor is in use, else as sorted."""
        self._order_waits = False
        if not self._still() and self._order:
            before = [row.name for row in rows]
            rows.sort(key=lambda row: self._order.get(row.name, len(self._order)))
            self._order_waits = before != [row.name for row in rows]
        self._order = {row.name: place for place, row in enumerate(rows)}
        return rows

    _order_waits = False

    def _still(self) -> bool:
        return room_of(self).clock.monotonic() - self._moved_at >= STILL_S

    def _explain(self) -> None:
        rows = self._list
        view, width = room_of(self).live.view, self.app.size.width
        lines = why_lines(rows.selected, rows.index + 1, len(rows.items), width, self._look, view.at if view else None)
        self.query_one("#why", Lines).show(*map(self._aged, lines))
        self.offer_keys()

    def on_line_list_moved(self) -> None:
        self._explain()

    def on_line_list_used(self) -> None:
        self._moved_at = room_of(self).clock.monotonic()

    def on_line_list_chosen(self) -> None:
        if not self.has_class("-small"):
            self.action_open()

    def _choose(self, choice: Choice) -> None:
        self.choice = choice
        self._order = {}
        self._renew()

    def action_sort(self) -> None:
        self._choose(replace(self.choice, order=next_order(self.choice.order), backwards=False))

    def action_reverse(self) -> None:
        self._choose(replace(self.choice, backwards=not self.choice.backwards))

    def action_preset(self, name: str) -> None:
        self._choose(replace(self.choice, preset=name))

    def action_clear(self) -> None:
        if self.choice.filter:
            self._choose(replace(self.choice, filter=""))

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one(Prompt).edit(self.choice.filter)

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        self._choose(replace(self.choice, filter=event.text))

    def on_prompt_done(self) -> None:
        if self.has_class("-filtering"):
            self.remove_class("-filtering")
            self._list.focus()

    def on_prompt_dropped(self) -> None:
        self.action_clear()
        self.on_prompt_done()

    def action_open(self) -> None:
        row = self.target()
        if row is not None:
            from tui.service import ServiceScreen

            self.app.push_screen(ServiceScreen(row.name))

    def action_budgets(self) -> None:
        from tui.budget import BudgetScreen

        row = self.target()
        self.app.push_screen(BudgetScreen(row.name if row else ""))

    def action_history(self) -> None:
        from tui.history import HistoryScreen

        self.app.push_screen(HistoryScreen())

    def action_leave(self) -> None:
        self.app.exit()
