"""What happens in the demo: who does what when, through the same door as everybody else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

from adapters.demo.follow import following
from adapters.demo.plan import PAUSES, RECALLS, RELEASES, WORDS, Pause, Recall, Release, Word
from pipeline.commands import Command, Receipt, Refused, Verb
from pipeline.gates import Answer
from pipeline.ports import Clock, ControllerLost, ControlRoom
from pipeline.view import FleetView, ServiceRow, ServiceView

AGAIN_S = 1.0
"""After a controller was lost, or said no to what came too early."""
WORDS_FROM_S, WORD_EVERY_S = 5.0, 0.5
T = TypeVar("T")


async def run_script(
    room: ControlRoom,
    clock: Clock,
    releases: Sequence[Release] = RELEASES,
    pauses: Sequence[Pause] = PAUSES,
    recalls: Sequence[Recall] = RECALLS,
    words: Sequence[Word] = WORDS,
) -> tuple[str, ...]:
    """Do as written; returns once all is said, with a line for each release or word that was refused.

    A controller that is lost on the way is asked again, with the same request, until it is back. Whoever
    runs this beside a room cancels it when the room is left.
    """
    async with asyncio.TaskGroup() as group:
        told = [group.create_task(_submit(room, clock, release)) for release in releases]
        told.append(group.create_task(_vouch(room, clock, words)))
        for pause in pauses:
            group.create_task(_pause(room, clock, pause))
        for recall in recalls:
            group.create_task(_recall(room, clock, recall))
    return tuple(refusal for task in told for refusal in task.result())


async def _submit(room: ControlRoom, clock: Clock, release: Release) -> list[str]:
    await clock.sleep(release.at_s)
    return await _asked(room, clock, Command(Verb.SUBMIT, release.service, uuid4().hex, release.revision))


async def _vouch(room: ControlRoom, clock: Clock, words: Sequence[Word]) -> list[str]:
    refused: list[str] = []
    for number, word in enumerate(words):
        await clock.sleep(WORD_EVERY_S if number else WORDS_FROM_S)
        verb = Verb.WAIVE if word.off_days else Verb.ATTEST
        end = clock.now() + timedelta(days=word.off_days) if word.off_days else None
        command = Command(
            verb,
            word.service,
            uuid4().hex,
            word.revision,
            reason=word.found,
            subject=word.row,
            end=end,
            evidence=word.evidence,
        )
        refused += await _asked(room, clock, command)
    return refused


async def _asked(room: ControlRoom, clock: Clock, command: Command) -> list[str]:
    try:
        await _sent(room, clock, command)
    except Refused as refused:
        return [str(refused)]
    return []


async def _pause(room: ControlRoom, clock: Clock, pause: Pause) -> None:
    def found(view: FleetView) -> ServiceRow | None:
        its = (row for row in view.services if (row.name, row.revision) == (pause.service, pause.revision))
        return next((row for row in its if row.state in pause.states), None)

    await _insist(room, clock, Verb.PAUSE, pause.reason, lambda: _seen(room.fleet, clock, found))


async def _recall(room: ControlRoom, clock: Clock, recall: Recall) -> None:
    def found(view: ServiceView) -> ServiceRow | None:
        held = any(gate.name == recall.gate and gate.answer is Answer.HOLD for gate in view.gates)
        return view.row if held and view.row.revision == recall.revision else None

    await _insist(
        room, clock, Verb.ROLLBACK, recall.reason, lambda: _seen(lambda: room.service(recall.service), clock, found)
    )


async def _insist(
    room: ControlRoom, clock: Clock, verb: Verb, reason: str, see: Callable[[], Awaitable[ServiceRow]]
) -> None:
    """What is refused came at the wrong moment: the release is looked for again."""
    while True:
        row = await see()
        try:
            await _sent(room, clock, Command(verb, row.name, uuid4().hex, release=row.release, reason=reason))
        except Refused:
            await clock.sleep(AGAIN_S)
        else:
            return


async def _seen(
    look: Callable[[], AsyncIterator[T]], clock: Clock, found: Callable[[T], ServiceRow | None]
) -> ServiceRow:
    while True:
        try:
            async with following(look()) as views:
                async for view in views:
                    row = found(view)
                    if row is not None:
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
