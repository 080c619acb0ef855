"""Which stretches of a trial are looked at, and what each may spend of the error rate.

Half is spent on all looks so far. The rest is for faults that begin late: on each scale of 1, 2, 4 ... looks a window
begins at every multiple of its length and is watched for twice that length, so that at any time one has just begun.
Looks beyond the planned end share what is kept for them, however many there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.judge.columns import Floats

WHOLE, LATE, BEYOND = 0.5, 0.4, 0.1


@dataclass(frozen=True, eq=False)
class Mark:
    """The sums as they were after `looks` looks."""

    looks: int
    elapsed_s: float
    sums: Floats


@dataclass(frozen=True, slots=True)
class Window:
    start: Mark
    looks: int
    seconds: float
    share: float
    """Of the error rate."""


def windows(marks: Sequence[Mark], looks: int, elapsed_s: float, scales: int, planned: int) -> list[Window]:
    """The windows that end with look number `looks`; the first is of all looks."""
    by_looks = {mark.looks: mark for mark in marks}
    found = [Window(by_looks[0], looks, elapsed_s, WHOLE)]
    for scale in range(scales):
        start = start_of(scale, looks)
        mark = by_looks.get(start) if start is not None else None
        if mark is not None:
            share = share_of(scale, mark.looks, scales, planned)
            found.append(Window(mark, looks - mark.looks, elapsed_s - mark.elapsed_s, share))
    return found


def start_of(scale: int, looks: int) -> int | None:
    """After how many looks the window of this scale begins that is watched at look number `looks`."""
    length = 1 << scale
    start = (looks // length - 1) * length
    return start if start >= 0 else None


def share_of(scale: int, start: int, scales: int, planned: int) -> float:
    """What a window of 2^scale looks that begins after `start` looks may spend."""
    length = 1 << scale
    if start < planned:
        return LATE / -(-planned // length) / scales
    # Over the starts from the planned end on, multiples of the length, length * planned / start^2 adds up to 2 at most.
    return BEYOND / 2 * length * planned / start**2 / scales


def spent(looks: int, planned: int) -> float:
    """Ratio of the error rate that the windows begun by look number `looks` have taken."""
    if looks <= 0:
        return 0.0
    beyond = BEYOND * (1 - planned / looks) if looks > planned else 0.0
    return WHOLE + LATE * min(looks / planned, 1.0) + beyond


def with_mark(marks: tuple[Mark, ...], new: Mark, scales: int) -> tuple[Mark, ...]:
    """The marks that a later window can still begin at: few, however long the trial is."""
    needed = {0, new.looks}
    for scale in range(scales):
        length = 1 << scale
        last = new.looks // length * length
        needed |= {last, last - length}
    return (*(mark for mark in marks if mark.looks in needed), new)


def differences(found: Sequence[Window], sums: Floats) -> Floats:
    """(windows, size): what each window adds up to."""
    return sums - np.stack([window.start.sums for window in found])
