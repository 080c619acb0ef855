"""The books of budgets: slices counted, kept and summed, and each service's report made of them in its turn.

A tally is made out of the history at the start, and again where what it has summed is not so any more: a correction
counts, or slices of a time that had passed were read afterwards. What that does to a payback is in the audit trail.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from math import ceil

from pipeline.controller.paybacks import changed, would_change
from pipeline.docket import Correction, Docket
from pipeline.events import AUTO, Event
from pipeline.ports import Changes, Clock, History, HistoryError
from pipeline.service.station import Station
from pipeline.slo.meter import Meter
from pipeline.slo.quota import show_target
from pipeline.slo.rebuilt import rebuilt
from pipeline.slo.report import BudgetReport
from pipeline.slo.slices import Slice, Target
from pipeline.slo.tally import Tally
from pipeline.text import plain

AT_ONCE = 20
"""Reports of a tick, where that is more than every service's once a slice."""
LOADS, LOADS_S = 40, 0.4
"""Tallies that one tick makes at most, and how long it goes on with them: a rollback must not wait for them."""


@dataclass
class _Book:
    """Of one service."""

    station: Station
    meter: Meter
    tally: Tally | None = None
    docket: Docket | None = None
    """The one that the tally has the corrections of."""
    why: str = ""
    """Why the tally is to be made anew; "" at the first time."""
    stale: bool = True
    heard: set[str] = field(default_factory=set)
    """Objectives whose slices came while the clock was behind: heard of now, whatever their time."""
    targets: dict[str, list[tuple[datetime, Decimal]]] = field(default_factory=dict)


class Books:
    """Of every service."""

    def __init__(self, history: History, clock: Clock, note: Callable[[Station, tuple[Event, ...]], None]) -> None:
        self._history, self._clock, self._note = history, clock, note
        self._books: dict[str, _Book] = {}
        self._turn: deque[str] = deque()
        """Whose report comes next."""
        self._counted_s: float | None = None
        self._promised: tuple[tuple[Target, ...], tuple[Event, ...]] | None = None
        """Targets that the history has still to take."""

    def open(self, stations: Mapping[str, Station]) -> None:
        """Raises `HistoryError`."""
        self._books = {name: _Book(station, Meter(station.service)) for name, station in stations.items()}
        for one in self._history.targets():
            if one.service in self._books:
                self._books[one.service].targets.setdefault(one.slo, []).append((one.since, one.target))
        # Those of whom a release is on its way first.
        first = [name for name, station in stations.items() if station.active]
        self._turn = deque([*first, *(name for name in stations if name not in set(first))])
        self._promised = self._promise()

    def _promise(self) -> tuple[tuple[Target, ...], tuple[Event, ...]]:
        """What the configuration promises from now on; that a target was another is in the audit trail."""
        now, found, events = self._clock.now(), [], []
        for name, book in self._books.items():
            for objective in book.station.service.rules.objectives:
                known = book.targets.setdefault(objective.name, [])
                if known and known[-1][1] == objective.target:
                    continue
                found.append(Target(name, objective.name, now, objective.target))
                if known:
                    was, becomes = show_target(known[-1][1]), show_target(objective.target)
                    said = f"{objective.name}: the target was {was} %, and is {becomes} % from now on"
                    events.append(Event(now, AUTO, name, "", "", "budget", plain(said)))
                known.append((now, objective.target))
        return tuple(found), tuple(events)

    def count(self, now_s: float) -> None:
        """One tick: close and keep the slices that have ended, and make the reports whose turn it is.

        Raises `HistoryError`; what was refused is told again.
        """
        now = self._clock.now()
        for book in self._books.values():
            _guarded(book, partial(book.meter.take, book.station.telemetry, now))
        try:
            if self._promised is not None:
                targets, events = self._promised
                self._record(Changes(targets=targets, events=events))
                self._promised = None
            self._keep(now)
            self._renew(now)
        finally:
            self._report(now, now_s)

    def _keep(self, now: datetime) -> None:
        closed = tuple(piece for book in self._books.values() for piece in book.meter.closed)
        if not closed:
            return
        self._history.record(Changes(slices=closed))
        for book in self._books.values():
            if book.meter.closed:
                pieces = tuple(book.meter.closed)
                book.meter.kept(pieces)
                _guarded(book, partial(_add, book, pieces, now))

    def _renew(self, now: datetime) -> None:
        """Make tallies that there are none of yet, or that are not so any more."""
        left, until_s = LOADS, self._clock.monotonic() + LOADS_S
        for name in self._turn:
            book = self._books[name]
            if book.docket is not book.station.docket:
                if not book.stale and book.tally is not None and book.tally.corrections != _counting(book.station):
                    book.stale, book.why = True, "a correction"
                book.docket = book.station.docket
            if book.stale and left > 0 and (left == LOADS or self._clock.monotonic() < until_s):
                left -= 1
                _guarded(book, partial(self._load, book, now))

    def _load(self, book: _Book, now: datetime) -> None:
        station = book.station
        tally = rebuilt(station.service, self._history, _counting(station), book.targets, now)
        for line in tally.lines:
            if line.objective.name in book.heard:
                line.heard_s = int(now.timestamp())
        if book.tally is not None:
            said = changed(book.tally.report(now).payback, tally.report(now).payback)
            if said:
                why = plain(f"{book.why} changed what is paid back: {said}", 500)
                self._record(Changes(events=(Event(now, AUTO, station.service.name, "", "", "budget", why),)))
        book.tally, book.stale, book.why, station.report = tally, False, "", tally.report(now)
        book.heard = set()

    def _record(self, changes: Changes) -> None:
        for event in self._history.record(changes):
            self._note(self._books[event.service].station, (event,))

    def _report(self, now: datetime, now_s: float) -> None:
        """Those whose turn it is: all within the shortest slice, a part of them each tick."""
        shortest_s = min((_slice_s(book) for book in self._books.values()), default=1)
        elapsed_s = shortest_s if self._counted_s is None else now_s - self._counted_s
        self._counted_s = now_s
        turns = max(ceil(len(self._turn) * elapsed_s / shortest_s), AT_ONCE)
        for _ in range(min(turns, len(self._turn))):
            book = self._books[self._turn[0]]
            self._turn.rotate(-1)
            _guarded(book, partial(_shown, book, now))

    def refilled(self, services: Iterable[str]) -> None:
        """Slices of theirs were read from the metrics server afterwards."""
        for name in services:
            if name in self._books:
                self._books[name].stale, self._books[name].why = True, "requests of a time without a controller"

    def if_approved(self, station: Station, asked: Correction) -> str:
        """What a correction that waits for its second person would change in the payback; "" where nothing.

        Raises `HistoryError`.
        """
        book, now = self._books[station.service.name], self._clock.now()
        if book.tally is None:
            return ""
        counting = (*_counting(station), replace(asked, approved_by="", approved=now))
        then = rebuilt(station.service, self._history, counting, book.targets, now)
        return would_change(book.tally.report(now).payback, then.report(now).payback)

    def whole(self, station: Station) -> BudgetReport:
        """As of now, with the burn-downs. Raises `HistoryError`."""
        book, now = self._books[station.service.name], self._clock.now()
        if book.tally is None:
            self._load(book, now)
        assert book.tally is not None  # noqa: S101 - just made
        return book.tally.report(now, whole=True)


def _add(book: _Book, pieces: Sequence[Slice], now: datetime) -> None:
    if book.tally is None or book.stale:
        return
    for piece in pieces:
        if not book.tally.add(piece):
            book.stale, book.why = True, "a clock that went back"
            book.heard = {one.slo for one in pieces}
            return
    # What holds a release must not wait for its turn.
    if any(piece.down for piece in pieces):
        book.station.report = book.tally.report(now)


def _shown(book: _Book, now: datetime) -> None:
    if book.tally is not None:
        book.station.report = book.tally.report(now)


def _counting(station: Station) -> tuple[Correction, ...]:
    return tuple(one for one in station.docket.corrections if one.counts)


def _slice_s(book: _Book) -> int:
    return book.station.service.rules.budget.slice_s


def _guarded(book: _Book, work: Callable[[], None]) -> None:
    """A fault of ours about one service's budgets leaves them unknown, and the others as they are."""
    try:
        work()
    except HistoryError:
        raise
    except Exception as fault:  # noqa: BLE001 - as in the controller: no other service's rollback may end with it
        book.station.report, book.tally, book.stale = None, None, True
        book.station.fault = plain(f"its budgets cannot be worked out: {type(fault).__name__}: {fault}")
