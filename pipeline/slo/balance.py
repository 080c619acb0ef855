"""A service's sums written down: a restart takes them up and adds the slices since, instead of summing up a month.

It changes no report. The history drops a balance in the very transaction that changes a slice of its time; one that
was summed by other objectives, corrections or months than there are now is passed over; and then the tally is made
of slices, as it would be without any.
"""

import struct
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Protocol

from pipeline.docket import Correction
from pipeline.model import Service
from pipeline.slo import rebuilt
from pipeline.slo.calendar import month_of
from pipeline.slo.changes import Zones
from pipeline.slo.rings import Counts
from pipeline.slo.slices import Balance, Slice
from pipeline.slo.tally import Line, Tally, Targets

FORMAT = 1
"""Of the body: another one is passed over."""
MOST_SLICES = 1_000
"""Of an objective, since the balance: where there are more, summing anew is as quick."""
_LINE = struct.Struct("<8q")
"""Where its first known slice began and its newest ended, where its month began, and the month's sums."""
_NONE = -1


class Kept(rebuilt.Kept, Protocol):
    """Of the history, what a tally is made of, the quick way or the long one."""

    def balance(self, service: str) -> Balance | None: ...

    def since(self, service: str, slo: str, since: datetime, limit: int) -> tuple[Slice, ...]: ...


def opened(
    service: Service,
    kept: Kept,
    corrections: tuple[Correction, ...],
    targets: Mapping[str, Targets],
    now: datetime,
    zones: Zones = (),
) -> Tally:
    """As `rebuilt`, of the service's balance where there is one. Raises what `kept` raises."""
    found = carried(service, kept, corrections, targets, now, zones)
    return found if found is not None else rebuilt.rebuilt(service, kept, corrections, targets, now, zones)


def written(tally: Tally, now: datetime) -> Balance | None:
    """None where nothing is known yet, or what is lies ahead of a clock that went back, or is still to be corrected."""
    until_s = max((line.newest_s for line in tally.lines if line.newest_s is not None), default=None)
    if until_s is None or until_s > now.timestamp() or any(one.end > _at(until_s) for one in tally.corrections):
        return None
    body = b"".join(part for line in tally.lines for part in (_head(line), *(ring.pack() for ring in line.rings.rings)))
    return Balance(tally.service.name, _at(until_s), _basis(tally), body)


def carried(
    service: Service,
    kept: Kept,
    corrections: tuple[Correction, ...],
    targets: Mapping[str, Targets],
    now: datetime,
    zones: Zones = (),
) -> Tally | None:
    """The tally of the service's balance and of what came since; None where that will not do."""
    balance, tally = kept.balance(service.name), Tally(service, corrections, targets, zones)
    if balance is None or balance.basis != _basis(tally):
        return None
    try:
        _read(tally, memoryview(balance.body))
    except (ValueError, struct.error):
        return None
    for line in tally.lines:
        since = balance.until if line.newest_s is None else _at(line.newest_s)
        later = kept.since(service.name, line.objective.name, since, MOST_SLICES)
        if len(later) == MOST_SLICES or not all(map(tally.add_sums, later)):
            return None
        if line.newest_s is not None and line.newest_s > now.timestamp():
            return None
    rebuilt.add_downs(tally, kept, now)
    return tally


def _basis(tally: Tally) -> str:
    """All that the sums depend on, but the slices."""
    lines = [
        (line.objective.name, line.objective.kind, line.objective.slice_s, line.objective.window_s, _rings(line))
        for line in tally.lines
    ]
    papers = sorted((one.id, one.start, one.end, one.kind, one.approved, one.at) for one in tally.corrections)
    said = repr((FORMAT, sys.byteorder, tally.service.rules.payback.timezone, lines, papers))
    return blake2b(said.encode(), digest_size=16).hexdigest()


def _rings(line: Line) -> list[tuple[int, float]]:
    return [(ring.width_s, ring.span_s) for ring in line.rings.rings]


def _head(line: Line) -> bytes:
    month_s = _NONE if line.month is None else int(line.month.start.timestamp())
    first_s = _NONE if line.first_s is None else line.first_s
    newest_s = _NONE if line.newest_s is None else line.newest_s
    return _LINE.pack(first_s, newest_s, month_s, *line.month_sums)


def _read(tally: Tally, body: memoryview) -> None:
    for line in tally.lines:
        first_s, newest_s, month_s, *sums = _LINE.unpack_from(body)
        body = body[_LINE.size :]
        if month_s != _NONE:
            line.add_month(Counts(*sums), month_of(_at(month_s), tally.service.rules.payback.timezone))
        if newest_s != _NONE:
            line.known(first_s, newest_s)
        for ring in line.rings.rings:
            body = ring.unpack(body)
    if body:
        raise ValueError(f"{len(body)} bytes too many")


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
