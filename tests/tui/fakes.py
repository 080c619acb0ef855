"""`FakeRoom`: a small controller in memory, as a front end sees it. `FrozenClock`: time that moves when told to."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pipeline.commands import Command, Receipt, Refused, Stretch, Verb
from pipeline.docket import Docket
from pipeline.events import Event
from pipeline.judge.look import Calibration, LookRecord, Recorded
from pipeline.judge.trial import TrialRecord
from pipeline.logs import LogPage
from pipeline.model import Service
from pipeline.ports import ControllerLost
from pipeline.readiness.report import ReadinessReport
from pipeline.slo.report import BudgetReport
from pipeline.view import Asks, FleetView, GateReport, HistoryPage, HistoryQuery, Proposal, ServiceRow, ServiceView

T = TypeVar("T")
NOW = datetime(2026, 1, 9, 14, 7, 31, tzinfo=UTC)


class FrozenClock:
    """`pipeline.ports.Clock` that stands still until `advance`."""

    def __init__(self, at: datetime = NOW) -> None:
        self._at = at
        self._passed = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._at + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return 1_000.0 + self._passed

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self._passed + seconds, woken))
        await woken.wait()

    def advance(self, seconds: float) -> None:
        self._passed += seconds
        for until, woken in self._sleepers:
            if until <= self._passed:
                woken.set()
        self._sleepers = [each for each in self._sleepers if not each[1].is_set()]


class FakeRoom:
    """`pipeline.ports.ControlRoom`: shows what it is given, keeps what it is sent, and can be lost."""

    def __init__(
        self,
        fleet: FleetView | None = None,
        services: Mapping[str, ServiceView] | None = None,
        events: tuple[Event, ...] = (),
        *,
        read_only: bool = False,
    ) -> None:
        self.read_only = read_only
        self.services = dict(services or {})
        self.events = events
        """Newest first."""
        self.sent: list[Command] = []
        self.proposals: dict[tuple[Verb, str], Proposal] = {}
        """What `propose` answers; a plain one is made up for the rest."""
        self.refusal: Refused | None = None
        """What `send` and `calibrate` answer instead of taking what they are given."""
        self.trials: dict[tuple[str, int], TrialRecord] = {}
        """By release and wave, the newest of a service last."""
        self.looked: dict[tuple[str, int], tuple[LookRecord, ...]] = {}
        """Oldest first."""
        self.past: dict[str, tuple[Recorded, ...]] = {}
        self.configuration: dict[str, Service] = {}
        self.calibrations: list[Calibration] = []
        self.logged: dict[str, LogPage] = {}
        self.asked_logs: list[tuple[str, int, str]] = []
        self.budgets: dict[str, BudgetReport] = {}
        self.asked_budgets: list[str] = []
        self.checklists: dict[str, ReadinessReport] = {}
        self.gate_reports: dict[str, GateReport] = {}
        self.papers = Docket()
        self.page = 500
        """Looks or stretches in one answer, at most."""
        self._fleet = fleet
        self._lost = ""
        self._changed = asyncio.Event()

    def publish(self, fleet: FleetView) -> None:
        self._fleet = fleet
        self._tell()

    def publish_service(self, view: ServiceView) -> None:
        self.services[view.row.name] = view
        self._tell()

    def lose(self, why: str = "no answer in 2 s") -> None:
        self._lost = why
        self._tell()

    def restore(self) -> None:
        self._lost = ""
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _check(self) -> None:
        if self._lost:
            raise ControllerLost(self._lost)

    async def fleet(self) -> AsyncIterator[FleetView]:
        shown: FleetView | None = None
        while True:
            changed = self._changed
            self._check()
            if self._fleet is not None and self._fleet is not shown:
                shown = self._fleet
                yield shown
            else:
                await changed.wait()

    async def service(self, name: str) -> AsyncIterator[ServiceView]:
        shown: ServiceView | None = None
        while True:
            changed = self._changed
            self._check()
            view = self.services.get(name)
            if view is None:
                raise Refused(name, "no such service", "see the fleet for those there are")
            if view is not shown:
                shown = view
                yield shown
            else:
                await changed.wait()

    async def history(self, query: HistoryQuery) -> HistoryPage:
        self._check()
        found = [event for event in self.events if _matches(event, query)]
        older = [event for event in found if query.before_id is None or event.id < query.before_id]
        return HistoryPage(tuple(older[: query.limit]), len(found))

    async def propose(self, verb: Verb, service: str, about: Stretch | None = None) -> Proposal:
        self._check()
        row = self._row(service)
        made_up = Proposal(
            verb, service, row.release, row.version, f"{verb} {service}?", (("what", row.why),), True, Asks.YES
        )
        return self.proposals.get((verb, service), made_up)

    async def send(self, command: Command) -> Receipt:
        self._check()
        self.sent.append(command)
        if self.refusal is not None:
            raise self.refusal
        if self.read_only:
            raise Refused(f"{command.verb} {command.service}", "this line is read-only", "use a read-write one")
        return Receipt(command.service, command.release, f"{command.service}: {command.verb} taken")

    async def trial(self, service: str, release: str = "", wave: int = 0) -> TrialRecord:
        self._check()
        newest = [name for name, _ in self.trials if name.rpartition("-")[0] == service]
        record = self.trials.get((release or next(reversed(newest), ""), wave))
        if record is None:
            raise Refused(release or service, "nothing was judged of it", "see pithead history")
        return record

    async def looks(self, release: str, wave: int, after: int = 0, limit: int = 500) -> tuple[LookRecord, ...]:
        self._check()
        newer = [record for record in self.looked.get((release, wave), ()) if record.number > after]
        return tuple(newer[: min(limit, self.page)])

    async def recorded(self, service: str, since: datetime, limit: int = 500) -> tuple[Recorded, ...]:
        self._check()
        self._row(service)
        newer = [each for each in self.past.get(service, ()) if each.at > since]
        return tuple(newer[: min(limit, self.page)])

    async def configured(self, service: str) -> Service:
        self._check()
        found = self.configuration.get(service)
        if found is None:
            raise Refused(service, "no such service", "see the fleet for those there are")
        return found

    async def logs(self, service: str, lines: int, host: str = "") -> LogPage:
        self._check()
        self.asked_logs.append((service, lines, host))
        found = self.logged.get(service)
        if found is None:
            raise Refused(f"logs {service}", "no such service", "see the fleet for those there are")
        return found

    async def budget(self, service: str) -> BudgetReport:
        self._check()
        self.asked_budgets.append(service)
        return _known(self.budgets, service)

    async def readiness(self, service: str) -> ReadinessReport:
        self._check()
        return _known(self.checklists, service)

    async def gate(self, service: str) -> GateReport:
        self._check()
        return _known(self.gate_reports, service)

    async def docket(self, service: str = "") -> Docket:
        self._check()
        return self.papers

    async def calibrate(self, calibration: Calibration) -> Receipt:
        self._check()
        if self.refusal is not None:
            raise self.refusal
        if self.read_only:
            raise Refused(f"calibrate {calibration.service}", "this line is read-only", "use a read-write one")
        self.calibrations.append(calibration)
        return Receipt(calibration.service, "", f"{calibration.service}: calibration kept")

    def _row(self, service: str) -> ServiceRow:
        for row in self._fleet.services if self._fleet else ():
            if row.name == service:
                return row
        raise Refused(service, "no such service", "see the fleet for those there are")


def _known(answers: Mapping[str, T], service: str) -> T:
    found = answers.get(service)
    if found is None:
        raise Refused(service, "no such service", "see the fleet for those there are")
    return found


def _matches(event: Event, query: HistoryQuery) -> bool:
    said = " ".join((event.who.name, event.service, event.revision, event.action, event.detail))
    return (
        query.service in ("", event.service)
        and query.text.lower() in said.lower()
        and (query.since is None or event.at >= query.since)
    )
