"""A service's year, lived through slice by slice in the controller's own books, gates and history.

Only the ticks are left out: what they would have seen is told to the telemetry in one stretch, up to the next instant
at which something happens.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from world import make_hosts
from year_plan import BEGIN, DAY, END, HOUR, ZONE, Attempt, Paper, Plan

from adapters.history.reserve import Reserve
from adapters.history.sqlite import SqliteHistory
from pipeline.commands import Command, Refused, Verb
from pipeline.controller.ground import Ground
from pipeline.controller.ledger import Ledger
from pipeline.events import AUTO, Event, Who
from pipeline.lifecycle import Phase, Rollout
from pipeline.model import BudgetRules, Fleet, FrequencyRules, Rules, Service
from pipeline.ports import Changes
from pipeline.release.requests import take
from pipeline.service.station import Station
from pipeline.signals import Sample
from pipeline.situation import Situation
from pipeline.slo.report import BudgetReport
from pipeline.slo.rules import CoverageRules, PaybackRules
from pipeline.slo.slices import Slice
from pipeline.view import Deploy, GateReport

RPS = 10
NAME = "checkout"
ANA, BEN = Who("ana", 1001), Who("ben", 1002)
GOES = frozenset({Deploy.OK, Deploy.WARN})


class HandClock:
    def __init__(self, at: datetime) -> None:
        self.wall = at

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return 1_000.0 + (self.wall - BEGIN).total_seconds()

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def a_service(plan: Plan) -> Service:
    budget = BudgetRules(Decimal(plan.target), slice_s=plan.slice_s)
    rules = Rules(
        budget=budget,
        payback=PaybackRules(timezone=ZONE),
        coverage=CoverageRules(silent_s=2.0 * plan.slice_s),
        frequency=FrequencyRules(per_day=2),
    )
    return Service(NAME, make_hosts(2, 1), "r0", rules=rules)


Told = tuple[BudgetReport | None, tuple[str, ...]]
"""What the controller had to say: its budgets, and the releases so far."""


@dataclass
class Year:
    """One way through it."""

    plan: Plan
    path: Path
    """Of its history."""
    stops: Collection[datetime]
    """Whole hours at which it is asked what it has to say."""
    restarted: bool = False
    """At each stop the controller ends, and the next one knows nothing but the file; or it is the same all the year."""
    released: list[str] = field(default_factory=list)
    asked: list[GateReport] = field(default_factory=list)
    """Every answer to "may it release?"."""
    refused: list[Refused | None] = field(default_factory=list)
    started: int = 0

    def __post_init__(self) -> None:
        self.clock, self.service = HandClock(BEGIN), a_service(self.plan)
        self.history = self._opened()
        self._papers: dict[int, str] = {}
        self._down = list(self.plan.outages)
        self._boot()

    def _opened(self) -> SqliteHistory:
        return SqliteHistory(self.path, self.clock, reserve=Reserve(Path(f"{self.path}.reserve"), 4_096))

    def _boot(self) -> None:
        self.started += 1
        fleet = Fleet({NAME: self.service}, tick_s=5.0)
        self.ledger, self.ground = Ledger(fleet, self.history, self.clock), Ground(fleet, self.history, self.clock)
        _, stations = self.ledger.open()
        self.ground.stand(stations)
        self.station: Station = stations[NAME]
        self.station.telemetry.begun_at_s = self.clock.monotonic()

    def run(self, end: datetime = END) -> Iterator[tuple[datetime, Told]]:
        """Hand out what is said after every step."""
        events = iter([*self.plan.events, (END + DAY, Attempt(0))])
        at, event = next(events)
        filled = [(gap[1] + HOUR, gap) for gap in sorted(self.plan.gaps, key=lambda gap: gap[1])]
        while self.clock.now() < end:
            now = self.clock.now()
            if self.restarted and now in self.stops:
                self.history.close()
                self.history = self._opened()
                self._boot()
                self._tick()
                yield now, self._told()
            upto = min(self._edge(now), at, *(when for when, _ in filled if when > now), self._hour(now))
            self._live(now, upto)
            while at <= upto:
                self._happens(event)
                at, event = next(events)
            for when, gap in filled:
                if now < when <= upto:
                    self._fill(*gap)
            yield upto, self._told()

    def _told(self) -> Told:
        return self.station.report, tuple(self.released)

    def _hour(self, now: datetime) -> datetime:
        """The next stop, or midnight."""
        whole = now.replace(minute=0, second=0, microsecond=0) + HOUR
        while whole not in self.stops and whole.hour:
            whole += HOUR
        return whole

    def _edge(self, now: datetime) -> datetime:
        edges = (edge for span in (*self._down, *self.plan.gaps) for edge in span if edge > now)
        return min(edges, default=END)

    def _live(self, now: datetime, upto: datetime) -> None:
        """What the ticks in between would have seen."""
        self.clock.wall = upto
        telemetry, seconds = self.station.telemetry, (upto - now).total_seconds()
        if not any(start <= now < end for start, end in self.plan.gaps):
            hosts = [host.name for host in self.service.production]
            bad = RPS * seconds * self._is_down(now)
            telemetry.samples = {name: Sample(seconds) for name in hosts}
            counters = {"requests": RPS * seconds, "errors": bad}
            telemetry.total = Sample(seconds * len(hosts), counters)
        self._tick()

    def _tick(self) -> None:
        self.ledger.count(self.clock.monotonic())
        # What it saw is counted once.
        self.station.telemetry.samples, self.station.telemetry.total = {}, Sample()

    def _is_down(self, at: datetime) -> bool:
        return any(start <= at < end for start, end in self._down)

    def _happens(self, event: Attempt | Paper) -> None:
        if isinstance(event, Paper):
            self._file(event)
            self._tick()
        else:
            self._attempt(event)

    def _attempt(self, wanted: Attempt) -> None:
        now, station = self.clock.now(), self.station
        said = self.ground.admitted(station)
        self.asked.append(said)
        self.refused.append(self._refused())
        if said.deploy not in GOES:
            return
        number = station.releases + 1
        queued = Rollout(f"{NAME}-{number}", NAME, f"r{number}", station.stable, Phase.QUEUED, now, 1, "ana", now, 1)
        steps = tuple(replace(queued, phase=phase) for phase in (Phase.QUEUED, Phase.STAGING_DEPLOY, Phase.SETTLED))
        event = Event(now, AUTO, NAME, queued.id, queued.revision, "settled", "")
        self.ledger.keep(station, steps, (event,))
        self.released.append(f"{now} {queued.revision}")
        if wanted.breaks_s:
            self._down.append((now, now + timedelta(seconds=wanted.breaks_s)))

    def _refused(self) -> Refused | None:
        """What the verb would say."""
        try:
            take(Command(Verb.SUBMIT, NAME, "", "next"), self._situation(), ANA)
        except Refused as no:
            return no
        return None

    def _file(self, paper: Paper) -> None:
        who = ANA if paper.verb is Verb.CORRECT else BEN
        asks = paper.verb is Verb.CORRECT
        command = Command(
            paper.verb,
            NAME,
            "",
            reason="the provider's",
            subject=paper.kind if asks else self._papers[paper.number],
            start=paper.start if asks else None,
            end=paper.end if asks else None,
            evidence="T-1",
        )
        taken = take(command, self._situation(), who)
        if asks:
            self._papers[paper.number] = taken.papers[0].id
        self.ledger.keep(self.station, (), (taken.event,), Changes(papers=taken.papers))

    def _situation(self) -> Situation:
        station = self.station
        return Situation(
            self.service,
            station.rollout,
            station.stable,
            station.gates,
            station.releases,
            station.settled,
            station.undone,
            frozenset(),
            self.clock.now(),
            1,
            self.ledger.docket,
            {NAME},
            self.ground.premises(station),
        )

    def _fill(self, start: datetime, end: datetime) -> None:
        """What the metrics server remembers of a gap."""
        length_s = self.service.rules.budget.slice_s
        length = timedelta(seconds=length_s)
        found = []
        while start < end:
            down = self._is_down(start + length / 2)
            total = RPS * length_s
            found.append(Slice(NAME, start, total, total * down, "availability", True, length_s, down))
            start += length
        self.history.record(Changes(slices=tuple(found)))
        self.ledger.books.refilled([NAME])
        self._tick()

    @property
    def whole(self) -> BudgetReport:
        """All about its budgets, with the burn-downs."""
        return self.ledger.books.whole(self.station)
