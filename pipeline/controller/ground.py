"""The ground that decisions stand on: each service's premises, its readiness, and whether it may release now.

Worked out when something has changed or has grown old, spread over the ticks, never for the whole fleet at once.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from zlib import crc32

from pipeline.controller.usage import Usage, build_of
from pipeline.docket import Docket
from pipeline.gates import Gate
from pipeline.lifecycle import Rollout
from pipeline.model import Fleet
from pipeline.ports import Clock, History, HistoryError
from pipeline.premises import Premises
from pipeline.readiness.checklist import checklist
from pipeline.readiness.past import MONTH, Past, past
from pipeline.readiness.report import ReadinessReport
from pipeline.readiness.use import day_of
from pipeline.release.admission import admission
from pipeline.service.readiness_facts import Lacking, gathered, lacking
from pipeline.service.station import Station
from pipeline.service.unhealthy import unhealthy
from pipeline.view import GateReport

ADMITTED_S = 30.0
"""How old the answer to "may it release?" may grow while nothing has changed."""
READY_S, BOUND_S = 60.0, 5.0
"""How old a checklist may grow; one that holds releases is worked out sooner."""
PAST_S = 900.0
AVAILABILITY = "availability"
MOST_READS = 20
"""Of the history, in one tick: a fleet that has just started must not wait for them all."""
NOBODY: Mapping[str, Rollout] = {}


@dataclass(frozen=True, slots=True)
class _Ready:
    at_s: float
    docket: Docket
    report: ReadinessReport


class Ground:
    def __init__(self, fleet: Fleet, history: History, clock: Clock, usage: Usage | None = None) -> None:
        self._history, self._clock = history, clock
        self._usage = usage if usage is not None else Usage(history, clock)
        self.sharing, self._needed = _neighbours(fleet)
        """`sharing`: by service, those that share its staging."""
        self._stations: Mapping[str, Station] = {}
        self._ready: dict[str, _Ready] = {}
        self._lacking: dict[str, Lacking] = {}
        self._pasts: dict[str, tuple[float, Past]] = {}
        """By service: its last weeks, and when they were summed up."""
        self._asked: dict[str, tuple[float, tuple[object, ...]]] = {}
        """By service: when admission was asked last, and what it rested on."""
        self._holds: tuple[Gate, ...] = ()
        self._reads = MOST_READS

    def stand(self, stations: Mapping[str, Station]) -> None:
        """On what the history has."""
        self._stations = stations

    def next_tick(self, holds: tuple[Gate, ...]) -> None:
        """`holds`: the controller's own gates."""
        self._holds, self._reads = holds, MOST_READS

    def premises(self, station: Station, decided: Mapping[str, Rollout] = NOBODY) -> Premises:
        """`decided`: releases of other services as this tick's decisions have them, not kept yet."""
        name, now_s, now = station.service.name, self._clock.monotonic(), self._clock.now()
        sharing = self.sharing.get(name, frozenset())
        begun_s = station.telemetry.begun_at_s
        station.ready = self.ready(station)
        related = self._on_their_way((*sharing, *self._needed.get(name, ())), decided)
        return Premises(
            docket=self._docket(station, sharing),
            budget=station.report,
            readiness=station.ready,
            related=related,
            unhealthy=unhealthy(station),
            stable=station.stable,
            settled=station.settled,
            sharing=frozenset(related).intersection(sharing),
            measured=None if begun_s is None else now - timedelta(seconds=max(now_s - begun_s, 0.0)),
        )

    def _on_their_way(self, names: tuple[str, ...], decided: Mapping[str, Rollout]) -> Mapping[str, Rollout]:
        found = {}
        for name in names:
            rollout = decided.get(name) or (self._stations[name].rollout if name in self._stations else None)
            if rollout is not None and not rollout.ended:
                found[name] = rollout
        return found

    def _docket(self, station: Station, sharing: frozenset[str]) -> Docket:
        """Its own papers, and reservations of what shares its staging."""
        theirs = {
            one.id: one
            for name in sharing
            if name in self._stations
            for one in self._stations[name].docket.reservations
        }
        if not theirs:
            return station.docket
        ours = {one.id: one for one in station.docket.reservations}
        return replace(station.docket, reservations=tuple({**theirs, **ours}.values()))

    def ready(self, station: Station) -> ReadinessReport:
        """The checklist, not older than it may be."""
        name, now_s = station.service.name, self._clock.monotonic()
        known = self._ready.get(name)
        most_s = BOUND_S if known is not None and known.report.binding and known.report.missing else READY_S
        build = build_of(station)
        same = known is not None and known.docket is station.docket and known.report.build == build
        if known is not None and same and now_s - known.at_s < most_s:
            return known.report
        found = lacking(station.service, station.telemetry)
        if found is not None:
            self._lacking[name] = found
        seen = self._usage.seen(station)
        facts = gathered(station, self._past(name, now_s), self._lacking.get(name), build, seen)
        papers = station.docket
        report = checklist(station.service, papers.attestations, papers.load_tests, facts, self._clock.now(), papers.ci)
        self._ready[name] = _Ready(now_s, papers, report)
        return report

    def _past(self, service: str, now_s: float) -> Past:
        """Of the last weeks; nothing where the history cannot be read."""
        at_s, known = self._pasts.get(service, (None, Past()))
        if self._reads <= 0 or (at_s is not None and now_s - at_s < PAST_S):
            return known
        self._reads -= 1
        now = self._clock.now()
        try:
            hours = [hour for hour in self._history.hours(now - MONTH, service) if hour.slo == AVAILABILITY]
            measured = self._history.measured(service, AVAILABILITY)
            uses = self._history.uses(service, day_of(now - MONTH))
            callers = self._history.callers(service, now - MONTH)
        except HistoryError:
            return known
        found = past(hours, measured[0] if measured is not None else None, now, uses, callers)
        self._pasts[service] = (now_s, found)
        return found

    def admitted(self, station: Station) -> GateReport:
        """May it release now? Asked anew."""
        name, now = station.service.name, self._clock.now()
        self._asked[name] = (self._clock.monotonic(), self._rests_on(station))
        # Should it fail, nothing is known: an old answer must not stand as a new one.
        station.admission = None
        station.admission = admission(
            station.service,
            station.rollout,
            station.gates,
            self.premises(station),
            tuple(station.started),
            now,
            station.drift,
            self._holds,
        )
        if _at_rest(station):
            station.show_gates(station.admission.gates, now)
            station.admission = replace(station.admission, gates=station.gates)
        return station.admission

    def keep_up(self, station: Station) -> None:
        """Ask anew where something has changed, or the answer has grown old."""
        name, now_s = station.service.name, self._clock.monotonic()
        asked_s, rested_on = self._asked.get(name, (None, ()))
        if asked_s is None or rested_on != self._rests_on(station) or now_s - asked_s >= ADMITTED_S:
            self.admitted(station)
            if asked_s is None:
                # From here on each service has a moment of its own.
                spread_s = ADMITTED_S * (crc32(name.encode()) % 97) / 97
                self._asked[name] = (now_s - spread_s, self._asked[name][1])
        elif station.admission is not None and _at_rest(station):
            station.gates = station.admission.gates

    def _rests_on(self, station: Station) -> tuple[object, ...]:
        rollout = station.rollout
        drift = station.drift.answer if station.drift is not None else None
        on_its_way = station.gates if not _at_rest(station) else ()
        version = (rollout.id, rollout.version) if rollout is not None else ()
        return (version, id(station.docket), drift, self._holds, on_its_way, station.service.findings)


def _at_rest(station: Station) -> bool:
    return station.rollout is None or station.rollout.ended


def _neighbours(fleet: Fleet) -> tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]:
    """By service: those that share its staging, whichever of them says so; and its hard dependencies here."""
    sharing: dict[str, set[str]] = defaultdict(set)
    needed: dict[str, frozenset[str]] = {}
    for name, service in fleet.services.items():
        for other in service.rules.staging.related:
            if other in fleet.services and other != name:
                sharing[name].add(other)
                sharing[other].add(name)
        hard = {one.name for one in service.rules.staging.dependencies if one.hard and one.name in fleet.services}
        needed[name] = frozenset(hard - {name})
    return {name: frozenset(others) for name, others in sharing.items()}, needed
