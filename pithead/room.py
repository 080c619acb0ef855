"""The controller as the screens see it, reached once they have been drawn."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands import Command, Receipt, Stretch, Verb
from pipeline.docket import Docket
from pipeline.judge.look import Calibration, LookRecord, Recorded
from pipeline.judge.trial import TrialRecord
from pipeline.logs import LogPage
from pipeline.model import Service
from pipeline.ports import ControlRoom
from pipeline.readiness.report import ReadinessReport
from pipeline.slo.report import BudgetReport
from pipeline.view import FleetView, GateReport, HistoryPage, HistoryQuery, Proposal, ServiceView

if TYPE_CHECKING:
    from adapters.api.client import ApiRoom


class LazyRoom:
    """`ControlRoom` whose HTTP client is imported at the first call, in a thread: it takes as long as a paint."""

    def __init__(self, socket: Path, *, read_only: bool) -> None:
        self.read_only = read_only
        self._socket = socket
        self._loading: asyncio.Task[ApiRoom] | None = None

    async def _room(self) -> ControlRoom:
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
        return await asyncio.shield(self._loading)

    async def _load(self) -> "ApiRoom":
        client = await asyncio.to_thread(import_module, "adapters.api.client")
        room: ApiRoom = client.ApiRoom(self._socket)
        return room

    async def fleet(self) -> AsyncIterator[FleetView]:
        async for view in (await self._room()).fleet():
            yield view

    async def service(self, name: str) -> AsyncIterator[ServiceView]:
        async for view in (await self._room()).service(name):
            yield view

    async def history(self, query: HistoryQuery) -> HistoryPage:
        return await (await self._room()).history(query)

    async def propose(self, verb: Verb, service: str, about: Stretch | None = None) -> Proposal:
        return await (await self._room()).propose(verb, service, about)

    async def trial(self, service: str, release: str = "", wave: int = 0) -> TrialRecord:
        return await (await self._room()).trial(service, release, wave)

    async def looks(self, release: str, wave: int, after: int = 0, limit: int = 500) -> tuple[LookRecord, ...]:
        return await (await self._room()).looks(release, wave, after, limit)

    async def recorded(self, service: str, since: datetime, limit: int = 500) -> tuple[Recorded, ...]:
        return await (await self._room()).recorded(service, since, limit)

    async def configured(self, service: str) -> Service:
        return await (await self._room()).configured(service)

    async def logs(self, service: str, lines: int, host: str = "") -> LogPage:
        return await (await self._room()).logs(service, lines, host)

    async def calibrate(self, calibration: Calibration) -> Receipt:
        return await (await self._room()).calibrate(calibration)

    async def gate(self, service: str) -> GateReport:
        return await (await self._room()).gate(service)

    async def budget(self, service: str) -> BudgetReport:
        return await (await self._room()).budget(service)

    async def readiness(self, service: str) -> ReadinessReport:
        return await (await self._room()).readiness(service)

    async def docket(self, service: str = "") -> Docket:
        return await (await self._room()).docket(service)

    async def send(self, command: Command) -> Receipt:
        return await (await self._room()).send(command)
