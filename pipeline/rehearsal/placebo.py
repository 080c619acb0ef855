"""Placebo canaries: stretches of a service's recorded history judged as if random hosts ran a new release.

Nothing was released in them, so each that fails is a false rollback. Hosts and stretches are drawn by a recorded
seed. What placebos cannot show is what a deploy itself does: nobody was restarted, everyone is warm.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

import numpy as np

from pipeline.controller.records import FEW_ERRORS_AN_HOUR, LATELY, LONG
from pipeline.judge.columns import Columns
from pipeline.judge.plan import plan
from pipeline.judge.prior import LEAST_STEPS, from_columns
from pipeline.judge.trial import E, Prior, Trial
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.model import Control, MetricKind, Service
from pipeline.placement import draw_baseline, draw_canaries
from pipeline.rehearsal.past import Past, in_longer_steps, in_order, unbroken
from pipeline.words import duration

LEAST_PRIOR_S = 3_600.0
PRIOR_PART = 0.25
"""Of a history that is shorter than the cycle and an hour."""
LEAST_LOOKS = 10
LEAST_HOSTS = 2
PRESENT = 0.5
"""A host plays if it is in at least this part of the recorded stretches."""


class Weighing(Protocol[E]):
    """A judge that takes looks as columns."""

    def begin(self, trial: Trial, prior: Prior) -> E: ...

    def weigh(self, evidence: E, look: Columns) -> tuple[E, Judgement]: ...


class TooShort(ValueError):
    """The recorded history holds no placebo at all; says why, and how long to wait."""

    def __init__(self, why: str, wait_s: float) -> None:
        super().__init__(why)
        self.wait_s = wait_s


@dataclass(frozen=True, eq=False, slots=True)
class Stage:
    """What all placebos of a service have in common."""

    service: Service
    past: Past
    """Of the hosts that the history knows, in steps of `step_s`."""
    step_s: float
    recorded_s: float
    """Step of the history itself."""
    looks: int
    """Of a placebo: the whole traffic cycle where the history is long enough."""
    planned: int
    """Of a real canary, at this step."""
    starts: tuple[int, ...]
    """Places in the history at which one may begin."""
    wait_s: float
    """Until a whole cycle can be played, where it cannot yet."""


@dataclass(frozen=True, slots=True)
class Placebo:
    number: int
    first: int
    """Place of its first look in the history."""
    canary: tuple[str, ...]
    baseline: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a placebo went."""

    placebo: Placebo
    failed_at: int | None
    """Its look, from 1; None if it was never rolled back."""
    metric: str = ""
    """That the evidence was strongest in; "" for a guard."""
    effect: float | None = None
    """The difference that was taken for a regression, in the unit of the metric's tolerance."""
    why: str = ""


def stage(service: Service, past: Past, most_looks: int) -> Stage:
    """Where in `past` placebos of `service` can play, and how long.

    Steps are made so coarse that a traffic cycle has at most `most_looks` of them.

    Raises:
        TooShort: nowhere.
    """
    cycle_s = service.rules.cycle.duration_s
    if not past.looks:
        raise TooShort("nothing is recorded yet", needed_s(cycle_s))
    recorded_s = float(np.median([look.seconds for look in past.looks]))
    past = _known(in_longer_steps(past, math.ceil(cycle_s / recorded_s / most_looks - 1e-9)))
    step_s = float(np.median([look.seconds for look in past.looks])) if past.looks else recorded_s
    planned = max(round(cycle_s / step_s), 1)
    spans = unbroken(past)
    longest = max((end - first for first, end in spans), default=0)
    before = min(round(LEAST_PRIOR_S / step_s), int(longest * PRIOR_PART))
    looks = min(planned, longest - before)
    starts = tuple(at for first, end in spans for at in range(max(first, before), end - looks + 1))
    wait_s = max(needed_s(cycle_s) - longest * step_s, step_s)
    if looks < min(planned, LEAST_LOOKS) or not starts:
        raise TooShort(f"the longest stretch without a gap is {_looks(longest, step_s)}", wait_s)
    if len(past.hosts) < LEAST_HOSTS:
        raise TooShort(f"the history knows {len(past.hosts)} of the production hosts", wait_s)
    return Stage(service, past, step_s, recorded_s, looks, planned, starts, wait_s)


def _looks(number: int, step_s: float) -> str:
    """As in "7 looks of 2 s"."""
    lasts = duration(step_s) if step_s >= 60 else f"{step_s:.2g} s"
    return f"{number} {'look' if number == 1 else 'looks'} of {lasts}"


def needed_s(cycle_s: float) -> float:
    """Length of the shortest history without a gap that holds a placebo of a whole cycle."""
    return min(cycle_s + LEAST_PRIOR_S, cycle_s / (1 - PRIOR_PART))


def _known(past: Past) -> Past:
    """`past` of the hosts that it knows well enough."""
    seen = sum((~np.isnan(look.host_s) for look in past.looks), np.zeros(len(past.hosts)))
    order = [at for at, times in enumerate(seen) if times >= PRESENT * max(len(past.looks), 1)]
    looks = tuple(in_order(look, order) for look in past.looks)
    return replace(past, hosts=tuple(past.hosts[at] for at in order), looks=looks)


def draw(on: Stage, number: int, seed: int) -> Placebo:
    """The placebo of that number: the same for the same history and seed."""
    rng = Random(f"{seed}:placebo-{number}")  # noqa: S311 - a fair draw, not a secret
    first = rng.choice(on.starts)
    of_hosts = rng.getrandbits(60)
    rules = on.service.rules
    canary = draw_canaries(on.past.hosts, rules.canary, of_hosts)
    matched = rules.judge.control is Control.BASELINE
    beside = draw_baseline(on.past.hosts, canary, rules.canary.stratify, of_hosts) if matched else ()
    return Placebo(number, first, canary, beside)


def trial(on: Stage, placebo: Placebo, share: float = 1.0) -> Trial:
    """`placebo` as a judge is told of a canary; `share` is the part of the false-rollback rate that canaries have."""
    rules, apart = on.service.rules, {*placebo.canary, *placebo.baseline}
    return Trial(
        release=f"{on.service.name}-placebo-{placebo.number}",
        wave=0,
        rules=rules.judge,
        tick_s=on.step_s,
        looks=on.looks,
        datacenters={host.name: host.datacenter for host in on.past.hosts},
        canary=placebo.canary,
        baseline=placebo.baseline,
        production=tuple(host.name for host in on.past.hosts if host.name not in apart),
        total=rules.budget.total,
        bad=rules.budget.bad,
        objective=float(rules.budget.objective),
        share=share,
    )


def play(judge: Weighing[E], on: Stage, placebo: Placebo, share: float = 1.0) -> Ending:
    """`placebo` judged look by look until it fails or its looks are over."""
    told = trial(on, placebo, share)
    at = {host.name: place for place, host in enumerate(on.past.hosts)}
    order = [at[name] for name in (*told.canary, *told.baseline, *told.production)]
    begins = placebo.first
    known = from_columns(plan(told, Prior()), [in_order(look, order) for look in known_before(on, begins)])
    evidence = judge.begin(told, known)
    for number, look in enumerate(on.past.looks[begins : begins + on.looks], start=1):
        down = tuple(name for name in look.down if name in placebo.canary)
        shown = replace(in_order(look, order), expected=len(placebo.canary), down=down)
        evidence, judgement = judge.weigh(evidence, shown)
        if judgement.verdict is Verdict.FAIL:
            return _rolled_back(on, placebo, number, judgement)
    return Ending(placebo, None)


def known_before(on: Stage, first: int) -> Sequence[Columns]:
    """What would be known of the hosts at that place: an hour, or a day where errors are few, as of a real canary."""
    hour = on.past.looks[max(first - max(round(LATELY.total_seconds() / on.step_s), LEAST_STEPS), 0) : first]
    missing = np.zeros(len(on.past.hosts))
    errors = sum(float(np.nansum(look.counters.get(on.service.rules.budget.bad, missing))) for look in hour)
    host_s = sum(float(np.nansum(look.host_s)) for look in hour)
    if host_s > 0 and 3_600 * errors / host_s >= FEW_ERRORS_AN_HOUR:
        return hour
    return on.past.looks[max(first - round(LONG.total_seconds() / on.step_s), 0) : first]


def _rolled_back(on: Stage, placebo: Placebo, number: int, judgement: Judgement) -> Ending:
    if judgement.guard:
        return Ending(placebo, number, why=judgement.why)
    failing = [metric for metric in judgement.metrics if metric.verdict is Verdict.FAIL] or list(judgement.metrics)
    if not failing:
        return Ending(placebo, number, why=judgement.why)
    worst = max(failing, key=lambda metric: metric.evidence)
    kinds: Mapping[str, MetricKind] = {rule.key: rule.kind for rule in on.service.rules.judge.metrics}
    effect = worst.effect
    if effect is not None and kinds.get(worst.key) not in (MetricKind.RATIO, MetricKind.SHARE):
        effect = effect / worst.control if worst.control else None
    return Ending(placebo, number, worst.key, None if effect is None else abs(effect), worst.why)


def apart(placebos: Sequence[Placebo], looks: int) -> tuple[Placebo, ...]:
    """As many of them as can be taken so that no two share a moment: chosen by place, never by how they ended."""
    taken: list[Placebo] = []
    for each in sorted(placebos, key=lambda one: (one.first, one.number)):
        if not taken or each.first >= taken[-1].first + looks:
            taken.append(each)
    return tuple(taken)
