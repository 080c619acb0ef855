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
from pipeline.judge.bounds import effects
from pipeline.judge.columns import Columns, Floats, columns
from pipeline.judge.evidence import Evidence
from pipeline.judge.look import Look, Recorded
from pipeline.judge.plan import TAILS, Plan, plan
from pipeline.judge.prior import prior
from pipeline.judge.quantities import Measured, Pooled, Tail, measured, pooled, settled
from pipeline.judge.strength import weighed
from pipeline.judge.sums import COLD, WARM, layout
from pipeline.judge.tally import Cast, cast, slack, tally
from pipeline.judge.trial import Kept, Prior, Reference, Trial
from pipeline.judge.verdict import Judgement
from pipeline.judge.windows import Mark, Window, differences, windows, with_mark

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
        grown, factor, *_ = _grown(evidence, look)
        the, lay = grown.plan, grown.layout
        found, sums = _windows(grown)
        total = sum(term.value for term in weighed(the, lay, found, sums, factor, the.level_limits).terms)
        burnt = guards.burn(the, lay, _recent(sums), cold=_any_cold(the, look))
        return grown, total * the.alpha >= 1 or bool(burnt) or bool(guards.down(grown.streaks, look))

    def weigh(self, evidence: Evidence, look: Columns) -> tuple[Evidence, Judgement]:
        """`look`, by columns in the order of the plan's hosts."""
        grown, factor, who, found_by, reasons = _grown(evidence, look)
        the, lay = grown.plan, grown.layout
        found, sums = _windows(grown)
        weights = weighed(the, lay, found, sums, factor, the.level_limits)
        cold = bool(who.canary[COLD].any())
        said = telling.Seen(
            evidence=grown,
            look=look,
            windows=found,
            terms=weights.terms,
            effects=effects(the, lay, grown.now.sums, weights),
            reasons=(*reasons, *("" for _ in the.levels)),
            given=found_by.given(~np.isnan(look.host_s) & the.mine),
            beside=found_by.beside(the.mine, ~the.mine, the.in_stratum),
            warm=_warm(grown),
            levels=found_by.levels,
            silent=guards.silent(grown.streaks),
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


def _warm(evidence: Evidence) -> list[bool]:
    """By metric: whether anything of it was compared once the canary was warm."""
    lay, sums = evidence.layout, evidence.now.sums
    parts = (lay.read(sums, name)[WARM].sum(axis=1) > 0 for name in ("exposure", "readings"))
    return [warm for part in parts for warm in part.tolist()]


def _any_cold(the: Plan, look: Columns) -> bool:
    return bool((look.age_s[: the.canaries] < the.trial.rules.cold_s).any())


def _recent(sums: Floats) -> list[Floats]:
    """Of the shortest windows; of all looks while there are no others."""
    return list(sums[1 : GUARDED + 1]) if len(sums) > 1 else [sums[0]]


def _grown(before: Evidence, look: Columns) -> tuple[Evidence, Floats, Cast, Measured, tuple[str, ...]]:
    """The evidence with the look in it, the tolerated factor (`slack`), who played which part, what was measured.

    And by counted metric what is wrong with its data.
    """
    the, lay = before.plan, before.layout
    elapsed_s = before.now.elapsed_s + (look.seconds if math.isfinite(look.seconds) and look.seconds > 0 else 0.0)
    there = ~np.isnan(look.host_s)
    first_s = np.where(np.isnan(before.first_s) & there, elapsed_s, before.first_s)
    who = cast(the, look, first_s, elapsed_s)
    histograms, tails, reasons = _tails(before, look, who)
    found, limits = measured(the.counts, the.levels, tails, look), slack(the, tails)
    added = tally(the, lay, look, found, who, limits)
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
        limits[0],
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
    by_signal: dict[str, tuple[Pooled | None, str]] = {}
    for at, metric in enumerate(the.counts):
        signal, is_tail = metric.rule.of, metric.rule.kind in TAILS
        if is_tail and signal not in by_signal:
            # Quantiles of one signal have pooled the same from the beginning.
            by_signal[signal] = pooled(before.pooled[at], signal, look, canary, control)
        grown, why = by_signal[signal] if is_tail else (None, "")
        found.append(grown)
        tails.append(settled(metric, before.tails[at], grown) if is_tail else None)
        reasons.append(why)
    return tuple(found), tuple(tails), tuple(reasons)
