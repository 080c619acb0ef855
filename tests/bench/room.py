"""The control room on a company in memory, for termbench: `python -m tests.bench.room [--changes N]`.

A view comes every tick as a controller's would; `--changes` services have other numbers in each.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from pipeline.view import FleetView
from tests.bench.company import fleet_views, service_rows
from tests.tui.fakes import FakeRoom
from tui.app import PitheadApp

READY = service_rows(1)[0].name
"""Stands on the first page: the service that most needs a person."""


class LiveRoom(FakeRoom):
    """A room whose fleet goes on by itself."""

    def __init__(self, services: int, changes: int, every_s: float) -> None:
        super().__init__()
        self._views = fleet_views(services, changes, every_s, datetime.now(UTC))
        self._every_s = every_s

    async def fleet(self) -> AsyncIterator[FleetView]:
        for view in self._views:
            yield view
            await asyncio.sleep(self._every_s)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--services", type=int, default=1_000)
    asked.add_argument("--changes", type=int, default=0, help="services with other numbers in each view")
    asked.add_argument("--every", type=float, default=5.0, help="seconds between two views")
    args = asked.parse_args()
    PitheadApp(LiveRoom(args.services, args.changes, args.every)).open()


if __name__ == "__main__":
    main()
