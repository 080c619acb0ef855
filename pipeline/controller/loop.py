"""The controller: observe, judge, decide, keep, act, show; and again, until it is stopped.

Level-triggered: each tick compares what is wanted with what the hosts say, so that a controller that was
killed goes on where it was. What is decided is in the history before anybody acts on it; if the history
refuses, nothing is done and nothing has changed. It talks to ports only.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import TypeVar

from pipeline.commands import SAFE, Command, Receipt, Refused, Stretch, Verb
from pipeline.controller import records
from pipeline.controller.alerting import Alerting
from pipeline.controller.behind import BACKWARD, paused
from pipeline.controller.charting import chart
from pipeline.controller.crew import Crew
from pipeline.controller.ground import NOBODY, Ground
from pipeline.controller.lapse import Lapse
from pipeline.controller.ledger import Ledger
from pipeline.controller.measuring import Measuring
from pipeline.controller.reading import Reading
from pipeline.controller.resting import rest
from pipeline.controller.roster import changed, same
from pipeline.controller.tailing import Tailing
from pipeline.controller.usage import Usage
from pipeline.events import AUTO, Event, Who
from pipeline.gates import Answer, Gate
from pipeline.judge.evidence import Evidence
from pipeline.judge.look import Calibration, Recorded
from pipeline.judge.trial import Judge
from pipeline.lifecycle import Rollout
from pipeline.model import Fleet
from pipeline.ports import Alerts, Changes, Checks, Clock, History, HistoryError, HostFleet, Inventory, Logs, Metrics
from pipeline.premises import Premises
from pipeline.release.decide import Decision, decide
from pipeline.release.facts import Facts
from pipeline.release.holds import drifted, otherwise
from pipeline.release.looking import begins
from pipeline.release.requests import take
from pipeline.service.station import Station
from pipeline.showing.present import row
from pipeline.showing.proposals import foretold, propose
from pipeline.showing.service_page import page
from pipeline.situation import Situation
from pipeline.text import plain
from pipeline.view import FleetView, Proposal, ServiceView

T = TypeVar("T")


class Controller(Reading):
    """Runs every service's releases; a `Desk` to its API."""

    def __init__(
        self,
        fleet: Fleet,
        *,
        hosts: HostFleet,
        metrics: Metrics,
        checks: Checks,
        history: History,
        clock: Clock,
        judge: Judge[Evidence],
        rng: Random,
        inventory: Inventory | None = None,
        logs: Logs | None = None,
        alerts: Alerts | None = None,
        usage: Usage | None = None,
    ) -> None:
        self._company, self._judge, self._rng = fleet, judge, rng
        self._hosts, self._metrics = hosts, Measuring(metrics, fleet, clock)
        self._usage = usage if usage is not None else Usage(history, clock)
        ledger, ground = Ledger(fleet, history, clock), Ground(fleet, history, clock, self._usage)
        super().__init__(history, ledger, ground, Tailing(logs, clock))
        self._clock = clock
        self._crew = Crew(hosts, checks, clock)
        self._alerting = Alerting(alerts, clock)
        self._inventory = inventory
        self._unsound: tuple[str, ...] = ()
        """What is wrong with hosts that were found."""
        self._holds: tuple[Gate, ...] = ()
        self._failed: tuple[Gate, ...] = ()
        """Of this round: they hold in the next one, too."""
        self._lapse = Lapse(clock, fleet.tick_s)
        self._wake, self._changed = asyncio.Event(), asyncio.Event()
        self._stopping = False
        self._view = FleetView(clock.now(), 0, fleet.tick_s, ())
        self.token = 0

    async def run(self) -> None:
        """Tick until `stop`. Raises `HistoryError` if the history cannot be read at the start."""
        self.begin()
        while not self._stopping:
            self._wake.clear()
            began_s = self._clock.monotonic()
            await self.tick()
            await rest(self._clock, self._wake, began_s + self._company.tick_s, self._ledger.books.catch_up)
        self._try(lambda: self._usage.keep(self._stations, whole=True))
        await self._crew.leave()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()

    def begin(self) -> None:
        """Read the history and stand where the last controller stood. Raises `HistoryError`."""
        memory, self._stations = self._ledger.open()
        self._ground.stand(self._stations)
        self.token = memory.token
        for station in self._stations.values():
            resume = partial(records.resumed, self._history, station, self._judge, self._company.apart_s)
            station.evidence = self._guarded(station, resume)
        late_s = (memory.newest - self._clock.now()).total_seconds() if memory.newest is not None else 0.0
        if memory.newest is not None and late_s > self._company.tick_s:
            for station, waits, event in paused(self._stations.values(), memory.newest, self._clock.now()):
                self._ledger.keep(station, (waits,), (event,))

    async def tick(self) -> None:
        """One round over the whole fleet."""
        self._holds, self._failed = self._failed, ()
        for station in self._stations.values():
            station.fault = ""
        self._try(self._collect)
        self._try(self._rehost)
        self._try(self._ledger.tell_lapsed)
        await self._observe()
        elapsed_s = self._elapsed_s()
        now_s = self._clock.monotonic()
        self._try(lambda: self._ledger.tell_absent(now_s))
        going = [station for station in self._stations.values() if station.active]
        going_back = [station for station in going if station.rollout and station.rollout.phase in BACKWARD]
        slots = max(self._company.actions_at_once - len(self._crew.out), 0)
        decided = []
        coming: dict[str, Rollout] = {}
        for station in (*going_back, *(station for station in going if station not in going_back)):
            decision = self._decide(station, now_s, elapsed_s, slots, coming)
            if decision is not None:
                slots = max(slots - len(decision.orders), 0)
                decided.append((station, decision))
                coming[station.service.name] = decision.rollout
        for backward in (True, False):
            batch = [pair for pair in decided if (pair[1].rollout.phase in BACKWARD) is backward]
            self._try(partial(self._carry_out, batch, safe=backward))
        self._try(lambda: self._ledger.count(now_s))
        self._try(lambda: self._ledger.record_rest(self._stations, now_s))
        self._try(lambda: self._usage.keep(self._stations))
        for station in self._stations.values():
            if station.telemetry.measured:
                self._guarded(station, partial(chart, station, now_s))
                self._guarded(station, partial(self._usage.observe, station))
        self._show()

    def _elapsed_s(self) -> float:
        """Since the last tick, by the monotonic clock; where the wall clock went another way, that is recorded."""
        elapsed_s, said = self._lapse.since()
        if said:
            self._try(lambda: self._ledger.keep_own(Event(self._clock.now(), AUTO, "", "", "", "clock", said)))
        return elapsed_s

    def _guarded(self, station: Station, work: Callable[[], T]) -> T | None:
        """A fault of ours about one service holds that service; the others go on, and someone is told."""
        try:
            done = work()
        except Exception as fault:  # noqa: BLE001 - one service's fault must not end every service's rollback
            station.fault = plain(f"pithead itself failed: {type(fault).__name__}: {fault}")
            return None
        return done

    def _try(self, keep: Callable[[], None]) -> None:
        """What the history refuses has not happened; forward moves hold until it takes again.

        So they do after a fault of ours that is no one service's: the rounds go on, and with them every rollback.
        """
        try:
            keep()
        except HistoryError as error:
            self._holds = (Gate("history", Answer.UNKNOWN, str(error), lifts="when it can be written again"),)
        except Exception as fault:  # noqa: BLE001 - a controller that ends rolls nothing back
            why = plain(f"pithead itself failed: {type(fault).__name__}: {fault}")
            self._failed = (Gate("controller", Answer.UNKNOWN, why, lifts="when a round succeeds"),)
            self._holds = (*self._holds, *self._failed)

    def _collect(self) -> None:
        """Take in what has ended, before the hosts are asked anew.

        An outcome taken in later would meet the host's answer from before, and the host be told again.
        """
        ended = self._crew.ended()
        self._ledger.keep_outcomes(ended)
        self._crew.back(ended)
        now_s = self._clock.monotonic()
        for station, release, result in self._crew.answered():
            station.checked_s[result.name] = now_s
            changed = station.with_check(release, result)
            if changed is not None:
                self._ledger.keep_check(station, changed, result)

    def _rehost(self) -> None:
        """Take in hosts that have come, gone or moved."""
        if self._inventory is None:
            return
        roster = self._inventory.roster()
        self._unsound = roster.problems
        for name, station in self._stations.items():
            found = roster.services.get(name)
            if found is None or same(found, station.service):
                continue
            rollout = station.rollout
            release, revision = (rollout.id, rollout.revision) if rollout is not None else ("", "")
            said = plain(changed(station.service, found, rollout), 500)
            event = Event(self._clock.now(), AUTO, name, release, revision, "hosts", said)
            self._ledger.keep(station, (), (event,) if said else ())
            station.rehost(found)

    async def _observe(self) -> None:
        hosts = [host for station in self._stations.values() for host in station.service.hosts]
        timeout_s = self._company.host_timeout_s
        seen, readings = await asyncio.gather(
            self._hosts.states(hosts, timeout_s), self._metrics.readings(hosts, timeout_s, self._stations)
        )
        now_s = self._clock.monotonic()
        self._alerting.look()
        for station in self._stations.values():
            mine = {name: seen[name] for name in station.names if name in seen}
            measured = None if readings is None else {n: readings[n] for n in station.names if n in readings}
            self._guarded(station, partial(station.telemetry.observe, now_s, mine, measured))
            station.firing = self._alerting.of(station.service.name)
            station.drift = drifted(station.service, station.rollout, station.stable, station.telemetry)

    def _decide(
        self, station: Station, now_s: float, elapsed_s: float, slots: int, coming: Mapping[str, Rollout]
    ) -> Decision | None:
        assert station.rollout is not None  # noqa: S101 - an active station has one
        past: tuple[Recorded, ...] = ()
        if begins(station.evidence, station.rollout):
            past = self._guarded(station, partial(records.past, self._history, station, self._clock.now())) or ()
        facts = Facts(
            service=station.service,
            rollout=station.rollout,
            stable=station.stable,
            telemetry=station.telemetry,
            journal=station.journal(self._crew.out),
            started=tuple(station.started),
            last=station.judgement,
            holds=self._holds,
            due=station.due(now_s),
            now=self._clock.now(),
            now_s=now_s,
            elapsed_s=elapsed_s,
            look_s=self._metrics.look_s,
            evidence=station.evidence,
            past=past,
            apart_s=self._company.apart_s,
            slots=slots,
            firing=station.firing,
            premises=self._premises(station, coming),
        )
        decision = self._guarded(station, lambda: decide(facts, self._judge))
        if decision is None:
            lifts = "when the next look succeeds; rolling back by hand may be needed"
            station.show_gates((Gate("controller", Answer.UNKNOWN, station.fault, lifts=lifts),), self._clock.now())
        return decision

    def _carry_out(self, decided: Sequence[tuple[Station, Decision]], *, safe: bool) -> None:
        self._ledger.keep_decisions(decided, safe=safe)
        for station, decision in decided:
            self._crew.act(station, decision, self.token)

    def _show(self) -> None:
        """Make the newest view; rows that say the same stay the same objects."""
        now, now_s = self._clock.now(), self._clock.monotonic()
        self._ground.next_tick(self._holds)
        for station in self._stations.values():
            self._guarded(station, partial(self._ground.keep_up, station))
            fresh = self._guarded(station, partial(row, station, now, now_s))
            if fresh is not None and fresh != station.row:
                station.row = fresh
        self._view = FleetView(
            at=now,
            sequence=self._view.sequence + 1,
            tick_s=self._company.tick_s,
            services=tuple(station.row for station in self._stations.values() if station.row is not None),
            last=self._ledger.last,
            notices=self._notices(),
            day=self._ledger.day(),
        )
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _notices(self) -> tuple[str, ...]:
        """What is wrong with the controller itself."""
        faults = (f"{station.service.name}: {station.fault}" for station in self._stations.values() if station.fault)
        holds = (f"{gate.name}: {gate.why}" for gate in self._holds)
        return (*holds, *self._ledger.lost, *(f"hosts: {problem}" for problem in self._unsound), *faults)

    def fleet(self) -> FleetView:
        return self._view

    def service(self, name: str) -> ServiceView:
        station = self._known(name, name)
        self._metrics.shown(name)
        return page(station, self._clock.now(), self._clock.monotonic(), self._company.tick_s)

    async def newer(self, sequence: int) -> None:
        while self._view.sequence <= sequence:
            await self._changed.wait()

    def propose(self, verb: Verb, service: str, about: Stretch | None = None) -> Proposal:
        station = self._known(service, f"{verb} {plain(service, 60)}")
        situation = self._situation(station)
        would_change = partial(self._ledger.books.if_approved, station)
        return foretold(propose(verb, station, situation), situation, about, would_change)

    def refilled(self, services: Iterable[str]) -> None:
        """The history has got slices of theirs from elsewhere."""
        self._ledger.books.refilled(services)

    def calibrate(self, calibration: Calibration, who: Who, *, read_only: bool) -> Receipt:
        what = f"calibrate {plain(calibration.service, 60)}"
        if read_only:
            raise Refused(what, "this line is read-only", "ask on the controller's read-write socket")
        station = self._known(calibration.service, what)
        try:
            return self._ledger.calibrate(station, calibration, who)
        except HistoryError as error:
            raise Refused(what, f"it cannot be recorded: {error}", "mend the history, then ask again") from error

    def command(self, command: Command, who: Who, *, read_only: bool) -> Receipt:
        """Take the command and act on it at once, or raise `Refused`; either way it is in the history."""
        try:
            return self._command(command, who, read_only=read_only)
        except Refused as no:
            self._denied(command, who, no)
            raise

    def _command(self, command: Command, who: Who, *, read_only: bool) -> Receipt:
        what = f"{command.verb} {plain(command.service, 60)}"
        if read_only:
            raise Refused(what, "this line is read-only", "ask on the controller's read-write socket")
        station = self._known(command.service, what)
        try:
            first = self._history.receipt(command.request) if command.request else None
            if first is not None:
                return first
            taken = take(command, self._situation(station), who)
            kept = Changes(request=command.request, receipt=taken.receipt, papers=taken.papers)
            self._ledger.keep(station, taken.rollouts, (taken.event, *taken.more), kept, safe=command.verb in SAFE)
        except HistoryError as error:
            raise Refused(what, f"it cannot be recorded: {error}", "mend the history, then ask again") from error
        self._show()
        self._wake.set()
        return taken.receipt

    def _denied(self, command: Command, who: Who, no: Refused) -> None:
        known = self._stations.get(command.service)
        rollout = known.rollout if known is not None else None
        name = command.service if known is not None else ""
        detail = plain(f"{no.what}: {no.why}")
        release, revision = (rollout.id, rollout.revision) if rollout is not None else ("", "")
        event = Event(self._clock.now(), who, name, release, revision, "denied", detail)
        self._try(lambda: self._ledger.keep_own(event))

    def _situation(self, station: Station) -> Situation:
        return Situation(
            station.service,
            station.rollout,
            station.stable,
            station.gates,
            station.releases,
            station.settled,
            station.undone,
            station.available(),
            self._clock.now(),
            self._rng.getrandbits(32),
            self._ledger.docket,
            self._stations.keys(),
            self._premises(station),
            tuple(station.started),
            otherwise(station.service, station.rollout, station.stable, station.telemetry),
            self._ground.sharing,
        )

    def _premises(self, station: Station, coming: Mapping[str, Rollout] = NOBODY) -> Premises:
        """Where they cannot be worked out, little is known: that holds what goes forward, never a rollback."""
        found = self._guarded(station, partial(self._ground.premises, station, coming))
        return found if found is not None else Premises(station.docket, stable=station.stable)
