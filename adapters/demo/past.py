"""What happened before the demo began: hours of traffic of every service, and of one weeks with an outage in them.

It is written into the demo's history before its controller starts, as slices like those that a controller counts
itself, so that budgets rest on more than the first seconds. The newest slices and those of the outage are
as long as the rules say, older ones a minute or ten each.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from adapters.config import DemoSettings, Settings
from adapters.demo.day import shape
from adapters.demo.process import EVERYDAY_ERRORS
from adapters.demo.traffic import share
from adapters.history.sqlite import SqliteHistory
from pipeline.model import Service
from pipeline.ports import Changes
from pipeline.slo.rules import Objective
from pipeline.slo.slices import Slice, SliceState, Target, state_of

NONE, MINUTE, COARSE, DAY = timedelta(0), timedelta(minutes=1), timedelta(minutes=10), timedelta(days=1)
FINE, LONG_FINE = timedelta(minutes=15), timedelta(hours=26)
"""What the shortest windows look at, of a budget of hours and of one of weeks."""


@dataclass(frozen=True, slots=True)
class Outage:
    """Of `service`, which is known for `known_days`."""

    service: str
    known_days: int
    days_ago: int
    hour: int
    """UTC, when it began: never over the end of a month."""
    length: timedelta
    failed: float = 0.97
    """Ratio of requests."""

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        day = now - timedelta(days=self.days_ago)
        begun = day.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        return begun, begun + self.length


OUTAGE = Outage("billing", known_days=20, days_ago=18, hour=9, length=timedelta(minutes=12))


def write_past(path: Path, settings: Settings, now: datetime, outage: Outage = OUTAGE) -> None:
    """Into the history at `path`, which no controller has. It blocks for some tenths of a second.

    Raises `HistoryError`, and OSError where its folder cannot be made.
    """
    slices: list[Slice] = []
    targets: list[Target] = []
    for service in settings.fleet.services.values():
        for objective in service.rules.objectives:
            its = tuple(past(service, settings.demo or DemoSettings(), now, outage, objective))
            slices += its
            targets += [Target(service.name, objective.name, its[0].start, objective.target)] if its else []
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    history = SqliteHistory(path)
    history.start()
    try:
        history.record(Changes(slices=tuple(slices), targets=tuple(targets)))
    finally:
        history.close()


def past(
    service: Service, demo: DemoSettings, now: datetime, outage: Outage = OUTAGE, of: Objective | None = None
) -> Iterator[Slice]:
    """Slices up to `now`, oldest first, of the availability or the objective that is named."""
    objective = of or service.rules.objectives[0]
    rng = Random(f"{demo.seed}:{service.name}:past")  # noqa: S311 - a demo's dice
    down = outage.span(now) if service.name == outage.service else (now, now)
    day_s = demo.day_s if service.name != outage.service else DAY.total_seconds()
    peak_rps = demo.peak_rps * share(service)
    for start, length in _stretches(service, now, outage):
        failed = outage.failed if down[0] <= start < down[1] else EVERYDAY_ERRORS
        rate = peak_rps * shape(start.timestamp() % day_s, day_s)
        total = _about(rng, rate * length.total_seconds())
        bad = min(_about(rng, total * failed), total)
        is_down = state_of(total, bad, objective.bad_slice) is SliceState.BAD
        length_s = int(length.total_seconds())
        yield Slice(service.name, start, total, bad, objective.name, length_s=length_s, down=is_down)


def _stretches(service: Service, now: datetime, outage: Outage) -> Iterator[tuple[datetime, timedelta]]:
    """(start, length) of each slice, the older the longer."""
    slice_s = service.rules.objectives[0].slice_s
    fine = timedelta(seconds=slice_s)
    last = datetime.fromtimestamp(now.timestamp() // slice_s * slice_s, UTC)
    lengths: tuple[tuple[timedelta, timedelta], ...]
    if service.name == outage.service:
        known, lengths, down = timedelta(days=outage.known_days), ((LONG_FINE, COARSE), (NONE, fine)), outage.span(now)
    else:
        known = min(timedelta(seconds=service.rules.objectives[0].window_s), DAY)
        lengths, down = ((FINE, max(MINUTE, fine)), (NONE, fine)), (now, now)
    at = (last - known).replace(minute=0, second=0, microsecond=0)
    for newest, length in lengths:
        while at + length <= last - newest:
            here = fine if at < down[1] and down[0] < at + length else length
            yield from ((at + number * here, here) for number in range(length // here))
            at += length


def _about(rng: Random, mean: float) -> int:
    """A count that varies as counts do (Poisson's, by the normal law)."""
    return max(round(rng.gauss(mean, mean**0.5)), 0)
