"""Work that blocks, in a thread of its own: a file on a share that hangs must not hold up the rest."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")

MOST_HANGING = 32
"""Threads that nobody waits for any more: each is one of the few that the controller may have, and a rollback needs."""
_hanging: set[threading.Thread] = set()


async def in_thread(work: Callable[[], T], deadline_s: float) -> T:
    """`work()` in a thread that nobody waits for at the end, as a file on a share may hang. Raises `TimeoutError`.

    So too at once, and `work` is not begun, while `MOST_HANGING` have not ended after their time.
    """
    _hanging.intersection_update([thread for thread in _hanging if thread.is_alive()])
    if len(_hanging) >= MOST_HANGING:
        raise TimeoutError
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

    thread = threading.Thread(target=run, name="waiting", daemon=True)
    thread.start()
    try:
        async with asyncio.timeout(deadline_s):
            return await ending
    except TimeoutError:
        _hanging.add(thread)
        raise
