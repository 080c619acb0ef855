"""What a target allows: budgets, quotas and what an outage costs of them, exactly.

Targets are ratios, held as the decimals of the configuration: a float would call an outage of exactly the quota a
breach. Results are `Decimal` where they have an end, else `Fraction`; a report rounds once, at its edge.

Source: error budget = 1 - SLO, Site Reliability Engineering (2016), ch. 3; burn rates, The Site Reliability
Workbook (2018), ch. 5.
"""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

Number = int | float | Decimal | Fraction
"""Seconds, ratios and factors as they come in: floats only where they are whole (a window of 2592000.0 s)."""

NOMINAL_MONTH_S = 2_628_000
"""A twelfth of 365 days: the same quota all year, 4.38 minutes at 99.99 %."""


def show_target(target: Decimal) -> str:
    """In per cent with the digits of the configuration: "99.95"."""
    return format(target.scaleb(2), "f")


def error_ratio(target: Decimal) -> Decimal:
    """Ratio of bad that `target` allows. ValueError outside of (0, 1)."""
    if not target.is_finite() or not 0 < target < 1:
        raise ValueError(f"target {target} is not between 0 and 1, both excluded: give a ratio, such as 0.999")
    return 1 - target


@lru_cache(maxsize=256)
def errors(target: Decimal) -> Fraction:
    """`error_ratio`, to be reckoned with."""
    return Fraction(error_ratio(target))


def budget_s(target: Decimal, window_s: Number) -> Decimal:
    """Seconds of a window that may be bad: 99.9 % of 30 days are 2,592 s."""
    return error_ratio(target) * _decimal(window_s)


def quota_s(target: Decimal) -> Decimal:
    """Seconds of a nominal month that may be bad: 99.99 % are 262.8 s."""
    return budget_s(target, NOMINAL_MONTH_S)


@lru_cache(maxsize=256)
def decimals(target: Decimal) -> int:
    """How many are shown of a ratio in per cent that is held against `target`: one more than it has, three at least."""
    return max(2, _places(target.normalize()) - 2) + 1


def truncated(part: int | Fraction, whole: int | Fraction, places: int) -> str:
    """`part` of `whole` in per cent, cut off and never rounded up: 99.9499 is "99.949". "" of nothing."""
    if not whole:
        return ""
    above, below = part.numerator * whole.denominator, part.denominator * whole.numerator
    scaled = abs(above) * 100 * 10**places // abs(below)
    sign, digits = "-" if scaled and (above < 0) is not (below < 0) else "", str(scaled).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def burn(total: int, bad: int, target: Decimal) -> Fraction | None:
    """How many times faster than `target` allows; None without traffic, which is neither calm nor trouble."""
    if total <= 0:
        return None
    allowed = errors(target)
    return Fraction(bad * allowed.denominator, total * allowed.numerator)


def exhaustion_s(remaining: Fraction | None, window_s: Number, rate: Fraction | None) -> Fraction | None:
    """Until the rest of a budget is gone at that burn; None where it is unknown, spent or not being spent."""
    if remaining is None or rate is None or remaining <= 0 or rate <= 0:
        return None
    return remaining * _fraction(window_s) / rate


def threshold_ratio(factor: Number, target: Decimal) -> Fraction:
    """The error ratio at which the budget burns `factor` times too fast."""
    return _fraction(factor) * errors(target)


def _places(ratio: Decimal) -> int:
    return -int(ratio.as_tuple().exponent)


def _fraction(number: Number) -> Fraction:
    """Floats mean what they are written as: 0.05 is a twentieth."""
    return Fraction(str(number)) if isinstance(number, float) else Fraction(number)


def _decimal(number: Number) -> Decimal:
    if isinstance(number, Fraction):
        return Decimal(number.numerator) / number.denominator
    return Decimal(str(number)) if isinstance(number, float) else Decimal(number)
