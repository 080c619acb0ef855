"""Following the controller: `follow` turns a stream of views into messages, for as long as the room is open.

`Fresh` and `Lost` go to whoever asked; a flood of them becomes the newest one. A line that breaks is tried again with
growing patience; it never raises and never ends, except for a service that does not exist (`Gone`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from textual.message import Message

from pipeline.commands import Refused
from pipeline.ports import Clock, ControllerLost
from pipeline.view import FleetView

V = TypeVar("V")

SHORTEST_S, LONGEST_S = 1.0, 15.0
"""Between two tries."""


class Fresh(Message, Generic[V]):
    """A newer view."""

    def __init__(self, view: V, got: float) -> None:
        super().__init__()
        self.view = view
        self.got = got
        """Monotonic seconds."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Fresh)


class Lost(Message):
    """The line to the controller is broken."""

    def __init__(self, why: str, retry_at: float) -> None:
        super().__init__()
        self.why = why
        self.retry_at = retry_at
        """Monotonic seconds of the next try."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Lost | Fresh)


class Gone(Message):
    """The controller knows no such service; nothing more will come."""

    def __init__(self, refused: Refused) -> None:
        super().__init__()
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Live:
    """What the room knows of the fleet, and how fresh that is. All times are monotonic seconds."""

    view: FleetView | None = None
    got: float = 0.0
    """When `view` came."""
    lost: str = ""
    """Why the controller does not answer; "" while it does."""
    retry_at: float = 0.0


async def follow(
    source: Callable[[], AsyncIterator[V]],
    post: Callable[[Message], object],
    clock: Clock,
    hurry: asyncio.Event | None = None,
) -> None:
    """Post a `Fresh` for each view of `source()`; when it breaks a `Lost`, and try again.

    `hurry`, when set, ends the wait for the next try.
    """
    wait_s = SHORTEST_S
    while True:
        why = "the controller closed the line"
        try:
            async for view in source():
                wait_s = SHORTEST_S
                post(Fresh(view, clock.monotonic()))
        except ControllerLost as exc:
            why = str(exc) or "the controller does not answer"
        except Refused as exc:
            post(Gone(exc))
            return
        post(Lost(why, clock.monotonic() + wait_s))
        await rest(clock, wait_s, hurry)
        wait_s = min(wait_s * 2, LONGEST_S)


async def rest(clock: Clock, seconds: float, hurry: asyncio.Event | None) -> None:
    """Wait `seconds`, or until `hurry` is set from now on."""
    if hurry is None:
        await clock.sleep(seconds)
        return
    hurry.clear()
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    hurried = asyncio.ensure_future(hurry.wait())
    try:
        await asyncio.wait((sleeping, hurried), return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
        hurried.cancel()
