"""A small controller in memory, and views to show."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.commands import Command, Receipt, Refused, Stretch, Verb
from pipeline.docket import Docket
from pipeline.events import AUTO, Event, Who
from pipeline.gates import Answer, Gate
from pipeline.judge.look import Calibration, LookRecord, Recorded
from pipeline.judge.trial import TrialRecord
from pipeline.judge.verdict import Verdict
from pipeline.logs import LogPage
from pipeline.model import Service, Track
from pipeline.ports import HistoryError
from pipeline.readiness.report import ReadinessReport
from pipeline.slo.report import BudgetReport
from pipeline.view import (
    Budget,
    DayCounts,
    FleetView,
    GateReport,
    HistoryPage,
    HistoryQuery,
    HostLine,
    Mark,
    MetricPane,
    Progress,
    Proposal,
    ServiceRow,
    ServiceView,
    StageCell,
    State,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EVENT = Event(NOW, AUTO, "pricing", "pricing-7", "r450", "canary", "canary drawn: fra1-01", ("seed 7",), 12)


class SteadyClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 100.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def row(name: str, why: str = "steady") -> ServiceRow:
    return ServiceRow(
        name=name,
        team="pay",
        tier=1,
        state=State.BAKE,
        verdict=Verdict.PASS,
        why=why,
        staging=StageCell("r450", Mark.GOOD, 2, 2),
        canary=StageCell("r450", Mark.RUNNING, 1, 1, 0.1),
        production=StageCell("r449", Mark.GOOD, 9, 9),
        budget=Budget(0.93, "30d", 0.4),
        p99_s=0.188,
        error_ratio=0.0021,
        wait_s=None,
        age_s=93.0,
        attention=30,
        release=f"{name}-7",
        revision="r450",
        version=3,
        progress=Progress(3.0, 60.0),
    )


def fleet(*names: str, sequence: int = 1) -> FleetView:
    return FleetView(NOW, sequence, 5.0, tuple(map(row, names)), EVENT, ("history: slow",), DayCounts(4, 2, 1, 0))


def changed(view: FleetView, *rows: ServiceRow) -> FleetView:
    """The next view, with `rows` in place of those of the same name."""
    new = {one.name: one for one in rows}
    services = tuple(new.get(one.name, one) for one in view.services)
    at = view.at + timedelta(seconds=5)
    return replace(view, at=at, sequence=view.sequence + 1, services=services)


class SmallDesk:
    """`Desk` over views that the test puts."""

    token = 7

    def __init__(self, view: FleetView) -> None:
        self.view = view
        self.taken: list[tuple[Command, Who]] = []
        self.asked: list[HistoryQuery] = []
        self.trials: list[TrialRecord] = []
        self.seen: list[LookRecord] = []
        self.stretches: list[Recorded] = []
        self.services: dict[str, Service] = {}
        self.calibrations: list[tuple[Calibration, Who]] = []
        self.logged: list[LogPage] = []
        self.asked_logs: list[tuple[str, int, str]] = []
        self.gates: dict[str, GateReport] = {}
        self.budgets: dict[str, BudgetReport] = {}
        self.lists: dict[str, ReadinessReport] = {}
        self.papers: dict[str, Docket] = {}
        """By service; "" is all."""
        self.portions: list[int] = []
        """How many records each call asked for."""
        self.was_read = asyncio.Event()
        self.broken = False
        self.unheard: set[str] = set()
        """Services of which the history has nothing."""
        self._changed = asyncio.Event()

    def put(self, view: FleetView) -> None:
        self.view = view
        old, self._changed = self._changed, asyncio.Event()
        old.set()

    def fleet(self) -> FleetView:
        return self.view

    async def newer(self, sequence: int) -> None:
        while self.view.sequence <= sequence:
            await self._changed.wait()

    def service(self, name: str) -> ServiceView:
        found = next((one for one in self.view.services if one.name == name), None)
        if found is None:
            raise Refused(name, "no such service", "pithead status names them all")
        pane = MetricPane("p99", "p99", "s", 5.0, (0.1, None), (0.1, 0.1), (0.2, 0.2), Verdict.WATCH)
        gate = Gate("verdict", Answer.HOLD, "93 of 1,000 requests", NOW, None, "by itself")
        host = HostLine("fra1-01", "fra1", Track.CANARY, Mark.GOOD, "r450", "")
        return ServiceView(
            self.view.at, found, "r449", "production", (pane,), (gate,), (host,), (EVENT,), (EVENT,), ("fra1",), 1
        )

    def propose(self, verb: Verb, service: str, about: Stretch | None = None) -> Proposal:
        self.service(service)
        if verb is Verb.RESUME:
            raise Refused(f"resume {service}", "it is not paused", "there is nothing to do")
        rows = (("from", "canary"),) if about is None else ((about.kind, f"{about.start} to {about.end}"),)
        return Proposal(verb, service, f"{service}-7", 3, "Promote?", rows, allowed=True)

    def command(self, command: Command, who: Who, *, read_only: bool) -> Receipt:
        self.taken.append((command, who))
        what = f"{command.verb} {command.service}"
        if read_only:
            raise Refused(what, "this line is read-only", "ask on the read-write socket")
        self.service(command.service)
        if command.verb is Verb.PROMOTE and command.version != 3:
            raise Refused(what, "it has moved on", "look again")
        return Receipt(command.service, f"{command.service}-7", "paused")

    def history(self, query: HistoryQuery) -> HistoryPage:
        self.asked.append(query)
        self._must_work()
        return HistoryPage((), 0) if query.service in self.unheard else HistoryPage((EVENT,), 41)

    def trial(self, service: str, release: str, wave: int) -> TrialRecord:
        self._must_work()
        for one in self.trials:
            if one.trial.wave == wave and release in ("", one.trial.release):
                return one
        raise Refused(service, f"{release or 'no release'} has no trial {wave}", "pithead history names them")

    def looks(self, release: str, wave: int, after: int, limit: int) -> tuple[LookRecord, ...]:
        self._must_work()
        self.portions.append(limit)
        self.was_read.set()
        return tuple(
            [one for one in self.seen if (one.release, one.wave) == (release, wave) and one.number > after][:limit]
        )

    def recorded(self, service: str, since: datetime, limit: int) -> tuple[Recorded, ...]:
        self.service(service)
        self._must_work()
        self.portions.append(limit)
        return tuple([one for one in self.stretches if one.service == service and one.at > since][:limit])

    def configured(self, service: str) -> Service:
        self.service(service)
        return self.services[service]

    async def logs(self, service: str, lines: int, host: str = "") -> LogPage:
        self.service(service)
        self.asked_logs.append((service, lines, host))
        if not self.logged:
            raise Refused(f"logs {service}", "4 others read logs", "ask again in a moment")
        return self.logged[0]

    def calibrate(self, calibration: Calibration, who: Who, *, read_only: bool) -> Receipt:
        what = f"calibrate {calibration.service}"
        if read_only:
            raise Refused(what, "this line is read-only", "ask on the read-write socket")
        self.service(calibration.service)
        if calibration.settings == "old":
            raise Refused(what, "the settings have changed", "run it again")
        self.calibrations.append((calibration, who))
        return Receipt(calibration.service, "", "calibrated")

    def gate(self, service: str) -> GateReport:
        self.service(service)
        if service not in self.gates:
            raise Refused(f"gate {service}", "nothing is known of it yet", "ask again in a moment")
        return self.gates[service]

    def budget(self, service: str) -> BudgetReport:
        self.service(service)
        self._must_work()
        return self.budgets[service]

    def readiness(self, service: str) -> ReadinessReport:
        self.service(service)
        return self.lists[service]

    def docket(self, service: str = "") -> Docket:
        if service:
            self.service(service)
        return self.papers[service]

    def _must_work(self) -> None:
        if self.broken:
            raise HistoryError("history.db: the disk is full: free space on it")
