"""Sums of slices in aligned buckets of time, as many as the longest window that is read from them needs.

Each window is read from buckets of about a 24th of its length, so that a service's budget fits in a few thousand
numbers, and a closed slice costs the same however long its windows are. A window begins with the bucket that its
beginning falls into.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from operator import add
from struct import Struct
from typing import NamedTuple

HOUR_S = 3_600
WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, HOUR_S)
FINE = 24
"""Buckets in a window, at least."""
LONG_S = 2 * 86_400.0
"""Windows from here on are read from hours: those are what a restart finds summed."""
LONG_FINE = 240
"""Buckets in a rolling budget shorter than that."""


class Counts(NamedTuple):
    """Of slices that are known: requests, and seconds by what the slices were."""

    total: int = 0
    bad: int = 0
    good_s: int = 0
    idle_s: int = 0
    bad_s: int = 0

    @property
    def known_s(self) -> int:
        return self.good_s + self.idle_s + self.bad_s

    def plus(self, other: "Counts") -> "Counts":
        return Counts(*map(add, self, other))


_KINDS = "IIHHH"
"""Of the columns in memory: most counts are small numbers, and seconds of an hour always."""
_WIDE = "Q"
"""Of a column with a count that is not."""
_HEAD = Struct("<q5s")
"""Of a ring in bytes: its newest bucket, or -1 without any, and the kinds of its columns."""
_MANY = 64
"""Buckets that are summed anew each time; a sum of more is remembered."""


class Ring:
    """The newest buckets of one width."""

    __slots__ = ("_closed", "_columns", "_newest", "_size", "span_s", "width_s")

    def __init__(self, width_s: int, span_s: float) -> None:
        self.width_s, self.span_s = width_s, span_s
        self._size = int(span_s // width_s) + 2
        self._columns = [array(kind, bytes(array(kind).itemsize * self._size)) for kind in _KINDS]
        self._newest: int | None = None
        self._closed: dict[int, Counts] = {}
        """Sums of many buckets, from this one to the last but one, until there is a newer."""

    def add(self, start_s: int, counts: Counts) -> None:
        """Buckets that would be too old are none."""
        bucket, size = start_s // self.width_s, self._size
        newest = self._newest
        if newest is None:
            self._newest = newest = bucket
        if bucket > newest:
            for gone in range(max(newest + 1, bucket - size + 1), bucket + 1):
                for column in self._columns:
                    column[gone % size] = 0
            self._newest = newest = bucket
            self._closed.clear()
        elif bucket < newest:
            if bucket <= newest - size:
                return
            self._closed.clear()
        at = bucket % size
        for index, count in enumerate(counts):
            if count:
                try:
                    self._columns[index][at] += count
                except OverflowError:
                    self._columns[index] = array(_WIDE, self._columns[index])
                    self._columns[index][at] += count

    def begins_s(self, from_s: float) -> int:
        """Where a window that begins at `from_s` begins here."""
        return int(from_s // self.width_s) * self.width_s

    def since(self, from_s: float) -> Counts:
        """Of the bucket that `from_s` is in, and all later ones."""
        newest = self._newest
        if newest is None:
            return Counts()
        first = max(int(from_s // self.width_s), newest - self._size + 1)
        if first > newest:
            return Counts()
        if newest - first < _MANY:
            return self._sum(first, newest)
        closed = self._closed.get(first)
        if closed is None:
            if len(self._closed) > len(_KINDS):
                self._closed.clear()
            self._closed[first] = closed = self._sum(first, newest - 1)
        return closed.plus(self._sum(newest, newest))

    def between(self, from_s: float, until_s: float) -> Counts:
        """Of the bucket that `from_s` is in and later ones, as far as they end by `until_s`."""
        newest = self._newest
        if newest is None:
            return Counts()
        first = max(int(from_s // self.width_s), newest - self._size + 1)
        last = min(int(until_s // self.width_s) - 1, newest)
        return self._sum(first, last) if first <= last else Counts()

    def _sum(self, first: int, last: int) -> Counts:
        low, high = first % self._size, last % self._size
        if low <= high:
            return Counts(*[sum(column[low : high + 1]) for column in self._columns])
        return Counts(*[sum(column[low:]) + sum(column[: high + 1]) for column in self._columns])

    def each(self, from_s: float) -> Iterable[tuple[int, Counts]]:
        """(end, counts) of every bucket from that on, oldest first."""
        if self._newest is None:
            return
        size, newest = self._size, self._newest
        for bucket in range(max(int(from_s // self.width_s), newest - size + 1), newest + 1):
            yield (bucket + 1) * self.width_s, Counts(*[column[bucket % size] for column in self._columns])

    def pack(self) -> bytes:
        """For `unpack` of another of the same width and span, on a machine of the same byte order."""
        kinds = "".join(column.typecode for column in self._columns).encode()
        newest = -1 if self._newest is None else self._newest
        return _HEAD.pack(newest, kinds) + b"".join(column.tobytes() for column in self._columns)

    def unpack(self, body: memoryview) -> memoryview:
        """What follows it in `body`. Raises `ValueError` or `struct.error` for what is no ring of this size."""
        newest, kinds = _HEAD.unpack_from(body)
        at, columns = _HEAD.size, []
        for kind, usual in zip(kinds.decode("ascii"), _KINDS, strict=True):
            if kind not in {usual, _WIDE}:
                raise ValueError(f"a column of {kind!r}: nothing of ours")
            column = array(kind)
            end = at + self._size * column.itemsize
            column.frombytes(body[at:end])
            if len(column) != self._size:
                raise ValueError(f"a column of {len(column)} buckets, not of {self._size}")
            columns.append(column)
            at = end
        self._columns, self._newest = columns, None if newest == -1 else newest
        self._closed.clear()
        return body[at:]


class Rings:
    """One objective's: every window that is asked for has its ring."""

    __slots__ = ("_by_span", "_long_s", "rings")

    def __init__(self, slice_s: int, budget_s: float, spans_s: Iterable[float]) -> None:
        widths = {span_s: width(slice_s, span_s, FINE) for span_s in spans_s}
        widths[budget_s] = width(slice_s, budget_s, LONG_FINE)
        longest: dict[int, float] = {}
        for span_s, width_s in widths.items():
            longest[width_s] = max(longest.get(width_s, 0.0), span_s)
        made = {width_s: Ring(width_s, span_s) for width_s, span_s in sorted(longest.items())}
        self.rings: Sequence[Ring] = tuple(made.values())
        self._by_span: Mapping[float, Ring] = {span_s: made[width_s] for span_s, width_s in widths.items()}
        self._long_s = max((span_s for width_s, span_s in longest.items() if width_s < HOUR_S), default=0.0)

    @property
    def from_slices_s(self) -> float:
        """The longest span that hourly sums are too coarse for."""
        return self._long_s

    def of(self, span_s: float) -> Ring:
        return self._by_span[span_s]

    def add_hour(self, start_s: int, counts: Counts) -> None:
        """A whole hour, to the rings of hours."""
        for ring in self.rings:
            if ring.width_s == HOUR_S:
                ring.add(start_s, counts)

    def add_fine(self, start_s: int, counts: Counts) -> None:
        """A slice, to the others."""
        for ring in self.rings:
            if ring.width_s != HOUR_S:
                ring.add(start_s, counts)


def width(slice_s: int, span_s: float, fine: int) -> int:
    """Of the buckets for a window: whole slices, and hours where that is enough."""
    if span_s >= LONG_S:
        return HOUR_S
    fits = [one for one in WIDTHS_S if one % slice_s == 0 and one <= span_s / fine]
    return max([slice_s, *fits])
