"""How much time has passed from tick to tick, by the monotonic clock, whatever the wall clock does."""

from datetime import datetime

from pipeline.controller.measuring import ENOUGH_TICKS
from pipeline.ports import Clock


class Lapse:
    def __init__(self, clock: Clock, tick_s: float) -> None:
        self._clock, self._tick_s = clock, tick_s
        self._last: tuple[float, datetime] | None = None
        """When the last tick was, by the monotonic and the wall clock."""

    def since(self) -> tuple[float, str]:
        """(seconds since the last call, at most a few ticks; how the wall clock went another way, or "")."""
        now_s, now = self._clock.monotonic(), self._clock.now()
        last_s, last = self._last if self._last is not None else (now_s, now)
        self._last = (now_s, now)
        jump_s = (now - last).total_seconds() - (now_s - last_s)
        said = ""
        if abs(jump_s) > max(self._tick_s, 1.0):
            said = f"the wall clock jumped by {jump_s:+.0f} s to {now:%Y-%m-%d %H:%M:%S} UTC; no wait moves with it"
        return min(now_s - last_s, ENOUGH_TICKS * self._tick_s), said
