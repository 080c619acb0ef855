"""The wall clock, for a room that is not given another one."""

import asyncio
import time
from datetime import UTC, datetime


class WallClock:
    """`pipeline.ports.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
