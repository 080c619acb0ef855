"""Who waits for a server that does not answer goes on as soon as it does."""

import asyncio

from adapters.metrics.prometheus.answers import Kind
from pipeline.ports import Clock

LEAST_S = 5.0
"""However often a server comes and goes, nobody goes on sooner."""
_GONE = frozenset(Kind) - {Kind.QUERY, Kind.TOO_LARGE}
"""What befalls every question; the others are one question's own fault."""


class Returning:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gone = False
        self._back = asyncio.Event()

    def failed(self, kind: Kind) -> None:
        self._gone = self._gone or kind in _GONE

    def well(self) -> None:
        if self._gone:
            self._gone = False
            self._back.set()

    async def rest(self, seconds: float) -> bool:
        """Wait so long, or until the server has come back since the last rest: whether that was it."""
        await self._clock.sleep(min(LEAST_S, seconds))
        sleeper = asyncio.ensure_future(self._clock.sleep(max(seconds - LEAST_S, 0.0)))
        waker = asyncio.ensure_future(self._back.wait())
        try:
            await asyncio.wait({sleeper, waker}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            waker.cancel()
        back = self._back.is_set()
        self._back.clear()
        return back
