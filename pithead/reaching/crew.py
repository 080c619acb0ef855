"""Many things reached at once, but not all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
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
