"""The API's pages; `http-api.md` describes them for whoever calls."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from aiohttp import web

from adapters.api import inbound, peer
from adapters.api.codec import Health, Problem, encode
from adapters.api.inbound import LONGEST_BODY, Bad
from adapters.api.pages import page
from adapters.api.streams import Streams
from adapters.exact import to_json
from pipeline.commands import Receipt, Refused
from pipeline.events import Who
from pipeline.ports import Clock, Desk, HistoryError
from pipeline.text import plain
from pipeline.view import HistoryQuery

ACCESS = "Pithead-Access"
"""Header of every answer: "read-write" or "read-only"."""
BODY_S = 5.0
STUCK_S = 30.0
"""A listener that takes nothing for so long is hung up on."""


class Take(Protocol):
    """What the desk does with something that somebody sent, or refuses to."""

    def __call__(self, who: Who, *, read_only: bool) -> Receipt: ...


class Routes:
    """The pages of one socket."""

    def __init__(self, desk: Desk, streams: Streams, people: peer.People, clock: Clock, *, read_only: bool) -> None:
        self._desk = desk
        self._streams = streams
        self._people = people
        self._clock = clock
        self._began_s = clock.monotonic()
        self._read_only = read_only
        self._headers = {ACCESS: "read-only" if read_only else "read-write"}

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._answered], client_max_size=LONGEST_BODY)
        pages = {
            "/v1/fleet": self._fleet,
            "/v1/fleet/stream": self._fleet_stream,
            "/v1/services/{name}": self._service,
            "/v1/services/{name}/stream": self._service_stream,
            "/v1/services/{name}/trial": self._trial,
            "/v1/services/{name}/recorded": self._recorded,
            "/v1/services/{name}/configured": self._configured,
            "/v1/services/{name}/logs": self._logs,
            "/v1/services/{name}/gate": self._gate,
            "/v1/services/{name}/budget": self._budget,
            "/v1/services/{name}/readiness": self._readiness,
            "/v1/services/{name}/docket": self._docket,
            "/v1/docket": self._docket,
            "/v1/looks": self._looks,
            "/v1/history": self._history,
            "/v1/proposals/{verb}/{service}": self._proposal,
            "/v1/health": self._health,
        }
        app.add_routes([web.get(path, page, allow_head=False) for path, page in pages.items()])
        app.add_routes([web.post("/v1/commands", self._command)])
        app.add_routes([web.post("/v1/services/{name}/calibration", self._calibration)])
        return app

    @web.middleware
    async def _answered(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Every refusal as JSON, in three parts."""
        what = f"{plain(request.method, 10)} {plain(request.path, 80)}"
        try:
            return await handler(request)
        except Bad as bad:
            return self._json(bad.problem, bad.status)
        except Refused as no:
            return self._json(Problem(no.what, no.why, no.mend), 409)
        except HistoryError as exc:
            return self._json(Problem(what, plain(str(exc)), "mend the history, then ask again"), 503)
        except web.HTTPException as exc:
            return self._json(Problem(what, plain(exc.reason), "see http-api.md for what there is"), exc.status)

    def _json(self, value: object, status: int = 200) -> web.Response:
        return self._said(encode(value), status)

    def _said(self, body: bytes, status: int = 200) -> web.Response:
        return web.Response(body=body, status=status, content_type="application/json", headers=self._headers)

    async def _fleet(self, request: web.Request) -> web.Response:
        return self._json(self._desk.fleet())

    async def _fleet_stream(self, request: web.Request) -> web.StreamResponse:
        return await self._push(request, self._streams.fleet())

    async def _service(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._must_be_known(name)
        return self._json(self._desk.service(name))

    async def _service_stream(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        self._must_be_known(name)
        return await self._push(request, self._streams.service(name))

    async def _history(self, request: web.Request) -> web.Response:
        query = inbound.query(request.query)
        found = self._desk.history(query)
        if query.service and not found.total:
            self._must_have_been(query.service)
        return self._json(found)

    async def _proposal(self, request: web.Request) -> web.Response:
        verb, service = inbound.verb(request.match_info["verb"]), request.match_info["service"]
        self._must_be_known(service)
        return self._json(self._desk.propose(verb, service, inbound.stretch(request.query)))

    async def _trial(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._must_be_known(name)
        asked = inbound.trial(request.query)
        try:
            return self._said(to_json(self._desk.trial(name, asked.release, asked.wave)).encode())
        except Refused as no:
            raise Bad(404, no.what, no.why, no.mend) from no

    async def _looks(self, request: web.Request) -> web.Response:
        asked = inbound.looks(request.query)
        read = partial(self._desk.looks, asked.trial.release, asked.trial.wave)
        return self._said(await page("looks", read, asked.after, lambda look: look.number, asked.limit))

    async def _recorded(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._must_be_known(name)
        asked = inbound.recorded(request.query)
        read = partial(self._desk.recorded, name)
        return self._said(await page("recorded", read, asked.since, lambda stretch: stretch.at, asked.limit))

    async def _configured(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._must_be_known(name)
        return self._said(to_json(self._desk.configured(name)).encode())

    async def _logs(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self._must_be_known(name)
        asked = inbound.logs(request.query)
        return self._json(await self._desk.logs(name, asked.lines, asked.host))

    async def _gate(self, request: web.Request) -> web.Response:
        return self._of(request, self._desk.gate)

    async def _budget(self, request: web.Request) -> web.Response:
        return self._of(request, self._desk.budget)

    async def _readiness(self, request: web.Request) -> web.Response:
        return self._of(request, self._desk.readiness)

    async def _docket(self, request: web.Request) -> web.Response:
        if "name" in request.match_info:
            return self._of(request, self._desk.docket)
        return self._said(to_json(self._desk.docket()).encode())

    def _of(self, request: web.Request, read: Callable[[str], object]) -> web.Response:
        """What `read` knows of the service; 404 where there is none."""
        name = request.match_info["name"]
        try:
            found = read(name)
        except Refused:
            self._must_be_known(name)
            raise
        return self._said(to_json(found).encode())

    async def _command(self, request: web.Request) -> web.Response:
        command = inbound.command(await self._body(request, "command"))
        return await self._taken(request, command.service, partial(self._desk.command, command))

    async def _calibration(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        calibration = inbound.calibration(await self._body(request, "calibration"), name)
        return await self._taken(request, name, partial(self._desk.calibrate, calibration))

    async def _body(self, request: web.Request, what: str) -> bytes:
        try:
            async with asyncio.timeout(BODY_S):
                return await request.read()
        except TimeoutError:
            raise Bad(400, what, f"its body did not come within {BODY_S:g} s", "send it whole") from None

    async def _taken(self, request: web.Request, service: str, take: Take) -> web.Response:
        """The receipt, or why not: 403 on a read-only line, 404 of an unknown service, 409 otherwise."""
        who = await self._people.who(self._peer(request), request.headers.get(peer.ORIGIN, ""))
        try:
            return self._json(take(who, read_only=self._read_only))
        except Refused as no:
            if self._read_only:
                raise Bad(403, no.what, no.why, no.mend) from no
            self._must_be_known(service)
            raise

    async def _health(self, request: web.Request) -> web.Response:
        uptime_s = self._clock.monotonic() - self._began_s
        return self._json(Health(os.getpid(), _version(), self._desk.token, uptime_s, self._read_only))

    def _must_have_been(self, service: str) -> None:
        """Raises `Bad` 404 for a name that is neither configured nor in the history, as one that left is."""
        try:
            self._desk.service(service)
        except Refused as no:
            if self._desk.history(HistoryQuery(service, limit=1)).total:
                return
            raise Bad(404, f"history {service}", f"{no.why}, now or ever", no.mend) from no

    def _must_be_known(self, service: str) -> None:
        """Raises `Bad` 404 with the desk's own words."""
        try:
            self._desk.service(service)
        except Refused as no:
            raise Bad(404, no.what, no.why, no.mend) from no

    def _peer(self, request: web.Request) -> int:
        line = request.transport.get_extra_info("socket") if request.transport is not None else None
        if line is None:
            raise Bad(503, "command", "the line broke", "ask again")
        return peer.uid(line)

    async def _push(self, request: web.Request, lines: AsyncGenerator[bytes, None]) -> web.StreamResponse:
        answer = web.StreamResponse(headers={**self._headers, "Content-Type": "application/x-ndjson"})
        try:
            await answer.prepare(request)
            async with aclosing(lines):
                async for line in lines:
                    async with asyncio.timeout(STUCK_S):
                        await answer.write(line + b"\n")
            await answer.write_eof()
        except (TimeoutError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
        return answer


@cache
def _version() -> str:
    try:
        return version("pithead")
    except PackageNotFoundError:
        return "unknown"
