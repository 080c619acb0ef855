"""What a front end may read of the controller: views, the history, the judge's records, logs, papers.

Nothing here changes anything; commands are the controller's own.
"""

from datetime import datetime
from difflib import get_close_matches

from pipeline.commands import Refused
from pipeline.controller import records
from pipeline.controller.ground import Ground
from pipeline.controller.ledger import Ledger
from pipeline.controller.tailing import Tailing
from pipeline.docket import Docket
from pipeline.judge.look import LookRecord, Recorded
from pipeline.judge.trial import TrialRecord
from pipeline.logs import LogPage
from pipeline.model import Service
from pipeline.ports import History
from pipeline.readiness.report import ReadinessReport
from pipeline.service.station import Station
from pipeline.slo.report import BudgetReport
from pipeline.text import plain
from pipeline.view import GateReport, HistoryPage, HistoryQuery


class Reading:
    """The reading side of a `Desk`, for the controller to stand on."""

    def __init__(self, history: History, ledger: Ledger, ground: Ground, tailing: Tailing) -> None:
        self._history, self._ledger, self._ground, self._tailing = history, ledger, ground, tailing
        self._stations: dict[str, Station] = {}

    def history(self, query: HistoryQuery) -> HistoryPage:
        return self._history.events(query)

    def trial(self, service: str, release: str, wave: int) -> TrialRecord:
        return records.trial(self._history, self._known(service, f"judge {plain(service, 60)}"), release, wave)

    def looks(self, release: str, wave: int, after: int, limit: int) -> tuple[LookRecord, ...]:
        return self._history.looks(release, wave, after, min(limit, records.PAGE))

    def recorded(self, service: str, since: datetime, limit: int) -> tuple[Recorded, ...]:
        self._known(service, f"judge {plain(service, 60)}")
        return self._history.recorded(service, since, min(limit, records.PAGE))

    def configured(self, service: str) -> Service:
        return self._known(service, f"judge {plain(service, 60)}").service

    async def logs(self, service: str, lines: int, host: str = "") -> LogPage:
        return await self._tailing.page(self._known(service, f"logs {plain(service, 60)}"), lines, host)

    def gate(self, service: str) -> GateReport:
        return self._ground.admitted(self._known(service, f"gate {plain(service, 60)}"))

    def budget(self, service: str) -> BudgetReport:
        return self._ledger.books.whole(self._known(service, f"budget {plain(service, 60)}"))

    def readiness(self, service: str) -> ReadinessReport:
        return self._ground.ready(self._known(service, f"readiness {plain(service, 60)}"))

    def production_rps(self, service: str) -> float | None:
        """Requests a second that production serves now; None before that is known."""
        station = self._stations.get(service)
        if station is None or station.telemetry.fresh_at_s is None:
            return None
        return station.telemetry.rps

    def docket(self, service: str = "") -> Docket:
        if not service:
            return self._ledger.docket
        return self._known(service, f"docket {plain(service, 60)}").docket

    def _known(self, name: str, what: str) -> Station:
        station = self._stations.get(name)
        if station is None:
            near = get_close_matches(name, self._stations, 1)
            mend = f"did you mean {near[0]}?" if near else "pithead status names them all"
            raise Refused(plain(what, 80), "no such service", mend)
        return station
