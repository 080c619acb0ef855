"""Signals of the file, asked for by name: whether they are there, and of the kind that is needed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from adapters.config.errors import LONGEST_SHOWN, Spot, nearest
from adapters.metrics.source import SignalKind
from pipeline.text import plain

COUNTER, HISTOGRAM = (SignalKind.COUNTER,), (SignalKind.HISTOGRAM,)
LEVEL = (SignalKind.COUNTER, SignalKind.GAUGE)
"""What has a level: a counter's is its increase per second."""


@dataclass(frozen=True, slots=True)
class Signals:
    """The kind of each signal that the file names; None where its kind could not be read."""

    kinds: Mapping[str, SignalKind | None]

    def check(self, name: str, kinds: Collection[SignalKind], spot: Spot) -> None:
        wanted = f"expected a {' or '.join(kinds)} of [signals]"
        if name not in self.kinds:
            spot.wrong(f'{wanted}, got "{plain(name, LONGEST_SHOWN)}": {nearest(name, self.kinds)}')
        elif self.kinds[name] not in (*kinds, None):
            spot.wrong(f'{wanted}, but "{name}" is a {self.kinds[name]}')
