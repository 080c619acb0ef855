"""Alerts at hand: a real Alertmanager asked again and again, and its silence told as such."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.alerts.alertmanager import AlertmanagerAlerts
from adapters.alerts.watch import WatchedAlerts
from pipeline.alerts import Alert, AlertsFault
from pithead.clock import SystemClock
from tests.neighbours.alertmanager import alert, alertmanager

LONG_S = 30.0
Said = tuple[Alert, ...] | AlertsFault


class Shifted(SystemClock):
    """The machine's own, but time can be made to have passed, and no rest is longer than a moment."""

    passed_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.passed_s

    async def sleep(self, seconds: float) -> None:
        await super().sleep(min(seconds, 0.02))


async def until(watched: WatchedAlerts, holds: Callable[[Said], bool]) -> Said:
    async with asyncio.timeout(LONG_S):
        while not holds(watched.newest()):  # noqa: ASYNC110 - what is at hand is looked at, as the controller does
            await asyncio.sleep(0.01)
    return watched.newest()


async def test_what_fires_and_what_ends_is_at_hand_and_a_dead_server_is_a_fault(tmp_path: Path) -> None:
    clock = Shifted()
    async with alertmanager(tmp_path) as server:
        watched = WatchedAlerts(AlertmanagerAlerts(server.url, clock), clock, every_s=15.0, timeout_s=LONG_S)
        before = watched.newest()
        assert isinstance(before, AlertsFault)
        assert before.why == "it is being asked"
        await watched.start()
        assert await until(watched, lambda said: isinstance(said, tuple)) == ()
        await server.fire([alert("HighErrors", service="web", track="canary", severity="critical")])
        found = await until(watched, lambda said: isinstance(said, tuple) and bool(said))
        assert isinstance(found, tuple)
        assert [(one.name, one.service, one.track, one.severity) for one in found] == [
            ("HighErrors", "web", "canary", "critical")
        ]
        await server.fire([alert("HighErrors", service="web", track="canary", severity="critical") | {"endsAt": PAST}])
        await until(watched, lambda said: said == ())
    fault = await until(watched, lambda said: isinstance(said, AlertsFault))
    assert isinstance(fault, AlertsFault)
    assert fault.why.startswith(("no connection", "malformed answer"))
    await watched.close()


PAST = "2026-01-05T00:00:01Z"


class Source(AlertmanagerAlerts):
    """One that answers as the test says."""

    def __init__(self, clock: SystemClock) -> None:
        super().__init__("http://127.0.0.1:1", clock)
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.breaks = False

    async def alerts(self, timeout_s: float) -> Said:
        self.asked += 1
        await self.answers.wait()
        if self.breaks:
            raise RuntimeError("\x1b[2J")
        return ()


@pytest.fixture
def clock() -> Shifted:
    return Shifted()


async def test_an_answer_is_not_for_ever(clock: Shifted) -> None:
    source = Source(clock)
    watched = WatchedAlerts(source, clock, every_s=15.0, timeout_s=5.0)
    await watched.start()
    await until(watched, lambda said: said == ())
    source.answers.clear()
    asked = source.asked
    async with asyncio.timeout(LONG_S):
        while source.asked == asked:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    clock.passed_s += 39.0
    assert watched.newest() == ()
    clock.passed_s += 3.0
    fault = watched.newest()
    assert isinstance(fault, AlertsFault)
    assert fault.why.startswith("it was last asked 4")
    source.answers.set()
    await until(watched, lambda said: said == ())
    await watched.close()


async def test_a_source_that_breaks_is_a_fault_and_asked_again(clock: Shifted) -> None:
    source = Source(clock)
    source.breaks = True
    watched = WatchedAlerts(source, clock, every_s=15.0, timeout_s=5.0)
    await watched.start()
    fault = await until(watched, lambda said: isinstance(said, AlertsFault) and "itself" in said.why)
    assert isinstance(fault, AlertsFault)
    assert fault.why == "pithead itself failed: RuntimeError: \ufffd[2J"
    source.breaks = False
    await until(watched, lambda said: said == ())
    await watched.close()


async def test_closed_before_it_was_started_it_leaves_nothing_behind(clock: Shifted) -> None:
    await WatchedAlerts(Source(clock), clock, every_s=15.0, timeout_s=5.0).close()
