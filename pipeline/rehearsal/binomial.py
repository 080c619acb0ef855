"""What a count of bad outcomes says of their rate, exactly (Clopper and Pearson, 1934)."""

import math
from collections.abc import Callable

STEPS = 60
"""Halvings of [0, 1]: beyond what a float can tell apart."""


def interval(found: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact two-sided interval of a rate of which `found` were seen among `of` independent tries.

    Args:
        found: 0 to `of`.
        of: 0 says nothing: (0, 1).
        confidence: 0 < confidence < 1; each side is missed with at most half of the rest.

    Returns:
        (low, high), ratios; 0 of 150 gives (0, 0.0243).

    Raises:
        ValueError: `found` is outside 0 to `of`.
    """
    if not 0 <= found <= of:
        raise ValueError(f"{found} of {of}")
    tail = (1 - confidence) / 2
    low = 0.0 if found == 0 else _where(lambda rate: 1 - at_most(found - 1, of, rate) >= tail)
    high = 1.0 if found == of else _where(lambda rate: at_most(found, of, rate) <= tail)
    return low, high


def bound(found: int, of: int, confidence: float = 0.95) -> float:
    """The interval's upper end: what the rate hardly exceeds."""
    return interval(found, of, confidence)[1]


def tries_for(rate: float, found: int = 0, confidence: float = 0.95) -> int:
    """The fewest tries of which `found` bad ones bound the rate by `rate` (0 < rate < 1)."""
    few, many = found, max(found, 1)
    while bound(found, many, confidence) > rate:
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (middle, many) if bound(found, middle, confidence) > rate else (few, middle)
    return many


def at_most(found: int, of: int, rate: float) -> float:
    """The chance of at most `found` in `of` tries at `rate` each."""
    if found >= of or rate <= 0:
        return 1.0
    if found < 0 or rate >= 1:
        return 0.0
    yes, no, ways = math.log(rate), math.log1p(-rate), math.lgamma(of + 1)
    terms = (
        math.exp(ways - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * yes + (of - k) * no)
        for k in range(found + 1)
    )
    return min(math.fsum(terms), 1.0)


def _where(reached: Callable[[float], bool]) -> float:
    """The smallest rate that has `reached` it; it holds from there to 1."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high
