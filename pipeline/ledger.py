"""The controller's book: what is decided is kept first, and only then true.

A station's release, journal and counts change here alone, after the history has taken them; where it
refuses, `HistoryError` goes up and nothing has changed.
"""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pipeline.decide import Decision
from pipeline.events import AUTO, Event, Intent, Outcome, Result
from pipeline.lifecycle import Phase, Rollout
from pipeline.model import Fleet, Service
from pipeline.panes import Panes
from pipeline.ports import Changes, Clock, History, Memory, Slice
from pipeline.station import Station
from pipeline.telemetry import Telemetry
from pipeline.traffic_cycle import RATE_SLICES
from pipeline.view import DayCounts, HistoryQuery

DAY = timedelta(days=1)
LONGEST_SLICE_S = 60.0
RECOUNT_S = 600.0
"""How often a budget's window is summed anew, so that what has grown too old leaves it."""


class Ledger:
    """The history, and the stations as it has them."""

    def __init__(self, fleet: Fleet, history: History, clock: Clock) -> None:
        self._fleet, self._history, self._clock = fleet, history, clock
        self._day: deque[tuple[datetime, str]] = deque()
        self._counted_s: float | None = None
        self.last: Event | None = None

    def open(self) -> tuple[Memory, dict[str, Station]]:
        """Every service's station as the history left it. Raises `HistoryError`."""
        memory = self._history.start()
        stations = {name: self._station(service, memory) for name, service in self._fleet.services.items()}
        newest = self._history.events(HistoryQuery(since=self._clock.now() - DAY, limit=10_000)).events
        self._day.extend((event.at, event.action) for event in reversed(newest))
        self.last = newest[0] if newest else None
        self._count(stations)
        return memory, stations

    def _station(self, service: Service, memory: Memory) -> Station:
        rules = service.rules
        station = Station(
            service,
            Telemetry(service, self._fleet.tick_s),
            Panes(rules.judge.metrics, self._fleet.tick_s, rules.cycle.duration_s),
        )
        of = [rollout for rollout in memory.rollouts if rollout.service == service.name]
        station.rollout = max(of, key=lambda rollout: rollout.submitted, default=None)
        station.releases = memory.releases.get(service.name, 0)
        mine = station.rollout.id if station.rollout is not None else ""
        station.open = {intent.host: intent for intent in memory.open if intent.release == mine}
        station.attempts = {key: n for key, n in memory.attempts.items() if key.startswith(f"{mine}.")}
        past = self._history.releases(service.name, 50)
        begun = [old.submitted for old in past if old.phase not in {Phase.QUEUED, Phase.CANCELLED, Phase.SUPERSEDED}]
        station.started = sorted(begun, reverse=True)
        station.events = list(self._history.events(HistoryQuery(service=service.name, limit=60)).events)
        return station

    def keep(
        self,
        station: Station,
        rollouts: tuple[Rollout, ...],
        events: tuple[Event, ...],
        changes: Changes | None = None,
        *,
        safe: bool = False,
    ) -> None:
        """One service's change of release; the last of `rollouts` is the one at hand."""
        extra = changes if changes is not None else Changes()
        kept = self._history.record(Changes(rollouts, events, request=extra.request, receipt=extra.receipt), safe=safe)
        for rollout in rollouts:
            station.set_rollout(rollout)
        self._note(station, kept)

    def keep_decisions(self, decided: Sequence[tuple[Station, Decision]], *, safe: bool = False) -> None:
        """One tick's decisions, all or none."""
        changed = [(station, decision) for station, decision in decided if decision.rollout != station.rollout]
        events = [event for _, decision in decided for event in decision.events]
        intents = [intent for _, decision in decided for intent in decision.orders]
        outcomes = [outcome for _, decision in decided for outcome in decision.closed]
        changes = Changes(
            tuple(decision.rollout for _, decision in changed), tuple(events), tuple(intents), tuple(outcomes)
        )
        kept = deque(self._history.record(changes, safe=safe) if changes else ())
        for station, decision in decided:
            station.set_rollout(decision.rollout)
            station.gates, station.work = decision.gates, decision.work
            if decision.judgement is not None:
                station.judgement = decision.judgement
            for outcome in decision.closed:
                _close(station, outcome)
            for intent in decision.orders:
                station.told(intent)
            self._note(station, tuple(kept.popleft() for _ in decision.events))

    def keep_outcomes(self, ended: Sequence[tuple[Station, Intent, Outcome]]) -> None:
        """How operations on hosts ended; what failed is said in the history."""
        if not ended:
            return
        events = tuple(_failed(intent, outcome) for _, intent, outcome in ended if outcome.result is not Result.DONE)
        known = tuple(outcome for _, _, outcome in ended if outcome.result is not Result.UNKNOWN)
        kept = self._history.record(Changes(outcomes=known, events=events), safe=True)
        for station, _, outcome in ended:
            if outcome.result is not Result.UNKNOWN:
                _close(station, outcome)
        by_service = {station.service.name: station for station, _, _ in ended}
        for event in kept:
            self._note(by_service[event.service], (event,))

    def keep_denied(self, event: Event) -> None:
        for kept in self._history.record(Changes(events=(event,))):
            self._day.append((kept.at, kept.action))

    def count(self, stations: dict[str, Station], now_s: float) -> None:
        """Close the budget slices that have ended, and sum the windows anew from time to time."""
        closed = [piece for station in stations.values() if (piece := self._slice(station)) is not None]
        if closed:
            self._history.record(Changes(slices=tuple(closed)))
            for piece in closed:
                station = stations[piece.service]
                station.total += piece.total
                station.bad += piece.bad
        if self._counted_s is None or now_s - self._counted_s > RECOUNT_S:
            self._counted_s = now_s
            self._count(stations)

    def _slice(self, station: Station) -> Slice | None:
        """The slice that ended with this tick, if one did; this tick's requests begin the next."""
        rules = station.service.rules
        length_s = min(max(rules.cycle.duration_s / RATE_SLICES, self._fleet.tick_s), LONGEST_SLICE_S)
        now = self._clock.now().timestamp()
        start = datetime.fromtimestamp(now - now % length_s, UTC)
        ended = None
        if station.slice_start is not None and start != station.slice_start:
            total, bad = round(station.slice_total), round(station.slice_bad)
            ended = Slice(station.service.name, station.slice_start, total, bad) if total else None
            station.slice_total = station.slice_bad = 0.0
        station.slice_start = start
        counters = station.telemetry.total.counters
        station.slice_total += counters.get(rules.budget.total, 0.0)
        station.slice_bad += counters.get(rules.budget.bad, 0.0)
        return ended

    def _count(self, stations: dict[str, Station]) -> None:
        now = self._clock.now()
        for window_s in {station.service.rules.budget.window_s for station in stations.values()}:
            sums = self._history.requests(now - timedelta(seconds=window_s))
            for name, station in stations.items():
                if station.service.rules.budget.window_s == window_s:
                    station.total, station.bad = sums.get(name, (0, 0))

    def day(self) -> DayCounts:
        """Of the last 24 hours."""
        oldest = self._clock.now() - DAY
        while self._day and self._day[0][0] < oldest:
            self._day.popleft()
        actions = [action for _, action in self._day]
        return DayCounts(
            actions.count("submit"), actions.count("settled"), actions.count("rollback"), actions.count("denied")
        )

    def _note(self, station: Station, kept: tuple[Event, ...]) -> None:
        station.note(kept)
        for event in kept:
            self._day.append((event.at, event.action))
            if event.action != "look":
                self.last = event


def _close(station: Station, outcome: Outcome) -> None:
    station.open = {host: told for host, told in station.open.items() if told.operation != outcome.operation}


def _failed(intent: Intent, outcome: Outcome) -> Event:
    word = "is not known to have taken" if outcome.result is Result.UNKNOWN else "did not take"
    detail = f"{intent.host} {word} {intent.revision}: {outcome.detail}"
    return Event(outcome.at, AUTO, intent.service, intent.release, intent.revision, "host", detail)
