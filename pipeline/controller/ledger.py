"""The controller's book: what is decided is kept first, and only then true.

A station's release, journal and counts change here alone, after the history has taken them; where it
refuses, `HistoryError` goes up and nothing has changed.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zlib import crc32

from pipeline.checks import CheckKind
from pipeline.commands import Receipt
from pipeline.controller.books import Books
from pipeline.docket import Docket, Paper, services_of
from pipeline.events import AUTO, STILL_OPEN, Event, Intent, Outcome, Result, Who
from pipeline.judge.calibration import words as calibration_words
from pipeline.judge.look import Calibration, LookRecord
from pipeline.judge.trial import Kept, TrialRecord
from pipeline.lifecycle import STAGING, CheckResult, Phase, Rollout
from pipeline.measured.absence import watched
from pipeline.measured.panes import Panes
from pipeline.measured.recorder import Recorder
from pipeline.measured.telemetry import Telemetry
from pipeline.model import Fleet, Service
from pipeline.papers.following import NOTHING, Move, following, load_tested
from pipeline.papers.lapsing import Lapsing
from pipeline.ports import Changes, Clock, History, HistoryError, Memory
from pipeline.release.decide import Decision
from pipeline.release.hostwork import is_restart
from pipeline.service.station import PAST, Station
from pipeline.text import plain
from pipeline.view import DayCounts, HistoryQuery

DAY = timedelta(days=1)
MOST_UNKEPT = 2_000
BEFORE_PRODUCTION = STAGING | {Phase.QUEUED}


class Ledger:
    """The history, and the stations as it has them."""

    def __init__(self, fleet: Fleet, history: History, clock: Clock) -> None:
        self._fleet, self._history, self._clock = fleet, history, clock
        self._day: deque[tuple[datetime, str]] = deque()
        self.books = Books(history, clock, self._note)
        self.last: Event | None = None
        self.lost: tuple[str, ...] = ()
        """Releases on their way of services that the configuration does not have."""
        self._stations: dict[str, Station] = {}
        self._lapsing = Lapsing(clock.now())
        self.docket = Docket()
        """Every paper that was ever laid down."""

    def open(self) -> tuple[Memory, dict[str, Station]]:
        """Every service's station as the history left it. Raises `HistoryError`."""
        memory = self._history.start()
        self._lapsing = Lapsing(memory.newest or self._clock.now())
        self.docket = Docket().with_papers(self._history.papers())
        papers = self.docket.by_service()
        stations = {
            name: self._station(service, memory, papers.get(name, Docket()))
            for name, service in self._fleet.services.items()
        }
        self._stations = stations
        self.lost = tuple(
            f"{rollout.service} {rollout.revision} is on its way ({rollout.phase}), but the configuration "
            f"no longer has {rollout.service}: put it back, or see to its hosts by hand"
            for rollout in memory.rollouts
            if rollout.service not in stations and not rollout.ended
        )
        self._read_day()
        self.books.open(stations)
        return memory, stations

    def _read_day(self) -> None:
        since, before = self._clock.now() - DAY, None
        while events := self._history.events(HistoryQuery(since=since, before_id=before, limit=1_000)).events:
            self.last = self.last or next((event for event in events if event.action != "look"), None)
            self._day.extendleft((event.at, event.action) for event in events)
            before = events[-1].id

    def _station(self, service: Service, memory: Memory, docket: Docket) -> Station:
        rules = service.rules
        station = Station(
            service,
            Telemetry(service, self._fleet.apart_s),
            Panes(rules.judge.metrics, self._fleet.apart_s, rules.cycle.duration_s),
            Recorder(service, self._fleet.apart_s, offset=(crc32(service.name.encode()) % 97) / 97),
        )
        station.docket = docket
        of = [rollout for rollout in memory.rollouts if rollout.service == service.name]
        # By number, not by time: the clock may have been wrong when one of them was submitted.
        station.rollout = max(of, key=lambda rollout: rollout.number, default=None)
        settled = [rollout for rollout in of if rollout.phase is Phase.SETTLED]
        station.settled = max(settled, key=lambda rollout: rollout.number, default=None)
        station.judgement = station.rollout.judgement if station.rollout is not None else None
        station.releases = memory.releases.get(service.name, 0)
        mine = station.rollout.id if station.rollout is not None else ""
        station.open = {intent.host: intent for intent in memory.open if intent.release == mine}
        station.attempts = {key: n for key, n in memory.attempts.items() if key.startswith(f"{mine}.")}
        past = self._history.releases(service.name, PAST)
        station.past = list(past)
        for old in reversed(past):
            station.ended_as(old)
        begun = [old.submitted for old in past if old.phase not in {Phase.QUEUED, Phase.CANCELLED, Phase.SUPERSEDED}]
        station.started = sorted(begun, reverse=True)
        station.calibration = self._history.calibration(service.name)
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
        """One service's change of release, and papers; the last of `rollouts` is the one at hand."""
        extra = changes if changes is not None else Changes()
        docket = self.docket.with_papers(extra.papers)
        last = [Move(station.rollout, rollouts[-1], station.service)] if rollouts else []
        followed, told = following(last, docket, self._clock.now())
        papers = (*extra.papers, *followed)
        whole = replace(extra, rollouts=rollouts, events=(*events, *told), papers=papers)
        kept = self._history.record(whole, safe=safe)
        for rollout in rollouts:
            station.set_rollout(rollout)
        self._file(papers)
        for event in kept:
            self._note(self._stations.get(event.service, station), (event,))

    def keep_check(self, station: Station, rollout: Rollout, result: CheckResult) -> None:
        """What a staging check has found, and what follows of a load test."""
        said = f"check {result.name} {'passed' if result.passed else 'failed'}: {result.detail}"
        lines = tuple(plain(line) for line in result.output)
        event = Event(result.at, AUTO, rollout.service, rollout.id, rollout.revision, "gate", plain(said), lines)
        rule = next((rule for rule in station.service.rules.checks if rule.name == result.name), None)
        papers, told = NOTHING
        if rule is not None and rule.kind is CheckKind.LOAD:
            papers, told = load_tested(rollout, result, self.docket)
        self.keep(station, (rollout,), (event, *told), Changes(papers=papers))

    def _file(self, papers: Sequence[Paper]) -> None:
        """What was kept is true from now on, of the fleet and of each service that it is about."""
        if not papers:
            return
        self.docket = self.docket.with_papers(papers)
        for name in {name for paper in papers for name in services_of(paper)}:
            if name in self._stations:
                self._stations[name].file(paper for paper in papers if name in services_of(paper))

    def keep_decisions(self, decided: Sequence[tuple[Station, Decision]], *, safe: bool = False) -> None:
        """One tick's decisions, all or none.

        Where the history refuses them, what was seen still counts: a canary that grows worse must come to its
        rollback, which the history's reserve is for. No move and no order is taken.
        """
        try:
            self._keep_decisions(decided, safe=safe)
        except HistoryError:
            for station, decision in decided:
                if station.rollout is not None and decision.rollout.version == station.rollout.version:
                    station.rollout = decision.rollout
                    station.judgement = decision.judgement or station.judgement
                    station.show_gates(decision.gates, self._clock.now())
                    _judged(station, decision)
            raise

    def _keep_decisions(self, decided: Sequence[tuple[Station, Decision]], *, safe: bool) -> None:
        changed = [(station, decision) for station, decision in decided if decision.rollout != station.rollout]
        events = [event for _, decision in decided for event in decision.events]
        intents = [intent for _, decision in decided for intent in decision.orders]
        outcomes = [outcome for _, decision in decided for outcome in decision.closed]
        moves = [Move(station.rollout, decision.rollout, station.service) for station, decision in changed]
        papers, told = following(moves, self.docket, self._clock.now())
        unkept = [*(one for station, _ in decided for one in station.unkept), *(_new(decided))]
        changes = Changes(
            tuple(decision.rollout for _, decision in changed),
            (*events, *told),
            tuple(intents),
            tuple(outcomes),
            trials=tuple(one for one in unkept if isinstance(one, TrialRecord)),
            looks=tuple(one for one in unkept if isinstance(one, LookRecord)),
            evidence=tuple(one for one in unkept if isinstance(one, Kept)),
            papers=papers,
        )
        kept = deque(self._history.record(changes, safe=safe) if changes else ())
        for station, decision in decided:
            station.unkept, station.evidence = [], decision.evidence
            station.set_rollout(decision.rollout)
            station.show_gates(decision.gates, self._clock.now())
            station.work = decision.work
            # The look that undid a release is its last word, though its phase is judged no more.
            station.judgement = decision.judgement or decision.rollout.judgement or station.judgement
            for outcome in decision.closed:
                station.heard(outcome)
            now_s = self._clock.monotonic()
            for intent in (*decision.orders, *decision.again):
                station.told(intent, now_s)
            self._note(station, tuple(kept.popleft() for _ in decision.events))
        self._file(papers)
        for event in kept:
            self._note(self._stations[event.service], (event,))

    def keep_outcomes(self, ended: Sequence[tuple[Station, Intent, Outcome]]) -> None:
        """How operations on hosts ended; what failed is said in the history, and that one is held once."""
        if not ended:
            return
        events = tuple(
            _failed(intent, outcome)
            for station, intent, outcome in ended
            if outcome.result is not Result.DONE
            and not (outcome.result is Result.HELD and outcome.operation in station.held)
        )
        known = tuple(outcome for _, _, outcome in ended if outcome.result not in STILL_OPEN)
        kept = self._history.record(Changes(outcomes=known, events=events), safe=True)
        for station, intent, outcome in ended:
            if outcome.result in STILL_OPEN:
                station.put_off(intent, outcome)
            else:
                station.heard(outcome)
        by_service = {station.service.name: station for station, _, _ in ended}
        for event in kept:
            self._note(by_service[event.service], (event,))

    def tell_lapsed(self) -> None:
        """Papers whose time was over, or had come, since the last tick. Raises `HistoryError`."""
        now = self._clock.now()
        due = self._lapsing.due(self.docket, now)
        if not due:
            return
        for event in self._history.record(Changes(events=due)):
            if event.service in self._stations:
                self._note(self._stations[event.service], (event,))
        self._lapsing.keep(now)

    def tell_absent(self, now_s: float) -> None:
        """Hosts that have stopped answering, or answer again. Raises `HistoryError`."""
        news = []
        for station in self._stations.values():
            found, said = watched(station.absence, station.names, station.faults(), now_s, self._fleet.tick_s)
            if said:
                news.append((station, found, self._about(station, "host", said)))
            else:
                station.absence = found
        if not news:
            return
        kept = self._history.record(Changes(events=tuple(event for _, _, event in news)))
        for (station, found, _), event in zip(news, kept, strict=True):
            station.absence = found
            self._note(station, (event,))

    def _about(self, station: Station, action: str, said: str) -> Event:
        """Of its release, where one is on its way."""
        rollout = station.rollout
        release, revision = (rollout.id, rollout.revision) if rollout is not None and not rollout.ended else ("", "")
        return Event(self._clock.now(), AUTO, station.service.name, release, revision, action, plain(said, 500))

    def keep_own(self, event: Event) -> None:
        """An event of no release: a refusal, a clock that jumped."""
        for kept in self._history.record(Changes(events=(event,))):
            self._day.append((kept.at, kept.action))

    def count(self, now_s: float) -> None:
        """Close the budget slices that have ended, and keep the reports fresh. Raises `HistoryError`."""
        self.books.count(now_s)

    def record_rest(self, stations: dict[str, Station], now_s: float) -> None:
        """Keep the stretches that have ended of services whose production runs as it always does."""
        ended = []
        for station in stations.values():
            rollout = station.rollout
            if rollout is not None and not rollout.ended and rollout.phase not in BEFORE_PRODUCTION:
                station.recorder.pause()
                continue
            if not station.telemetry.measured:
                continue
            found = station.recorder.take(now_s, self._clock.now(), station.telemetry.production_readings())
            if found is not None:
                ended.append(found)
        if ended:
            self._history.record(Changes(recorded=tuple(ended)))

    def calibrate(self, station: Station, told: Calibration, who: Who) -> Receipt:
        """Keep what placebo canaries showed. Raises `HistoryError`."""
        name = station.service.name
        said = calibration_words(told)
        kept = replace(told, at=self._clock.now(), by=who.name)
        event = Event(kept.at, who, name, "", "", "placebo", said)
        receipt = Receipt(name, "", f"{name}: {said}")
        events = self._history.record(Changes(events=(event,), calibration=kept))
        station.calibration = kept
        self._note(station, events)
        return receipt

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


def _new(decided: Sequence[tuple[Station, Decision]]) -> list[TrialRecord | LookRecord | Kept]:
    """What the judge has to be kept of this tick, in its order."""
    found = (one for _, decision in decided for one in (decision.begun, decision.record, decision.kept))
    return [one for one in found if one is not None]


def _judged(station: Station, decision: Decision) -> None:
    """What was seen counts, and is kept with the next success: the newest of it, should that take too long."""
    station.evidence = decision.evidence
    station.unkept = [*station.unkept, *_new([(station, decision)])][-MOST_UNKEPT:]


def _failed(intent: Intent, outcome: Outcome) -> Event:
    if outcome.result is Result.HELD:
        detail = f"{intent.host} is not told {intent.revision} yet: {outcome.detail}"
        return Event(outcome.at, AUTO, intent.service, intent.release, intent.revision, "host", detail)
    unknown = outcome.result is Result.UNKNOWN
    word = "is not known to have taken" if unknown else "did not take"
    if is_restart(intent.operation, intent.host):
        word = "is not known to have restarted on" if unknown else "did not restart on"
    detail = f"{intent.host} {word} {intent.revision}: {outcome.detail}"
    return Event(outcome.at, AUTO, intent.service, intent.release, intent.revision, "host", detail)
