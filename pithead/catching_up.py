"""After a gap: requests that were served while no controller ran, from what the metrics server remembers of them."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from adapters.history.sqlite import SqliteHistory
from adapters.metrics.prometheus.answers import MetricsUnavailable
from adapters.metrics.prometheus.backfill import BackfillQueries, backfill
from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.queries import Labels, Signal
from pipeline.model import Host, Service
from pipeline.ports import Changes, Clock, HistoryError

log = logging.getLogger("pithead.controller")

STEP_S = 60
LONGEST = timedelta(days=7)
"""A longer gap stays unknown."""
UNKNOWN = timedelta(days=1)
"""How far back a service is looked up of which nothing is kept."""
AGAIN_S, LONGEST_S = 5.0, 300.0


async def catch_up(
    services: Mapping[str, Service],
    history: SqliteHistory,
    client: PrometheusClient,
    signals: Mapping[str, Signal],
    labels: Labels,
    value_of: Callable[[Host], str],
    clock: Clock,
) -> int:
    """Fill every service's gap up to now, and return how many slices were kept; what cannot be had is tried again.

    One service's counters are asked for with those of all that have the same gap: after a controller's absence,
    that is the fleet.
    """
    until = clock.now()
    kept = history.newest_slices()
    gaps: dict[tuple[str, str, datetime], dict[str, str]] = {}
    for name, service in services.items():
        budget = service.rules.budget
        if budget.total not in signals or budget.bad not in signals:
            continue
        newest = kept.get(name)
        # What is kept of the newest slice is whole, or will not be told again: the gap begins after it.
        since = until - UNKNOWN if newest is None else max(newest + timedelta(seconds=STEP_S), until - LONGEST)
        if until - since < timedelta(seconds=2 * STEP_S):
            continue
        # Gaps that begin in one minute are one.
        since = since.replace(second=0, microsecond=0) + timedelta(minutes=1)
        hosts = gaps.setdefault((budget.total, budget.bad, since), {})
        hosts.update({value_of(host): name for host in service.production})
    told = 0
    for (total, bad, since), hosts in gaps.items():
        queries = BackfillQueries(signals[total], signals[bad], labels, hosts)
        told += await _filled(history, client, queries, since, until, clock)
    if told:
        log.info("%d minutes of requests were read from %s for the time without a controller", told, client.server)
    return told


async def _filled(
    history: SqliteHistory,
    client: PrometheusClient,
    queries: BackfillQueries,
    since: datetime,
    until: datetime,
    clock: Clock,
) -> int:
    told, wait_s = 0, AGAIN_S
    while True:
        try:
            async for slices in backfill(client, queries, since, until, step_s=STEP_S):
                if slices:
                    history.record(Changes(slices=slices))
                    since = max(one.start for one in slices) + timedelta(seconds=STEP_S)
                    told += len(slices)
        except (MetricsUnavailable, HistoryError) as error:
            log.warning("requests since %s cannot be read yet: %s", f"{since:%Y-%m-%d %H:%M} UTC", error)
            await clock.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_S)
        else:
            return told


def in_background(work: "asyncio.Task[int]") -> None:
    """A fault of this is told, and ends nothing else."""

    def ended(task: "asyncio.Task[int]") -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("catching up failed: %r", task.exception())

    work.add_done_callback(ended)
