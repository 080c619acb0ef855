"""Health endpoints of production hosts, asked as a balancer asks them, and whether an unhealthy host gets requests."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from adapters.balancer.answers import BalancerFault, Server
from adapters.balancer.haproxy import HaproxySocket
from adapters.balancer.seat import Seat
from adapters.wire import Wire, WireError
from pipeline.model import Host, Service
from pipeline.ports import Clock
from pipeline.readiness.health import HEALTH_S
from pipeline.readiness.seen import HEALTHY, Asked, Seating

TIMEOUT_S = 3.0
"""Longer than a health endpoint may take, so that a slow one is told from a dead one."""
AT_ONCE = 8
GRACE_S = 30.0
"""How long a balancer may need to take a host out: its check fails several times before that."""
BODY_LIMIT = 256 * 1024

Seats = Callable[[Host], Seat | None]
_Views = Mapping[tuple[str, str], Mapping[str, Server] | BalancerFault]
"""By a balancer's address and backend."""


class HealthLooks:
    """`close` it at the end."""

    def __init__(self, seats: Seats, clock: Clock, grace_s: float = GRACE_S) -> None:
        self._seats, self._clock, self._grace_s = seats, clock, grace_s
        self._wire = Wire(body_limit=BODY_LIMIT)

    async def look(self, service: Service) -> Mapping[str, Asked]:
        """Every production host, once; those that are unhealthy and get requests once more, a little later."""
        found = await self._asked(service, service.production)
        odd = [host for host in service.production if _odd(found[host.name])]
        if odd:
            await self._clock.sleep(self._grace_s)
            again = await self._asked(service, odd)
            found |= {name: replace(one, stays=_odd(one)) for name, one in again.items()}
        return found

    async def close(self) -> None:
        await self._wire.close()

    async def _asked(self, service: Service, hosts: Sequence[Host]) -> dict[str, Asked]:
        gate = asyncio.Semaphore(AT_ONCE)
        stated = service.rules.readiness

        async def one(host: Host) -> Asked:
            async with gate:
                asked = await self._health(host, stated.health_path)
                if asked.healthy and stated.liveness_path:
                    alive = await self._alive(host, stated.liveness_path)
                    asked = replace(asked, alive=alive)
                return asked

        found = await asyncio.gather(*(one(host) for host in hosts))
        seats = {host.name: seat for host in hosts if (seat := self._seats(host)) is not None}
        # After the hosts: what is unhealthy and still gets requests must not be what has just fallen ill.
        views = await _views(seats.values())
        return {
            host.name: replace(asked, seating=_seating(seats[host.name], views)) if host.name in seats else asked
            for host, asked in zip(hosts, found, strict=True)
        }

    async def _health(self, host: Host, path: str) -> Asked:
        """A slow answer is asked for once more: one hiccup is no slow endpoint."""
        first = await self._once(host, path)
        if first.status is None or first.took_s <= HEALTH_S:
            return first
        second = await self._once(host, path)
        return second if second.status is not None and second.took_s < first.took_s else first

    async def _once(self, host: Host, path: str) -> Asked:
        begun_s = self._clock.monotonic()
        try:
            answer = await self._wire.request(host.address, "GET", path, timeout_s=TIMEOUT_S)
        except WireError as error:
            return Asked(self._clock.now(), why=error.why)
        return Asked(self._clock.now(), self._clock.monotonic() - begun_s, answer.status)

    async def _alive(self, host: Host, path: str) -> str:
        try:
            answer = await self._wire.request(host.address, "GET", path, timeout_s=TIMEOUT_S)
        except WireError as error:
            return error.why
        return "" if answer.status in HEALTHY else f"HTTP {answer.status}"


def _odd(one: Asked) -> bool:
    return not one.healthy and one.seating is not None and one.seating.ready


async def _views(seats: Iterable[Seat]) -> _Views:
    """One question after the other: a stats socket takes few connections at a time."""
    asked: dict[tuple[str, str], HaproxySocket] = {
        (socket.address, seat.backend): socket for seat in seats for socket in seat.sockets
    }
    found: dict[tuple[str, str], Mapping[str, Server] | BalancerFault] = {}
    for place, socket in asked.items():
        try:
            found[place] = await socket.servers(place[1])
        except BalancerFault as fault:
            found[place] = fault
    return found


def _seating(seat: Seat, views: _Views) -> Seating:
    servers: list[Server] = []
    for socket in seat.sockets:
        view = views[socket.address, seat.backend]
        if isinstance(view, BalancerFault):
            return Seating(seat.name, fault=view.why)
        if seat.server not in view:
            return Seating(seat.name, fault=f"balancer {socket.address} has no server {seat.name}")
        servers.append(view[seat.server])
    ready = any(server.ready for server in servers)
    return Seating(seat.name, ready, all(server.checked for server in servers))
