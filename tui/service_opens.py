"""What a service's page has beside its panes: the line of loud marks, and the pages that it opens."""

from pipeline.view import ServiceView
from tui.acting import Acting
from tui.marks import head_lines
from tui.service_gates import Gates
from tui.widgets.lines import Lines
from tui.widgets.pane import Look


class Opening(Acting):
    service: str
    view: ServiceView | None

    def mark(self, width: int, look: Look, *, most: int) -> None:
        """Break-glass, an incident, a closed door: lines of their own, there only while there is one."""
        view = self.view
        lines = head_lines(view.row, view.at, width, look, most=most) if view is not None else ()
        marks = self.query_one("#marks", Lines)
        marks.styles.height = max(len(lines), 1)
        marks.show(*lines)
        self.set_class(bool(lines), "-marked")

    def action_logs(self) -> None:
        from tui.service_logs import LogsScreen

        self.app.push_screen(LogsScreen(self.service))

    def action_history(self) -> None:
        from tui.history import HistoryScreen

        self.app.push_screen(HistoryScreen(self.service))

    def action_budget(self) -> None:
        from tui.budget_page import BudgetPage

        self.app.push_screen(BudgetPage(self.service))

    def action_readiness(self) -> None:
        from tui.readiness import ReadinessPage

        self.app.push_screen(ReadinessPage(self.service))

    def action_lock(self) -> None:
        row = self._may("service.lock")
        if row is not None:
            from tui.locking import LockDialog

            self.app.push_screen(LockDialog(row.name))

    def action_explain(self) -> None:
        raise NotImplementedError

    def action_gate(self) -> None:
        """The gate that the cursor is on, where there is more to read of it than the pane says."""
        picked = self.query_one(Gates).picked
        if not picked:
            return
        if "readiness" in picked:
            self.action_readiness()
        elif any(word in picked for word in ("budget", "payback", "coverage", "quota")):
            self.action_budget()
        else:
            self.action_explain()
