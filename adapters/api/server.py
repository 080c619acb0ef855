"""The controller's API: HTTP on two unix sockets, one for operators and one for viewers."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from aiohttp import web

from adapters.api.peer import People
from adapters.api.routes import Routes
from adapters.api.sockets import folder, listen
from adapters.api.streams import BEAT_S, GAP_S, Streams
from pipeline.ports import Clock, Desk

OPERATE = "pithead.sock"
VIEW = "view.sock"
GRACE_S = 1.0
"""For answers under way when it stops."""


class ApiServer:
    """Serves `desk` in `run_dir`, at `pithead.sock` and, read-only, at `view.sock`.

    Args:
        read_only: refuse commands on both sockets.
        group: whose members may connect too; None is the owner alone.
    """

    def __init__(
        self,
        desk: Desk,
        run_dir: Path,
        *,
        read_only: bool = False,
        group: str | None = None,
        clock: Clock,
        beat_s: float = BEAT_S,
        gap_s: float = GAP_S,
    ) -> None:
        self._desk = desk
        self._run_dir = run_dir
        self._read_only = read_only
        self._group = group
        self._clock = clock
        self._pace = (beat_s, gap_s)
        self._stop = asyncio.Event()
        self._open = AsyncExitStack()

    async def start(self) -> None:
        """Raises `OSError` (what: why: what to do) where it cannot serve; nothing is left behind then."""
        folder(self._run_dir, self._group)
        streams, people = Streams(self._desk, self._stop, *self._pace), People()
        async with AsyncExitStack() as opening:
            # The viewers' first: who finds the other one answering may look at once.
            for name, read_only in ((VIEW, True), (OPERATE, self._read_only)):
                routes = Routes(self._desk, streams, people, self._clock, read_only=read_only)
                await self._serve(opening, routes, self._run_dir / name)
            self._open = opening.pop_all()

    async def _serve(self, opening: AsyncExitStack, routes: Routes, path: Path) -> None:
        line = listen(path, self._group)
        opening.callback(path.unlink, missing_ok=True)
        opening.callback(line.close)
        runner = web.AppRunner(routes.app(), access_log=None, handler_cancellation=True, shutdown_timeout=GRACE_S)
        await runner.setup()
        opening.push_async_callback(runner.cleanup)
        await web.SockSite(runner, line).start()

    async def stop(self) -> None:
        """Hang up on everyone and remove the sockets."""
        self._stop.set()
        await self._open.aclose()
