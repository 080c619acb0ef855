"""The company's load balancer: requests to healthy hosts at random, health asked for each second.

Answers are only counted. A request that got none, or found nobody home, is sent once more, elsewhere,
as real load balancers do; what a service itself answers, good or bad, stands.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from random import Random
from typing import cast

CHECK_S = 1.0
DEADLINE_S = 3.0
CONNECTIONS_A_HOST = 8
WORK = b"GET / HTTP/1.1\r\nHost: demo\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: demo\r\n\r\n"
LONGEST_ANSWER = 64 * 1024
NOBODY_HOME = 503
LOST = 0
"""In place of an HTTP code: no answer in time, or none that makes sense."""


class Backend:
    """One host: its idle connections, and whether it is fit to serve."""

    def __init__(self, service: str, address: str) -> None:
        self.service = service
        host, _, port = address.rpartition(":")
        self.host, self.port = host, int(port)
        self.healthy = False
        self.checking = False
        self.open = 0
        self.idle: deque[Line] = deque()


class Line(asyncio.Protocol):
    """A keep-alive connection that carries one request at a time."""

    def __init__(self, balancer: "Balancer", backend: Backend) -> None:
        self._balancer = balancer
        self.backend = backend
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self.request = b""
        self.first = True
        """This is the request's first try."""
        self.deadline = 0.0
        self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def ask(self, request: bytes, deadline: float, *, first: bool) -> None:
        self.request, self.deadline, self.first = request, deadline, first
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(buffer) > LONGEST_ANSWER:
                self.drop()
            return
        try:
            code = int(buffer[9:12])
            at = buffer.index(b"\r\nContent-Length: ") + 18
            length = int(buffer[at : buffer.index(b"\r\n", at)])
        except ValueError:
            self.drop()
            return
        if len(buffer) < end + 4 + length:
            if length > LONGEST_ANSWER:
                self.drop()
            return
        self._buffer = b""
        self._balancer.answered(self, code)

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._balancer.lost(self)


class Balancer:
    """Call `send` for each request; `counts` tells how they ended, by (service, code)."""

    def __init__(self, addresses: Sequence[tuple[str, str]], rng: Random) -> None:
        """addresses: (service, "host:port") of every production host."""
        self.backends = [Backend(service, address) for service, address in addresses]
        self._of: dict[str, list[Backend]] = {}
        for backend in self.backends:
            self._of.setdefault(backend.service, []).append(backend)
        self._rng = rng
        self._loop = asyncio.get_running_loop()
        self._busy: set[Line] = set()
        self._dials: set[asyncio.Task[None]] = set()
        self.counts: Counter[tuple[str, int]] = Counter()
        self.shed: Counter[str] = Counter()
        """Requests that no host could take, by service."""

    def send(self, service: str) -> None:
        self._pass_on(service, first=True)

    def _pass_on(self, service: str, *, first: bool) -> None:
        backends = self._of[service]
        backend = self._rng.choice(backends)
        if not backend.healthy:
            healthy = [backend for backend in backends if backend.healthy]
            if not healthy:
                self.shed[service] += 1
                return
            backend = self._rng.choice(healthy)
        if not self._ask(backend, WORK, DEADLINE_S, first=first):
            self.shed[service] += 1

    def _ask(self, backend: Backend, request: bytes, timeout_s: float, *, first: bool) -> bool:
        deadline = self._loop.time() + timeout_s
        if backend.idle:
            line = backend.idle.pop()
            self._busy.add(line)
            line.ask(request, deadline, first=first)
            return True
        if backend.open >= CONNECTIONS_A_HOST:
            return False
        backend.open += 1
        dial = self._loop.create_task(self._dial(backend, request, deadline, first))
        self._dials.add(dial)
        dial.add_done_callback(self._dials.discard)
        return True

    async def _dial(self, backend: Backend, request: bytes, deadline: float, first: bool) -> None:
        line = Line(self, backend)
        line.request, line.first = request, first
        try:
            async with asyncio.timeout_at(deadline):
                await self._loop.create_connection(lambda: line, backend.host, backend.port)
        except OSError:  # TimeoutError is one
            self.lost(line)
            return
        self._busy.add(line)
        line.ask(request, deadline, first=first)

    def answered(self, line: Line, code: int) -> None:
        backend, request, first = line.backend, line.request, line.first
        self._busy.discard(line)
        line.request = b""
        backend.idle.append(line)
        self._ended(backend, request, code, first=first)

    def lost(self, line: Line) -> None:
        """The line is gone, with or without a request under way."""
        if line.gone:
            return
        line.gone = True
        backend = line.backend
        backend.open -= 1
        self._busy.discard(line)
        if line in backend.idle:
            backend.idle.remove(line)
        if line.request:
            self._ended(backend, line.request, LOST, first=line.first)

    def _ended(self, backend: Backend, request: bytes, code: int, *, first: bool) -> None:
        if request is HEALTH:
            backend.checking = False
            backend.healthy = code == 200
            return
        if code in (NOBODY_HOME, LOST):
            backend.healthy = False
            if first:
                self._pass_on(backend.service, first=False)
                return
        self.counts[backend.service, code] += 1

    async def watch(self) -> None:
        """Ask every host for its health each second, spread over the second; drop what takes too long."""
        while True:
            for backend in self.backends:
                self._check(backend)
                await asyncio.sleep(CHECK_S / len(self.backends))
            now = self._loop.time()
            for line in [line for line in self._busy if line.deadline < now]:
                line.drop()

    def _check(self, backend: Backend) -> None:
        if not backend.checking:
            backend.checking = self._ask(backend, HEALTH, CHECK_S, first=False)

    def check_all(self) -> None:
        """Ask every host at once: at the start nobody is known to be healthy."""
        for backend in self.backends:
            self._check(backend)

    def close(self) -> None:
        for dial in self._dials:
            dial.cancel()
        for line in [*self._busy, *(line for backend in self.backends for line in backend.idle)]:
            line.request = b""
            line.drop()
