"""`python -m tests.pictures [FOLDER]`: draws the screens with the sample company, for README (docs/pictures)."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from textual.screen import Screen

from tests.tui.fakes import FrozenClock
from tests.tui.pages import company, drawn, settled
from tests.tui.samples import sample_fleet, sample_proposals
from tui.app import PitheadApp
from tui.history import HistoryScreen
from tui.room import RoomApp
from tui.service import ServiceScreen
from tui.theme import Colors
from tui.wallboard import WallboardApp

WIDE, SMALL = (120, 40), (80, 24)
Page = Callable[[], Screen[Any]]
PICTURES: Sequence[tuple[str, type[RoomApp], tuple[int, int], Page | None, Sequence[str]]] = (
    ("fleet", PitheadApp, WIDE, None, ("j",)),
    ("service", PitheadApp, WIDE, lambda: ServiceScreen("checkout-api"), ()),
    ("rollback", PitheadApp, SMALL, None, ("j", "R")),
    ("history", PitheadApp, SMALL, HistoryScreen, ("j", "j")),
    ("wallboard", WallboardApp, SMALL, None, ()),
)
"""File name, program, size, what is opened in it, and the keys pressed then."""


async def draw(kind: type[RoomApp], size: tuple[int, int], page: Page | None, keys: Sequence[str]) -> tuple[str, str]:
    """The screen as (SVG in colour and Unicode, ASCII text)."""
    made = []
    for ascii_, colors in ((False, Colors.TRUE), (True, Colors.NONE)):
        room = company()
        room.proposals.update(sample_proposals())
        app = kind(
            room, ascii=ascii_, colors=colors, clock=FrozenClock(), zone=UTC, operator="mira", first=sample_fleet()
        )
        async with app.run_test(size=size) as pilot:
            if page is not None:
                await app.push_screen(page())
            await settled(pilot)
            await pilot.press(*keys)
            await settled(pilot)
            made.append("\n".join(drawn(app)) + "\n" if ascii_ else app.export_screenshot(title="pithead"))
    return made[0], made[1]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, kind, size, page, keys in PICTURES:
        svg, text = asyncio.run(draw(kind, size, page, keys))
        (folder / f"{name}.svg").write_text(svg, encoding="utf-8")
        (folder / f"{name}.txt").write_text(text, encoding="ascii", errors="strict")
        print(folder / f"{name}.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures"))
