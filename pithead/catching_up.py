"""After a gap: requests that were served while nobody counted, from what the metrics server remembers of them.

A gap is an hour of which slices are missing: no controller ran, or the server could not be asked. What was counted
here stays as it is.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from adapters.history.sqlite import SqliteHistory
from adapters.metrics.prometheus.answers import MetricsUnavailable
from adapters.metrics.prometheus.backfill import BackfillQueries, backfill
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.queries import Labels, Signal
from pipeline.model import Host, Service
from pipeline.ports import Changes, Clock, HistoryError
from pipeline.slo.rules import Kind, Objective

log = logging.getLogger("pithead.controller")

HOUR = timedelta(hours=1)
LONGEST = timedelta(days=7)
"""An older gap stays unknown: what it may open a block for never lies before the previous month."""
UNKNOWN = timedelta(days=1)
"""How far back a service is looked up of which nothing is kept."""
EVERY_S = 600.0
BEHIND_S = 120.0
"""How old slices are that a running controller has surely kept, if it will."""
LATE_S = BEHIND_S + 60.0
"""After a gap's first filling, when its end can be filled too."""
AGAIN_S, LONGEST_S = 5.0, 300.0

Asked = dict[tuple[str, str], set[datetime]]
"""By service and objective: hours of which the server has told all that it knows."""


async def stay_caught_up(
    services: Mapping[str, Service],
    history: SqliteHistory,
    client: PrometheusClient,
    signals: Mapping[str, Signal],
    labels: Labels,
    value_of: Callable[[Host], str],
    clock: Clock,
    refilled: Callable[[Collection[str]], None],
) -> None:
    """Now, and again every few minutes; as soon as a server answers again that could not be asked for a while."""
    asked: Asked = {}
    late = True  # a start ends a gap: the slices around it are still open then
    until = clock.now()
    while True:
        try:
            await catch_up(services, history, client, signals, labels, value_of, refilled, until, asked)
        except HistoryError as error:
            log.warning("what is missing of budgets cannot be looked up yet: %s", error)
        # What the gap ends with is old enough a little later: releases must not wait for it longer than that.
        late = await client.returning.rest(LATE_S if late else EVERY_S)
        until = clock.now() - timedelta(seconds=BEHIND_S)
        asked = {of: {hour for hour in hours if hour > until - LONGEST - HOUR} for of, hours in asked.items()}


async def catch_up(
    services: Mapping[str, Service],
    history: SqliteHistory,
    client: PrometheusClient,
    signals: Mapping[str, Signal],
    labels: Labels,
    value_of: Callable[[Host], str],
    refilled: Callable[[Collection[str]], None],
    until: datetime,
    asked: Asked,
) -> int:
    """Fill every gap up to `until`, and return how many slices were kept; what cannot be had is tried again.

    One service's counters are asked for with those of all that have the same gap: after a controller's absence,
    that is the fleet.
    """
    gaps: dict[tuple[Objective, datetime, datetime], dict[str, str]] = {}
    for name, service in services.items():
        objectives = [one for one in service.rules.objectives if all(signal in signals for signal in _names(one))]
        hours = history.hours(until - LONGEST - HOUR, name)
        # A tick of the controller must not wait for a whole fleet to be looked through.
        await asyncio.sleep(0)
        for objective in objectives:
            measured = history.measured(name, objective.name)
            oldest = until - UNKNOWN if measured is None else max(measured[0], until - LONGEST)
            kept = {one.start: one.good_s + one.idle_s + one.bad_s for one in hours if one.slo == objective.name}
            known = asked.get((name, objective.name), set())
            for since, end in _gaps(kept, known, oldest, until, objective.slice_s):
                hosts = gaps.setdefault((objective, since, end), {})
                hosts.update({value_of(host): name for host in service.production})
    told = 0
    for (objective, since, end), hosts in gaps.items():
        queries = BackfillQueries(objective, tuple(signals[one] for one in _names(objective)), labels, hosts)
        told += await _filled(history, client, queries, since, end, refilled)
        done = [hour for hour in _hours(since, end) if hour + HOUR <= end]
        for name in set(hosts.values()):
            asked.setdefault((name, objective.name), set()).update(done)
        # The rest of the controller goes on between two questions, and so must it between two gaps.
        await asyncio.sleep(0)
    if told:
        log.info("%d slices of requests were read from %s for times without a controller", told, client.server)
    return told


def _names(objective: Objective) -> tuple[str, ...]:
    """Of the signals that it is counted from."""
    return (objective.total, objective.bad) if objective.kind is Kind.AVAILABILITY else (objective.of,)


def _gaps(
    kept: Mapping[datetime, int], asked: Collection[datetime], since: datetime, until: datetime, least_s: int
) -> Iterator[tuple[datetime, datetime]]:
    """Stretches of hours of [since, until) of which slices are missing; `kept` is what is known of each, in seconds."""
    began: datetime | None = None
    for hour in _hours(since, until):
        begin, end = max(hour, since), min(hour + HOUR, until)
        missing_s = (end - begin).total_seconds() - kept.get(hour, 0)
        gap = missing_s >= least_s and hour not in asked
        if gap and began is None:
            began = begin
        if began is not None and not gap:
            yield began, hour
            began = None
    if began is not None:
        yield began, until


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Starts of the hours that [since, until) is in."""
    hour = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < until:
        yield hour
        hour += HOUR


async def _filled(
    history: SqliteHistory,
    client: PrometheusClient,
    queries: BackfillQueries,
    since: datetime,
    until: datetime,
    refilled: Callable[[Collection[str]], None],
) -> int:
    told, wait_s = 0, AGAIN_S
    while True:
        try:
            async for slices in backfill(client, queries, since, until):
                if not slices:
                    continue
                ends = max(one.start for one in slices) + timedelta(seconds=queries.objective.slice_s)
                known = {
                    (one.service, one.start)
                    for name in {one.service for one in slices}
                    for one in history.slices(name, slices[0].start, ends)
                    if one.slo == queries.objective.name
                }
                new = tuple(one for one in slices if (one.service, one.start) not in known)
                if new:
                    history.record(Changes(slices=new))
                    refilled({one.service for one in new})
                since, told = ends, told + len(new)
        except (MetricsUnavailable, HistoryError) as error:
            log.warning("requests since %s cannot be read yet: %s", f"{since:%Y-%m-%d %H:%M} UTC", error)
            await client.returning.rest(wait_s)
            wait_s = min(2 * wait_s, LONGEST_S)
        else:
            return told


def in_background(work: "asyncio.Task[None]") -> None:
    """A fault of this is told, and ends nothing else."""

    def ended(task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("catching up failed: %r", task.exception())

    work.add_done_callback(ended)
