"""The panes of a service's page: each keeps the view it draws, and draws it again for a new size."""

from pipeline.view import MetricPane, ServiceView, State
from tui.service_bounds import bounds_sheet
from tui.service_hosts import host_sheet
from tui.service_sheets import (
    decision_sheet,
    metric_sheet,
    timeline_sheet,
)
from tui.widgets.bounds import bounds_axis, series
from tui.widgets.chart import Axis, Series, axis, moved_on
from tui.widgets.pane import NARROWEST, Look, Pane, Sheet


class MetricChart(Pane):
    """One metric; its axis is kept from view to view as long as it fits."""

    def __init__(self, look: Look, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(look, id=id, classes="metric")
        self._pane: MetricPane | None = None
        self._line = Series((), (), ())
        self._scale: Axis | None = None
        self._stale = False
        self._bounds = False
        """Whether differences with their bounds are drawn, not values."""

    def put(self, pane: MetricPane, *, stale: bool, bounds: bool = False) -> None:
        if (pane, stale, bounds) == (self._pane, self._stale, self._bounds):
            return
        before = self._pane if self._pane is not None and self._pane.key == pane.key else None
        scale = self._scale if before is not None and bounds == self._bounds else None
        passed = moved_on(before.high, pane.high) if before is not None else None
        gone = 0 if passed is None else self._line.gone + passed
        self._pane, self._stale, self._bounds = pane, stale, bounds
        if bounds:
            self._line = series(pane.bounds, gone)
            self._scale = bounds_axis(self._line, pane.limit_at, scale)
        else:
            self._line = Series(pane.canary, pane.low, pane.high, gone)
            self._scale = axis(self._line, scale)
        self.redraw()

    def draw(self, width: int, height: int) -> Sheet:
        if self._pane is None:
            return Sheet((), ())
        sheet = bounds_sheet if self._bounds else metric_sheet
        return sheet(self._pane, self._line, self._scale, (width, height), self.look, stale=self._stale)


class ViewPane(Pane):
    """A pane that draws some part of the service's view."""

    def __init__(self, look: Look, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(look, id=id)
        self.view: ServiceView | None = None
        self.whole = False
        """Whether there is room to say everything."""

    def put(self, view: ServiceView, *, whole: bool) -> None:
        self.view, self.whole = view, whole
        self.redraw()

    def draw(self, width: int, height: int) -> Sheet:
        del height
        if self.view is None:
            return Sheet((), ())
        return self.sheet(self.view, width)

    def sheet(self, view: ServiceView, width: int) -> Sheet:
        raise NotImplementedError


class Hosts(ViewPane):
    @property
    def needs(self) -> int:
        """Rows, to show everything."""
        if self.view is None or self.size.width < NARROWEST:
            return 0
        return len(self.sheet(self.view, self.size.width - 2).body) + 2

    def sheet(self, view: ServiceView, width: int) -> Sheet:
        return host_sheet(view, width, self.look, whole=self.whole)


class Timeline(ViewPane):
    def sheet(self, view: ServiceView, width: int) -> Sheet:
        return timeline_sheet(view, width, self.look)


class Decisions(ViewPane):
    def sheet(self, view: ServiceView, width: int) -> Sheet:
        return decision_sheet(view, width, self.look)


def is_stale(view: ServiceView) -> bool:
    return view.row.state is State.STALE
