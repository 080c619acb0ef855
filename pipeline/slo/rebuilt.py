"""A service's tally out of what is kept: the same as if it had been kept up all the while.

Hours are read for long windows, slices for short ones, for the edges of months and for hours that are corrected.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pipeline.docket import Correction
from pipeline.model import Service
from pipeline.slo import overspent
from pipeline.slo.calendar import month_of
from pipeline.slo.changes import Zones
from pipeline.slo.corrected import corrected, hours_of
from pipeline.slo.meter import MOST_BACK_S
from pipeline.slo.overspent import Bucket
from pipeline.slo.rings import HOUR_S, Counts
from pipeline.slo.slices import Hour, Slice
from pipeline.slo.tally import REMEMBERED, Line, Tally, Targets, counts_of

CORRECTABLE_S = 35 * 86_400
"""How far back slices are kept: older hours stay as they were measured."""


class Kept(Protocol):
    """Of the history, what a tally is made of."""

    def slices(self, service: str, since: datetime, until: datetime) -> tuple[Slice, ...]: ...

    def hours(self, since: datetime, service: str = "") -> tuple[Hour, ...]: ...

    def downtime(self, service: str, since: datetime) -> tuple[Slice, ...]: ...

    def measured(self, service: str, slo: str) -> tuple[datetime, datetime] | None: ...


def rebuilt(
    service: Service,
    kept: Kept,
    corrections: tuple[Correction, ...],
    targets: Mapping[str, Targets],
    now: datetime,
    zones: Zones = (),
) -> Tally:
    """Raises what `kept` raises."""
    tally = Tally(service, corrections, targets, zones)
    name, now_s = service.name, int(now.timestamp())
    month = month_of(now, service.rules.payback.timezone)
    month_s = int(month.start.timestamp())
    longest_s = max(ring.span_s for line in tally.lines for ring in line.rings.rings)
    since_s = int(min(now_s - longest_s, month_s) // HOUR_S * HOUR_S)
    until_s = _seen_s(tally, kept, now_s) // HOUR_S * HOUR_S + HOUR_S
    fine_s = min(now_s - int(line.rings.from_slices_s) for line in tally.lines) // HOUR_S * HOUR_S - HOUR_S
    fine = range(max(fine_s, since_s), until_s, HOUR_S)
    edge = {month_s // HOUR_S * HOUR_S} if month_s % HOUR_S else set()
    anew = {*edge, *hours_of(corrections, max(since_s, now_s - CORRECTABLE_S), until_s)}
    hours: dict[str, list[Hour]] = {}
    for hour in kept.hours(_at(since_s), name):
        hours.setdefault(hour.slo, []).append(hour)
    pieces: dict[tuple[str, int], list[Slice]] = {}
    for first_s, last_s in _stretches({*anew, *fine}):
        for piece in kept.slices(name, _at(first_s), _at(last_s)):
            pieces.setdefault((piece.slo, int(piece.start.timestamp()) // HOUR_S * HOUR_S), []).append(piece)
    for line in tally.lines:
        slo = line.objective.name
        whole = hours.get(slo, [])
        month_sums = Counts()
        # The newest first: what is too old for a ring is passed over at once.
        for hour in reversed(whole):
            start_s = int(hour.start.timestamp())
            if start_s not in anew:
                counts = Counts(hour.total, hour.bad, hour.good_s, hour.idle_s, hour.bad_s)
                line.rings.add_hour(start_s, counts)
                if start_s >= month_s:
                    month_sums = month_sums.plus(counts)
        for start_s in sorted({*anew, *fine}, reverse=True):
            end_s = min(start_s + HOUR_S, now_s)
            mine = corrected(line.objective, name, pieces.get((slo, start_s), []), corrections, start_s, end_s)
            for one in reversed(mine):
                at_s, counts = int(one.start.timestamp()), counts_of(one)
                if start_s in fine:
                    line.rings.add_fine(at_s, counts)
                if start_s in anew:
                    line.rings.add_hour(start_s, counts)
                    if at_s >= month_s:
                        month_sums = month_sums.plus(counts)
        line.add_month(month_sums, month)
        span = kept.measured(name, slo)
        if span is not None:
            # Slices are forgotten before their hours are.
            older = whole[0].start if whole and whole[0].start + timedelta(hours=1) <= span[0] else span[0]
            line.known(int(older.timestamp()), int(span[1].timestamp()))
            if span[1] > now:
                lately = (one for start_s in fine for one in pieces.get((slo, start_s), []))
                ends = (int(one.start.timestamp()) + one.length_s for one in lately)
                line.heard_s = max((end_s for end_s in ends if end_s <= now_s), default=None)
    add_downs(tally, kept, now)
    return tally


def add_downs(tally: Tally, kept: Kept, now: datetime) -> None:
    for piece in kept.downtime(tally.service.name, now - REMEMBERED):
        start_s = int(piece.start.timestamp())
        tally.add_down(start_s, start_s + piece.length_s, piece.backfill)


def spent_since(tally: Tally, line: Line, kept: Kept, now: datetime) -> datetime | None:
    """Since when a budget is spent, looking back beyond its window: the window alone forgets what left it.

    An hour of that time that a correction reaches into says nothing. Raises what `kept` raises.
    """
    name, now_s = line.objective.name, now.timestamp()
    buckets, back_s = line.buckets(now_s), line.objective.window_s
    while True:
        from_s = int(now_s - line.objective.window_s - back_s)
        ruled = frozenset(hours_of(tally.corrections, from_s, int(now_s)))
        hours = [_bucket(hour) for hour in kept.hours(_at(from_s), tally.service.name) if hour.slo == name]
        older = [one for one in hours if not buckets or one.end_s <= buckets[0].start_s]
        before = [one for one in older if one.start_s not in ruled]
        found = overspent.since_s(line.objective, (*before, *buckets), now_s, line.errors)
        # What is found within the last window but one may rest on what was not read.
        if found is None or found >= now_s - back_s or not older or older[0].start_s >= from_s + HOUR_S:
            return None if found is None else _at(found)
        back_s *= 2


def _bucket(hour: Hour) -> Bucket:
    start_s = int(hour.start.timestamp())
    return Bucket(start_s, start_s + HOUR_S, Counts(hour.total, hour.bad, hour.good_s, hour.idle_s, hour.bad_s))


def _seen_s(tally: Tally, kept: Kept, now_s: int) -> int:
    """Until when slices are read: those ahead of a clock that went back are no less true."""
    spans = (kept.measured(tally.service.name, line.objective.name) for line in tally.lines)
    newest_s = max((int(span[1].timestamp()) for span in spans if span is not None), default=now_s)
    return max(now_s, newest_s) if newest_s - now_s <= MOST_BACK_S else now_s


def _stretches(hours: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Hours on end as one."""
    first_s = last_s = None
    for start_s in sorted(hours):
        if last_s != start_s:
            if first_s is not None and last_s is not None:
                yield first_s, last_s
            first_s = start_s
        last_s = start_s + HOUR_S
    if first_s is not None and last_s is not None:
        yield first_s, last_s


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
