"""The judge: canary against production at every look, with a bounded rate of false rollbacks over the whole canary.

Hosts, not requests or ticks, are the replicates. What each canary host did is held against control hosts in its own
datacenter at the same moment; how far hosts differ anyway is taken from the control group over the same window; both
become an e-value for every metric and window, and their weighted sum may be looked at as often as one likes: a release
fails when it reaches one over the error rate. Absolute guards stand beside the statistics.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipeline.judge import guards, packing, telling
from pipeline.judge.bounds import Effect, of_counts, of_levels
from pipeline.judge.columns import Columns, Floats, columns
from pipeline.judge.evidence import Evidence
from pipeline.judge.look import Look, Recorded
from pipeline.judge.plan import TAILS, Plan, plan
from pipeline.judge.prior import prior
from pipeline.judge.quantities import Measured, Pooled, Tail, measured, pooled, settled
from pipeline.judge.strength import terms
from pipeline.judge.sums import COLD, WARM, layout
from pipeline.judge.tally import Cast, cast, slack, tally
from pipeline.judge.trial import Kept, Prior, Reference, Trial
from pipeline.judge.verdict import Judgement
from pipeline.judge.windows import Mark, Window, differences, windows, with_mark
from pipeline.model import Worse

GUARDED = 4
"""Windows, shortest first, in which the budget's burn is looked at."""


class SequentialJudge:
    """`Judge` by e-values over hosts."""

    def prior(self, trial: Trial, past: Sequence[Recorded]) -> Prior:
        return prior(trial, past)

    def begin(self, trial: Trial, prior: Prior) -> Evidence:
        the = plan(trial, prior)
        lay = layout(the)
        start = Mark(0, 0.0, np.zeros(lay.size))
        nothing: tuple[None, ...] = (None,) * len(the.counts)
        return Evidence(the, lay, np.full(len(the.hosts), np.nan), start, (start,), nothing, nothing)

    def look(self, evidence: Evidence, look: Look) -> tuple[Evidence, Judgement]:
        the = evidence.plan
        return self.weigh(evidence, columns(look, the.hosts, the.groups))

    def fails(self, evidence: Evidence, look: Columns) -> tuple[Evidence, bool]:
        """Whether the release fails at this look: as `weigh` says it, without the words and bounds."""
        grown = _grown(evidence, look)[0]
        the, lay = grown.plan, grown.layout
        found, sums = _windows(grown)
        total = sum(term.value for term in terms(the, lay, found, sums, slack(the, grown.tails), _level_limits(the)))
        burnt = guards.burn(the, lay, _recent(sums), cold=_any_cold(the, look))
        return grown, total * the.alpha >= 1 or bool(burnt) or bool(guards.down(grown.streaks, look))

    def weigh(self, evidence: Evidence, look: Columns) -> tuple[Evidence, Judgement]:
        """`look`, by columns in the order of the plan's hosts."""
        grown, who, found_by, reasons = _grown(evidence, look)
        the, lay = grown.plan, grown.layout
        limits, level_limits = slack(the, grown.tails), _level_limits(the)
        found, sums = _windows(grown)
        evidence_of = terms(the, lay, found, sums, limits, level_limits)
        cold = bool(who.canary[COLD].any())
        mine = np.arange(len(the.hosts)) < the.canaries
        said = telling.Seen(
            evidence=grown,
            look=look,
            windows=found,
            terms=evidence_of,
            effects=_effects(the, grown, limits, level_limits),
            reasons=(*reasons, *("" for _ in the.levels)),
            given=found_by.given(~np.isnan(look.host_s) & mine),
            beside=found_by.beside(mine, ~mine, the.in_stratum),
            levels=found_by.levels,
            silent=guards.silent(grown.streaks, the, look),
            cold=cold,
            down=guards.down(grown.streaks, look),
            missing=guards.missing(grown.streaks, the, look),
            burn=guards.burn(the, lay, _recent(sums), cold=_any_cold(the, look)),
        )
        return grown, telling.judgement(said)

    def reference(self, evidence: Evidence) -> Mapping[str, Reference]:
        lay, sums = evidence.layout, evidence.now.sums
        exposure = lay.read(sums, "control_exposure").sum(axis=(0, 2))
        happened = lay.read(sums, "control_events").sum(axis=(0, 2))
        found = {}
        for at, metric in enumerate(evidence.plan.counts):
            tail = evidence.tails[at]
            edge, allowance = (tail.edge, tail.allowance) if tail is not None else (None, 0.0)
            if exposure[at] > 0 and (tail is not None or metric.rule.kind not in TAILS):
                found[metric.rule.key] = Reference(float(happened[at] / exposure[at]), edge, allowance)
        return found

    def pack(self, evidence: Evidence) -> Kept:
        return packing.pack(evidence)

    def unpack(self, trial: Trial, prior: Prior, kept: Kept) -> Evidence | None:
        return packing.unpack(self.begin(trial, prior), kept)


def _windows(evidence: Evidence) -> tuple[list[Window], Floats]:
    the, now = evidence.plan, evidence.now
    found = windows(evidence.marks, now.looks, now.elapsed_s, the.scales, the.trial.looks)
    return found, differences(found, now.sums)


def _any_cold(the: Plan, look: Columns) -> bool:
    return bool((look.age_s[: the.canaries] < the.trial.rules.cold_s).any())


def _recent(sums: Floats) -> list[Floats]:
    """Of the shortest windows; of all looks while there are no others."""
    return list(sums[1 : GUARDED + 1]) if len(sums) > 1 else [sums[0]]


def _grown(before: Evidence, look: Columns) -> tuple[Evidence, Cast, Measured, tuple[str, ...]]:
    """The evidence with the look in it, who played which part, what was measured, and by counted metric what is
    wrong with its data.
    """
    the, lay = before.plan, before.layout
    elapsed_s = before.now.elapsed_s + (look.seconds if math.isfinite(look.seconds) and look.seconds > 0 else 0.0)
    there = ~np.isnan(look.host_s)
    first_s = np.where(np.isnan(before.first_s) & there, elapsed_s, before.first_s)
    who = cast(the, look, first_s, elapsed_s)
    histograms, tails, reasons = _tails(before, look, who)
    found = measured(the.counts, the.levels, tails, look)
    added = tally(the, lay, look, found, who, slack(the, tails))
    now = Mark(before.now.looks + 1, elapsed_s, before.now.sums + added)
    return (
        replace(
            before,
            first_s=first_s,
            now=now,
            marks=with_mark(before.marks, now, the.scales),
            tails=tails,
            pooled=histograms,
            streaks=guards.counted(before.streaks, the, look),
        ),
        who,
        found,
        reasons,
    )


def _tails(
    before: Evidence, look: Columns, who: Cast
) -> tuple[tuple[Pooled | None, ...], tuple[Tail | None, ...], tuple[str, ...]]:
    the = before.plan
    canary, control = who.canary[WARM] + who.canary[COLD], np.maximum(who.warm_control, who.control[COLD])
    found: list[Pooled | None] = []
    tails: list[Tail | None] = []
    reasons: list[str] = []
    for at, metric in enumerate(the.counts):
        if metric.rule.kind not in TAILS:
            found.append(None)
            tails.append(None)
            reasons.append("")
            continue
        grown, why = pooled(before.pooled[at], metric.rule.of, look, canary, control)
        found.append(grown)
        tails.append(before.tails[at] or settled(metric, grown))
        reasons.append(why)
    return tuple(found), tuple(tails), tuple(reasons)


def _level_limits(the: Plan) -> Floats:
    """(levels,): logarithm of what a canary may have over its control."""
    return np.array(
        [
            math.log(max(1 - metric.rule.tolerance, 0.05))
            if metric.rule.worse is Worse.LOWER
            else math.log(1 + metric.rule.tolerance)
            for metric in the.levels
        ]
    )


def _effects(the: Plan, evidence: Evidence, limits: tuple[Floats, Floats], level_limits: Floats) -> list[Effect]:
    lay, now = evidence.layout, evidence.now
    found = of_counts(the, lay, now.sums, now.elapsed_s, limits) if the.counts else []
    return found + (of_levels(the, lay, now.sums, level_limits) if the.levels else [])
