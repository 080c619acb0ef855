"""Alerts at hand: asked for again and again beside the controller, so that its rounds never wait."""

import asyncio
from contextlib import suppress

from adapters.alerts.alertmanager import AlertmanagerAlerts
from pipeline.alerts import Alert, AlertsFault
from pipeline.ports import Clock
from pipeline.text import plain


class WatchedAlerts:
    """`pipeline.ports.Alerts`; `close` it at the end, and it closes its source.

    Args:
        every_s: from one answer to the next question.
        timeout_s: for one answer.
    """

    def __init__(self, source: AlertmanagerAlerts, clock: Clock, *, every_s: float, timeout_s: float) -> None:
        self._source, self._clock = source, clock
        self._every_s, self._timeout_s = every_s, timeout_s
        self._said: tuple[Alert, ...] | AlertsFault = AlertsFault(clock.monotonic(), plain("it is being asked"))
        self._said_s = clock.monotonic()
        self._asking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._asking = asyncio.create_task(self._go_on(), name="alerts")

    def newest(self) -> tuple[Alert, ...] | AlertsFault:
        """What the newest question brought; a fault too where it is too old to be the newest any more."""
        now_s = self._clock.monotonic()
        old_s = now_s - self._said_s
        if isinstance(self._said, tuple) and old_s > 2 * (self._every_s + self._timeout_s):
            return AlertsFault(now_s, plain(f"it was last asked {old_s:.0f} s ago: pithead itself is late"))
        return self._said

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
        await self._source.close()

    async def _go_on(self) -> None:
        while True:
            try:
                self._said = await self._source.alerts(self._timeout_s)
            except Exception as broken:  # noqa: BLE001 - no answer is told as none; the asking goes on
                why = plain(f"pithead itself failed: {type(broken).__name__}: {broken}")
                self._said = AlertsFault(self._clock.monotonic(), why)
            self._said_s = self._clock.monotonic()
            await self._clock.sleep(self._every_s)
