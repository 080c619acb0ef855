"""Which servers people keep out of the traffic: a host that nobody sends requests to must not pass unseen."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from adapters.balancer.answers import BalancerFault
from adapters.balancer.book import DrainBook
from adapters.balancer.haproxy import HaproxySocket
from adapters.balancer.seat import Seat
from pipeline.model import Host
from pipeline.ports import Clock
from pipeline.text import PlainText, plain
from pipeline.words import duration

EVERY_S = 10.0
"""From one look at a backend to the next."""
SILENT_S = 2.0
"""Likewise, of a balancer that does not answer: releases wait for it."""

_Place = tuple[str, str, str]
"""Address of a balancer, backend, server."""


class Watch:
    """Looks at backends in tasks of its own, and remembers what it saw. `close` it at the end."""

    def __init__(self, seats: Callable[[Host], Seat | None], book: DrainBook, clock: Clock) -> None:
        self._seats, self._book, self._clock = seats, book, clock
        self._next_s: dict[tuple[HaproxySocket, str], float] = {}
        """By balancer and backend."""
        self._theirs: dict[tuple[str, str], dict[str, str]] = {}
        """By address and backend: servers that others took out, and how."""
        self._touched_s: dict[_Place, float] = {}
        """When a deploy of ours was last over there."""
        self._silent: dict[str, tuple[float, str]] = {}
        """By address: since when a balancer does not answer, and in which way."""
        self._asking: set[HaproxySocket] = set()
        self._looks: set[asyncio.Task[None]] = set()

    def look(self, hosts: Iterable[Host]) -> frozenset[asyncio.Task[None]]:
        """Begin to look where it is due; all looks under way."""
        now_s = self._clock.monotonic()
        due: defaultdict[HaproxySocket, list[str]] = defaultdict(list)
        for host in hosts:
            seat = self._seats(host)
            if seat is None:
                continue
            for socket in seat.sockets:
                if socket not in self._asking and self._next_s.get((socket, seat.backend), now_s) <= now_s:
                    self._next_s[socket, seat.backend] = now_s + EVERY_S
                    due[socket].append(seat.backend)
        for socket, backends in due.items():
            self._asking.add(socket)
            look = asyncio.ensure_future(self._ask(socket, backends))
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
        return frozenset(self._looks)

    def note(self, host: Host) -> str:
        """Who keeps it from its traffic, as far as was seen; ""."""
        seat = self._seats(host)
        if seat is None:
            return ""
        out = {
            socket.address: how
            for socket in seat.sockets
            if (how := self._theirs.get((socket.address, seat.backend), {}).get(seat.server)) is not None
        }
        if not out:
            return ""
        how = " and ".join(sorted(set(out.values())))
        if len(out) == len(seat.sockets):
            return f"{seat.server} is {how} in {seat.backend} (not by pithead): it gets no traffic"
        where = ", ".join(out)
        return f"{seat.server} is {how} in {seat.backend} of {where} (not by pithead): it gets no traffic from there"

    def silence(self, host: Host) -> PlainText:
        """Which of its balancers does not answer, how, and for how long; ""."""
        seat = self._seats(host) if self._silent else None
        for socket in seat.sockets if seat is not None else ():
            if socket.address in self._silent:
                since_s, why = self._silent[socket.address]
                lasts = duration(self._clock.monotonic() - since_s)
                return plain(f"balancer {socket.address} does not answer for {lasts}: {why}")
        return plain("")

    def doubt(self, seat: Seat) -> None:
        """Something was wrong there: it is looked at with the next states."""
        for socket in seat.sockets:
            self._next_s.pop((socket, seat.backend), None)

    def touched(self, seat: Seat) -> None:
        """A deploy there is over: what was seen meanwhile may have been its own drain."""
        for socket in seat.sockets:
            self._touched_s[socket.address, seat.backend, seat.server] = self._clock.monotonic()

    async def close(self) -> None:
        looks = list(self._looks)
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    async def _ask(self, socket: HaproxySocket, backends: Sequence[str]) -> None:
        try:
            await self._looked(socket, backends)
        finally:
            self._asking.discard(socket)

    def _heard(
        self, socket: HaproxySocket, backends: Sequence[str], began_s: float, fault: BalancerFault | None
    ) -> None:
        """Whether it answers at all, and how it does not."""
        if fault is None or not fault.silent:
            self._silent.pop(socket.address, None)
            return
        since_s, _ = self._silent.get(socket.address, (began_s, ""))
        self._silent[socket.address] = since_s, fault.why.removeprefix(f"balancer {socket.address}: ")
        for backend in backends:
            self._next_s[socket, backend] = began_s + SILENT_S

    async def _looked(self, socket: HaproxySocket, backends: Sequence[str]) -> None:
        """One after the other: a stats socket takes few connections at a time."""
        silent = False
        for backend in backends:
            began_s, ours = self._clock.monotonic(), self._ours()
            theirs: dict[str, str] = {}
            try:
                # A balancer that does not answer would take its time-out for every backend.
                servers = {} if silent else await socket.servers(backend)
                if not silent:
                    self._heard(socket, backends, began_s, None)
            except BalancerFault as fault:
                servers, silent = {}, fault.silent
                self._heard(socket, backends, began_s, fault)
            ours |= self._ours()
            for name, server in servers.items():
                place = (socket.address, backend, name)
                if server.out and place not in ours and self._touched_s.get(place, began_s - 1.0) < began_s:
                    theirs[name] = "in maintenance" if server.maint else "drained"
            self._theirs[socket.address, backend] = theirs

    def _ours(self) -> set[_Place]:
        return {(address, its.backend, its.server) for its in self._book.entries.values() for address in its.balancers}
