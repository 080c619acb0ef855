"""Downtime payback: a month's quota that was overspent is paid back with months without deploys.

Bad time adds up from the start of the calendar month, or from the end of the last block. The instant at which it
passes the quota opens a debt: everything down since then counts too, until the block ends. It lasts one month for
each quota that was begun, by the clocks of the timezone that was in force at its beginning. A pure function of what
is stored: a restart, another order or a finer cut of the same outages gives the same block.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise, takewhile
from math import ceil, floor

from pipeline.slo.calendar import Month, add_months, following
from pipeline.slo.changes import MICRO, US, Targets, Zones, in_order, month_at, quota_over_s, zone_at
from pipeline.slo.outages import Span, charged, union
from pipeline.slo.report import Debt, Outage, PaybackReport
from pipeline.slo.rules import CountFrom, PaybackRules


def payback(
    outages: Iterable[Outage],
    targets: Targets,
    rules: PaybackRules,
    since: datetime,
    now: datetime,
    zones: Zones | None = None,
) -> PaybackReport:
    """The debts since `since`, and the block in force at `now`.

    Args:
        outages: corrected ones, in any order; what is excluded is not charged.
        targets: what was promised; a debt keeps the quota that it passed.
        rules: where its months are counted from, the longest block.
        since: where adding up begins: the start of a month, or the end of the last debt that is over. Bad time
            before it is not charged.
        now: what lies after it is not known.
        zones: of the months; a debt keeps the one in which its quota was passed, and a month the one in which it
            began. None is that of the rules, always.

    An excluded outage never makes a block longer, although it may put off the instant that its months are counted
    from: a block ends no later than it would if nothing had been excluded.
    """
    zones = rules.timezone if zones is None else zones
    known = [one for one in outages if one.start <= now]
    bounds = None
    if any(one.excluded for one in known):
        measured = [replace(one, excluded="") for one in known]
        bounds = _Walk(measured, targets, rules, since, now, zones).blocks()
    walk = _Walk(known, targets, rules, since, now, zones, bounds)
    blocks = walk.blocks()
    debts = tuple(replace(block.debt, until=block.end) for block in blocks)
    held = bool(blocks) and _down(known, blocks[-1].end, now)
    if blocks and (now < blocks[-1].end or held):
        debt = blocks[-1].debt
        return PaybackReport(
            debt.quota_s, debt.downtime_s, debt.since, (*debts[:-1], debt), debt, held and now >= debt.until
        )
    month = month_at(zones, now)
    begun = max(blocks[-1].end if blocks else since, month.start)
    quota = quota_over_s(targets, month, now)
    return PaybackReport(float(quota), walk.bad_us(begun, now) / MICRO, begun, debts)


@dataclass(frozen=True, slots=True)
class _Block:
    debt: Debt
    end: datetime
    """Its `until`, or later: the end of an outage that went on then."""


def _down(outages: Iterable[Outage], by: datetime, now: datetime) -> bool:
    """Whether a charged outage that began by then goes on."""
    return any(one.start <= by and not one.excluded and (one.open or one.end > now) for one in outages)


class _Walk:
    """Through the outages in [since, now), from period to period."""

    def __init__(
        self,
        outages: Iterable[Outage],
        targets: Targets,
        rules: PaybackRules,
        since: datetime,
        now: datetime,
        zones: Zones,
        bounds: Sequence[_Block] | None = None,
    ) -> None:
        self._spans = union((max(start, since), min(end, now)) for start, end in charged(outages))
        self._starts = [start for start, _ in self._spans]
        self._targets = targets
        self._rules = rules
        self._zones = zones
        self._since = since
        self._changes = [at for at, _ in in_order(targets)[1:] if at < now]
        self._bounds = bounds
        """The blocks that there would be if nothing was excluded."""

    def blocks(self) -> list[_Block]:
        made: list[_Block] = []
        begun = self._since
        while (down := next(self._after(begun), None)) is not None:
            # Months without downtime are passed over.
            month = month_at(self._zones, down[0])
            begun = max(begun, month.start)
            block = self._block(begun, month)
            if block is not None:
                made.append(block)
            begun = month.end if block is None else block.end
        return made

    def bad_us(self, start: datetime, end: datetime) -> int:
        spans = takewhile(lambda span: span[0] < end, self._after(start))
        return sum((min(until, end) - since) // US for since, until in spans)

    def _after(self, at: datetime) -> Iterator[Span]:
        """What is bad from `at` on."""
        for index in range(max(0, bisect_right(self._starts, at) - 1), len(self._spans)):
            start, end = self._spans[index]
            if end > at:
                yield max(start, at), end

    def _block(self, begun: datetime, month: Month) -> _Block | None:
        found = self._breach(begun, month)
        if found is None:
            return None
        breach, quota = found
        bound = None
        if self._bounds is not None:
            bound = next((block for block in self._bounds if block.end > breach), None)
            if bound is None or bound.debt.breach >= month.end:
                return None
            breach = max(breach, bound.debt.breach)
        return self._paid(begun, breach, quota, bound)

    def _breach(self, begun: datetime, month: Month) -> tuple[datetime, Fraction] | None:
        """Where the sum since `begun` passes the month's quota, and that quota."""
        total_us = 0
        for start, end in pairwise((begun, *(at for at in self._changes if begun < at < month.end), month.end)):
            quota = quota_over_s(self._targets, month, start)
            most_us = floor(quota * MICRO)
            if total_us > most_us:
                return start, quota
            for since, until in self._after(start):
                if since >= end:
                    break
                length_us = (min(until, end) - since) // US
                if total_us + length_us > most_us:
                    return since + timedelta(microseconds=ceil(quota * MICRO) - total_us), quota
                total_us += length_us
        return None

    def _paid(self, begun: datetime, breach: datetime, quota: Fraction, bound: _Block | None) -> _Block:
        """The debt grows by what is down until its block ends, which that may put off."""
        down_us = self.bad_us(begun, breach)
        timezone = zone_at(self._zones, breach)
        quotas = lasting = 0
        until = last = breach
        for start, end in ((breach, breach), *self._after(breach)):
            if start > until:
                break
            down_us += (end - start) // US
            last = end
            if down_us > quotas * quota * MICRO or not quotas:
                quotas = max(1, ceil(Fraction(down_us, MICRO) / quota))
            lasting = quotas if self._rules.most_months is None else min(quotas, self._rules.most_months)
            ends = self._until(breach, lasting, timezone)
            if lasting < quotas:
                # Of a capped debt the cap counts anew from each outage: more downtime never ends a block.
                anew = self._until(start, lasting, timezone)
                ends = max(until, ends, min(anew, self._until(breach, quotas, timezone)))
            until = ends if bound is None else min(ends, bound.end)
        debt = Debt(begun, breach, down_us / MICRO, float(quota), lasting, until, lasting < quotas)
        return _Block(debt, max(until, last))

    def _until(self, breach: datetime, months: int, timezone: str) -> datetime:
        match self._rules.count_from:
            case CountFrom.BREACH:
                return add_months(breach, months, timezone)
            case CountFrom.NEXT_MONTH:
                return following(breach, timezone, months + 1).start
            case CountFrom.INCLUSIVE_MONTH:
                return following(breach, timezone, months).start
