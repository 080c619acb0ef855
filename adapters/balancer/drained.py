"""`HostFleet` around another one: a host is out of the traffic while it is deployed to.

Book, drain, wait, deploy, wait for health, put back, strike: in this order, so that a controller that was killed at
any moment finds in the book what it has to put back. The same repair, level-triggered, puts back a host whose deploy
ended badly, as soon as the host is healthy again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from adapters.balancer.answers import BalancerFault
from adapters.balancer.book import DrainBook, Drained
from adapters.balancer.keeper import Hold, Keeper, Undrainable, booked_seat
from adapters.balancer.patience import FIRST_WAIT_S, LONGEST_WAIT_S, Patience
from adapters.balancer.seat import Seat, is_last, look, until_idle, until_up
from adapters.balancer.watch import Watch
from pipeline.events import Intent, Outcome, Result
from pipeline.model import Host
from pipeline.observed import HostState, Observation
from pipeline.ports import Clock, HostFleet
from pipeline.text import PlainText, plain

LOOK_S = 2.0
"""One look at one host within a deploy."""
UP_S = 30.0
"""A balancer with health checks of its own may need so long to find a host up again."""
TURN_SHARE = 0.5
"""Of the deadline: how long a host waits for its turn, where its backend has no other ready server just now, or for a
balancer that does not answer."""

GLANCE_S = 0.25
"""How long the states wait for what people have taken out; what is seen later is told with the next ones."""
TURN_S = 0.25
"""Between two looks whether its turn has come."""


class DrainedHosts:
    """`HostFleet`. A host without a seat is deployed to as it is. `close` it at the end.

    Put it around `HealthyHosts`: then a host gets its traffic back once it has been healthy for long enough.
    """

    def __init__(self, inner: HostFleet, seats: Callable[[Host], Seat | None], store: DrainBook, clock: Clock) -> None:
        self._inner, self._seats, self._book, self._clock = inner, seats, store, clock
        self._keeper = Keeper(store, clock)
        self._watch = Watch(seats, store, clock)
        self._holds: dict[str, Hold] = {}
        """By host: deploys under way here."""
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By backend: one looks and drains at a time, or two would each count on the other to serve."""
        self._repairs: dict[str, asyncio.Task[str]] = {}
        """By host: the newest one, under way or ended."""

    async def states(self, hosts: Sequence[Host], timeout_s: float) -> Mapping[str, Observation]:
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + timeout_s
        looks = self._watch.look(hosts)
        seen = dict(await self._inner.states(hosts, timeout_s))
        left_over = [host for host in hosts if host.name in self._book.entries and host.name not in self._holds]
        begun = [self._repairing(host) for host in left_over if _is_well(seen.get(host.name))]
        if begun:
            # A repair that takes longer goes on by itself; the next look sees what came of it.
            await asyncio.wait(begun, timeout=max(ends_s - loop.time(), 0.0))
        if looks:
            await asyncio.wait(looks, timeout=max(min(ends_s - loop.time(), GLANCE_S), 0.0))
        for host in left_over:
            entry, state = self._book.entries.get(host.name), seen.get(host.name)
            if entry is not None and isinstance(state, HostState):
                seen[host.name] = replace(state, healthy=False, detail=self._why_out(entry, state))
        for host in hosts:
            state, note, silence = seen.get(host.name), self._watch.note(host), self._watch.silence(host)
            if isinstance(state, HostState) and (note or silence):
                detail = plain("; ".join(filter(None, (state.detail, note))))
                seen[host.name] = replace(state, detail=detail, held=silence)
        return seen

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        seat = self._seats(host)
        if seat is None or not seat.sockets:
            return await self._inner.deploy(host, intent, token, deadline_s)
        if host.name in self._holds:
            return self._nothing_done(intent, f"{self._holds[host.name].operation} is still under way on {host.name}")
        ends_s = self._clock.monotonic() + deadline_s
        hold = self._holds[host.name] = Hold(host.name, intent.operation, seat)
        try:
            if host.name in self._repairs:
                await asyncio.wait([self._repairs[host.name]])
            try:
                patience_ends_s = ends_s - deadline_s * TURN_SHARE
                await self._take(hold, patience_ends_s)
                await self._idle(hold, patience_ends_s, ends_s)
            except Undrainable as why:
                result = Result.HELD if why.silent else Result.FAILED
                return self._nothing_done(intent, "; ".join((str(why), *hold.said)), result)
            end = await self._inner.deploy(host, intent, token, max(ends_s - self._clock.monotonic(), 0.0))
            if hold.ours:
                await self._after(host, intent, hold, end.result, ends_s)
            return replace(end, detail=plain("; ".join(filter(None, (end.detail, *hold.said)))))
        finally:
            del self._holds[host.name]
            self._watch.touched(seat)

    async def close(self) -> None:
        """Stop repairing and looking; the book knows what is left to do."""
        await self._watch.close()
        repairs = list(self._repairs.values())
        for repair in repairs:
            repair.cancel()
        await asyncio.gather(*repairs, return_exceptions=True)

    async def _take(self, hold: Hold, patience_ends_s: float) -> None:
        """Out of the traffic, once there is another server to take it over."""
        seat = hold.seat
        patience = Patience(self._clock, patience_ends_s)
        while True:
            async with self._turns[seat.backend]:
                others = sorted(
                    its.host for its in self._holds.values() if its.ours and its.seat.backend == seat.backend
                )
                views = await look(seat)
                if not isinstance(views, BalancerFault) and not is_last(seat, views):
                    return await self._keeper.take(hold, views, patience_ends_s)
            if isinstance(views, BalancerFault):
                self._watch.doubt(seat)
                if not await patience.again([views]):
                    raise Undrainable(patience.told([views]).why, silent=views.silent)
                continue
            patience.heard()
            left_s = patience_ends_s - self._clock.monotonic()
            if not others or left_s <= 0:
                busy = f" while {', '.join(others)} is deployed to" if others else ""
                advice = "make another one ready first"
                raise Undrainable(f"{seat.server} is the last ready server of {seat.backend}{busy}: {advice}")
            await self._clock.sleep(min(TURN_S, left_s))

    async def _idle(self, hold: Hold, patience_ends_s: float, ends_s: float) -> None:
        """Wait for its sessions to end, for as long as they may take."""
        at_most_s = min(hold.seat.drain_s, max(ends_s - self._clock.monotonic(), 0.0))
        waited = await until_idle(hold.seat, hold.ours, at_most_s, patience_ends_s, self._clock)
        wrong = waited.fault.why if waited.fault is not None else ""
        if not wrong and ends_s - self._clock.monotonic() <= 0:
            wrong = f"draining {hold.seat.name} took all the time: give the deploy a longer deadline or a shorter drain"
        if wrong:
            await self._keeper.undo(hold)
            raise Undrainable(wrong, silent=waited.fault is not None and waited.fault.silent)
        if waited.sessions:
            hold.said.append(f"sessions left on {hold.seat.name} after {at_most_s:.3g} s of drain: {waited.sessions}")

    async def _after(self, host: Host, intent: Intent, hold: Hold, result: Result, ends_s: float) -> None:
        """Into the traffic again if the host is well; where it is not, that is said."""
        seat = hold.seat
        stays = f"{seat.name} stays drained"
        if result is Result.UNKNOWN:
            hold.said.append(f"{stays} until the host is seen healthy")
            return
        wrong = await self._until_well(host, intent, result, ends_s)
        if wrong:
            hold.said.append(f"{stays} until the host is healthy: {wrong}")
            return
        failed = await self._keeper.give_back(host.name, seat, hold.ours, Patience(self._clock, ends_s))
        if failed:
            hold.said.append(f"{stays}: {failed}")
            return
        left_s = min(max(ends_s - self._clock.monotonic(), 0.0), UP_S)
        down = await until_up(seat, hold.ours, left_s, self._clock)
        if down:
            hold.said.append(f"{seat.name} is not up yet in {', '.join(down)}: see its health check there")

    async def _until_well(self, host: Host, intent: Intent, result: Result, ends_s: float) -> str:
        """Wait for health on the revision, if the deploy is done; else look once. "", or what is wrong."""
        wait_s = FIRST_WAIT_S
        while True:
            state = (await self._inner.states([host], LOOK_S)).get(host.name)
            left_s = ends_s - self._clock.monotonic()
            if not isinstance(state, HostState):
                wrong = state.why if state is not None else "no answer"
            elif result is Result.DONE and state.revision != intent.revision:
                wrong = f"it runs {state.revision or 'nothing'}"
            elif not _is_well(state):
                wrong = state.detail or "it does not say why not"
            else:
                return ""
            if result is not Result.DONE or left_s <= 0:
                return wrong
            await self._clock.sleep(min(wait_s, left_s))
            wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)

    def _repairing(self, host: Host) -> asyncio.Task[str]:
        """The repair of a well host that is drained by us, and that nobody deploys to: one at a time."""
        repair = self._repairs.get(host.name)
        if repair is None or repair.done():
            entry = self._book.entries[host.name]
            seat = booked_seat(entry, self._seats(host))
            repair = asyncio.ensure_future(self._keeper.give_back(host.name, seat, seat.sockets))
            self._repairs[host.name] = repair
        return repair

    def _why_out(self, entry: Drained, state: HostState) -> PlainText:
        repair = self._repairs.get(entry.host)
        if not _is_well(state):
            until = "until the host is healthy"
        elif repair is not None and repair.done() and not repair.cancelled():
            until = f"{repair.result()}; or make it ready there by hand"
        else:
            until = "about to be put back"
        out = f"{entry.backend}/{entry.server} is drained by pithead for {entry.operation}: {until}"
        return plain("; ".join(filter(None, (out, state.detail))))

    def _nothing_done(self, intent: Intent, why: str, result: Result = Result.FAILED) -> Outcome:
        return Outcome(intent.operation, result, plain(f"nothing done: {why}"), self._clock.now())


def _is_well(state: Observation | None) -> bool:
    """Healthy, and not in the middle of an operation."""
    return isinstance(state, HostState) and state.healthy and not (state.operation and state.result is None)
