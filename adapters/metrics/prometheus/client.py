"""Questions to the metrics server, each with a deadline, from an event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from adapters.metrics.prometheus.answers import Kind, MetricsUnavailable, Series
from adapters.metrics.prometheus.call import Call
from adapters.metrics.prometheus.returning import Returning
from adapters.metrics.prometheus.settings import ServerSettings
from pipeline.ports import Clock
from pipeline.text import PlainText

if TYPE_CHECKING:
    from adapters.metrics.prometheus.session import WarySession

WORKERS = 4
CLOSING_S = 2.0
# VictoriaMetrics would otherwise hide the last 30 s, and move the instant that is asked for; others take no notice.
_FRESH = {"nocache": "1"}

T = TypeVar("T")


class PrometheusClient:
    """One event loop's line to one server; `close` it at the end.

    Every question raises `MetricsUnavailable` where there is no answer that may be believed; none waits past its
    deadline. None is tried again here.
    """

    def __init__(self, settings: ServerSettings, clock: Clock) -> None:
        self._settings = settings
        self.clock = clock
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="metrics")
        self._first = Lock()
        self._library: tuple[WarySession, Any] | None = None
        self._calls: set[Call] = set()
        self._closed = False
        self.returning = Returning(clock)
        """When it answers again; only short questions tell, as a heavy one may fail alone."""

    @property
    def server(self) -> str:
        return self._settings.base

    @property
    def infos(self) -> tuple[PlainText, ...]:
        """What the newest answer remarked beside its data."""
        return self._library[0].infos if self._library is not None else ()

    async def instant(self, query: str, at: float | None, deadline_s: float) -> tuple[Series, ...]:
        """The series at `at` (unix seconds of the server; None is its now)."""
        params = _FRESH if at is None else {**_FRESH, "time": f"{at:.3f}"}

        def ask(connect: Any) -> tuple[Series, ...]:
            return tuple(connect.custom_query(query, params=params))

        try:
            found = await self._ask(ask, deadline_s)
        except MetricsUnavailable as fault:
            self.returning.failed(fault.kind)
            raise
        self.returning.well()
        return found

    async def range(self, query: str, start: float, end: float, step: float, deadline_s: float) -> tuple[Series, ...]:
        """The series from `start` to `end`, both inclusive, in unix seconds; `step` in seconds."""
        # The library rounds to whole seconds, which the parameters overrule.
        params = {**_FRESH, "start": f"{start:.3f}", "end": f"{end:.3f}"}
        some = datetime.fromtimestamp(0, UTC)

        def ask(connect: Any) -> tuple[Series, ...]:
            return tuple(connect.custom_query_range(query, some, some, f"{step:g}", params=params))

        return await self._ask(ask, deadline_s)

    async def targets(self, deadline_s: float) -> object:
        """What `/api/v1/targets` says of the active ones, unchecked."""

        def ask(connect: Any) -> object:
            return connect.get_targets(state="active")

        return await self._ask(ask, deadline_s)

    async def apart(self, work: Callable[[], T]) -> T:
        """`work()` in a worker thread: an answer of 100,000 rows is not gone through in the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def close(self) -> None:
        self._closed = True
        for call in tuple(self._calls):
            call.end()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
        if self._library is not None:
            self._library[0].close()

    async def _ask(self, ask: Callable[[Any], T], deadline_s: float) -> T:
        if self._closed:
            raise MetricsUnavailable(Kind.REFUSED, "the line to the server is closed")
        settings = self._settings
        call = Call(min(settings.connect_s, deadline_s), min(settings.read_s, deadline_s))
        self._calls.add(call)
        try:
            async with asyncio.timeout(deadline_s):
                return await asyncio.get_running_loop().run_in_executor(self._pool, self._asked, call, ask)
        except TimeoutError:
            raise MetricsUnavailable(Kind.TIMEOUT, f"no answer in {deadline_s:g} s") from None
        finally:
            call.end()
            self._calls.discard(call)

    def _asked(self, call: Call, ask: Callable[[Any], T]) -> T:
        """In a worker thread."""
        from adapters.metrics.prometheus.session import during

        connect = self._connected()
        answer: T = during(call, lambda: ask(connect))
        return answer

    def _connected(self) -> Any:
        from prometheus_api_client import PrometheusConnect
        from urllib3.util.retry import Retry

        from adapters.metrics.prometheus.session import WarySession

        with self._first:
            if self._library is None:
                session = WarySession(self._settings)
                connect = PrometheusConnect(
                    self._settings.base, session=session, retry=Retry(total=0), method=self._settings.method
                )
                self._library = session, connect
            return self._library[1]
