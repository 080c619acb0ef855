"""The book and the balancers in step: what is drained by us is in the book before it is drained, and until it is not.

What a person has drained or put in maintenance is never ours, and never put back by us.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from adapters.balancer.book import DrainBook, Drained
from adapters.balancer.haproxy import HaproxySocket
from adapters.balancer.patience import Patience
from adapters.balancer.seat import Seat, Views, drain, put_back
from pipeline.ports import Clock


class Undrainable(Exception):
    """The host cannot be taken out of the traffic; nothing was done to it."""

    def __init__(self, why: str, *, silent: bool = False) -> None:
        super().__init__(why)
        self.silent = silent
        """As a balancer does not answer: it is asked again once it does."""


@dataclass(slots=True)
class Hold:
    """What one deploy holds of its host's seat."""

    host: str
    operation: str
    seat: Seat
    ours: frozenset[HaproxySocket] = frozenset()
    """Balancers that drain it because we said so, in this deploy or in one before."""
    fresh: frozenset[HaproxySocket] = frozenset()
    """Of those, the ones where it had its traffic when this deploy began."""
    said: list[str] = field(default_factory=list)
    """What the outcome's detail must tell."""


class Keeper:
    """Takes hosts out of the traffic and gives them back, by the book."""

    def __init__(self, book: DrainBook, clock: Clock) -> None:
        self._book, self._clock = book, clock

    async def take(self, hold: Hold, views: Views, patience_ends_s: float) -> None:
        """Book it, then drain it on every balancer where nobody else did; or `Undrainable`, with all as it was."""
        seat = hold.seat
        was = self._book.entries.get(hold.host)
        booked = was.balancers if was is not None else ()
        theirs = [socket for socket in seat.sockets if views[socket][seat.server].out and socket.address not in booked]
        for socket in theirs:
            how = "in maintenance" if views[socket][seat.server].maint else "drained"
            hold.said.append(f"{seat.name} was {how} in {socket.address} by someone else, and stays so")
        hold.ours = frozenset(seat.sockets) - frozenset(theirs)
        hold.fresh = frozenset(socket for socket in hold.ours if socket.address not in booked)
        if not hold.ours:
            return
        unwritten = self._note(hold, hold.ours)
        if unwritten:
            # A full disk must not stop a rollback; the history itself holds what goes forward.
            hold.said.append(f"{unwritten}: if pithead is stopped meanwhile, put {seat.name} back by hand")
        fault = await drain(seat, hold.ours, Patience(self._clock, patience_ends_s))
        if fault is not None:
            await self.undo(hold)
            raise Undrainable(fault.why, silent=fault.silent)

    async def undo(self, hold: Hold) -> None:
        """As it was before this deploy; a host that an earlier one had left drained is not well, and stays so."""
        failed = await put_back(hold.seat, hold.fresh)
        if failed:
            hold.said.append(f"{hold.seat.name} stays drained: {'; '.join(failed.values())}")
        left = (hold.ours - hold.fresh) | failed.keys()
        if left:
            self._note(hold, left)
        else:
            self._book.strike(hold.host)

    async def give_back(
        self, host: str, seat: Seat, sockets: Iterable[HaproxySocket], patience: Patience | None = None
    ) -> str:
        """Into the traffic on all of `sockets`; or why it is not on some, which stay in the book."""
        failed = await put_back(seat, sockets, patience)
        entry = self._book.entries.get(host)
        if not failed:
            self._book.strike(host)
        elif entry is not None:
            left = {socket.address for socket in failed}
            kept = tuple(address for address in entry.balancers if address in left)
            self._book.put(msgspec.structs.replace(entry, balancers=kept))
        return "; ".join(failed.values())

    def _note(self, hold: Hold, sockets: Iterable[HaproxySocket]) -> str:
        seat = hold.seat
        addresses = tuple(socket.address for socket in seat.sockets if socket in frozenset(sockets))
        now = self._clock.now()
        return self._book.put(Drained(hold.host, hold.operation, seat.backend, seat.server, addresses, now))


def booked_seat(entry: Drained, now: Seat | None) -> Seat:
    """The seat that the book tells of, whatever the configuration says today."""
    known = {socket.address: socket for socket in now.sockets} if now is not None else {}
    sockets = tuple(known.get(address) or HaproxySocket(address) for address in entry.balancers)
    return Seat(sockets, entry.backend, entry.server)
