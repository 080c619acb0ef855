"""What a target allows: budgets, quotas and what an outage costs of them, exactly.

Targets are ratios, held as the decimals of the configuration: a float would call an outage of exactly the quota a
breach. Results are `Decimal` where they have an end, else `Fraction`; a report rounds once, at its edge.

Source: error budget = 1 - SLO, Site Reliability Engineering (2016), ch. 3; burn rates, The Site Reliability
Workbook (2018), ch. 5.
"""

from dataclasses import dataclass
from decimal import Decimal, DecimalException
from fractions import Fraction

Number = int | float | Decimal | Fraction
"""Seconds, ratios and factors as they come in: floats only where they are whole (a window of 2592000.0 s)."""

NOMINAL_MONTH_S = 2_628_000
"""A twelfth of 365 days: the same quota all year, 4.38 minutes at 99.99 %."""
MOST_PLACES = 14
"""Of a ratio: what is worked out with it stays exact."""
SLICES_A_QUOTA = 10
"""A slice longer than a tenth of the quota makes one bad slice too much of it."""


def parse_target(per_cent: str | int | Decimal) -> Decimal:
    """The ratio that "99.99" (or "99.99%") stands for; every digit is kept. ValueError says what is wrong."""
    said = str(per_cent)
    try:
        ratio = Decimal(said.strip().removesuffix("%").strip()).scaleb(-2)
    except DecimalException:
        raise ValueError(f'target {said[:40]!r} is no number: give per cent, such as "99.9"') from None
    if not ratio.is_finite() or not 0 < ratio < 1:
        raise ValueError(
            f"target {said[:40]!r} is not between 0 and 100 per cent, both excluded: at 100 nothing may ever fail, "
            'so no alarm has a meaning; give such as "99.9"'
        )
    if _places(ratio) > MOST_PLACES:
        raise ValueError(f"target {said[:40]!r} has more digits than can be measured: give {MOST_PLACES - 2} at most")
    return ratio


def show_target(target: Decimal) -> str:
    """In per cent with the digits of the configuration: "99.95"."""
    return format(target.scaleb(2), "f")


def error_ratio(target: Decimal) -> Decimal:
    """Ratio of bad that `target` allows. ValueError outside of (0, 1)."""
    if not target.is_finite() or not 0 < target < 1:
        raise ValueError(f"target {target} is not between 0 and 1, both excluded: give a ratio, such as 0.999")
    return 1 - target


def budget_s(target: Decimal, window_s: Number) -> Decimal:
    """Seconds of a window that may be bad: 99.9 % of 30 days are 2,592 s."""
    return error_ratio(target) * _decimal(window_s)


def quota_s(target: Decimal) -> Decimal:
    """Seconds of a nominal month that may be bad: 99.99 % are 262.8 s."""
    return budget_s(target, NOMINAL_MONTH_S)


def coarsest_slice_s(target: Decimal) -> Decimal:
    """The longest slice that downtime may be read from: a tenth of the quota."""
    return quota_s(target) / SLICES_A_QUOTA


def decimals(target: Decimal) -> int:
    """How many are shown of a ratio in per cent that is held against `target`: one more than it has, three at least."""
    return max(2, _places(target.normalize()) - 2) + 1


def truncated(part: int | Fraction, whole: int | Fraction, places: int) -> str:
    """`part` of `whole` in per cent, cut off and never rounded up: 99.9499 is "99.949". "" of nothing."""
    if not whole:
        return ""
    scaled = int(Fraction(part) * 100 * 10**places / whole)
    sign, digits = "-" if scaled < 0 else "", str(abs(scaled)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


@dataclass(frozen=True, slots=True)
class RequestBudget:
    allowed: Fraction
    """Bad requests that the target allows of the total."""
    consumed: Fraction | None
    """Ratio of them that happened; may pass 1. None where there were too few requests."""

    @property
    def too_few(self) -> bool:
        """Not one bad request is allowed yet: one would say more of chance than of the service."""
        return self.consumed is None

    @property
    def remaining(self) -> Fraction | None:
        """Negative when overdrawn."""
        return None if self.consumed is None else 1 - self.consumed

    @property
    def breached(self) -> bool:
        """Spent to the last is not breached yet."""
        return self.consumed is not None and self.consumed > 1


def request_budget(target: Decimal, total: int, bad: int) -> RequestBudget:
    return request_budget_of(Fraction(error_ratio(target)), total, bad)


def request_budget_of(errors: Fraction, total: int, bad: int) -> RequestBudget:
    """Likewise of an allowed error ratio, which may be the mean of several targets."""
    allowed = errors * total
    return RequestBudget(allowed, bad / allowed if allowed >= 1 else None)


def equivalent_s(total: int, bad: int, window_s: Number) -> Fraction | None:
    """How long everything would have to be down to fail as large a part of the window. None without traffic."""
    return Fraction(bad, total) * _fraction(window_s) if total > 0 else None


def burn(total: int, bad: int, target: Decimal) -> Fraction | None:
    """How many times faster than `target` allows; None without traffic, which is neither calm nor trouble."""
    return Fraction(bad, total) / Fraction(error_ratio(target)) if total > 0 else None


def exhaustion_s(remaining: Fraction | None, window_s: Number, rate: Fraction | None) -> Fraction | None:
    """Until the rest of a budget is gone at that burn; None where it is unknown, spent or not being spent."""
    if remaining is None or rate is None or remaining <= 0 or rate <= 0:
        return None
    return remaining * _fraction(window_s) / rate


def threshold_ratio(factor: Number, target: Decimal) -> Fraction:
    """The error ratio at which the budget burns `factor` times too fast."""
    return _fraction(factor) * Fraction(error_ratio(target))


def detection_s(factor: Number, target: Decimal, long_s: Number, errors: Number = 1) -> Fraction | None:
    """How long `errors` (a ratio) last before the long window passes the threshold; None is never."""
    threshold, ratio = threshold_ratio(factor, target), _fraction(errors)
    return threshold * _fraction(long_s) / ratio if ratio > threshold else None


def clear_s(factor: Number, target: Decimal, short_s: Number) -> Fraction:
    """How long an alarm stays after the end of a full outage: until the short window is back at the threshold."""
    return _fraction(short_s) * max(Fraction(0), 1 - threshold_ratio(factor, target))


def canary_spend(
    share: Number, extra_errors: Number, duration_s: Number, target: Decimal, window_s: Number
) -> Fraction:
    """Ratio of the whole budget that a canary with `share` of the traffic costs, so much worse for so long."""
    spent = _fraction(share) * _fraction(extra_errors) * _fraction(duration_s)
    return spent / Fraction(budget_s(target, window_s))


def payback_span_s(downtime_s: Number, target: Decimal) -> Fraction:
    """The window in which so much downtime is just affordable: 12 minutes at 99.99 % need 83 days and 8 hours."""
    return _fraction(downtime_s) / Fraction(error_ratio(target))


def _places(ratio: Decimal) -> int:
    return -int(ratio.as_tuple().exponent)


def _fraction(number: Number) -> Fraction:
    """Floats mean what they are written as: 0.05 is a twentieth."""
    return Fraction(str(number)) if isinstance(number, float) else Fraction(number)


def _decimal(number: Number) -> Decimal:
    if isinstance(number, Fraction):
        return Decimal(number.numerator) / number.denominator
    return Decimal(str(number)) if isinstance(number, float) else Decimal(number)
