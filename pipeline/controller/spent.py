"""Since when a budget is spent, as all that is kept tells: its window alone forgets what has left it."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pipeline.ports import HistoryError
from pipeline.slo.rebuilt import Kept, spent_since
from pipeline.slo.report import BudgetReport
from pipeline.slo.tally import Tally


class _Since(NamedTuple):
    since: datetime
    bucket: datetime
    """Where the bucket began in which that was seen last."""


class Spent:
    """Of one service; the history is read once for as long as a budget is spent, as what it tells stays so.

    It does while the budget is spent at each end of a bucket, too, which the window shows of the newest.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._known: dict[str, _Since] = {}
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
            known = self._known.pop(slo.name, None)
            if slo.spent_since is None:
                continue
            width_s = line.rings.of(line.objective.window_s).width_s
            bucket = datetime.fromtimestamp(now.timestamp() // width_s * width_s, UTC)
            since = _still(known, slo.spent_since, bucket, timedelta(seconds=width_s))
            if since is None and read:
                with suppress(HistoryError):
                    since = spent_since(tally, line, self._kept, now) or slo.spent_since
            if since is not None:
                self._known[slo.name] = _Since(since, bucket)
            self.unread |= since is None
            slos[index] = replace(slo, spent_since=since or slo.spent_since)
        return replace(report, slos=tuple(slos))


def _still(known: _Since | None, within: datetime, bucket: datetime, width: timedelta) -> datetime | None:
    """What is known, unless a bucket went by unseen; where the newest one ended unspent, the window says it all."""
    if within >= bucket:
        return within
    return known.since if known is not None and bucket - width <= known.bucket <= bucket else None
