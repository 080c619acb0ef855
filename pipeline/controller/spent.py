"""Since when a budget is spent, as all that is kept tells: its window alone forgets what has left it."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from pipeline.ports import HistoryError
from pipeline.slo.rebuilt import Kept, spent_since
from pipeline.slo.report import BudgetReport
from pipeline.slo.tally import Stands, Tally


class Spent:
    """Of one service; the history is read once a bucket at most, unless more is bad."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._known: dict[str, tuple[Stands, datetime | None]] = {}
        """By objective, with what it was read for."""

    def forget(self) -> None:
        """Its slices are others than they were."""
        self._known = {}

    def report(self, tally: Tally, now: datetime, *, whole: bool = False) -> BudgetReport:
        """The tally's; where the history cannot be read, it says since when as far as the window does."""
        report = tally.report(now, whole=whole)
        slos = list(report.slos)
        for index, (line, slo) in enumerate(zip(tally.lines, report.slos, strict=True)):
            if slo.spent_since is None:
                continue
            stands, since = self._known.get(slo.name, ((), None))
            if stands != line.stands:
                with suppress(HistoryError):
                    since = spent_since(tally, line, self._kept, now)
                    self._known[slo.name] = line.stands, since
            slos[index] = replace(slo, spent_since=since or slo.spent_since)
        return replace(report, slos=tuple(slos))
