"""A service's budgets, kept ready: a closed slice costs a few additions, a report no look into the history.

It is made of the history's hours, slices and downtime (`pipeline.controller.books`), with people's corrections in them
already, so that a restart gives the same report; a slice of a time that has passed is refused, and it is to be made
anew.
"""

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache

from pipeline.docket import Correction
from pipeline.model import Service
from pipeline.slo import outages, quota
from pipeline.slo.burn import burn, burn_pairs, pairs
from pipeline.slo.calendar import Month, month_of
from pipeline.slo.changes import Zones, error_ratio_over, month_at
from pipeline.slo.overspent import Bucket, back_s, since_s
from pipeline.slo.payback import payback
from pipeline.slo.report import BudgetReport, Outage, PaybackReport, SloReport
from pipeline.slo.rings import Counts, Rings
from pipeline.slo.rules import Count, Objective
from pipeline.slo.slices import Slice, SliceState
from pipeline.slo.window import Sums, gone_in_s, month_label, remaining, rolling_label, window_report

HOUR_S, DAY_S = 3_600.0, 86_400.0
REMEMBERED = timedelta(days=1_200)
"""Downtime older than this pays for nothing any more: a block lasts for a year at most, unless the rules want more."""
MOST_OUTAGES = 50
POINTS, FEW = 60, 9
"""Of a burn-down."""

Targets = Sequence[tuple[datetime, Decimal]]


class Tally:
    """Of one service."""

    def __init__(
        self,
        service: Service,
        corrections: tuple[Correction, ...] = (),
        targets: Mapping[str, Targets] | None = None,
        zones: Zones = (),
    ) -> None:
        self.service = service
        self.corrections = corrections
        rules = service.rules
        self._zone = rules.payback.timezone
        self._zones: Zones = zones or self._zone
        # A slice that has not come so long after its end is unknown.
        self._late_s = rules.objectives[0].slice_s + rules.judge.stale_s
        of = targets or {}
        self.lines = [Line(objective, of.get(objective.name)) for objective in rules.objectives]
        self._by_name = {line.objective.name: line for line in self.lines}
        self._downs: list[list[int]] = []
        """[start, end, 1 where a backfill read it], oldest first, apart: unix seconds, as measured."""
        self._changed = 0
        self._paid: _Paid | None = None

    def add(self, piece: Slice) -> bool:
        """Count a slice that was just closed; False, and nothing counted, where its time has passed already."""
        if not self.add_sums(piece):
            return False
        if piece.down and piece.slo == self.lines[0].objective.name:
            start_s = int(piece.start.timestamp())
            self.add_down(start_s, start_s + piece.length_s, piece.backfill)
        return True

    def add_sums(self, piece: Slice) -> bool:
        """Likewise, but for what it says of downtime."""
        line = self._by_name.get(piece.slo)
        if line is None:
            return True
        start_s = int(piece.start.timestamp())
        if line.newest_s is not None and start_s < line.newest_s:
            return False
        month = line.month
        if month is None or not month.start <= piece.start < month.end:
            month = month_of(piece.start, self._zone)
        line.add(start_s, counts_of(piece), month)
        line.known(start_s, start_s + piece.length_s)
        return True

    def add_down(self, start_s: int, end_s: int, backfill: bool) -> None:
        """Downtime of the availability, in order of time."""
        last = self._downs[-1] if self._downs else None
        self._changed += 1
        if last is not None and last[1] >= start_s:
            last[1], last[2] = max(last[1], end_s), last[2] | backfill
        else:
            insort(self._downs, [start_s, end_s, int(backfill)])

    def report(self, now: datetime, *, whole: bool = False) -> BudgetReport:
        """Everything about its budgets at `now`; `whole` with the burn-downs."""
        month = month_of(now, self._zone)
        slos = tuple(line.report(now, month, self._late_s, whole=whole) for line in self.lines)
        downs, paid = self._payback(now, month)
        newest_first = tuple(reversed(downs[-MOST_OUTAGES:]))
        return BudgetReport(self.service.name, now, slos, paid, newest_first)

    def _payback(self, now: datetime, month: Month) -> tuple[tuple[Outage, ...], PaybackReport | None]:
        """Worked out anew only where it may have changed."""
        kept = self._paid
        if kept is not None and kept.changed == self._changed and kept.at <= now < kept.ends:
            return kept.outages, kept.report
        line, rules = self.lines[0], self.service.rules.payback
        before = int((now - REMEMBERED).timestamp())
        while self._downs and self._downs[0][1] <= before:
            del self._downs[0]
        newest = None if line.newest_s is None else _at(line.newest_s)
        measured = (Outage(_at(start), _at(end), backfill=bool(late)) for start, end, late in self._downs)
        found = outages.correct(measured, self.corrections, now, newest)
        paid, edges = None, [month.end, month_at(self._zones, now).end]
        if rules.on:
            since = month_at(self._zones, found[0].start if found else now).start
            targets = line.targets or line.objective.target
            paid = payback(found, targets, rules, since, now, self._zones)
            last = max((outage.end for outage in found), default=now)
            if paid.block is None and last > now:
                # A clock that went back undoes no block: what was measured is known.
                later = payback(found, targets, rules, since, last, self._zones)
                paid = later if later.block is not None else paid
            edges += [debt.until for debt in paid.debts if debt.until > now]
        # While the service is down, and where that holds a block open, each instant is another.
        moving = any(outage.open for outage in found) or (paid is not None and paid.held_open)
        self._paid = _Paid(self._changed, now, now if moving else min(edges), found, paid)
        return found, paid


@dataclass(frozen=True, slots=True)
class _Paid:
    changed: int
    at: datetime
    ends: datetime
    outages: tuple[Outage, ...]
    report: PaybackReport | None


class Line:
    """One objective's sums."""

    def __init__(self, objective: Objective, targets: Targets | None = None) -> None:
        self.objective = objective
        self.targets = tuple(targets) if targets and len(targets) > 1 else None
        """Where the target has changed."""
        slice_s = Fraction(objective.slice_s)
        spans = {HOUR_S, 6 * HOUR_S, DAY_S}
        for pair in pairs(objective.window_s):
            spans |= {float(max(pair.long_s, slice_s)), float(max(pair.short_s, slice_s))}
        self.rings = Rings(objective.slice_s, objective.window_s, spans)
        self._target = quota.show_target(objective.target)
        self.first_s: int | None = None
        """Where its first known slice began, and its newest ended."""
        self.heard_s: int | None = None
        """Where the newest ended that is not of a time ahead: a clock that went back leaves such."""
        self.newest_s: int | None = None
        self.month: Month | None = None
        self.month_sums = Counts()
        self._stands: tuple[int, ...] = ()
        """What decides since when it is spent and when it is back: the same within a bucket, unless more is bad."""
        self._spent: tuple[datetime | None, datetime | None] = None, None

    def add(self, start_s: int, counts: Counts, month: Month) -> None:
        """`month` is the one that the slice begins in."""
        for ring in self.rings.rings:
            ring.add(start_s, counts)
        self.add_month(counts, month)

    def add_month(self, counts: Counts, month: Month) -> None:
        if self.month is None or month.start > self.month.start:
            self.month, self.month_sums = month, Counts()
        if month == self.month:
            self.month_sums = self.month_sums.plus(counts)

    def known(self, start_s: int, end_s: int) -> None:
        self.first_s = start_s if self.first_s is None else min(self.first_s, start_s)
        self.newest_s = end_s if self.newest_s is None else max(self.newest_s, end_s)
        self.heard_s = self.newest_s

    def report(self, now: datetime, month: Month, late_s: float, *, whole: bool) -> SloReport:
        of, now_s = self.objective, now.timestamp()
        due_s = self._due_s(now_s, late_s)
        rolling = self._sums(of.window_s, now_s, due_s)
        this_month = self.month_sums if self.month == month else Counts()
        monthly = self._with_unknown(this_month, month.start.timestamp(), due_s)
        day = self._sums(DAY_S, now_s, due_s)
        measured = day.known_s + day.unknown_s
        since = cache(lambda span_s: self.rings.of(span_s).since(now_s - span_s))
        hour = self._burnt(since(HOUR_S))
        begin = now - timedelta(seconds=of.window_s)
        budget = window_report(of, rolling_label(of.window_s), begin, now, rolling, self.targets)
        spent = budget.left is not None and budget.left <= 0
        spent_since, back_at = self._overspent(now_s, rolling) if spent else (None, None)
        return SloReport(
            name=of.name,
            kind=of.kind,
            count=of.count,
            target=self._target,
            rolling=budget,
            month=window_report(of, month_label(month), month.start, month.end, monthly, self.targets),
            burn=burn_pairs(
                of,
                lambda span_s: self._burnt(since(span_s)),
                lambda span_s: float(since(span_s).known_s),
            ),
            burn_1h=burn(*hour, of),
            burn_6h=burn(*self._burnt(since(6 * HOUR_S)), of),
            gone_in_s=gone_in_s(of, rolling, hour),
            coverage=day.known_s / measured if measured else None,
            silent_s=None if self.heard_s is None else max(now_s - self.heard_s, 0.0),
            burn_down=tuple(self._burn_down(now_s, rolling, POINTS)) if whole else (),
            trend=tuple(left for _, left in self._burn_down(now_s, rolling, FEW)),
            slice_s=of.slice_s,
            spent_since=spent_since,
            back_at=back_at,
        )

    def _overspent(self, now_s: float, rolling: Sums) -> tuple[datetime | None, datetime | None]:
        """Since when, as far as the window tells, and when it is back."""
        of, ring = self.objective, self.rings.of(self.objective.window_s)
        stands = (rolling.bad, rolling.bad_s, ring.begins_s(now_s - of.window_s), ring.begins_s(now_s))
        if self._stands != stands:
            buckets = self.buckets(now_s)
            since = since_s(of, buckets, now_s, self.errors)
            back = back_s(of, buckets, now_s, self.errors)
            self._spent = None if since is None else _at(since), None if back is None else _at(back)
            self._stands = stands
        return self._spent

    def errors(self, until_s: float) -> Fraction:
        """What the window that ends then allows."""
        if self.targets is None:
            return quota.errors(self.objective.target)
        return error_ratio_over(self.targets, _at(until_s - self.objective.window_s), _at(until_s))

    def buckets(self, now_s: float) -> list[Bucket]:
        """Of the rolling budget, oldest first."""
        ring = self.rings.of(self.objective.window_s)
        found = ring.each(now_s - self.objective.window_s)
        return [Bucket(end_s - ring.width_s, end_s, counts) for end_s, counts in found]

    def _due_s(self, now_s: float, late_s: float) -> int:
        """Until when slices should be known by now."""
        slice_s = self.objective.slice_s
        due_s = int((now_s - late_s) // slice_s) * slice_s
        return due_s if self.newest_s is None else max(due_s, self.newest_s)

    def _sums(self, span_s: float, now_s: float, due_s: int) -> Sums:
        ring = self.rings.of(span_s)
        return self._with_unknown(ring.since(now_s - span_s), ring.begins_s(now_s - span_s), due_s)

    def _with_unknown(self, counts: Counts, begin_s: float, due_s: int) -> Sums:
        """What is missing since the objective is measured; the time before is no gap."""
        if self.first_s is None:
            return Sums(*counts)
        return Sums(*counts, max(due_s - int(max(begin_s, self.first_s)) - counts.known_s, 0))

    def _burnt(self, counts: Counts) -> tuple[int, int]:
        if self.objective.count is Count.REQUESTS:
            return counts.total, counts.bad
        return counts.known_s, counts.bad_s

    def _burn_down(self, now_s: float, rolling: Sums, points: int) -> Iterator[tuple[datetime, float | None]]:
        """How the budget of this window came to what is left of it, oldest first."""
        of = self.objective
        ring = self.rings.of(of.window_s)
        step_s = of.window_s / points
        begin, now = _at(now_s - of.window_s), _at(now_s)
        errors = None if self.targets is None else error_ratio_over(self.targets, begin, now)
        spent, from_s = Counts(), now_s - of.window_s
        for point in range(points + 1):
            until_s = now_s - of.window_s + point * step_s
            newer = ring.since(from_s) if point == points else ring.between(from_s, until_s)
            spent, from_s = spent.plus(newer), max(from_s, ring.begins_s(until_s))
            left: Fraction | None = None
            if self.first_s is not None and until_s > self.first_s:
                left = remaining(of, rolling._replace(bad=spent.bad, bad_s=spent.bad_s), of.window_s, errors)
            yield _at(until_s), None if left is None else float(left)


def counts_of(piece: Slice) -> Counts:
    state, length_s = piece.state, piece.length_s
    return Counts(
        piece.total,
        piece.bad,
        length_s if state is SliceState.GOOD else 0,
        length_s if state is SliceState.IDLE else 0,
        length_s if state is SliceState.BAD else 0,
    )


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
