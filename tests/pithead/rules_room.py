"""`RulesRoom`: a room that knows gates, budgets, readiness and papers of the services that a test names."""

from collections.abc import Mapping
from typing import TypeVar

from pipeline.commands import Refused
from pipeline.docket import Docket
from pipeline.readiness.report import ReadinessReport
from pipeline.slo.report import BudgetReport
from pipeline.view import FleetView, GateReport, ServiceView
from tests.tui.fakes import FakeRoom

K = TypeVar("K")


class RulesRoom(FakeRoom):
    def __init__(
        self,
        fleet: FleetView | None = None,
        services: Mapping[str, ServiceView] | None = None,
        *,
        gates: Mapping[str, GateReport] | None = None,
        budgets: Mapping[str, BudgetReport] | None = None,
        lists: Mapping[str, ReadinessReport] | None = None,
        dockets: Mapping[str, Docket] | None = None,
    ) -> None:
        super().__init__(fleet, services)
        self.fault: Exception | None = None
        """What every question is answered with, if anything."""
        self._known = (gates or {}, budgets or {}, lists or {}, dockets or {})

    async def gate(self, service: str) -> GateReport:
        return self._asked(self._known[0], service)

    async def budget(self, service: str) -> BudgetReport:
        return self._asked(self._known[1], service)

    async def readiness(self, service: str) -> ReadinessReport:
        return self._asked(self._known[2], service)

    async def docket(self, service: str = "") -> Docket:
        return self._asked(self._known[3], service)

    def _asked(self, known: Mapping[str, K], service: str) -> K:
        self._check()
        if self.fault is not None:
            raise self.fault
        if service not in known:
            raise Refused(service, "no such service", "pithead status lists the services")
        return known[service]
