"""What is said of a judge's numbers, alike on screens, by verbs and in the history.

Loads no numbers library: clients use it as the controller does.
"""

import math
from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

READ_OFF = "read off buckets"
"""Of a quantile's values and bounds: what was counted are the requests beyond a bucket's edge."""
_SLOW, _TAIL = " slow", " tail"
_FEW: Mapping[str, str] = {"ratio": "requests", "s": "requests", "/s": "requests", "/h": "restarts"}
"""By a metric's unit: what there are too few of where nothing bounds it."""


def evidence(ratio: float, blank: str = " ") -> str:
    """As in "43 %" of what rolls a release back: cut, never rounded up; "?" is unknown.

    Args:
        ratio: below 0 counts as 0; above 1 is more than it takes.
        blank: before the sign: none where room is scarce.
    """
    if not math.isfinite(ratio):
        return "?"
    # repr's digits are what was meant: 0.29 * 100 is 28.999... in binary
    exact = Decimal(repr(max(float(ratio), 0.0))) * 100
    return f"{int(exact.to_integral_value(ROUND_FLOOR))}{blank}%"


def confidence(low: str | None, high: str | None, unit: str) -> str:
    """Where a difference lies, as far as is known: "with 95 % confidence between A and B".

    Args:
        low: the lower bound as it is shown; None where nothing bounds it yet.
        high: the upper one.
        unit: of the metric (`MetricRule.unit`).
    """
    if low is None and high is None:
        return f"no bounds yet: too few {_FEW.get(unit, 'readings')}"
    if low is None:
        return f"with 95 % confidence at most {high}"
    if high is None:
        return f"with 95 % confidence at least {low}"
    return f"with 95 % confidence between {low} and {high}"


def counted(share: float, unit: str) -> str:
    """What was counted in place of a quantile: "+3.10pp slow", so many more of all requests beyond its edge.

    Short enough for the edge of a narrow pane, beside a limit and a verdict; the metric's sentence has the edge.

    Args:
        share: the difference, a ratio.
        unit: of the quantile (`MetricRule.unit`).
    """
    return f"{percentage(share, '+')}pp{_SLOW if unit == 's' else _TAIL}"


def percentage(ratio: float, sign: str = "-") -> str:
    """To three digits, no more than two of them behind the point: "3.10", "16.2", "100"."""
    places = 2 if abs(ratio) < 0.0995 else 1 if abs(ratio) < 0.995 else 0
    return f"{100 * ratio:{sign}.{places}f}"


def limited(limit: str, effect: float | None, limit_at: float | None, *, passes: bool) -> str:
    """A limit behind a difference: " (limit 0.50pp)"; of what passes all the same, that it may be chance."""
    if not limit:
        return ""
    beyond = effect is not None and limit_at is not None and limit_at != 0 and effect / limit_at > 1
    return f" (limit {limit}{'; may be chance' if passes and beyond else ''})"


def is_read_off(difference: str) -> bool:
    """Whether a metric's values and bounds are read off buckets, by its difference as it is shown."""
    return difference.endswith((_SLOW, _TAIL))
