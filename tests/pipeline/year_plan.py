"""What happens to a service in a year, by seed.

Outages, gaps without metrics that are filled afterwards, releases some of which break the service, corrections and
their ends. None of it moves because something else is refused.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from pipeline.commands import Verb
from pipeline.slo import quota
from pipeline.slo.calendar import instant

ZONE = "Europe/Berlin"


def berlin(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return instant(datetime(year, month, day, hour), ZONE)  # noqa: DTZ001 - a wall clock's


BEGIN, END = berlin(2024, 1, 1), berlin(2025, 1, 1)
"""It holds a 29 February, and clocks that go forward and back."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Attempt:
    """A release that somebody wants then."""

    breaks_s: int
    """It takes the service down for so long, if it comes to pass; 0 is a good one."""


@dataclass(frozen=True)
class Paper:
    """A command about a correction; `number` is which one."""

    verb: Verb
    number: int
    kind: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass
class Plan:
    """Of a year, by seed."""

    seed: int
    slice_s: int
    target: str
    outages: list[tuple[datetime, datetime]] = field(default_factory=list)
    gaps: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Without metrics; filled one hour after their end."""
    events: list[tuple[datetime, Attempt | Paper]] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = Random(self.seed)
        quota_s = int(quota.quota_s(Decimal(self.target)))
        for number in range(rng.randrange(7, 12)):
            start = self._any(rng)
            length = timedelta(seconds=rng.choice((0.2, 0.4, 0.8, 1.3, 2.5)) * rng.uniform(0.8, 1.2) * quota_s // 1)
            self.outages.append((start, start + length))
            if rng.random() < 0.5:
                self._correct(rng, number, start, length)
        for _ in range(rng.randrange(2, 5)):
            # Half of them hide an outage's beginning: the metrics went first.
            over = rng.choice(self.outages)[0] - timedelta(seconds=rng.randrange(3_600))
            start = self._aligned(rng.choice((over, self._any(rng))))
            self.gaps.append((start, start + timedelta(seconds=self.slice_s * rng.randrange(3, 40))))
        at = BEGIN
        while (at := at + timedelta(minutes=rng.randrange(60, 10_000))) < END:
            self.events.append((at, Attempt(rng.randrange(120, 2 * quota_s) if rng.random() < 0.06 else 0)))
        self.events.sort(key=lambda event: event[0])

    @property
    def edges(self) -> frozenset[datetime]:
        """Where something begins or ends."""
        spans = [*self.outages, *self.gaps]
        for at, event in self.events:
            if isinstance(event, Paper):
                spans.append((at, at))
            elif event.breaks_s:
                spans.append((at, at + timedelta(seconds=event.breaks_s)))
        return frozenset(edge for span in spans for edge in span)

    def _any(self, rng: Random) -> datetime:
        return BEGIN + timedelta(seconds=rng.randrange(int((END - BEGIN - 2 * DAY).total_seconds())))

    def _aligned(self, at: datetime) -> datetime:
        return at - timedelta(seconds=at.timestamp() % self.slice_s)

    def _correct(self, rng: Random, number: int, start: datetime, length: timedelta) -> None:
        """Asked for and approved after a while, perhaps taken back: cuts that lie across an outage's edges too."""
        kind = rng.choice(("exclude", "exclude", "good", "bad"))
        begin = start + rng.uniform(-0.5, 0.7) * length
        end = begin + rng.uniform(0.3, 1.5) * length
        asked = max(start + length, end) + rng.uniform(0.1, 12) * DAY
        steps = [(asked, Verb.CORRECT), (asked + rng.uniform(0.01, 5) * DAY, Verb.APPROVE)]
        if rng.random() < 0.3:
            steps.append((steps[-1][0] + rng.uniform(0.5, 20) * DAY, Verb.REVOKE))
        for at, verb in steps:
            self.events.append((at.replace(microsecond=0), Paper(verb, number, kind, begin, end)))
