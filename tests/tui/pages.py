"""Opening a screen on a company in memory, and reading what is drawn: `opened`, `drawn`, `settled`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen

from tests.tui.fakes import FakeRoom, FrozenClock
from tests.tui.samples import sample_events, sample_fleet, sample_rows, sample_service
from tui.app import PitheadApp
from tui.room import RoomApp
from tui.theme import Colors


def company(**more: Any) -> FakeRoom:
    """The sample fleet, with the page of each service that has a release."""
    services = {row.name: sample_service(row.name) for row in sample_rows() if row.release}
    return FakeRoom(sample_fleet(), services, sample_events(), **more)


async def settled(pilot: "Pilot[Any]", pauses: int = 3) -> None:
    """Until what was posted has been handled, and what it asked for is painted."""
    for _ in range(pauses):
        await pilot.pause()


@asynccontextmanager
async def opened(
    screen: Screen[Any] | None,
    room: FakeRoom,
    size: tuple[int, int] = (80, 24),
    *,
    kind: type[RoomApp] = PitheadApp,
    colors: Colors = Colors.NONE,
    ascii: bool = True,  # noqa: A002
) -> AsyncIterator["tuple[RoomApp, Pilot[Any]]"]:
    app = kind(room, ascii=ascii, colors=colors, clock=FrozenClock(), operator="mira@bastion-3", first=room._fleet)
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        if screen is not None:
            await app.push_screen(screen)
            await settled(pilot)
        yield app, pilot


def drawn(app: RoomApp) -> list[str]:
    """The screen as text, as it would reach the terminal."""
    return ["".join(part.text for part in line).rstrip() for line in app.screen._compositor.render_strips()]
