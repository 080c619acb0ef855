"""Many things reached at once, but not all of them."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from pithead.reaching.progress import Progress

AT_ONCE = 50

T = TypeVar("T")
Job = tuple[str, Callable[[], Awaitable[T]]]
"""What progress calls it, and what reaches it, within a deadline of its own."""


class Crew:
    def __init__(self, progress: Progress, at_once: int = AT_ONCE) -> None:
        self._progress = progress
        self._gate = asyncio.Semaphore(at_once)

    async def each(self, jobs: Sequence[Job[T]]) -> list[T]:
        """What each of them brings, in their order."""
        self._progress.expect(len(jobs))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(name, reach)) for name, reach in jobs]
        return [task.result() for task in tasks]

    async def _one(self, name: str, reach: Callable[[], Awaitable[T]]) -> T:
        async with self._gate:
            self._progress.begin(name)
            try:
                return await reach()
            finally:
                self._progress.end(name)


async def in_thread(work: Callable[[], T], deadline_s: float) -> T:
    """`work()` in a thread that nobody waits for at the end, as a file on a share may hang. Raises `TimeoutError`."""
    loop = asyncio.get_running_loop()
    ending: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            give = partial(ending.set_result, work())
        except Exception as error:  # noqa: BLE001 - handed on to whoever awaits it
            give = partial(ending.set_exception, error)
        # A loop that is closed meanwhile wants nothing any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if ending.done() else give())

    threading.Thread(target=run, name="reaching", daemon=True).start()
    async with asyncio.timeout(deadline_s):
        return await ending
