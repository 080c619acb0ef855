"""One metric in words: both groups, the difference with its bounds, and the limit, in the metric's own unit."""

from dataclasses import dataclass, replace

from pipeline.judge.bounds import Effect
from pipeline.judge.plan import REQUESTS
from pipeline.judge.quantities import Pooled, tail_factor
from pipeline.model import MetricKind, MetricRule, Worse
from pipeline.signals import Histogram, quantile
from pipeline.words import amount, percent, points, relative

ABSOLUTE = frozenset({MetricKind.RATIO, MetricKind.SHARE})
"""Kinds whose differences are told in percentage points; the others relatively."""


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
    """ "canary 1.52 % of 9,812, production 0.42 % of 131,440"."""


def told(rule: MetricRule, effect: Effect, so_far: Pooled | None, control: str) -> Told:
    """`control`: what the control group is called."""
    samples = (effect.exposure, effect.control_exposure)
    if rule.kind is MetricKind.QUANTILE and so_far is None:
        # Only the tail is known of production before: it is told as the share that it is.
        shares = _groups(replace(rule, kind=MetricKind.SHARE), effect.canary, effect.control, samples, control)
        return Told(None, None, None, None, None, None, "", "", f"slower than production's tail: {shares}")
    if rule.kind is MetricKind.QUANTILE and so_far is not None:
        effect = as_quantiles(rule, effect, so_far)
    mine, theirs, limit = effect.canary, effect.control, effect.limit
    limit_at = None if limit is None or theirs is None else limit - theirs
    return Told(
        candidate=mine,
        control=theirs,
        effect=None if mine is None or theirs is None else mine - theirs,
        low=None if effect.low is None or theirs is None else effect.low - theirs,
        high=None if effect.high is None or theirs is None else effect.high - theirs,
        limit_at=limit_at,
        difference=_difference(rule, mine, theirs),
        limit=_limit(rule, limit_at, theirs),
        groups=_groups(rule, mine, theirs, samples, control),
    )


def as_quantiles(rule: MetricRule, tail: Effect, so_far: Pooled) -> Effect:
    """The effect on a tail's share as one on the quantile itself, read off both groups' histograms."""
    mine, theirs = _histogram(so_far.edges, so_far.canary), _histogram(so_far.edges, so_far.control)
    rest = 1 - rule.q

    def at(histogram: Histogram, times: float) -> float | None:
        """The quantile if its tail were so many times as large."""
        return quantile(histogram, 1 - min(rest / max(times, 1e-3), 0.5))

    share = max(tail.canary or 0.0, 0.5 / max(so_far.canary_total, 1.0))
    control = at(theirs, 1.0)
    allowed = at(theirs, tail_factor(rule.q))
    limit = None if control is None or allowed is None else max(allowed, control * (1 + rule.tolerance))
    return Effect(
        canary=at(mine, 1.0),
        control=control,
        limit=limit,
        low=None if tail.low is None else at(mine, tail.low / share),
        high=None if tail.high is None else at(mine, tail.high / share),
    )


def _histogram(edges: tuple[float, ...], cumulative: tuple[float, ...]) -> Histogram:
    return Histogram(edges, tuple(now - before for before, now in zip((0.0, *cumulative), cumulative, strict=False)))


def _groups(
    rule: MetricRule, mine: float | None, theirs: float | None, samples: tuple[float, float], control: str
) -> str:
    pairs = []
    for name, level, number in (("canary", mine, samples[0]), (control, theirs, samples[1])):
        text = "unknown" if level is None else percent(level) if rule.kind in ABSOLUTE else _amount(rule, level)
        of = f" of {number:,.0f}" if rule.kind in REQUESTS and number else ""
        pairs.append(f"{name} {text}{of}")
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


def limited(rule: MetricRule, numbers: Told) -> str:
    """The limit as a change that is worse: "limit +0.10pp". Bounds are shown beside the sentence, not in it."""
    sign = "+" if rule.worse is Worse.HIGHER else "-"
    return f"limit {sign}{numbers.limit}" if numbers.limit else ""
