"""`ServiceScreen(name)`: one service, whole. It holds no truth: it shows the newest view and posts commands."""

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize, ScreenResume
from textual.worker import Worker, WorkerState

from pipeline.view import ServiceRow, ServiceView
from tui.feed import LONGEST_S, Fresh, Gone, Lost, follow
from tui.fleet_order import Choice
from tui.keys import Key, bindings
from tui.page_keys import SERVICE
from tui.room import room_of
from tui.service_alerts import alerts_line
from tui.service_explain import ExplainScreen
from tui.service_gates import Gates
from tui.service_head import FEW_CHARTS, TABS, Tabs, said_lines, tab_line
from tui.service_judge import judging_line
from tui.service_lane import MOST, judged_line, judged_lines, lane
from tui.service_opens import Opening
from tui.service_panes import Decisions, Hosts, MetricChart, Timeline, ViewPane, is_stale
from tui.status import KeyLine, LostBanner, TopLine
from tui.widgets.lines import Lines
from tui.widgets.pane import Look, faded
from tui.widgets.runs import Runs

WIDE, TALL = 110, 34
"""From this size on all panes are shown at once."""
VAST = 180
ROOMY = 24
"""From this height on what does not fit in the line of the state takes more."""
GATES, HOSTS, TIMELINE = 10, 10, 6
"""Rows of the panes of gates, of hosts and of events, at least, where all panes are shown."""
CHARTS = 6


class ServiceScreen(Opening):
    KEYS: ClassVar[tuple[Key, ...]] = SERVICE
    BINDINGS: ClassVar = bindings(SERVICE)
    CSS_PATH = "service.tcss"
    AUTO_FOCUS = ""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.service = name
        self.view: ServiceView | None = None
        self.tab = "metrics"
        self._said = f"asking the controller about {name}"
        """In place of a view, or beside an old one; "" while news come."""
        self._got = 0.0
        self._first_metric = 0
        self._bounds = False
        """Whether the metrics' panes show differences with their bounds."""
        self._explains: ExplainScreen | None = None
        """What `e` has opened; None once it is closed."""
        self._hurry = asyncio.Event()
        self._feed: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        app = room_of(self)
        look = Look(app.glyphs, app.palette)
        yield TopLine(f"fleet > {self.service}")
        yield Lines(id="lane")
        yield Lines(id="marks")
        yield Lines(id="judged")
        yield Lines(id="judging")
        yield Lines(id="alerts")
        yield Lines(id="tabs")
        yield LostBanner()
        with Container(id="page"):
            with Container(id="left"):
                with Container(id="metrics"):
                    for n in range(CHARTS):
                        yield MetricChart(look, id=f"metric-{n}")
                yield Decisions(look, id="decisions")
            with Container(id="right"):
                yield Gates(look, id="gates")
                yield Hosts(look, id="hosts")
                yield Timeline(look, id="timeline")
        yield KeyLine()

    def on_mount(self) -> None:
        app = room_of(self)
        self.watch(app, "beat", self._on_beat, init=False)
        self.watch(app, "live", self._on_live, init=False)
        self._follow()

    def on_screen_resume(self, event: ScreenResume) -> None:
        del event
        self._explains = None
        self._renew()

    def on_resize(self, event: Resize) -> None:
        width, height = event.size
        wide = width >= WIDE and height >= TALL
        self.set_class(wide, "-wide")
        self.set_class(not wide, "-narrow")
        self.set_class(wide and width >= VAST, "-vast")
        self._choose(self.tab)
        self.call_after_refresh(self._renew)

    @property
    def wide(self) -> bool:
        return self.has_class("-wide")

    @property
    def lost(self) -> bool:
        """Whether what is shown is old."""
        return bool(self._said or room_of(self).live.lost)

    # the feed

    def _follow(self) -> None:
        app, name = room_of(self), self.service
        feed = follow(lambda: app.room.service(name), self.post_message, app.clock, self._hurry)
        self._feed = self.run_worker(feed, name="service", group="service", exclusive=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        event.stop()
        if event.worker is self._feed and event.state is WorkerState.ERROR:
            self._lose(f"no news of {self.service}: the feed failed: {type(event.worker.error).__name__}")
            self.set_timer(LONGEST_S, self._follow)

    def on_fresh(self, message: Fresh[ServiceView]) -> None:
        message.stop()
        if message.view.row.name != self.service:
            return
        self.view, self._got, self._said = message.view, message.got, ""
        self._renew()

    def on_lost(self, message: Lost) -> None:
        message.stop()
        self._lose(f"no news of {self.service}: {message.why}")

    def on_gone(self, message: Gone) -> None:
        message.stop()
        self._lose(f"{message.refused.what}: {message.refused.why}: {message.refused.mend}")

    def _lose(self, why: str) -> None:
        self._said = why
        self._renew()

    def _on_live(self) -> None:
        if not room_of(self).live.lost and self._said:
            self._hurry.set()
        self._renew()

    def _on_beat(self) -> None:
        if self._said and self.view is not None:
            self._head()

    # what is shown

    def _renew(self) -> None:
        if self._explains is not None and self.view is not None:
            self._explains.put(self.view, lost=self.lost)
        if not self.is_mounted or not self.is_current:
            return
        self._head()
        lost = self.lost
        for pane in self.query(ViewPane):
            pane.fade(lost)
            if self.view is not None:
                pane.put(self.view, whole=not self.wide)
        self._make_room()
        self._charts(lost=lost)

    def _make_room(self) -> None:
        """For the gates, and the hosts that are not well, of what the events can spare."""
        gates, hosts = self.query_one(Gates), self.query_one(Hosts)
        rows = self.query_one("#page").size.height - TIMELINE
        asked = min(max(gates.needs, GATES), max(rows - HOSTS, GATES))
        gates.styles.height = asked if self.wide else None
        hosts.styles.height = min(max(hosts.needs, HOSTS), max(rows - asked, HOSTS)) if self.wide else None

    def _charts(self, *, lost: bool) -> None:
        view = self.view
        panes = view.panes if view else ()
        room = CHARTS if self.wide else FEW_CHARTS
        self._first_metric = min(self._first_metric, max((len(panes) - 1) // room * room, 0))
        shown = panes[self._first_metric : self._first_metric + room]
        for chart, pane in zip(self.query(MetricChart), [*shown, *[None] * (CHARTS - len(shown))], strict=True):
            chart.display = pane is not None
            chart.fade(lost)
            if pane is not None and view is not None:
                alone = pane is shown[-1] and len(shown) % 2 == 1 and not self.has_class("-vast")
                chart.styles.column_span = 2 if alone else 1
                chart.put(pane, stale=is_stale(view), bounds=self._bounds)

    def _head(self) -> None:
        app = room_of(self)
        width = self.size.width
        look = Look(app.glyphs, app.palette)
        first, second, third = self._head_lines(width, look)
        alerts = alerts_line(self.view, width, look) if self.view is not None else ()
        if self.lost:
            first, third, alerts = (faded(line, app.palette.dim) for line in (first, third, alerts))
            second = tuple(faded(line, app.palette.dim) for line in second)
        if self._said:
            age_s = app.clock.monotonic() - self._got if self.view else None
            second = said_lines(self._said, age_s, width, look, most=MOST if self._roomy else 1)
        self.query_one("#lane", Lines).show(first)
        self.mark(width, look, most=2 if self._roomy else 1)
        judged = self.query_one("#judged", Lines)
        judged.styles.height = max(len(second), 1)
        judged.show(*second)
        self.query_one("#judging", Lines).show(third)
        self.query_one("#alerts", Lines).show(alerts)
        self.set_class(bool(third), "-judging")
        self.set_class(bool(alerts), "-alerts")
        tabs = Tabs(self.tab, self._first_metric, self._bounds)
        self.query_one("#tabs", Lines).show(tab_line(self.view, tabs, width, look))
        self.offer_keys()

    def _head_lines(self, width: int, look: Look) -> tuple[Runs, tuple[Runs, ...], Runs]:
        view = self.view
        if view is None:
            return ((f" {self.service}", look.palette.strong),), (), ()
        return (
            lane(view, width, look, wide=self.wide),
            judged_lines(view, width, look) if self._roomy else (judged_line(view, width, look),),
            judging_line(view, width, look),
        )

    @property
    def _roomy(self) -> bool:
        """Whether the head may take a line from the panes."""
        return self.size.height >= ROOMY

    # keys

    def _choose(self, tab: str) -> None:
        self.tab = tab
        for each in TABS:
            self.set_class(each == tab, f"-{each}")

    def action_tab(self, index: int) -> None:
        tab = TABS[index]
        self._choose(tab)
        self.call_after_refresh(self._renew)
        target = "#metric-0" if tab == "metrics" else f"#{tab}"
        self.query_one(target).focus()

    def action_more(self) -> None:
        if self.view is None:
            return
        room = CHARTS if self.wide else FEW_CHARTS
        self._first_metric = self._first_metric + room if self._first_metric + room < len(self.view.panes) else 0
        self._renew()

    def action_bounds(self) -> None:
        self._bounds = not self._bounds
        if not self.wide and self.tab != "metrics":
            self.action_tab(0)
        else:
            self._renew()

    def target(self) -> ServiceRow | None:
        return self.view.row if self.view is not None and not self._said else None

    def why_off(self, key: Key) -> str:
        if key.changes and self._said:
            return self._said
        return super().why_off(key)

    def action_back(self) -> None:
        self.app.pop_screen()

    def action_explain(self) -> None:
        if self.view is not None:
            self._explains = ExplainScreen(self.view)
            self.app.push_screen(self._explains)

    def action_retry(self) -> None:
        super().action_retry()
        self._hurry.set()

    def action_neighbour(self, by: int) -> None:
        """The service before or after this one, in the order that the fleet begins with."""
        live = room_of(self).live
        names = [row.name for row in Choice().of(live.view.services)] if live.view else []
        if self.service not in names or len(names) < 2:
            return
        self._turn_to(names[(names.index(self.service) + by) % len(names)])

    def _turn_to(self, name: str) -> None:
        self.service, self.view, self._said, self._first_metric = name, None, f"asking the controller about {name}", 0
        top = self.query_one(TopLine)
        top.where = f"fleet > {name}"
        top.renew()
        self._follow()
        self._renew()
