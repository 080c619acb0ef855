"""A source that is asked now and then, and told of in between."""

from collections.abc import Awaitable, Callable

from adapters.discovery.found import Found, Look, SourceFault
from pipeline.ports import Clock


class Paced:
    """Asks at most every `every_s` seconds; until then the last answer is the newest."""

    def __init__(self, ask: Callable[[], Awaitable[Found | SourceFault]], clock: Clock, every_s: float) -> None:
        self._ask, self._clock, self._every_s = ask, clock, every_s
        self._began_s: float | None = None
        self._newest: Look | None = None

    async def look(self) -> Look:
        now_s = self._clock.monotonic()
        if self._newest is None or self._began_s is None or now_s - self._began_s >= self._every_s:
            self._began_s = now_s
            self._newest = Look(await self._ask(), self._clock.monotonic())
        return self._newest
