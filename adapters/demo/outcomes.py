"""How the script's releases ended, as anyone who watches the fleet can tell."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from adapters.demo.follow import following
from adapters.demo.plan import RELEASES, Release
from adapters.demo.script import AGAIN_S
from pipeline.gates import Answer, Gate
from pipeline.ports import Clock, ControllerLost, ControlRoom
from pipeline.view import FleetView, HistoryQuery, ServiceRow, State

LIMIT_S = 180.0


class End(StrEnum):
    SETTLED = "settled"
    ROLLED_BACK = "rolled back"
    WAITING = "waiting for an operator"
    PAUSED = "paused"
    HELD = "held"
    """A gate keeps it where it is: a failed check in staging, or a block before it."""
    CYCLE = "waiting for its traffic cycle"
    """A good canary that has served for long enough, and not half of the requests that it must have."""
    REFUSED = "refused"
    """A rule did not let it be submitted at all."""
    GONE = "gone"
    """It was there, and the service is steady on another revision: cancelled, or superseded."""
    UNFINISHED = "unfinished"
    """Nothing of the above when time was up."""


@dataclass(frozen=True, slots=True)
class ReleaseOutcome:
    service: str
    revision: str
    release: str
    """Its name, or "" if it was never seen."""
    end: End
    state: str
    """The service's state word at that time."""
    why: str
    after_s: float
    """Since the watch began."""


_ENDS = {
    State.WAIT: End.WAITING,
    State.PAUSED: End.PAUSED,
}
_SERVED = re.compile(r"peak seen, ([0-9,.]+) of ([0-9,.]+)( M)? requests")


async def until_settled(
    room: ControlRoom, clock: Clock, releases: Sequence[Release] = RELEASES, limit_s: float = LIMIT_S
) -> list[ReleaseOutcome]:
    """Each release's outcome once nothing moves by itself any more, or after `limit_s`; in `releases`' order.

    A controller that is lost on the way is looked for again. An outcome is the newest one: a release
    that an operator promotes while others still move is followed on.
    """
    watch = _Watch(room, clock, releases)
    following = asyncio.create_task(watch.follow())
    limit = asyncio.create_task(clock.sleep(limit_s))
    try:
        await asyncio.wait((following, limit), return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()
    finally:
        for task in (following, limit):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return watch.outcomes()


class _Watch:
    def __init__(self, room: ControlRoom, clock: Clock, releases: Sequence[Release]) -> None:
        self._room = room
        self._clock = clock
        self._releases = releases
        self._began_s = clock.monotonic()
        self._found: dict[Release, ReleaseOutcome] = {}

    def outcomes(self) -> list[ReleaseOutcome]:
        return [self._found.get(release) or self._unseen(release) for release in self._releases]

    async def follow(self) -> None:
        while True:
            try:
                async with following(self._room.fleet()) as views:
                    async for view in views:
                        await self._look(view)
                        if all(outcome.end is not End.UNFINISHED for outcome in self.outcomes()):
                            return
            except ControllerLost:
                pass
            await self._clock.sleep(AGAIN_S)

    async def _look(self, view: FleetView) -> None:
        rows = {row.name: row for row in view.services}
        for release in self._releases:
            row = rows.get(release.service)
            if row is None:
                continue
            before = self._found.get(release)
            seen = before is not None and before.end is not End.REFUSED
            end = await self._end(release, row, seen=seen)
            if end is End.CYCLE:
                row = replace(row, why=_why(await self._gates(row.name), "traffic-cycle") or row.why)
            if end is not None:
                self._found[release] = self._outcome(release, row, end, before)
            elif before is None:
                await self._look_for_refusal(release, row)

    def _outcome(self, release: Release, row: ServiceRow, end: End, before: ReleaseOutcome | None) -> ReleaseOutcome:
        """Dated when it came to this end; its reason is the newest."""
        if before is not None and before.end is end:
            return replace(before, state=row.state.value, why=row.why)
        name = row.release or (before.release if before is not None else "")
        after_s = self._clock.monotonic() - self._began_s
        return ReleaseOutcome(release.service, release.revision, name, end, row.state.value, row.why, after_s)

    async def _end(self, release: Release, row: ServiceRow, *, seen: bool) -> End | None:
        """How `release` stands by its service's row; None if the row is not about it."""
        if row.state is State.STEADY:
            if row.production.revision == release.revision:
                return End.SETTLED
            return End.GONE if seen else None
        if row.state is State.LOCK and not row.revision:
            # The row of a release that has ended does not name it any more.
            return End.ROLLED_BACK if seen else None
        if row.revision != release.revision:
            return None
        if row.state is State.GATES and any(map(_failed_check, await self._gates(release.service))):
            return End.HELD
        if row.state is State.BLOCK and any(map(_holds, await self._gates(release.service))):
            return End.HELD
        if row.state is State.BAKE and not row.wait_s and _far_from_full(await self._gates(release.service)):
            return End.CYCLE
        return _ENDS.get(row.state, End.UNFINISHED)

    async def _gates(self, service: str) -> tuple[Gate, ...]:
        async with following(self._room.service(service)) as views:
            async for view in views:
                return view.gates
        return ()

    async def _look_for_refusal(self, release: Release, row: ServiceRow) -> None:
        """In the history: a release that was refused is nowhere else."""
        if self._clock.monotonic() - self._began_s < release.at_s:
            return
        what = f"submit {release.service} {release.revision}: "
        page = await self._room.history(HistoryQuery(release.service, text=what, limit=1))
        for event in page.events:
            if event.action == "denied" and event.detail.startswith(what):
                found = self._outcome(release, row, End.REFUSED, None)
                self._found[release] = replace(found, why=event.detail.removeprefix(what))

    def _unseen(self, release: Release) -> ReleaseOutcome:
        after_s = self._clock.monotonic() - self._began_s
        return ReleaseOutcome(
            release.service, release.revision, "", End.UNFINISHED, "", "never seen: was it refused?", after_s
        )


def _failed_check(gate: Gate) -> bool:
    return gate.answer is Answer.FAIL and gate.name.startswith("check ")


def _holds(gate: Gate) -> bool:
    """Known to be closed: what is not known yet will be."""
    return gate.answer in {Answer.HOLD, Answer.FAIL}


def _far_from_full(gates: Sequence[Gate]) -> bool:
    """Whether requests of the traffic cycle are all that is missing, and more of them than were served."""
    closed = {gate.name: gate for gate in gates if gate.answer is not Answer.PASS}
    cycle = closed.pop("traffic-cycle", None)
    served = _SERVED.search(cycle.why) if cycle is not None else None
    if served is None or closed.keys() - {"promote"}:
        return False
    had, asked = (float(served[group].replace(",", "")) for group in (1, 2))
    return 2 * had < asked


def _why(gates: Sequence[Gate], name: str) -> str:
    return next((f"{name}: {gate.why}" for gate in gates if gate.name == name), "")
