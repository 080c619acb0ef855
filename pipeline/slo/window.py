"""What is left of a budget over one window, from the sums of its slices.

In requests the budget is what the target allows of those that came; in slices it is time. Unknown time spends
nothing and is told beside: what was achieved lies between `worst` and `best`.
"""

from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from math import prod
from typing import NamedTuple

from pipeline.slo import quota
from pipeline.slo.calendar import Month
from pipeline.slo.changes import Targets, error_ratio_over, exact_s
from pipeline.slo.report import WindowReport
from pipeline.slo.rules import Count, Objective

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))


class Sums(NamedTuple):
    """Requests, and seconds of slices by what they were."""

    total: int = 0
    bad: int = 0
    good_s: int = 0
    idle_s: int = 0
    bad_s: int = 0
    unknown_s: int = 0

    @property
    def known_s(self) -> int:
        return self.good_s + self.idle_s + self.bad_s


def remaining(
    objective: Objective, sums: Sums, window_s: quota.Number, errors: Fraction | None = None
) -> Fraction | None:
    """Ratio of the budget that is left, negative when overdrawn; None where too little is known.

    `errors` is the allowed error ratio where the target changed (`error_ratio_over`).
    """
    ratio = quota.errors(objective.target) if errors is None else errors
    # One fraction of whole numbers: each step of its own would be cut down anew.
    if objective.count is Count.REQUESTS:
        allowed, unit, bad = ratio.numerator * sums.total, ratio.denominator, sums.bad
        # Where not one bad request is allowed yet, one would say more of chance than of the service.
        return Fraction(allowed - bad * unit, allowed) if allowed >= unit else None
    whole_s = _exact(window_s)
    allowed, unit = ratio.numerator * whole_s.numerator, ratio.denominator * whole_s.denominator
    return Fraction(allowed - sums.bad_s * unit, allowed) if sums.known_s else None


def gone_in_s(objective: Objective, sums: Sums, hour: tuple[int, int]) -> float | None:
    """Until the rolling budget is spent at the burn of the last hour; None where it never is.

    What lasts for longer than the window lasts for good: by then all that was bad before has left it.
    `hour` is its (total, bad): requests, or known and bad seconds where slices count.
    """
    left = remaining(objective, sums, objective.window_s)
    gone = quota.exhaustion_s(left, objective.window_s, quota.burn(*hour, objective.target))
    return None if gone is None or gone > objective.window_s else float(gone)


def window_report(
    objective: Objective, label: str, start: datetime, end: datetime, sums: Sums, targets: Targets | None = None
) -> WindowReport:
    """The budget over [start, end), all of the window: of a month its end lies ahead.

    Args:
        objective: counts in requests or in slices.
        label: says which window, and in which timezone.
        start: of the window.
        end: of the window.
        sums: of its slices so far.
        targets: those in force in the window, where the objective's is not the only one.
    """
    errors = quota.errors(objective.target) if targets is None else error_ratio_over(targets, start, end)
    window_s = _exact(end - start)
    left = remaining(objective, sums, window_s, errors)
    achieved, worst, best = _achieved(objective, sums)
    return WindowReport(
        label=label,
        start=start,
        end=end,
        total=sums.total,
        bad=sums.bad,
        good_s=sums.good_s,
        idle_s=sums.idle_s,
        bad_s=sums.bad_s,
        unknown_s=sums.unknown_s,
        left=None if left is None else float(left),
        left_s=None if left is None else _product(left, errors, window_s),
        achieved=achieved,
        worst=worst,
        best=best,
        why="" if left is not None else _why(objective, sums, errors),
    )


def rolling_label(window_s: float) -> str:
    return f"rolling {span(window_s)}"


def month_label(month: Month) -> str:
    return f"month {month.label}"


def span(seconds: float) -> str:
    """In the largest unit that divides it: "30d", "1h"; else in seconds."""
    for unit_s, unit in _UNITS:
        if seconds >= unit_s and seconds % unit_s == 0:
            return f"{int(seconds // unit_s)}{unit}"
    return f"{int(seconds)}s"


@lru_cache(maxsize=256)
def _exact(seconds: quota.Number | timedelta) -> Fraction:
    return exact_s(seconds) if isinstance(seconds, timedelta) else Fraction(seconds)


def _product(*factors: Fraction) -> float:
    """Rounded once."""
    return prod(one.numerator for one in factors) / prod(one.denominator for one in factors)


def _achieved(objective: Objective, sums: Sums) -> tuple[str, str, str]:
    """What was good of what is known; if all that is unknown was bad; if none of it was. In per cent."""
    if objective.count is Count.REQUESTS:
        # As many requests a second as in known time; all of them times that, to be whole numbers.
        each = sums.known_s or 1
        whole, good = sums.total * each, (sums.total - sums.bad) * each
        unknown = sums.total * sums.unknown_s if sums.known_s else 0
    else:
        whole, good, unknown = sums.known_s, sums.known_s - sums.bad_s, sums.unknown_s
    if not whole:
        return "", "", ""
    places = quota.decimals(objective.target)
    achieved = quota.truncated(good, whole, places)
    if not unknown:
        return achieved, achieved, achieved
    return (
        achieved,
        quota.truncated(good, whole + unknown, places),
        quota.truncated(good + unknown, whole + unknown, places),
    )


def _why(objective: Objective, sums: Sums, errors: Fraction) -> str:
    if not sums.known_s and not sums.total:
        return "nothing is known of this time"
    allowed = quota.truncated(errors * sums.total, 100, 2)
    return f"too few events: {sums.total} requests allow {allowed} bad ones at {quota.show_target(objective.target)} %"
