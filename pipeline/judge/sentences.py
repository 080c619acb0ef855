"""One metric in words: both groups, the difference with its bounds, and the limit, in the metric's own unit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.judge.bounds import Effect
from pipeline.judge.plan import REQUESTS, RESTART_SLACK
from pipeline.judge.quantities import Pooled, read_off, tail_factor
from pipeline.judge.wording import READ_OFF, counted, percentage
from pipeline.model import MetricKind, MetricRule, Worse
from pipeline.words import amount, percent, points, relative

ABSOLUTE = frozenset({MetricKind.RATIO, MetricKind.SHARE, MetricKind.QUANTILE})
"""Kinds whose differences are told in percentage points, of a quantile those of its tail; the others relatively."""
HOUR_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Told:
    """A metric's numbers as differences to its control, and as texts."""

    candidate: float | None
    control: float | None
    effect: float | None
    low: float | None
    high: float | None
    limit_at: float | None
    difference: str
    limit: str
    groups: str
    """"canary 1.52 % of 9,812, production 0.42 % of 131,440"."""
    limited: str
    """The limit as a change that is worse: "limit +0.10pp", or ""."""
    aside: str = ""
    """Of a quantile, where both groups have it: "p99 read off buckets: canary 412 ms, production 188 ms"."""


def told(rule: MetricRule, effect: Effect, so_far: Pooled | None, control: str, edge: float | None = None) -> Told:
    """A metric's numbers in words. Bounds are shown beside the sentence, not in it.

    Args:
        control: what the control group is called.
        edge: of a quantile, the bucket's edge beyond which requests are counted, once it is settled.
    """
    if rule.kind is MetricKind.QUANTILE:
        return _tail_told(rule, effect, so_far, control, edge)
    if rule.kind is MetricKind.RESTARTS:
        effect = _an_hour(effect)
    mine, theirs = effect.canary, effect.control
    limit_at = None if effect.limit is None or theirs is None else effect.limit - theirs
    limit = _limit(rule, limit_at, theirs)
    limited = _limited(rule, limit)
    if rule.kind is MetricKind.RESTARTS and theirs == 0:
        # So many times nothing is no limit to show, and bounds that are reckoned from it are none.
        limit = f"{1 + max(rule.tolerance, RESTART_SLACK):g}x"
        limited = f"limit {limit} production's"
        effect = replace(effect, limit=None, low=None, high=None)
    return _told(
        effect,
        difference=_difference(rule, mine, theirs),
        limit=limit,
        groups=_groups(rule, mine, theirs, (effect.exposure, effect.control_exposure), control),
        limited=limited,
    )


def _told(effect: Effect, *, difference: str, limit: str, groups: str, limited: str, aside: str = "") -> Told:
    theirs = effect.control

    def less(value: float | None) -> float | None:
        return None if value is None or theirs is None else value - theirs

    return Told(
        effect.canary,
        theirs,
        less(effect.canary),
        less(effect.low),
        less(effect.high),
        less(effect.limit),
        difference,
        limit,
        groups,
        limited,
        aside,
    )


def _an_hour(effect: Effect) -> Effect:
    """Restarts are counted by the second and told by the hour."""
    names = ("canary", "control", "limit", "low", "high")
    known = {name: value * HOUR_S for name in names if (value := getattr(effect, name)) is not None}
    return replace(effect, **known)


def _tail_told(rule: MetricRule, tail: Effect, so_far: Pooled | None, control: str, edge: float | None) -> Told:
    """What was counted, which is what is judged: requests beyond an edge. The quantile itself is read off buckets."""
    limit_at = None if tail.limit is None or tail.control is None else tail.limit - tail.control
    where = f"requests above {_edge(edge, rule.unit)}" if edge is not None else "requests in production's tail"
    difference, read, aside = "", Effect(), ""
    if tail.canary is not None and tail.control is not None:
        difference = counted(tail.canary - tail.control, rule.unit)
        read = as_quantiles(rule, tail, so_far) if so_far is not None else read
    if read.canary is not None and read.control is not None:
        values = f"canary {amount(read.canary, rule.unit)}, {control} {amount(read.control, rule.unit)}"
        aside = f"p{100 * rule.q:g} {READ_OFF}: {values}"
    return _told(
        read,
        difference=difference,
        # Without its unit, which the difference beside it has: both stand in the edge of a narrow pane.
        limit="" if limit_at is None else percentage(abs(limit_at)),
        groups=_groups(rule, tail.canary, tail.control, (tail.exposure, tail.control_exposure), control, where),
        limited=_limited(rule, _limit(rule, limit_at, tail.control)),
        aside=aside,
    )


def _edge(edge: float, unit: str) -> str:
    """A bucket's edge as it was configured, not rounded: "250 ms", "7.5 ms"."""
    return f"{1000 * edge:g} ms" if unit == "s" else amount(edge, unit)


def as_quantiles(rule: MetricRule, tail: Effect, so_far: Pooled) -> Effect:
    """The effect on a tail's share as one on the quantile itself, read off both groups' histograms."""
    rest = 1 - rule.q

    def at(cumulative: Sequence[float], times: float) -> float | None:
        """The quantile if its tail were so many times as large."""
        return read_off(1 - min(rest / max(times, 1e-3), 0.5), so_far.edges, cumulative)

    share = max(tail.canary or 0.0, 0.5 / max(so_far.canary_total, 1.0))
    control = at(so_far.control, 1.0)
    allowed = at(so_far.control, tail_factor(rule.q))
    limit = None if control is None or allowed is None else max(allowed, control * (1 + rule.tolerance))
    return Effect(
        canary=at(so_far.canary, 1.0),
        control=control,
        limit=limit,
        low=None if tail.low is None else at(so_far.canary, tail.low / share),
        high=None if tail.high is None else at(so_far.canary, tail.high / share),
    )


def _groups(
    rule: MetricRule,
    mine: float | None,
    theirs: float | None,
    samples: tuple[float, float],
    control: str,
    where: str = "",
) -> str:
    """`where`: what requests are meant, said of the first group."""
    pairs: list[str] = []
    for name, level, number in (("canary", mine, samples[0]), (control, theirs, samples[1])):
        text = "unknown" if level is None else percent(level) if rule.kind in ABSOLUTE else _amount(rule, level)
        of = f" of {number:,.0f}" if rule.kind in REQUESTS and number else ""
        pairs.append(f"{name} {text}{of}{f' {where}' if where and not pairs else ''}")
    return ", ".join(pairs)


def _amount(rule: MetricRule, level: float) -> str:
    return f"{level:,.2f} an hour and host" if rule.kind is MetricKind.RESTARTS else amount(level, rule.unit)


def _difference(rule: MetricRule, mine: float | None, theirs: float | None) -> str:
    if mine is None or theirs is None:
        return ""
    if rule.kind in ABSOLUTE:
        return points(mine - theirs)
    if rule.kind is MetricKind.RESTARTS:
        return f"{mine - theirs:+.2f}/h"
    return relative(mine / theirs - 1) if theirs else ""


def _limit(rule: MetricRule, limit_at: float | None, theirs: float | None) -> str:
    """As a size, without the sign that `worse` gives it."""
    if limit_at is None or theirs is None:
        return ""
    if rule.kind in ABSOLUTE:
        return f"{100 * abs(limit_at):.2f}pp"
    if rule.kind is MetricKind.RESTARTS:
        return f"{abs(limit_at):.2f}/h"
    return f"{abs(limit_at) / theirs:.0%}" if theirs else ""


def _limited(rule: MetricRule, limit: str) -> str:
    return f"limit {'+' if rule.worse is Worse.HIGHER else '-'}{limit}" if limit else ""


def sentence(rule: MetricRule, numbers: Told, lately: str = "") -> str:
    """Both groups, the limit, what the evidence is strongest in, and what is read off beside it."""
    first = ", ".join(filter(None, (f"{rule.title}: {numbers.groups}", numbers.limited)))
    return "; ".join(filter(None, (first, lately, numbers.aside)))
