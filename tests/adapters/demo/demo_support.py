"""Waiting for what happens in a test's own loop."""

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Gives way to everything else until it is so; a limit, so that a failing test ends."""
    async with asyncio.timeout(limit_s):
        while not true():  # noqa: ASYNC110 - the state of real neighbours raises no event
            await asyncio.sleep(0)
