"""The pane of gates: a cursor goes from gate to gate, and the one under it is told in full."""

from collections.abc import Sequence

from pipeline.gates import first_closed
from pipeline.view import ServiceView
from tui.gate_lines import closed_first, gate_blocks, gate_sheet
from tui.service_panes import ViewPane
from tui.widgets.pane import Sheet
from tui.widgets.runs import Runs


class Gates(ViewPane):
    """Once it has the focus it has a cursor: first on the gate to name, then on its gate whatever else changes."""

    chosen = ""
    """The gate's name."""

    _shown: ServiceView | None = None
    """The view as it is drawn: where not all gates fit, the closed ones stand first."""

    @property
    def needs(self) -> int:
        """Rows, to show each gate on a line."""
        return len(self.view.gates) + 2 if self.view else 0

    @property
    def _names(self) -> list[str]:
        return [gate.name for gate in self._shown.gates] if self._shown else []

    def draw(self, width: int, height: int) -> Sheet:
        if self.view is None:
            return Sheet((), ())
        self._shown = self.view
        if sum(map(len, self._blocks(self.view, width, ""))) > height:
            self._shown = closed_first(self.view)
        chosen = self._pick()
        if chosen:
            self._keep(self._blocks(self._shown, width, chosen), height)
        return gate_sheet(self._shown, width, self.look, whole=self.whole, chosen=chosen)

    def _blocks(self, view: ServiceView, width: int, chosen: str) -> list[list[Runs]]:
        return gate_blocks(view, width, self.look, whole=self.whole, chosen=chosen)

    @property
    def picked(self) -> str:
        """The gate that the cursor is on, "" where there is none."""
        return self.chosen if self.has_focus and self.chosen in self._names else ""

    def _pick(self) -> str:
        if not self.has_focus or not self._names:
            return ""
        if self.chosen not in self._names and self._shown is not None:
            closed = first_closed(self._shown.gates)
            self.chosen = closed.name if closed is not None else self._names[0]
        return self.chosen

    def _keep(self, blocks: Sequence[Sequence[Runs]], height: int) -> None:
        """Scroll so that the chosen gate is seen, its beginning first."""
        at = self._names.index(self.chosen)
        top = sum(map(len, blocks[:at]))
        self._top = min(max(self._top, top + len(blocks[at]) - height), top)

    def _step(self, by: int) -> None:
        names = self._names
        if names:
            at = names.index(self.chosen) if self.chosen in names else 0
            self.chosen = names[min(max(at + by, 0), len(names) - 1)]
        self.redraw()

    def action_scroll_by(self, by: int) -> None:
        self._step(by)

    def action_scroll_page(self, by: int) -> None:
        self._step(by * 4)

    def action_scroll_edge(self, side: int) -> None:
        self._step(side * len(self._names))
