"""A rolling budget that is spent: since when it is, and when it is back if nothing more is bad.

Both follow from sums that are kept anyway, so they are as exact as the buckets of these: an hour in a budget of days.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from pipeline.slo.rings import Counts
from pipeline.slo.rules import Count, Objective

Errors = Callable[[float], Fraction]
"""The error ratio that the window which ends at that time (unix seconds) allows."""


class Bucket(NamedTuple):
    """Sums of [start_s, end_s), unix seconds."""

    start_s: int
    end_s: int
    counts: Counts


def since_s(objective: Objective, buckets: Sequence[Bucket], now_s: float, errors: Errors) -> int | None:
    """Where the bucket began in which it came to be spent; None where it is not spent now.

    Args:
        objective: says what is counted, and over which window.
        buckets: oldest first; the further back they reach, the longer ago may be what is found.
        now_s: unix seconds.
        errors: what was allowed.
    """
    found = None
    total = bad = bad_s = 0
    # `first` is the oldest of the window, which ends with `last`; both go back.
    first = len(buckets)
    for last in range(len(buckets) - 1, -1, -1):
        until_s = min(buckets[last].end_s, now_s)
        while first > 0 and buckets[first - 1].end_s > until_s - objective.window_s:
            first -= 1
            counts = buckets[first].counts
            total, bad, bad_s = total + counts.total, bad + counts.bad, bad_s + counts.bad_s
        if not _spent(objective, total, bad, bad_s, errors(until_s)):
            break
        found = buckets[last].start_s
        counts = buckets[last].counts
        total, bad, bad_s = total - counts.total, bad - counts.bad, bad_s - counts.bad_s
    return found


def back_s(objective: Objective, buckets: Sequence[Bucket], now_s: float, errors: Errors) -> float | None:
    """When it is no longer spent if nothing more is bad; None where no bucket is left to leave the window.

    Where requests are counted, as many go on coming as came in the buckets that are over: each allows a part of a bad
    one. So it is the same all through a bucket, unless more is bad.

    Args:
        objective: says what is counted, and over which window.
        buckets: of the window that ends now, oldest first.
        now_s: unix seconds.
        errors: what will be allowed.
    """
    over = [one for one in buckets if one.end_s <= now_s]
    total = sum(one.counts.total for one in over)
    begun_s = next((one.start_s for one in over if one.counts.total), now_s)
    rps = total / (over[-1].end_s - begun_s) if total else 0.0
    bad = sum(one.counts.bad for one in buckets)
    bad_s = sum(one.counts.bad_s for one in buckets)
    for one in buckets:
        at_s = one.end_s + objective.window_s
        bad, bad_s = bad - one.counts.bad, bad_s - one.counts.bad_s
        total -= one.counts.total if one.end_s <= now_s else 0
        more = int(rps * (at_s - over[-1].end_s)) if over else 0
        if at_s > now_s and not _spent(objective, total + more, bad, bad_s, errors(at_s)):
            return at_s
    return None


def _spent(objective: Objective, total: int, bad: int, bad_s: int, errors: Fraction) -> bool:
    """As `window.remaining` has it; one of which too little is known is none that is spent, unless something is bad."""
    if objective.count is Count.REQUESTS:
        return bad > 0 and bad * errors.denominator >= errors.numerator * total
    return bad_s > 0 and bad_s * errors.denominator >= errors.numerator * Fraction(objective.window_s)
