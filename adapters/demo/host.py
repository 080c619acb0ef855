"""One host of the demo: its agent, the service's process that it runs, and what goes wrong with it."""

import asyncio
from dataclasses import replace
from random import Random

from adapters.demo.builds import Fault, build_of, catalogue
from adapters.demo.pages import page_of
from adapters.demo.process import Process, Temper
from adapters.demo.serve import JSON, Answer, Connection, Request, reply
from adapters.hosts.agent import AgentLedger, Start
from adapters.hosts.protocol import STATE_PATH
from pipeline.events import Result
from pipeline.model import Host

AGENT = "/agent/"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
DRAIN_S = 1.2
"""Before a process stops it says 503 on /healthz for this long, so that the balancer sends it nothing more."""
JITTER = 0.2
RUBBISH = b"\x1b]0;owned\x07\x1b[2J[bold red]\xff\xfe\x00 HTTP?/9 <not even wrong>\r\n\r\n"
WORKED = {200: reply(200, "ok\n"), 500: reply(500, "internal error\n")}
HEALTHY = reply(200, "ok\n")
READY = reply(200, "ready\n")
RESTARTING = reply(503, "restarting\n")
NOT_FOUND = reply(404, "not found\n")


class DemoHost:
    def __init__(self, service: str, host: Host, revision: str, restart_s: float, seed: int) -> None:
        """`host` runs `revision` at once; a deploy takes about `restart_s`."""
        self.service = service
        self.host = host
        self.fault = Fault.NONE
        self._restart_s = restart_s
        self._rng = Random(f"{seed}:{host.name}:life")  # noqa: S311 - a demo's dice
        self._temper = Temper(seed, host.name)
        self._ledger = AgentLedger(host.name, revision, available=catalogue(service, revision))
        self._draining = False
        self._loop = asyncio.get_running_loop()
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._restart: asyncio.TimerHandle | None = None
        self.process: Process | None = self._life(revision)

    async def start(self) -> None:
        """Listen on the host's address. Raises OSError."""
        name, _, port = self.host.address.rpartition(":")
        self._server = await self._loop.create_server(self._connection, name, int(port), reuse_address=True)

    def close(self) -> None:
        if self._restart is not None:
            self._restart.cancel()
        self._deaf()

    async def become(self, fault: Fault) -> None:
        """Go wrong in this way, or well again."""
        self.fault = fault
        if fault is Fault.REFUSE:
            self._deaf()
        elif self._server is None:
            await self.start()

    def _deaf(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for connection in list(self._connections):
            connection.abort()

    def _connection(self) -> Connection:
        return Connection(self.handle, self._connections)

    def handle(self, request: Request, answer: Answer) -> None:
        path = request.path
        if self.fault is Fault.HANG:
            return
        if self.fault is Fault.RUBBISH:
            answer(RUBBISH)
        elif path.startswith(AGENT):
            self._agent(request, answer)
        elif self.process is None:
            answer(RESTARTING)
        elif self.process.build.fault is Fault.HANG:
            return
        elif self.process.build.fault is Fault.RUBBISH:
            answer(RUBBISH)
        else:
            self._page(self.process, path, answer)

    def _page(self, process: Process, path: str, answer: Answer) -> None:
        if path == "/":
            code, due_s = process.begin()
            began = self._loop.time()

            def end() -> None:
                process.end(code, self._loop.time() - began)
                answer(WORKED[code])

            self._loop.call_later(due_s, end)
        elif path == "/healthz":
            answer(RESTARTING if self._draining else HEALTHY)
        elif path == "/metrics":
            answer(reply(200, process.exposition(), METRICS))
        elif path == "/ready":
            answer(READY)
        elif (body := page_of(self.service, process.build, path)) is not None:
            answer(reply(200, body, JSON))
        else:
            answer(NOT_FOUND)

    def _agent(self, request: Request, answer: Answer) -> None:
        if self.fault is Fault.WRONG_VERSION and request.path == STATE_PATH:
            said = self._ledger.state()
            said = replace(said, body={**said.body, "revision": "r-astray"})
        else:
            said = self._ledger.answer(request.method, request.path, request.body)
        if said.start is not None:
            self._begin(said.start)
        answer(reply(said.status, said.encoded(), JSON))

    def _begin(self, start: Start) -> None:
        """Drain, stop, start: the three thirds of a deploy."""
        took_s = self._restart_s * self._rng.uniform(1 - JITTER, 1 + JITTER)
        drain_s = min(DRAIN_S, took_s / 2)
        self._draining = True
        self._ledger.healthy = False

        def stop() -> None:
            self.process = None
            self._ledger.revision = ""
            self._restart = self._loop.call_later(took_s - drain_s, self._up, start)

        self._restart = self._loop.call_later(drain_s, stop)

    def _up(self, start: Start) -> None:
        self._draining = False
        self._restart = None
        if not build_of(self.service, start.revision).starts:
            self._ledger.finish(start.operation, Result.FAILED, f"{start.revision} exited with status 1 at start")
            return
        self.process = self._life(start.revision)
        self._ledger.healthy = True
        self._ledger.finish(start.operation, Result.DONE)

    def _life(self, revision: str) -> Process:
        return Process(self.service, revision, build_of(self.service, revision), self._temper, self._rng)
