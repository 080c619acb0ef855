"""Slices as people's corrections make them.

What is excluded counts as known and idle: no requests, and no time lost. "Bad" and "good" are about being up, so they
are of the availability; an exclusion is of every objective.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.docket import Correction, CorrectionKind
from pipeline.slo.outages import ruling
from pipeline.slo.rules import Kind, Objective
from pipeline.slo.slices import Slice


def hours_of(corrections: Iterable[Correction], since_s: int, until_s: int) -> tuple[int, ...]:
    """Starts of the hours in [since, until) that a correction reaches into, oldest first."""
    found: set[int] = set()
    for one in corrections:
        first = max(int(one.start.timestamp()), since_s) // 3_600 * 3_600
        found.update(range(first, min(int(one.end.timestamp()) + 1, until_s), 3_600))
    return tuple(sorted(found))


def corrected(
    objective: Objective,
    service: str,
    slices: Sequence[Slice],
    corrections: Sequence[Correction],
    since_s: int,
    until_s: int,
) -> list[Slice]:
    """The objective's slices in [since, until), of those that are kept; some may be there that nobody measured."""
    told = [one for one in corrections if objective.kind is Kind.AVAILABILITY or one.kind is CorrectionKind.EXCLUDE]
    if not told:
        return list(slices)
    found: list[Slice] = []
    at_s, length_s = since_s, objective.slice_s
    for piece in slices:
        start_s = int(piece.start.timestamp())
        found += _unmeasured(objective, service, told, at_s, start_s)
        found.append(_ruled(piece, told))
        at_s = max(at_s, start_s + piece.length_s)
    found += _unmeasured(objective, service, told, at_s, until_s // length_s * length_s)
    return found


def _unmeasured(
    objective: Objective, service: str, told: Sequence[Correction], since_s: int, until_s: int
) -> Iterable[Slice]:
    """Slices of which nothing was known, and now it is said what they were."""
    length_s = objective.slice_s
    for start_s in range(-(-since_s // length_s) * length_s, until_s, length_s):
        start = datetime.fromtimestamp(start_s, UTC)
        if ruling(start, start + timedelta(seconds=length_s), told) is not None:
            yield _ruled(Slice(service, start, 0, 0, objective.name, False, length_s), told)


def _ruled(piece: Slice, told: Sequence[Correction]) -> Slice:
    match ruling(piece.start, piece.start + timedelta(seconds=piece.length_s), told):
        case CorrectionKind.EXCLUDE:
            return replace(piece, total=0, bad=0, down=False)
        case CorrectionKind.GOOD:
            return replace(piece, bad=0, down=False)
        case CorrectionKind.BAD:
            return replace(piece, bad=piece.total, down=True)
        case _:
            return piece
