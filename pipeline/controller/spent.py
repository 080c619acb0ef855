"""Since when a budget is spent, as all that is kept tells: its window alone forgets what has left it."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from pipeline.ports import HistoryError
from pipeline.slo.rebuilt import Kept, spent_since
from pipeline.slo.report import BudgetReport
from pipeline.slo.tally import Tally


class Spent:
    """Of one service; the history is read once for as long as a budget is spent, as what it tells stays so."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._known: dict[str, datetime] = {}
        """By objective that is spent."""
        self.unread = False
        """Whether the newest report says since when as far as the window does, and the history may say more."""

    def forget(self) -> None:
        """Its slices are others than they were."""
        self._known = {}

    def report(self, tally: Tally, now: datetime, *, whole: bool = False, read: bool = True) -> BudgetReport:
        """The tally's; where the history cannot be read, it says since when as far as the window does.

        `read`: whether the history may be read now, which takes its time.
        """
        report = tally.report(now, whole=whole)
        slos, self.unread = list(report.slos), False
        for index, (line, slo) in enumerate(zip(tally.lines, report.slos, strict=True)):
            if slo.spent_since is None:
                self._known.pop(slo.name, None)
                continue
            if read and slo.name not in self._known:
                with suppress(HistoryError):
                    self._known[slo.name] = spent_since(tally, line, self._kept, now) or slo.spent_since
            self.unread |= slo.name not in self._known
            slos[index] = replace(slo, spent_since=self._known.get(slo.name, slo.spent_since))
        return replace(report, slos=tuple(slos))
