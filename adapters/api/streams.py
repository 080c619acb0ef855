"""Lines pushed to whoever listens: the newest view, never a queue of old ones."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from adapters.api.codec import Beat, No, Page, Whole, encode
from adapters.api.delta import diff
from pipeline.commands import Refused
from pipeline.ports import Desk

BEAT_S = 5.0
"""Longest silence: a listener that hears less has lost the line."""
GAP_S = 0.25
"""Shortest time between two views."""

_BEAT = encode(Beat())


class Streams:
    """What each listener is told; ends when `stop` is set.

    A line is made when the listener takes it, so that one who is slow misses views and gets the newest.
    """

    def __init__(self, desk: Desk, stop: asyncio.Event, beat_s: float = BEAT_S, gap_s: float = GAP_S) -> None:
        self._desk = desk
        self._stop = stop
        self._beat_s = beat_s
        self._gap_s = gap_s

    async def fleet(self) -> AsyncGenerator[bytes, None]:
        """The whole view, then what changes."""
        sent = self._desk.fleet()
        yield encode(Whole(sent))
        async with aclosing(self._turns(sent.sequence)) as turns:
            async for newer in turns:
                if newer:
                    now = self._desk.fleet()
                    line = encode(diff(sent, now))
                    sent = now
                    yield line
                else:
                    yield _BEAT

    async def service(self, name: str) -> AsyncGenerator[bytes, None]:
        """The service's page, whole each time, until it is refused."""
        line, known = self._page(name)
        yield line
        async with aclosing(self._turns(self._desk.fleet().sequence)) as turns:
            while known and (newer := await anext(turns, None)) is not None:
                if newer:
                    line, known = self._page(name)
                    yield line
                else:
                    yield _BEAT

    def _page(self, name: str) -> tuple[bytes, bool]:
        try:
            return encode(Page(self._desk.service(name))), True
        except Refused as no:
            return encode(No(no.what, no.why, no.mend)), False

    async def _turns(self, sequence: int) -> AsyncGenerator[bool, None]:
        """True whenever there is a newer view, False when it was silent for too long."""
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            while not stopped.done():
                await asyncio.wait({stopped}, timeout=self._gap_s)
                newer = asyncio.ensure_future(self._desk.newer(sequence))
                try:
                    await asyncio.wait({newer, stopped}, timeout=self._beat_s, return_when=asyncio.FIRST_COMPLETED)
                    fresh = newer.done() and newer.result() is None
                finally:
                    newer.cancel()
                if not stopped.done():
                    if fresh:
                        sequence = self._desk.fleet().sequence
                    yield fresh
        finally:
            stopped.cancel()
