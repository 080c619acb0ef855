"""Burn rates and the multi-window alarms on them.

A pair of windows fires only where both burn strictly faster than its factor: the long one for being sure, the short
one for being over soon after the trouble is. Without traffic nothing is known and nothing fires.

Source: The Site Reliability Workbook (2018), ch. 5, multiwindow, multi-burn-rate alerts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from pipeline.slo import quota
from pipeline.slo.report import Alarm, BurnPair
from pipeline.slo.rules import Objective

_HOUR = 3_600
_DAY = 86_400
_USUAL_S = 30 * _DAY
"""The window that the long windows below are made for."""
_SHORTEST_S = 28 * _DAY
"""Of a window in which hours and days still mean something; in a shorter one the long windows shrink with it."""
_SHORT = 12
"""The short window is this part of the long one."""
_SPENT: tuple[tuple[Alarm, Fraction, int], ...] = (
    (Alarm.PAGE, Fraction(2, 100), _HOUR),
    (Alarm.PAGE, Fraction(5, 100), 6 * _HOUR),
    (Alarm.TICKET, Fraction(10, 100), _DAY),
    (Alarm.TICKET, Fraction(10, 100), 3 * _DAY),
)
"""What part of the budget may go in which time before someone must look."""


@dataclass(frozen=True, slots=True)
class Pair:
    alarm: Alarm
    factor: Fraction
    long_s: Fraction
    short_s: Fraction


def factor_of(share: Fraction, window_s: quota.Number, long_s: quota.Number) -> Fraction:
    """The burn that spends `share` of the budget of `window_s` within `long_s`."""
    return share * Fraction(window_s) / Fraction(long_s)


@lru_cache(maxsize=256)
def pairs(window_s: float) -> tuple[Pair, ...]:
    """The alarms of a window; most urgent first. 30 days: 14.4 over 1 h, 6 over 6 h, 3 over 1 d, 1 over 3 d."""
    window = Fraction(window_s)
    scale = Fraction(1) if window >= _SHORTEST_S else window / _USUAL_S
    return tuple(
        Pair(alarm, factor_of(share, window, long * scale), long * scale, long * scale / _SHORT)
        for alarm, share, long in _SPENT
    )


@lru_cache(maxsize=256)
def _spans(window_s: float, slice_s: int) -> tuple[tuple[Pair, float, float, float], ...]:
    """Each with its long and short span, a slice at least, and its factor."""
    return tuple(
        (pair, max(float(pair.long_s), slice_s), max(float(pair.short_s), slice_s), float(pair.factor))
        for pair in pairs(window_s)
    )


def burn(total: int, bad: int, objective: Objective) -> float | None:
    """How many times faster than the objective allows; None without traffic."""
    rate = quota.burn(total, bad, objective.target)
    return None if rate is None else float(rate)


def burn_pairs(
    objective: Objective,
    sums: Callable[[float], tuple[int, int]],
    known_s: Callable[[float], float] | None = None,
) -> tuple[BurnPair, ...]:
    """The objective's alarms now.

    Args:
        objective: its target and window.
        sums: (total, bad) of the last so many seconds: requests, or known and bad seconds where slices count.
            Asked for one slice at least: nothing is known of less.
        known_s: how much of the last so many seconds is known.
    """
    made: list[BurnPair] = []
    for pair, long_s, short_s, factor in _spans(objective.window_s, objective.slice_s):
        long = quota.burn(*sums(long_s), objective.target)
        short = quota.burn(*sums(short_s), objective.target)
        fires = long is not None and short is not None and long > pair.factor and short > pair.factor
        shown = (None if long is None else float(long), None if short is None else float(short))
        known = None if known_s is None else known_s(long_s)
        made.append(BurnPair(pair.alarm, factor, long_s, short_s, *shown, fires, known))
    return tuple(made)


def alarm(burning: Iterable[BurnPair]) -> Alarm | None:
    """The most urgent that fires."""
    firing = {pair.alarm for pair in burning if pair.fires}
    return next((urgent for urgent in Alarm if urgent in firing), None)


def never_fire(target: Decimal, window_s: float) -> tuple[Pair, ...]:
    """Pairs that stay silent though everything fails: 1 over the allowed error ratio is the fastest burn there is."""
    return tuple(pair for pair in pairs(window_s) if quota.threshold_ratio(pair.factor, target) >= 1)
