"""The API's pages; `http-api.md` describes them for whoever calls."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from aiohttp import web

from adapters.api import inbound, peer
from adapters.api.codec import Health, Problem, encode
from adapters.api.inbound import LONGEST_BODY, Bad
from adapters.api.streams import Streams
from pipeline.commands import Refused
from pipeline.ports import Clock, Desk, HistoryError
from pipeline.text import plain

ACCESS = "Pithead-Access"
"""Header of every answer: "read-write" or "read-only"."""
BODY_S = 5.0
STUCK_S = 30.0
"""A listener that takes nothing for so long is hung up on."""


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
            "/v1/history": self._history,
            "/v1/proposals/{verb}/{service}": self._proposal,
            "/v1/health": self._health,
        }
        app.add_routes([web.get(path, page, allow_head=False) for path, page in pages.items()])
        app.add_routes([web.post("/v1/commands", self._command)])
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
        body = encode(value)
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
        return self._json(self._desk.history(inbound.query(request.query)))

    async def _proposal(self, request: web.Request) -> web.Response:
        verb, service = inbound.verb(request.match_info["verb"]), request.match_info["service"]
        self._must_be_known(service)
        return self._json(self._desk.propose(verb, service))

    async def _command(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_S):
                body = await request.read()
        except TimeoutError:
            raise Bad(400, "command", f"its body did not come within {BODY_S:g} s", "send it whole") from None
        command = inbound.command(body)
        who = await self._people.who(self._peer(request), request.headers.get(peer.ORIGIN, ""))
        try:
            return self._json(self._desk.command(command, who, read_only=self._read_only))
        except Refused as no:
            if self._read_only:
                raise Bad(403, no.what, no.why, no.mend) from no
            self._must_be_known(command.service)
            raise

    async def _health(self, request: web.Request) -> web.Response:
        uptime_s = self._clock.monotonic() - self._began_s
        return self._json(Health(os.getpid(), _version(), self._desk.token, uptime_s, self._read_only))

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
