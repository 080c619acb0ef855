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
from pipeline.controller.spent import Spent
from pipeline.docket import Correction, Docket
from pipeline.events import AUTO, Event
from pipeline.ports import Changes, Clock, History, HistoryError
from pipeline.service.station import Station
from pipeline.slo.balance import opened, written
from pipeline.slo.meter import Meter
from pipeline.slo.quota import show_target
from pipeline.slo.rebuilt import rebuilt
from pipeline.slo.report import BudgetReport
from pipeline.slo.slices import Balance, Slice, Target, Zone
from pipeline.slo.tally import Tally
from pipeline.text import plain

AT_ONCE = 20
"""Reports of a tick, where that is more than every service's once a slice."""
LOADS_S = 0.4
"""How long a tick goes on with making tallies: a rollback must not wait for them. The others are made after it."""
BITE_S = 0.02
"""How long that keeps an answer to somebody waiting."""
BALANCED_S = 900.0
"""How often each service's balance is written: a restart reads the slices that came after it."""


@dataclass
class _Book:
    """Of one service."""

    station: Station
    meter: Meter
    spent: Spent
    tally: Tally | None = None
    docket: Docket | None = None
    """The one that the tally has the corrections of."""
    why: str = ""
    """Why the tally is to be made anew; "" at the first time."""
    stale: bool = True
    first: bool = True
    """Its tally may be made of its balance: it was not made yet, nor failed to be."""
    balanced: datetime | None = None
    """Until when the newest balance reaches."""
    heard: set[str] = field(default_factory=set)
    """Objectives whose slices came while the clock was behind: heard of now, whatever their time."""
    targets: dict[str, list[tuple[datetime, Decimal]]] = field(default_factory=dict)
    zones: list[tuple[datetime, str]] = field(default_factory=list)


class Books:
    """Of every service."""

    def __init__(self, history: History, clock: Clock, note: Callable[[Station, tuple[Event, ...]], None]) -> None:
        self._history, self._clock, self._note = history, clock, note
        self._books: dict[str, _Book] = {}
        self._due: deque[str] = deque()
        """Whose tally is to be made, once each a tick."""
        self._turn: deque[str] = deque()
        """Whose report comes next."""
        self._balanced: deque[str] = deque()
        """Whose balance comes next."""
        self._balanced_s: float | None = None
        self._counted_s: float | None = None
        self._promised: Changes | None = None
        """Targets and zones that the history has still to take."""

    def open(self, stations: Mapping[str, Station]) -> None:
        """Raises `HistoryError`."""
        self._books = {
            name: _Book(station, Meter(station.service), Spent(self._history)) for name, station in stations.items()
        }
        for one in self._history.targets():
            if one.service in self._books:
                self._books[one.service].targets.setdefault(one.slo, []).append((one.since, one.target))
        for zone in self._history.zones():
            if zone.service in self._books:
                self._books[zone.service].zones.append((zone.since, zone.timezone))
        self._turn, self._balanced = deque(stations), deque(stations)
        self._promised = self._promise()

    def _promise(self) -> Changes:
        """What the configuration promises from now on; that a target or a zone was another is in the audit trail."""
        now = self._clock.now()
        found: list[Target] = []
        zones: list[Zone] = []
        events: list[Event] = []
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
            timezone = book.station.service.rules.payback.timezone
            if not book.zones or book.zones[-1][1] != timezone:
                zones.append(Zone(name, now, timezone))
                if book.zones:
                    was = f"its months went by {book.zones[-1][1]}, and go by {timezone} from the next one on"
                    said = f"{was}; a block that has begun keeps its end"
                    events.append(Event(now, AUTO, name, "", "", "budget", plain(said)))
                book.zones.append((now, timezone))
        return Changes(targets=tuple(found), zones=tuple(zones), events=tuple(events))

    def count(self, now_s: float) -> None:
        """One tick: close and keep the slices that have ended, and make the reports whose turn it is.

        Raises `HistoryError`; what was refused is told again.
        """
        now = self._clock.now()
        for book in self._books.values():
            _guarded(book, partial(book.meter.take, book.station.telemetry, now))
        try:
            if self._promised is not None:
                self._record(self._promised)
                self._promised = None
            self._keep(now, now_s)
            self._outdate()
            self._renew(now, LOADS_S)
        finally:
            self._report(now, now_s)

    def _keep(self, now: datetime, now_s: float) -> None:
        closed = tuple(piece for book in self._books.values() for piece in book.meter.closed)
        if not closed:
            return
        # Without these slices: what is refused now is in no balance.
        self._history.record(Changes(slices=closed, balances=self._balances(now, now_s)))
        for book in self._books.values():
            if book.meter.closed:
                pieces = tuple(book.meter.closed)
                book.meter.kept(pieces)
                _guarded(book, partial(_add, book, pieces, now))

    def _balances(self, now: datetime, now_s: float) -> tuple[Balance, ...]:
        """Of those whose turn it is: all within `BALANCED_S`, a part of them with each slices that are kept."""
        elapsed_s = 0.0 if self._balanced_s is None else now_s - self._balanced_s
        self._balanced_s = now_s
        made: list[Balance] = []
        for _ in range(min(ceil(len(self._balanced) * elapsed_s / BALANCED_S), len(self._balanced))):
            book = self._books[self._balanced[0]]
            self._balanced.rotate(-1)
            _guarded(book, partial(_balance, book, now, made))
        return tuple(made)

    def catch_up(self) -> bool:
        """Make a few tallies that no tick had the time for; whether there are more. Raises `HistoryError`."""
        if self._due:
            self._renew(self._clock.now(), BITE_S)
        return bool(self._due)

    def _outdate(self) -> None:
        """Find the tallies that there are none of yet, or that are not so any more."""
        for book in self._books.values():
            if book.docket is not book.station.docket:
                if not book.stale and book.tally is not None and book.tally.corrections != _counting(book.station):
                    book.stale, book.why = True, "a correction"
                book.docket = book.station.docket
        due = [name for name, book in self._books.items() if book.stale]
        # Those of whom a release is on its way first.
        self._due = deque(sorted(due, key=lambda name: not self._books[name].station.active))

    def _renew(self, now: datetime, most_s: float) -> None:
        until_s = self._clock.monotonic() + most_s
        while self._due:
            book = self._books[self._due.popleft()]
            _guarded(book, partial(self._load, book, now))
            if self._clock.monotonic() >= until_s:
                break

    def _load(self, book: _Book, now: datetime) -> None:
        station = book.station
        make = opened if book.first else rebuilt
        tally = make(station.service, self._history, _counting(station), book.targets, now, book.zones)
        for line in tally.lines:
            if line.objective.name in book.heard:
                line.heard_s = int(now.timestamp())
        if book.tally is not None:
            said = changed(book.tally.report(now).payback, tally.report(now).payback)
            if said:
                why = plain(f"{book.why} changed what is paid back: {said}", 500)
                self._record(Changes(events=(Event(now, AUTO, station.service.name, "", "", "budget", why),)))
        if book.tally is None:
            book.meter.after({line.objective.name: line.newest_s for line in tally.lines}, now)
        book.tally, book.stale, book.why = tally, False, ""
        book.spent.forget()
        station.report = book.spent.report(tally, now)
        book.heard, book.first, book.balanced = set(), False, None

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
        then = rebuilt(station.service, self._history, counting, book.targets, now, book.zones)
        return would_change(book.tally.report(now).payback, then.report(now).payback)

    def whole(self, station: Station) -> BudgetReport:
        """As of now, with the burn-downs. Raises `HistoryError`."""
        book, now = self._books[station.service.name], self._clock.now()
        if book.tally is None:
            self._load(book, now)
        assert book.tally is not None  # noqa: S101 - just made
        return book.spent.report(book.tally, now, whole=True)


def _balance(book: _Book, now: datetime, made: list[Balance]) -> None:
    balance = written(book.tally, now) if book.tally is not None and not book.stale else None
    if balance is not None and balance.until != book.balanced:
        book.balanced = balance.until
        made.append(balance)


def _add(book: _Book, pieces: Sequence[Slice], now: datetime) -> None:
    if book.tally is None:
        return
    for piece in pieces:
        if not book.tally.add(piece):
            book.stale, book.why = True, book.why or "a clock that went back"
            book.heard |= {one.slo for one in pieces}
            return
        if any(one.end > piece.start for one in book.tally.corrections):
            book.stale, book.why = True, book.why or "a correction"
    for line in book.tally.lines:
        # Of a time ahead of the clock nothing is heard yet.
        line.heard_s = line.heard_s if line.heard_s is None else min(line.heard_s, int(now.timestamp()))
    # What holds a release must not wait for its turn.
    if any(piece.down for piece in pieces):
        # Where everybody is down at once, reading that for all of them would stop the rounds.
        book.station.report = book.spent.report(book.tally, now, read=False)


def _shown(book: _Book, now: datetime) -> None:
    known = book.station.report
    if book.tally is not None and (known is None or known.at != now or book.spent.unread):
        book.station.report = book.spent.report(book.tally, now)


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
        book.station.report, book.tally, book.stale, book.first = None, None, True, False
        book.station.fault = plain(f"its budgets cannot be worked out: {type(fault).__name__}: {fault}")
