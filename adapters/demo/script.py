"""What happens in the demo: who releases what when, through the same door as everybody else."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from adapters.demo.follow import following
from pipeline.commands import Command, Receipt, Refused, Verb
from pipeline.ports import Clock, ControllerLost, ControlRoom
from pipeline.view import ServiceRow, State

AGAIN_S = 1.0
"""After a controller was lost, or said no to a pause that came too early."""


@dataclass(frozen=True, slots=True)
class Release:
    """`revision` of `service`, submitted `at_s` seconds after the script began."""

    at_s: float
    service: str
    revision: str
    shows: str
    """What one sees, in a few words."""


@dataclass(frozen=True, slots=True)
class Pause:
    """`revision` of `service` is paused as soon as it is seen in one of `states`."""

    service: str
    revision: str
    states: frozenset[State]
    reason: str


RELEASES = (
    Release(4.0, "checkout", "r1204", "a good one, wave by wave through production"),
    Release(6.0, "payments", "r881", "20 % errors in canary: rolled back by itself"),
    Release(8.0, "pricing", "r451", "a good one that waits for your promote"),
    Release(10.0, "cart", "r512", "paused in canary by a colleague"),
    Release(12.0, "ledger", "r311", "held in staging by a check"),
    Release(25.0, "search", "r885", "slow at p99 in canary: rolled back by itself"),
    Release(32.0, "media", "r208", "leaks memory in canary: rolled back by itself"),
)
PAUSES = (
    Pause(
        "cart",
        "r512",
        frozenset({State.CANARY, State.BAKE, State.WAIT, State.ROLL}),
        "the shop's campaign begins at the full hour",
    ),
)


async def run_script(
    room: ControlRoom, clock: Clock, releases: Sequence[Release] = RELEASES, pauses: Sequence[Pause] = PAUSES
) -> tuple[str, ...]:
    """Submit and pause as written; returns once all is said, with a line for each release that was refused.

    A controller that is lost on the way is asked again, with the same request, until it is back. Whoever
    runs this beside a room cancels it when the room is left.
    """
    async with asyncio.TaskGroup() as group:
        submits = [group.create_task(_submit(room, clock, release)) for release in releases]
        for pause in pauses:
            group.create_task(_pause(room, clock, pause))
    return tuple(refusal for submit in submits if (refusal := submit.result()))


async def _submit(room: ControlRoom, clock: Clock, release: Release) -> str:
    await clock.sleep(release.at_s)
    try:
        await _sent(room, clock, Command(Verb.SUBMIT, release.service, uuid4().hex, release.revision))
    except Refused as refused:
        return str(refused)
    return ""


async def _pause(room: ControlRoom, clock: Clock, pause: Pause) -> None:
    """A pause that is refused came at the wrong moment: the release is looked for again."""
    while True:
        row = await _seen(room, clock, pause)
        try:
            command = Command(Verb.PAUSE, row.name, uuid4().hex, release=row.release, reason=pause.reason)
            await _sent(room, clock, command)
        except Refused:
            await clock.sleep(AGAIN_S)
        else:
            return


async def _seen(room: ControlRoom, clock: Clock, pause: Pause) -> ServiceRow:
    while True:
        try:
            async with following(room.fleet()) as views:
                async for view in views:
                    for row in view.services:
                        if (row.name, row.revision) == (pause.service, pause.revision) and row.state in pause.states:
                            return row
        except ControllerLost:
            pass
        await clock.sleep(AGAIN_S)


async def _sent(room: ControlRoom, clock: Clock, command: Command) -> Receipt:
    while True:
        try:
            return await room.send(command)
        except ControllerLost:
            await clock.sleep(AGAIN_S)
