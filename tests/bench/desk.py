"""The real API with a company in memory behind it: `python -m tests.bench.desk RUN_DIR [--changes N]`.

What `pithead --run-dir RUN_DIR` shows of it is the whole way: socket, JSON, screens.
"""

import argparse
import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path

from adapters.api.server import ApiServer
from pipeline.commands import Command, Receipt, Refused, Stretch, Verb
from pipeline.events import Who
from pipeline.view import FleetView, HistoryPage, HistoryQuery, Proposal, ServiceView
from pithead.clock import SystemClock
from tests.bench.company import fleet_views


class MemoryDesk:
    """`Desk` whose fleet goes on by itself, and that takes no command."""

    def __init__(self, services: int, changes: int, every_s: float) -> None:
        self._views = fleet_views(services, changes, every_s, datetime.now(UTC))
        self._every_s = every_s
        self._view = next(self._views)
        self._changed = asyncio.Event()

    async def go_on(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            self._view = next(self._views)
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    def fleet(self) -> FleetView:
        return self._view

    async def newer(self, sequence: int) -> None:
        while self._view.sequence <= sequence:
            await self._changed.wait()

    def service(self, name: str) -> ServiceView:
        raise _only_looked_at(name)

    def propose(self, verb: Verb, service: str, about: Stretch | None = None) -> Proposal:
        raise _only_looked_at(f"{verb} {service}")

    def command(self, command: Command, who: Who, *, read_only: bool) -> Receipt:
        raise _only_looked_at(f"{command.verb} {command.service}")

    def history(self, query: HistoryQuery) -> HistoryPage:
        return HistoryPage((), 0)


def _only_looked_at(what: str) -> Refused:
    return Refused(what, "this company is for measuring", "run a real one: pithead demo")


async def serve(run_dir: Path, services: int, changes: int, every_s: float) -> None:
    desk = MemoryDesk(services, changes, every_s)
    server = ApiServer(desk, run_dir, clock=SystemClock())
    await server.start()
    going = asyncio.ensure_future(desk.go_on())
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print("serving", flush=True)
    await stopped.wait()
    going.cancel()
    await server.stop()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("run_dir", type=Path)
    asked.add_argument("--services", type=int, default=1_000)
    asked.add_argument("--changes", type=int, default=0, help="services with other numbers in each view")
    asked.add_argument("--every", type=float, default=5.0, help="seconds between two views")
    args = asked.parse_args()
    asyncio.run(serve(args.run_dir, args.services, args.changes, args.every))


if __name__ == "__main__":
    main()
