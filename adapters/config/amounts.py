"""How much of a metric is too much, in the unit that it was written in."""

from adapters.config import durations
from adapters.config.errors import Spot
from adapters.config.values import number, per_cent
from pipeline.model import MetricKind, MetricRule

RATIOS = (MetricKind.RATIO, MetricKind.SHARE)
UNITS = ("bytes", "/s", "/h", "cores")
"""Of what is neither a ratio nor a time."""


class Share(float):
    """Written in per cent."""


class Span(float):
    """Written as a duration: seconds."""


def amount(value: object, spot: Spot) -> float:
    """In the metric's unit: 12, "5%" of a ratio, "400ms" of what is measured in seconds."""
    if not isinstance(value, str):
        return number(0, 10**15)(value, spot)
    share = per_cent(value)
    if share is not None:
        return Share(share)
    try:
        return Span(durations.seconds(value))
    except ValueError:
        spot.expected('a number, a ratio such as "5%" or a duration such as "400ms"', value)


def check_amount(written: float, metric: MetricRule, spot: Spot) -> None:
    """Report a limit in per cent of what is no ratio, and a duration of what is no time; a bare number may be both."""
    ratio = metric.kind in RATIOS or metric.unit == "ratio"
    timed = metric.unit == "s" or metric.kind is MetricKind.QUANTILE
    other = metric.unit in UNITS or metric.kind in (MetricKind.RATE, MetricKind.RESTARTS)
    if not spot.clean:
        return
    if isinstance(written, Share) and not ratio and (timed or other):
        what = 'in seconds: say a duration such as "400ms"' if timed else f"{_in(metric)}: say a number"
        spot.wrong(f"is in per cent, but {metric.key} is measured {what}")
    elif isinstance(written, Span) and (ratio or other):
        what = 'is a ratio: say one such as "5%"' if ratio else f"is measured {_in(metric)}: say a number"
        spot.wrong(f"is a duration, but {metric.key} {what}")


def _in(metric: MetricRule) -> str:
    return f"in {metric.unit}" if metric.unit and metric.unit[0] != "/" else "by count"
