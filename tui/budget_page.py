"""`BudgetPage(service)`: everything about one service's budgets, on a page that scrolls."""

from pipeline.view import ServiceRow
from tui.asked import AskedScreen
from tui.budget_asked import Told, ask
from tui.budget_report import whole
from tui.room import room_of
from tui.widgets.pane import Look, Sheet


class BudgetPage(AskedScreen):
    def __init__(self, service: str, told: Told | None = None) -> None:
        """`told` is what is at hand already."""
        super().__init__(service, "budget")
        self._told = told or Told(service)

    async def ask(self) -> None:
        app = room_of(self)
        self._told = await ask(app.room, self.service, self._told, app.clock.monotonic())

    @property
    def old(self) -> bool:
        return self._told.old

    @property
    def fails(self) -> bool:
        return bool(self._told.said)

    def _row(self) -> ServiceRow | None:
        view = room_of(self).live.view
        return next((row for row in view.services if row.name == self.service), None) if view else None

    def sheet(self, width: int, look: Look) -> Sheet:
        return whole(self._row(), self._told, width, look)
