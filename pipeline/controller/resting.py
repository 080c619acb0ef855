"""Between two ticks: work that none of them may wait for, in bites; then rest until the next one is due."""

import asyncio
from collections.abc import Callable

from pipeline.ports import Clock, HistoryError


async def rest(clock: Clock, wake: asyncio.Event, until_s: float, more: Callable[[], bool]) -> None:
    """Until then by the monotonic clock, or until a command wants the tick now.

    `more` does a bite of work and says whether there is more of it; whoever else waits has a turn after each.
    """
    while not wake.is_set() and clock.monotonic() < until_s and _bite(more):  # noqa: ASYNC110 - a bite is no event
        await asyncio.sleep(0)
    sleeper = asyncio.ensure_future(clock.sleep(max(until_s - clock.monotonic(), 0.0)))
    waker = asyncio.ensure_future(wake.wait())
    _, left = await asyncio.wait({sleeper, waker}, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()


def _bite(more: Callable[[], bool]) -> bool:
    try:
        return more()
    except HistoryError:
        # The next tick meets it too, and says so.
        return False
