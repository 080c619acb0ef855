"""A service's requests, counted tick by tick into aligned slices of each of its objectives.

What a tick saw is spread evenly over the time that it is about. A slice is closed once, as soon as it was seen to
its end, or when nothing more of it can come; one of which less than half was seen is unknown, and none at all.

Its time never goes back. What is seen while the clock is behind the newest slice is that slice's, closed in portions
of its length, which the history adds up; a portion that is bad is the next slice. So downtime is charged whole, and
not to a time before it began, where it could move a block.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from pipeline.measured.telemetry import Telemetry
from pipeline.model import Service
from pipeline.signals import Sample
from pipeline.slo.rules import Kind, Objective
from pipeline.slo.slices import Slice, SliceState, state_of

LEAST = 0.5
"""Of a slice's length, that must have been seen."""
MOST_BACK_S = 86_400
"""A clock that goes back by less may not open slices that have been; one that goes back by more was wrong before."""
MOST_UNKEPT = 2_000
"""Closed slices that the history has not taken yet; then the oldest are lost."""


class Meter:
    """Of one service; `closed` are to be kept."""

    def __init__(self, service: Service) -> None:
        self.closed: list[Slice] = []
        self._service = service.name
        self._stale_s = service.rules.judge.stale_s
        self._lines = [_Line(objective) for objective in service.rules.objectives]

    def take(self, telemetry: Telemetry, now: datetime) -> None:
        """Take in one tick: what production as a whole did, its canary included."""
        now_s = now.timestamp()
        hosts = sum(host.name in telemetry.samples for host in telemetry.service.production)
        for line in self._lines:
            if hosts:
                line.add(telemetry.total, telemetry.total.host_s / hosts, now_s)
            if line.due(now_s, self._stale_s):
                self.closed.extend(line.close(self._service, now_s, self._stale_s))
        del self.closed[:-MOST_UNKEPT]

    def kept(self, slices: Iterable[Slice]) -> None:
        """The history has them now."""
        done = {id(one) for one in slices}
        self.closed = [one for one in self.closed if id(one) not in done]

    def after(self, newest_end_s: Mapping[str, int | None], now: datetime) -> None:
        """Where the newest slice that is kept ended, by objective: should the clock be behind, its time is there."""
        for line in self._lines:
            line.after(newest_end_s.get(line.name), now.timestamp())


class _Open:
    """A slice that is not closed yet."""

    __slots__ = ("bad", "seen_s", "total")

    def __init__(self) -> None:
        self.total = self.bad = self.seen_s = 0.0

    def take(self, other: "_Open") -> None:
        self.total += other.total
        self.bad += other.bad
        self.seen_s += other.seen_s


class _Line:
    """One objective's slices."""

    def __init__(self, objective: Objective) -> None:
        self.name = objective.name
        self._of, self._length_s = objective, objective.slice_s
        self._open: dict[int, _Open] = {}
        """By start, oldest first."""
        self._newest: int | None = None
        """Start of the newest slice that was ever opened."""
        self._whole: int | None = None
        """The newest start that a slice was closed with."""
        self._seen_until_s = float("-inf")
        self._rest_total = self._rest_bad = 0.0
        """What rounding has left over: no request is lost to it, or counted twice."""

    def after(self, newest_end_s: int | None, now_s: float) -> None:
        start = newest_end_s - self._length_s if newest_end_s is not None else None
        if start is None or start <= now_s or start - now_s > MOST_BACK_S or start <= (self._newest or 0):
            return
        self._newest = self._whole = start
        begun, self._open = self._open, {start: _Open()}
        for slot in begun.values():
            self._open[start].take(slot)

    def add(self, sample: Sample, span_s: float, now_s: float) -> None:
        counts = counted(self._of, sample)
        if counts is None:
            return
        begin_s = now_s - span_s
        if now_s >= self._seen_until_s:
            begin_s = max(begin_s, self._seen_until_s)
        span_s, length_s = now_s - begin_s, self._length_s
        total, bad = counts
        at = int(begin_s // length_s) * length_s
        while True:
            end_s = min(at + length_s, now_s)
            part = (end_s - max(at, begin_s)) / span_s if span_s > 0 else 1.0
            slot = self._slot(at, now_s)
            slot.total += total * part
            slot.bad += bad * part
            slot.seen_s += part * span_s
            at += length_s
            if at >= now_s:
                break
        self._seen_until_s = now_s

    def _slot(self, start: int, now_s: float) -> _Open:
        if self._newest is not None and self._newest - now_s <= MOST_BACK_S:
            start = max(start, self._newest)
        self._newest = start
        return self._open.setdefault(start, _Open())

    def due(self, now_s: float, stale_s: float) -> bool:
        return any(self._over(start, now_s, stale_s) for start in self._open)

    def _over(self, start: int, now_s: float, stale_s: float) -> bool:
        """Seen to its end; or too old for anything of it to come; or ahead of a clock that went back, and full."""
        if start > now_s:
            return start != self._newest or self._open[start].seen_s >= self._length_s
        end_s = start + self._length_s
        return self._seen_until_s >= end_s or now_s >= end_s + stale_s

    def close(self, service: str, now_s: float, stale_s: float) -> list[Slice]:
        found = []
        for opened in sorted(self._open):
            if not self._over(opened, now_s, stale_s):
                continue
            slot, start = self._open.pop(opened), opened
            if slot.seen_s < LEAST * self._length_s:
                continue
            total, bad = round(slot.total + self._rest_total), round(slot.bad + self._rest_bad)
            bad = min(bad, total)
            self._rest_total += slot.total - total
            self._rest_bad += slot.bad - bad
            down = state_of(total, bad, self._of.bad_slice) is SliceState.BAD
            if down and start > now_s and start == self._whole:
                # Bad time is none the less for a clock that went back.
                start = self._newest = start + self._length_s
            self._whole = start
            at = datetime.fromtimestamp(start, UTC)
            found.append(Slice(service, at, total, bad, self._of.name, False, self._length_s, down))
        return found


def counted(objective: Objective, sample: Sample) -> tuple[float, float] | None:
    """(total, bad) requests of a sample by the objective; None where it does not tell, as without a bound so high."""
    if objective.kind is Kind.AVAILABILITY:
        total, bad = sample.counters.get(objective.total), sample.counters.get(objective.bad)
        return None if total is None or bad is None else (total, min(bad, total))
    histogram = sample.histograms.get(objective.of)
    if histogram is None:
        return None
    # Quick ones are those at or below the first bound at or above the threshold.
    bound = bisect_left(histogram.edges, objective.over_s)
    if bound >= len(histogram.edges) - 1:
        return None
    return sum(histogram.counts), sum(histogram.counts[bound + 1 :])
