"""A wall clock that stands before the history's newest line: which of the two is right, a person has to say."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from pipeline.events import AUTO, Event
from pipeline.lifecycle import Pause, Phase, Rollout
from pipeline.service.station import Station

BACKWARD = frozenset({Phase.ROLLING_BACK, Phase.ROLLED_BACK})


def paused(stations: Iterable[Station], newest: datetime, now: datetime) -> Iterator[tuple[Station, Rollout, Event]]:
    """Every release that goes forward, paused, and what the history is told of it."""
    why = f"the clock says {now:%Y-%m-%d %H:%M:%S} UTC, the history already {newest:%Y-%m-%d %H:%M:%S}"
    for station in stations:
        rollout = station.rollout
        if rollout is not None and not rollout.ended and rollout.pause is None and rollout.phase not in BACKWARD:
            waits = replace(rollout, pause=Pause("auto", now, why), version=rollout.version + 1)
            yield station, waits, Event(now, AUTO, rollout.service, rollout.id, rollout.revision, "pause", why)
