"""Outages: bad slices on end, and what people corrected of them.

Downtime is the union of half-open intervals: what overlaps counts once. A correction cuts to its own instants; of
several that say something about the same instant, the one that was approved last holds.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise

from pipeline.docket import Correction, CorrectionKind
from pipeline.slo.changes import exact_s
from pipeline.slo.report import Outage

Span = tuple[datetime, datetime]
"""Half-open."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def correct(
    outages: Iterable[Outage], corrections: Iterable[Correction], now: datetime, newest: datetime | None
) -> tuple[Outage, ...]:
    """The outages as the corrections that count make them, oldest first.

    Parts that were let off stay, with `excluded` set: they are shown and not charged. What was down after all is
    added, as far as it has happened.
    """
    known = _joined(outages, newest)
    papers = _that_count(corrections)
    if not papers:
        return known
    parts: list[Outage] = []
    starts = [outage.start for outage in known]
    for start, end in _stretches(known, papers, now):
        said = _last(papers, start)
        before = known[max(0, bisect_right(starts, start) - 1)] if known else None
        was = before if before is not None and before.start <= start < before.end else None
        if said is not None and said.kind is CorrectionKind.BAD:
            parts.append(Outage(start, end, backfill=was is not None and was.backfill))
        elif was is not None:
            parts.append(replace(was, start=start, end=end, excluded="" if said is None else _words(said)))
    return _joined(parts, newest)


def ruling(start: datetime, end: datetime, corrections: Iterable[Correction]) -> CorrectionKind | None:
    """What the corrections make of the slice [start, end): that which holds at its middle."""
    said = _last(_that_count(corrections), start + (end - start) / 2)
    return None if said is None else said.kind


def charged(outages: Iterable[Outage]) -> tuple[Span, ...]:
    """The union of what is not excluded, oldest first."""
    return union((outage.start, outage.end) for outage in outages if not outage.excluded)


def seconds(outages: Iterable[Outage]) -> Fraction:
    """Charged downtime, exactly."""
    return sum((exact_s(end - start) for start, end in charged(outages)), Fraction(0))


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Oldest first; what overlaps or touches is one, what is empty is none."""
    made: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], end))
        else:
            made.append((start, end))
    return tuple(made)


def _joined(outages: Iterable[Outage], newest: datetime | None) -> tuple[Outage, ...]:
    """Those that overlap or touch and are excluded alike are one; one that reaches `newest` is open."""
    made: list[Outage] = []
    last: dict[str, int] = {}
    for outage in sorted((one for one in outages if one.start < one.end), key=lambda one: (one.start, one.end)):
        index = last.get(outage.excluded)
        if index is not None and outage.start <= made[index].end:
            before = made[index]
            end = max(before.end, outage.end)
            made[index] = replace(
                before, end=end, open=before.open or outage.open, backfill=before.backfill or outage.backfill
            )
        else:
            last[outage.excluded] = len(made)
            made.append(outage)
    if newest is None:
        return tuple(made)
    return tuple(one if one.open == (one.end >= newest) else replace(one, open=one.end >= newest) for one in made)


def _that_count(corrections: Iterable[Correction]) -> list[Correction]:
    """In the order in which they were approved: the last one holds."""
    papers = [paper for paper in corrections if paper.counts and paper.start < paper.end]
    return sorted(papers, key=lambda paper: (paper.approved or _NEVER, paper.at, paper.id))


def _stretches(outages: Sequence[Outage], papers: Sequence[Correction], now: datetime) -> Iterable[Span]:
    """Between any two of their edges: in a stretch nothing changes."""
    edges = {edge for one in outages for edge in (one.start, one.end)}
    edges |= {min(edge, now) for paper in papers for edge in (paper.start, paper.end)}
    return pairwise(sorted(edges))


def _last(papers: Sequence[Correction], at: datetime) -> Correction | None:
    return next((paper for paper in reversed(papers) if paper.start <= at < paper.end), None)


def _words(said: Correction) -> str:
    what = "excluded" if said.kind is CorrectionKind.EXCLUDE else "was up"
    return f"{what}, {said.by} with {said.approved_by}: {said.reason}"
