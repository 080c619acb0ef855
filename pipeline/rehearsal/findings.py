"""What placebo canaries showed, and what to do about it, in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.rehearsal.binomial import interval, tries_for
from pipeline.rehearsal.placebo import Ending, Stage, apart
from pipeline.words import duration, percent

UPPER = 0.9
"""A tolerance that covers this part of the differences that were taken for regressions."""
MOST_TRIES = 20_000
LEAST_APART = 30
"""Canaries, of other hosts or other moments, below which the same moments are only asked again and again."""


class Conclusion(StrEnum):
    CALIBRATED = "calibrated"
    TOO_OFTEN = "too often"
    TOO_FEW = "too few canaries"
    TOO_SHORT = "too little history"


@dataclass(frozen=True, slots=True)
class Findings:
    service: str
    conclusion: Conclusion
    advice: str
    canaries: int
    false: int
    rate: float
    low: float
    bound: float
    """95 % interval of the rate, were the placebos independent."""
    configured: float
    apart: int
    """Placebos of which no two share a moment."""
    apart_false: int
    apart_bound: float
    host_sets: int
    """Different ones that were drawn."""
    by: Mapping[str, int]
    """False rollbacks by the metric that did it; "guard" for an absolute guard."""
    canary_hosts: int
    hosts: int
    looks: int
    planned: int
    step_s: float
    recorded_s: float
    """Step of the recorded history; `step_s` is a multiple."""
    seconds: float
    """Of recorded history."""
    seed: int


def findings(on: Stage, endings: Sequence[Ending], seed: int) -> Findings:
    """What `endings` (at least one) say of the service's false rollbacks."""
    false = [each for each in endings if each.failed_at is not None]
    low, bound = interval(len(false), len(endings))
    alone = {each.number for each in apart([ending.placebo for ending in endings], on.looks)}
    alone_false = sum(each.placebo.number in alone for each in false)
    by: dict[str, int] = {}
    for each in false:
        by[each.metric or "guard"] = by.get(each.metric or "guard", 0) + 1
    configured = on.service.rules.judge.false_rollback
    sets = len(alone) * (len(on.past.hosts) // max(len(endings[0].placebo.canary), 1))
    conclusion, advice = _concluded(on, endings, false, bound, configured)
    if conclusion is Conclusion.CALIBRATED and sets < LEAST_APART:
        why = f"stretches that share no moment hold {sets} separate canaries, {LEAST_APART} are asked for"
        conclusion, advice = Conclusion.TOO_SHORT, f"{why}: try again in {duration(on.wait_s or on.past.seconds)}"
    return Findings(
        service=on.service.name,
        conclusion=conclusion,
        advice=advice,
        canaries=len(endings),
        false=len(false),
        rate=len(false) / len(endings),
        low=low,
        bound=bound,
        configured=configured,
        apart=len(alone),
        apart_false=alone_false,
        apart_bound=interval(alone_false, len(alone))[1],
        host_sets=len({frozenset(ending.placebo.canary) for ending in endings}),
        by=dict(sorted(by.items(), key=lambda pair: -pair[1])),
        canary_hosts=len(endings[0].placebo.canary),
        hosts=len(on.past.hosts),
        looks=on.looks,
        planned=on.planned,
        step_s=on.step_s,
        recorded_s=on.recorded_s,
        seconds=on.past.seconds,
        seed=seed,
    )


def _concluded(
    on: Stage, endings: Sequence[Ending], false: Sequence[Ending], bound: float, configured: float
) -> tuple[Conclusion, str]:
    if len(false) > configured * len(endings):
        return Conclusion.TOO_OFTEN, _raise(on, false)
    if on.looks < on.planned:
        played, whole = duration(on.looks * on.step_s), duration(on.planned * on.step_s)
        when = f"try again in {duration(on.wait_s)}"
        return Conclusion.TOO_SHORT, f"placebos of {played} say little of a canary of {whole}: {when}"
    if bound > configured:
        tries = tries_for(configured, len(false)) if configured * MOST_TRIES > len(false) + 4 else MOST_TRIES
        return Conclusion.TOO_FEW, f"not shown with so few: add --canaries {max(tries, len(endings) + 1)}"
    return Conclusion.CALIBRATED, "these settings hold their rate on this service's own past"


def _raise(on: Stage, false: Sequence[Ending]) -> str:
    """Which tolerance to raise, and to what."""
    ends: dict[str, list[Ending]] = {}
    for each in false:
        ends.setdefault(each.metric, []).append(each)
    worst, its = max(ends.items(), key=lambda pair: len(pair[1]))
    if not worst:
        return f"an absolute guard did it: {its[0].why}: look at judge.guard_burn and at the hosts' health"
    now = next((rule.tolerance for rule in on.service.rules.judge.metrics if rule.key == worst), 0.0)
    sizes = sorted(each.effect for each in its if each.effect is not None)
    if not sizes:
        return f"raise metrics.{worst}.tolerance above {now:g}"
    covers = _rounded_up(sizes[min(math.ceil(UPPER * len(sizes)), len(sizes)) - 1])
    many = f"{percent(UPPER, 0)} of the differences that hosts on one revision showed"
    if covers <= now:
        return f"{worst} did it within its tolerance of {now:g}: set metrics.{worst}.critical = false, or report it"
    return f"raise metrics.{worst}.tolerance from {now:g} to {covers:g}: it covers {many}"


def _rounded_up(value: float) -> float:
    """To two digits."""
    if value <= 0 or not math.isfinite(value):
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / unit - 1e-9) * unit:.6g}")
