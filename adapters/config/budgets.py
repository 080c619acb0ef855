"""What a service promises, and what that costs: `[X.budget]`, `[X.slos.NAME]`, `[X.payback]`, `[X.coverage]`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from adapters.config.durations import written
from adapters.config.errors import Spot
from adapters.config.schema import Key, Section, Values
from adapters.config.signals import COUNTER, HISTOGRAM, Signals
from adapters.config.values import boolean, either, name, objective, one_of, ratio, seconds, threshold, timezone, whole
from pipeline.model import Rules
from pipeline.slo.burn import never_fire, pairs
from pipeline.slo.quota import NOMINAL_MONTH_S
from pipeline.slo.report import Alarm
from pipeline.slo.rules import Count, CountFrom, Kind, Objective

PARTS = 10
"""A slice is at most such a part of the quota, or one bad slice says too much."""
LEAST_SLICES = 12
"""In a window: fewer make no short window of an alarm."""
HOUR_S = 3_600


def exact_ratio(value: object, spot: Spot) -> Decimal:
    """A ratio of at least 0 and less than 1, without the error of a float."""
    ratio(0.0, 0.999)(value, spot)
    if isinstance(value, str):
        return Decimal(value.rstrip("% ")) / 100
    return Decimal(str(value))


def slice_length(value: object, spot: Spot) -> int:
    """Whole seconds that an hour is a multiple of: hours are summed of slices."""
    found = seconds("1s", "1h")(value, spot)
    if found != int(found) or HOUR_S % int(found):
        spot.refuse(
            f'expected whole seconds of which an hour is a multiple, such as "{longest(int(found))}s", got "{value}"'
        )
    return int(found)


def months(value: object, spot: Spot) -> int | None:
    if value == "none":
        return None
    if isinstance(value, str):
        spot.expected('a whole number from 1 to 120, or "none"', value)
    return whole(1, 120)(value, spot)


PROMISED = {"count": Key(one_of(Count)), "bad_slice": Key(exact_ratio), "window": Key(seconds("1m"), "window_s")}
COUNTERS = {"total": Key(name), "bad": Key(name)}
BUDGET = Section({"objective": Key(objective), "slice": Key(slice_length, "slice_s"), **PROMISED, **COUNTERS})
SLO = Section(
    {
        "kind": Key(one_of(Kind)),
        "target": Key(objective),
        "of": Key(name),
        "over": Key(threshold("1d"), "over_s"),
        **PROMISED,
        **COUNTERS,
    }
)
PAYBACK = Section(
    {
        "on": Key(boolean),
        "count_from": Key(one_of(CountFrom)),
        "most_months": Key(months),
        "timezone": Key(timezone),
    }
)
COVERAGE = Section({"least": Key(ratio()), "silent": Key(seconds("1s", "31d"), "silent_s")})

OF_KIND: Mapping[Kind, Mapping[str, str]] = {
    Kind.AVAILABILITY: {"total": "total", "bad": "bad"},
    Kind.LATENCY: {"of": "of", "over_s": "over"},
}
"""What an objective of a kind is worked out from: fields, with their keys."""


def slos(base: Rules, said: Mapping[str, Values], slice_s: int, spot: Spot) -> tuple[Objective, ...]:
    """The further objectives; all of a service's have its one length of slices."""
    found = {each.name: each for each in base.slos}
    for key, values in said.items():
        at = spot / key
        old = found.get(key)
        if key == "availability":
            at.wrong("is the objective of [budget]: give this one another name")
        elif old is None and "kind" not in values:
            at.wrong(f'"kind" is missing: expected {either(Kind)}')
        else:
            kind = values.get("kind", Kind.AVAILABILITY if old is None else old.kind)
            old = old if old is not None and kind is old.kind else Objective(key, kind)
            found[key] = replace(old, **values)
            _check_kind(found[key], values, at)
    return tuple(replace(each, slice_s=slice_s) for each in found.values())


def _check_kind(its: Objective, values: Values, spot: Spot) -> None:
    needed = OF_KIND[its.kind]
    worked_out = f"an objective of kind {its.kind} is worked out from {' and '.join(needed.values())}"
    for field, key in needed.items():
        if not getattr(its, field):
            spot.wrong(f'"{key}" is missing: {worked_out}')
    for other in OF_KIND.values():
        for field, key in other.items():
            if field in values and field not in needed:
                (spot / key).wrong(f"does not belong here: {worked_out}")


def check(rules: Rules, said: Values, signals: Signals, spot: Spot, apart_s: float) -> None:
    """Report what does not go together in `rules`, of which `said` is what is said at `spot`.

    Args:
        apart_s: between two readings of a host.
    """
    for key in ("total", "bad"):
        signals.check(getattr(rules.budget, key), COUNTER, spot / "budget" / key)
    for its in rules.slos:
        _check_signals(its, said, signals, spot / "slos" / its.name)
    if not all((spot / part).clean for part in ("budget", "slos", "payback")):
        return
    slice_s = rules.budget.slice_s
    if slice_s < apart_s and "budget" in said:
        _said(spot, said, ("budget", "slice")).wrong(
            f"slices of {slice_s}s are shorter than the {written(apart_s)} between two readings: most would be unknown"
        )
    for its in rules.objectives:
        at = (spot / "budget") if its.name == "availability" else (spot / "slos" / its.name)
        if its.window_s < LEAST_SLICES * slice_s:
            _of(at, spot, said, "window").wrong(
                f"expected at least {LEAST_SLICES} slices of {slice_s}s, got {written(its.window_s)}"
            )
            continue
        _check_coarse(its, rules, said, at, spot)
        _check_alarm(its, said, at, spot, apart_s)


def _check_signals(its: Objective, said: Values, signals: Signals, spot: Spot) -> None:
    if its.name not in said.get("slos", {}) or not spot.clean:
        return
    if its.kind is Kind.LATENCY:
        signals.check(its.of, HISTOGRAM, spot / "of")
        return
    for key in ("total", "bad"):
        signals.check(getattr(its, key), COUNTER, spot / key)


def _check_coarse(its: Objective, rules: Rules, said: Values, at: Spot, spot: Spot) -> None:
    """One bad slice may not be a large part of the quota that slices are counted against."""
    for quota_s, of, otherwise in _quotas(its, rules):
        if its.slice_s * PARTS <= quota_s:
            continue
        most = longest(int(quota_s / PARTS))
        mend = f'say slice = "{most}s" at most, or {otherwise}' if most else _without_slices(its, rules)
        where = _said(spot, said, ("budget", "slice"), (*at.path[len(spot.path) :], "target"), ("budget", "objective"))
        share = f"{int(its.slice_s * 100 / quota_s)} % of the {_short(quota_s)} s"
        share = share if quota_s >= 1 else "longer than the whole, less than 1 s,"
        where.wrong(
            f"slices of {its.slice_s}s are too coarse for {per_cent(its.target)}: one is {share} of {of}: {mend}"
        )
        return


def _without_slices(its: Objective, rules: Rules) -> str:
    """All that must go, where a slice of a second is too coarse already."""
    key = "objective" if its.name == "availability" else "target"
    ways = [way for quota_s, _, way in _quotas(its, rules) if quota_s < PARTS]
    return f"no slice is fine enough: say a lower {key}, or {' and '.join(ways)}"


def _quotas(its: Objective, rules: Rules) -> Iterator[tuple[Decimal, str, str]]:
    error = 1 - its.target
    if its.count is Count.SLICES:
        yield error * Decimal(its.window_s), f"{its.name}'s budget", 'count = "requests"'
    if its.name == "availability" and rules.payback.on:
        yield error * NOMINAL_MONTH_S, "a month's quota (payback)", "payback.on = false"


def _check_alarm(its: Objective, said: Values, at: Spot, spot: Spot, apart_s: float) -> None:
    """No service can fail more than all of its requests, and no window is seen that is shorter than a slice."""
    fastest, silent = pairs(its.window_s)[0], never_fire(its.target, its.window_s)
    if silent:
        most = 1 / (1 - its.target)
        key = "objective" if its.name == "availability" else "target"
        where = _of(at, spot, said, key)
        burns = f"at {per_cent(its.target)} the budget burns {_short(most)} times too fast at most"
        pages = [pair for pair in pairs(its.window_s) if pair.alarm is Alarm.PAGE]
        if pages[-1] in silent:
            slowest = _short(_decimal(pages[-1].factor))
            where.wrong(f"{burns}, and no alarm of a page is below {slowest}: none can ever fire: say a higher {key}")
        else:
            wants = _short(_decimal(silent[0].factor))
            where.warn(f"{burns}, and the fastest alarm wants more than {wants}: it can never fire")
    most_s = longest(int(fastest.short_s))
    if its.slice_s > fastest.short_s and most_s >= max(1, apart_s):
        _said(spot, said, ("budget", "slice"), (*at.path[len(spot.path) :], "window")).warn(
            f"the fastest alarm of {its.name} looks at the last {_short(_decimal(fastest.short_s))} s, and a slice is "
            f'{its.slice_s} s: say slice = "{most_s}s" at most'
        )


def _of(at: Spot, spot: Spot, said: Values, key: str) -> Spot:
    return _said(spot, said, (*at.path[len(spot.path) :], key))


def _said(spot: Spot, said: Values, *paths: tuple[str | int, ...]) -> Spot:
    """The first of `paths` that is said; else the first part of the file that has to do with it."""
    for path in paths:
        if (*spot.path, *path) in spot.problems.lines:
            return spot.within(path)
    parts = [path[0] for path in paths if path[0] in said] or [part for part in ("payback", "slos") if part in said]
    return spot.within(tuple(parts[:1]))


def longest(most: int) -> int:
    """The longest slice of at most `most` seconds that an hour is a multiple of; 0 where there is none."""
    return next((length for length in range(min(most, HOUR_S), 0, -1) if HOUR_S % length == 0), 0)


def per_cent(target: Decimal) -> str:
    return f"{(target * 100).normalize():f}%"


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / number.denominator


def _short(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.1')).normalize():f}"
