"""The controller as a front end sees it, over its unix socket."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec

from adapters import http
from adapters.api import codec
from adapters.api.codec import LONGEST_LINE, Beat, Delta, Health, No, Whole
from adapters.api.delta import apply
from adapters.api.judged import MOST_RECORDS, Looks, Stretches
from adapters.api.lax import laxly
from adapters.exact import to_json
from pipeline.commands import Command, Receipt, Refused, Stretch, Verb
from pipeline.docket import Docket
from pipeline.judge.look import Calibration, LookRecord, Recorded
from pipeline.judge.trial import TrialRecord
from pipeline.logs import DEADLINE_S as LOGS_S
from pipeline.logs import LogPage
from pipeline.model import Service
from pipeline.ports import ControllerLost
from pipeline.readiness.report import ReadinessReport
from pipeline.slo.report import BudgetReport
from pipeline.text import plain
from pipeline.view import FleetView, GateReport, HistoryPage, HistoryQuery, Proposal, ServiceView

T = TypeVar("T")

ANSWER_S = 5.0
SILENT_S = 10.0
"""A stream that says nothing for so long, not even that it lives, is lost."""


class _NotThere(Refused):
    """The controller knows no such thing: 404."""


class ApiRoom:
    """`ControlRoom` at `socket`.

    Args:
        origin: where the user sits, "ssh 10.2.0.7"; None asks the environment. For reading, not for rights.
    """

    def __init__(
        self, socket: Path, *, origin: str | None = None, answer_s: float = ANSWER_S, silent_s: float = SILENT_S
    ) -> None:
        self._socket = socket
        self._answer_s = answer_s
        self._silent_s = silent_s
        self.read_only = socket.name == "view.sock"
        """Said by the socket's name, then by each answer."""
        headers = {"Pithead-Origin": plain(seat(os.environ) if origin is None else origin, 100)}
        self._client = http.client("http://pithead", timeout_s=answer_s, uds=str(socket), headers=headers)

    async def close(self) -> None:
        await self._client.aclose()

    async def fleet(self) -> AsyncIterator[FleetView]:
        view: FleetView | None = None
        async with aclosing(self._lines("/v1/fleet/stream")) as lines:
            async for raw in lines:
                line = self._read(codec.fleet_line, raw)
                if not isinstance(line, Beat):
                    view = self._next(view, line)
                    yield view

    def _next(self, view: FleetView | None, line: Whole | Delta) -> FleetView:
        if isinstance(line, Whole):
            return line.fleet
        if view is None:
            raise self._rubbish("a change before the first view")
        try:
            return apply(view, line)
        except ValueError as exc:
            raise self._rubbish(str(exc)) from exc

    async def service(self, name: str) -> AsyncIterator[ServiceView]:
        async with aclosing(self._lines(_page(name, "stream"))) as lines:
            async for raw in lines:
                line = self._read(codec.service_line, raw)
                if isinstance(line, No):
                    raise Refused(line.what, line.why, line.mend)
                if not isinstance(line, Beat):
                    yield line.service

    async def history(self, query: HistoryQuery) -> HistoryPage:
        asked = {
            "service": query.service,
            "text": query.text,
            "since": query.since.isoformat() if query.since else "",
            "before": str(query.before_id) if query.before_id is not None else "",
            "limit": str(query.limit),
        }
        try:
            return await self._ask(codec.history_page, "GET", "/v1/history", {k: v for k, v in asked.items() if v})
        except _NotThere:
            raise
        except Refused as no:
            raise ControllerLost(str(no)) from no

    async def propose(self, verb: Verb, service: str, about: Stretch | None = None) -> Proposal:
        asked = {}
        if about is not None:
            asked = {"kind": about.kind, "start": about.start.isoformat(), "end": about.end.isoformat()}
        return await self._ask(codec.proposal, "GET", f"/v1/proposals/{verb}/{quote(service, safe='')}", asked)

    async def trial(self, service: str, release: str = "", wave: int = 0) -> TrialRecord:
        asked = {"release": release, "wave": str(wave)}
        return await self._ask(laxly(TrialRecord), "GET", _page(service, "trial"), asked)

    async def looks(self, release: str, wave: int, after: int = 0, limit: int = MOST_RECORDS) -> tuple[LookRecord, ...]:
        found: list[LookRecord] = []
        while len(found) < limit:
            many = min(limit - len(found), MOST_RECORDS)
            asked = {"release": release, "wave": str(wave), "after": str(after), "limit": str(many)}
            try:
                page = await self._ask(laxly(Looks), "GET", "/v1/looks", asked)
            except Refused as no:
                raise ControllerLost(str(no)) from no
            found += page.looks
            if not page.more or not page.looks:
                break
            after = page.looks[-1].number
        return tuple(found)

    async def recorded(self, service: str, since: datetime, limit: int = MOST_RECORDS) -> tuple[Recorded, ...]:
        found: list[Recorded] = []
        while len(found) < limit:
            asked = {"since": since.isoformat(), "limit": str(min(limit - len(found), MOST_RECORDS))}
            page = await self._ask(laxly(Stretches), "GET", _page(service, "recorded"), asked)
            found += page.recorded
            if not page.more or not page.recorded:
                break
            since = page.recorded[-1].at
        return tuple(found)

    async def configured(self, service: str) -> Service:
        return await self._ask(laxly(Service), "GET", _page(service, "configured"))

    async def logs(self, service: str, lines: int, host: str = "") -> LogPage:
        asked = {"lines": str(lines), **({"host": host} if host else {})}
        # The controller waits for the hosts before it answers.
        return await self._ask(codec.log_page, "GET", _page(service, "logs"), asked, wait_s=LOGS_S)

    async def calibrate(self, calibration: Calibration) -> Receipt:
        path = _page(calibration.service, "calibration")
        return await self._ask(codec.receipt, "POST", path, body=to_json(calibration).encode())

    async def gate(self, service: str) -> GateReport:
        return await self._ask(laxly(GateReport), "GET", _page(service, "gate"))

    async def budget(self, service: str) -> BudgetReport:
        return await self._ask(laxly(BudgetReport), "GET", _page(service, "budget"))

    async def readiness(self, service: str) -> ReadinessReport:
        return await self._ask(laxly(ReadinessReport), "GET", _page(service, "readiness"))

    async def docket(self, service: str = "") -> Docket:
        path = _page(service, "docket") if service else "/v1/docket"
        return await self._ask(laxly(Docket), "GET", path)

    async def send(self, command: Command) -> Receipt:
        return await self._ask(codec.receipt, "POST", "/v1/commands", body=codec.encode(command))

    async def health(self) -> Health:
        """Raises `ControllerLost`."""
        return await self._ask(codec.health, "GET", "/v1/health")

    async def _ask(
        self,
        read: Callable[[bytes], T],
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wait_s: float = 0.0,
    ) -> T:
        """The answer; raises `Refused` where the controller said no, `ControllerLost` where nobody knows.

        `wait_s`: how long the controller itself may take to find out.
        """
        patience_s = self._answer_s + wait_s
        try:
            async with asyncio.timeout(patience_s):
                reply = await self._client.request(method, path, params=parameters, content=body, timeout=patience_s)
        except (http.HTTPError, TimeoutError) as exc:
            raise self._lost(exc, patience_s) from exc
        self._note(reply)
        if reply.status_code != 200:
            raise self._refusal(reply.status_code, reply.content)
        return self._read(read, reply.content)

    async def _lines(self, path: str) -> AsyncGenerator[bytes, None]:
        """Lines until the line breaks, which raises."""
        patience = http.Timeout(self._answer_s, read=self._silent_s)
        try:
            async with self._client.stream("GET", path, timeout=patience) as reply:
                self._note(reply)
                if reply.status_code != 200:
                    raise self._refusal(reply.status_code, await reply.aread())
                rest = b""
                async for piece in reply.aiter_bytes():
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in lines:
                        yield line
                    if len(rest) > LONGEST_LINE:
                        raise self._rubbish("a line without end")
        except http.HTTPError as exc:
            raise self._lost(exc, self._silent_s) from exc
        raise ControllerLost(f"{self._socket}: the controller hung up")

    def _note(self, reply: http.Response) -> None:
        access = reply.headers.get("Pithead-Access")
        if access is not None:
            self.read_only = access != "read-write"

    def _read(self, read: Callable[[bytes], T], raw: bytes) -> T:
        try:
            return read(raw)
        except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
            raise self._rubbish(str(exc)) from exc

    def _refusal(self, status: int, body: bytes) -> Exception:
        try:
            said = codec.problem(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return self._rubbish(f"HTTP {status}")
        kind = _NotThere if status == 404 else Refused
        return kind(plain(said.what), plain(said.why), plain(said.mend))

    def _rubbish(self, why: str) -> ControllerLost:
        return ControllerLost(plain(f"{self._socket}: not understood, is it another version? ({why})"))

    def _lost(self, exc: Exception, waited_s: float) -> ControllerLost:
        if isinstance(exc, http.ConnectError):
            return ControllerLost(f"{self._socket}: no controller answers")
        if isinstance(exc, (http.TimeoutException, TimeoutError)):
            return ControllerLost(f"{self._socket}: the controller has said nothing for {waited_s:g} s")
        return ControllerLost(plain(f"{self._socket}: the line broke ({type(exc).__name__})"))


def _page(service: str, name: str) -> str:
    return f"/v1/services/{quote(service, safe='')}/{name}"


def seat(environment: Mapping[str, str]) -> str:
    """Where the user sits, as far as the environment says: "ssh 10.2.0.7", or ""."""
    come = environment.get("SSH_CONNECTION", "").split()
    return f"ssh {come[0]}" if come else ""
