"""The controller, put together from its parts and run until it is told to stop."""

import asyncio
import gc
import logging
from contextlib import AsyncExitStack, suppress
from random import SystemRandom

from adapters.api.server import ApiServer
from adapters.checks.runner import HostChecks
from adapters.config import Settings
from adapters.history.sqlite import SqliteHistory
from pipeline.controller.loop import Controller
from pipeline.controller.usage import Usage
from pipeline.events import Event
from pipeline.judge.sequential import SequentialJudge
from pipeline.policy.wording import count
from pipeline.ports import Changes
from pithead.catching_up import in_background, stay_caught_up
from pithead.clock import SystemClock
from pithead.outside import Outside, asked_for, label_value, outside
from pithead.places import Places

log = logging.getLogger("pithead.controller")
QUIET = frozenset({"look"})
"""Actions that are in the history and need not be in the log."""


class ToldHistory(SqliteHistory):
    """Says in the log what it has kept."""

    def record(self, changes: Changes, *, safe: bool = False) -> tuple[Event, ...]:
        events = super().record(changes, safe=safe)
        for event in events:
            if event.action not in QUIET:
                log.info(
                    "%s %s %s by %s: %s", event.service, event.revision, event.action, event.who.name, event.detail
                )
        return events


async def serve(settings: Settings, places: Places, told: asyncio.Event, *, read_only: bool = False) -> None:
    """Run a controller with its API until `told`.

    Host actions under way at the end are left to the journal. Raises `HistoryError` where the history cannot
    be opened, `BookFault` where the record of drained hosts cannot be read, `OSError` where the sockets cannot be made.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        history = ToldHistory(places.history, clock)
        stack.callback(history.close)
        # A second controller must touch nothing outside.
        history.claim()
        # The controller comes later: asked when a check runs.
        checks = HostChecks(clock, lambda service: controller.production_rps(service))  # noqa: PLW0108
        stack.push_async_callback(checks.close)
        world = await outside(settings, places, clock, stack)
        controller = Controller(
            settings.fleet,
            hosts=world.hosts,
            metrics=world.metrics,
            checks=checks,
            history=history,
            clock=clock,
            judge=SequentialJudge(),
            rng=SystemRandom(),
            inventory=world.inventory,
            logs=world.logs,
            alerts=world.alerts,
            usage=Usage(history, clock, world.scout),
        )
        running = asyncio.create_task(controller.run(), name="controller")
        stack.push_async_callback(_ended, controller, running)
        # An API without a first look would show an empty company.
        await _first(running, asyncio.create_task(controller.newer(0)))
        spare_the_collector()
        api = ApiServer(controller, places.run, read_only=read_only, group=settings.group, clock=clock)
        await api.start()
        stack.push_async_callback(api.stop)
        known = count(len(settings.fleet.services), "service")
        log.info("%s, sockets in %s, history %s", known, places.run, history.path)
        _catch_up(settings, world, controller, history, clock, stack)
        await _first(running, asyncio.create_task(told.wait()))
        log.info("stopping; what runs on hosts goes on, and is found in the history")


def _catch_up(
    settings: Settings,
    world: Outside,
    controller: Controller,
    history: ToldHistory,
    clock: SystemClock,
    stack: AsyncExitStack,
) -> None:
    """Beside the controller: requests of times when nobody counted."""
    its = settings.prometheus
    if its is None or world.server is None:
        return
    services = settings.fleet.services if world.inventory is None else world.inventory.roster().services
    signals, labels = asked_for(settings, its)
    named = {signal.name: signal for signal in signals}
    refilled = controller.refilled
    work = stay_caught_up(services, history, world.server, named, labels, label_value(its), clock, refilled)
    task = asyncio.create_task(work, name="catching up")
    in_background(task)
    stack.callback(task.cancel)


def spare_the_collector() -> None:
    """What lives as long as the controller is not searched for garbage, and a tick is not cut up by searching.

    With 1,000 services of 20 hosts the collector took a third of a tick (`make bench ARGS=tick`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


async def _first(running: asyncio.Task[None], other: asyncio.Task[object]) -> None:
    """Until `other` is done; raises what ended the controller, if that comes first."""
    await asyncio.wait((running, other), return_when=asyncio.FIRST_COMPLETED)
    if not other.done():
        other.cancel()
        running.result()


async def _ended(controller: Controller, running: asyncio.Task[None]) -> None:
    controller.stop()
    with suppress(asyncio.CancelledError, Exception):
        await running
