"""A host's seat behind its balancers, and what is done to it: look, drain, wait until it is idle, put back.

Nothing here raises; what went wrong is in what is returned, in words, by balancer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from adapters.balancer.answers import BalancerFault, Load, Server, no_server
from adapters.balancer.haproxy import HaproxySocket, Wanted
from adapters.balancer.patience import FIRST_WAIT_S, LONGEST_WAIT_S, Patience, as_one
from pipeline.ports import Clock

IDLE_LOOKS = 2
"""A request that is just being given to the server may not be counted yet."""
UNREACHED_S = 5.0
"""A balancer that cannot be asked for so long while a server drains is given up; a reload takes less."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a host sits: the same server of the same backend in every one of its balancers."""

    sockets: tuple[HaproxySocket, ...]
    backend: str
    server: str
    drain_s: float = 30.0
    """How long its sessions may take to end before it is deployed to all the same."""

    @property
    def name(self) -> str:
        return f"{self.backend}/{self.server}"


Views = Mapping[HaproxySocket, Mapping[str, Server]]
"""The seat's backend as each balancer has it; the seat's own server is in each."""


@dataclass(frozen=True, slots=True)
class Waited:
    """How the waiting for a drained server's sessions ended."""

    sessions: int = 0
    """Left when the time was over."""
    fault: BalancerFault | None = None
    """Of balancers that could not be asked any more: nobody knows what they send."""


async def look(seat: Seat) -> Views | BalancerFault:
    """Every balancer's view, or why one of them has none: one that refuses before one that does not answer."""
    views: dict[HaproxySocket, Mapping[str, Server]] = {}
    silent: BalancerFault | None = None
    answers = await _each(seat.sockets, lambda socket: socket.servers(seat.backend))
    for socket, servers in answers.items():
        if not isinstance(servers, BalancerFault):
            if seat.server not in servers:
                why = no_server(seat.backend, seat.server).why
                return BalancerFault(f"balancer {socket.address}: {why}", absent=True)
            views[socket] = servers
        elif servers.silent:
            silent = silent or servers
        else:
            return servers
    return silent or views


def is_last(seat: Seat, views: Views) -> bool:
    """Whether a balancer would have no ready server left without this one.

    Not so in a backend of one server, which could never be deployed to, nor where the server is not ready itself.
    """
    return any(
        servers[seat.server].ready
        and len(servers) > 1
        and not any(server.ready for name, server in servers.items() if name != seat.server)
        for servers in views.values()
    )


async def drain(seat: Seat, sockets: Iterable[HaproxySocket], patience: Patience) -> BalancerFault | None:
    """Take the server out on each of `sockets`; what went wrong, where something did."""
    while True:
        answers = await _each(sockets, lambda socket: socket.set_state(seat.backend, seat.server, Wanted.DRAIN))
        faults = _faults(answers)
        if not faults:
            return None
        if not await patience.again(faults.values()):
            return patience.told(faults.values())
        sockets = tuple(faults)


async def put_back(
    seat: Seat, sockets: Iterable[HaproxySocket], patience: Patience | None = None
) -> dict[HaproxySocket, str]:
    """Give the server its traffic again on each of `sockets`; why not, of those where it failed.

    Without `patience` each is asked once.
    A server that is in maintenance now was put there by a person, as we only drain: it is left so. One that is not
    there any more needs nothing.
    """
    while True:
        faults = _faults(await _each(sockets, lambda socket: _ready(seat, socket)))
        if not faults or patience is None or not await patience.again(faults.values()):
            return {socket: fault.why for socket, fault in faults.items()}
        sockets = tuple(faults)


async def _ready(seat: Seat, socket: HaproxySocket) -> None:
    try:
        server = (await socket.servers(seat.backend)).get(seat.server)
    except BalancerFault as fault:
        if fault.absent:
            return
        raise
    if server is not None and server.drained and not server.maint:
        await socket.set_state(seat.backend, seat.server, Wanted.READY)


async def until_idle(
    seat: Seat, ours: frozenset[HaproxySocket], at_most_s: float, patience_ends_s: float, clock: Clock
) -> Waited:
    """Wait until no balancer has sessions or waiting requests on the server, or `at_most_s` have passed.

    Idle means seen so `IDLE_LOOKS` times. A balancer that was started anew meanwhile has forgotten the drain: it
    is told again, if it is one of `ours`. One that does not answer is waited for until `patience_ends_s` of the
    clock, however short the drain.
    """
    began_s = clock.monotonic()
    drained_s = ends_s = began_s + at_most_s
    heard_s = dict.fromkeys(seat.sockets, began_s)
    wait_s = FIRST_WAIT_S
    idle = 0
    while True:
        loads = await _each(seat.sockets, lambda socket: _draining(seat, socket, ours))
        now_s = clock.monotonic()
        known = {socket: load for socket, load in loads.items() if isinstance(load, Load)}
        heard_s |= dict.fromkeys(known, now_s)
        faults = tuple(_faults(loads).values())
        left_s = ends_s - now_s
        busy = any(not load.idle or (load.serving and socket in ours) for socket, load in known.items())
        idle = 0 if busy or faults else idle + 1
        if idle == IDLE_LOOKS:
            return Waited()
        silent_s = now_s - min(heard_s.values())
        patient = now_s < patience_ends_s and all(fault.silent for fault in faults)
        if faults and not patient and (now_s >= drained_s or silent_s >= UNREACHED_S):
            return Waited(fault=as_one(faults, silent_s))
        if faults and patient:
            # Once it answers it must still be seen idle, and may have to be told again.
            ends_s = max(ends_s, now_s + 2 * LONGEST_WAIT_S)
            left_s = ends_s - now_s
        elif left_s <= 0:
            return Waited(sessions=sum(load.sessions + load.queued for load in known.values()))
        await clock.sleep(min(wait_s, left_s))
        wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)


async def _draining(seat: Seat, socket: HaproxySocket, ours: frozenset[HaproxySocket]) -> Load:
    load = await socket.load(seat.backend, seat.server)
    if load.serving and socket in ours:
        await socket.set_state(seat.backend, seat.server, Wanted.DRAIN)
    return load


async def until_up(seat: Seat, sockets: Iterable[HaproxySocket], at_most_s: float, clock: Clock) -> list[str]:
    """Wait until each of `sockets` sends the server requests again; those that do not, when the time is over."""
    began_s = clock.monotonic()
    waiting = list(sockets)
    wait_s = FIRST_WAIT_S
    while True:
        answers = await _each(waiting, lambda socket: socket.servers(seat.backend))
        waiting = [socket for socket, servers in answers.items() if not _takes(servers, seat.server)]
        left_s = began_s + at_most_s - clock.monotonic()
        if not waiting or left_s <= 0:
            return [socket.address for socket in waiting]
        await clock.sleep(min(wait_s, left_s))
        wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)


def _takes(servers: Mapping[str, Server] | BalancerFault, server: str) -> bool:
    """Up, or kept out by a person, whom nobody waits for."""
    its = servers.get(server) if not isinstance(servers, BalancerFault) else None
    return its is not None and (its.up or its.out)


def _faults(answers: Mapping[HaproxySocket, object]) -> dict[HaproxySocket, BalancerFault]:
    return {socket: fault for socket, fault in answers.items() if isinstance(fault, BalancerFault)}


async def _each(
    sockets: Iterable[HaproxySocket], ask: Callable[[HaproxySocket], Awaitable[T]]
) -> dict[HaproxySocket, T | BalancerFault]:
    """Every balancer's answer, all asked at once."""
    asked: Sequence[HaproxySocket] = tuple(sockets)

    async def one(socket: HaproxySocket) -> T | BalancerFault:
        try:
            return await ask(socket)
        except BalancerFault as fault:
            return fault

    answers = await asyncio.gather(*(one(socket) for socket in asked))
    return dict(zip(asked, answers, strict=True))
