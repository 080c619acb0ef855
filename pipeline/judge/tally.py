"""One look's addition to the sums: everything is compared at the same moment and in the same datacenter.

Pooling over time without that is Simpson's paradox: one burst before the canary was counted is a difference then.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.judge.columns import Columns, Floats
from pipeline.judge.plan import RATIO_SLACK, RESTART_SLACK, UNPAIRED, Plan
from pipeline.judge.quantities import Measured, Tail, tail_factor
from pipeline.judge.sums import COLD, PHASES, WARM, Layout
from pipeline.model import MetricKind, Worse

LIVE = 1e-9
"""Events an exposure is worth where none happened: a host that served is a host, whatever it shows."""
LEVEL_FLOOR = 0.1
"""Of the mean level: what an empty queue counts as, so that it has a logarithm."""
TINY = 1e-300
SLACK_LOOKS = 2.0
"""Looks, and a tenth of the warm-up, by which a host may have started later than it was first seen."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays which part in this look; (hosts,) of 0 and 1 each."""

    canary: tuple[Floats, Floats]
    """Warm, cold."""
    control: tuple[Floats, Floats]
    warm_control: Floats
    """All that are warm and not canaries."""
    everyone: tuple[Floats, Floats]
    """Canaries and others, warm, cold, or anew."""
    age_s: Floats


def cast(plan: Plan, look: Columns, first_s: Floats, elapsed_s: float) -> Cast:
    """Who is warm, who is cold, who is left out: beside a baseline, a host that began anew later, until it is warm.

    Without one a cold host is held against warm ones anyway, with wide allowances, however often it begins anew.

    Args:
        first_s: (hosts,) when each was first seen in this trial, seconds since it began.
    """
    there, mine = ~np.isnan(look.host_s), plan.mine
    warmup_s = plan.trial.rules.cold_s
    cold = look.age_s < warmup_s
    slack_s = SLACK_LOOKS * max(plan.trial.tick_s, look.seconds) + warmup_s / 10
    first_boot = look.age_s >= elapsed_s - first_s - slack_s
    warm_control = there & ~mine & ~cold
    cold_control = there & plan.beside & cold & first_boot if plan.baselines else warm_control
    cold_canary = there & mine & cold & (first_boot if plan.baselines else True)
    warm, cool, control, others, canaries, all_others = (
        part.astype(np.float64)
        for part in (there & mine & ~cold, cold_canary, warm_control, cold_control, there & mine, there & ~mine)
    )
    return Cast((warm, cool), (control, others), control, (canaries, all_others), look.age_s)


def slack(plan: Plan, tails: tuple[Tail | None, ...]) -> tuple[Floats, Floats]:
    """(factor, addition), each (metrics,): a metric may be its control's times the factor plus the addition."""
    factor, addition = [], []
    for metric, tail in zip(plan.counts, tails, strict=True):
        rule, added, times = metric.rule, 0.0, 1.0
        if rule.kind in {MetricKind.RATIO, MetricKind.SHARE}:
            times, added = 1 + RATIO_SLACK, rule.tolerance
        elif rule.kind is MetricKind.QUANTILE:
            times, added = tail_factor(rule.q), tail.allowance if tail is not None else 0.0
        elif rule.kind is MetricKind.RESTARTS:
            times = 1 + max(rule.tolerance, RESTART_SLACK)
        else:
            times = max(1 - rule.tolerance, 0.05) if rule.worse is Worse.LOWER else 1 + rule.tolerance
        if plan.unpaired and rule.worse is Worse.HIGHER:
            times *= UNPAIRED
        factor.append(times)
        addition.append(added)
    return np.array(factor), np.array(addition)


def tally(plan: Plan, lay: Layout, look: Columns, found: Measured, who: Cast, limits: tuple[Floats, Floats]) -> Floats:
    """What this look adds to the sums."""
    sums = np.zeros(lay.size)
    if plan.counts:
        _counts(plan, lay, look, found, who, limits, sums)
    if plan.levels:
        _levels(plan, lay, look, found, who, sums)
    bad, total = look.counters.get(plan.trial.bad), look.counters.get(plan.trial.total)
    if bad is not None and total is not None:
        known = ~np.isnan(bad) & ~np.isnan(total)
        both = np.array([np.where(known, bad, 0.0), np.where(known, total, 0.0)])
        lay.write(sums, "budget", (both * who.everyone[0])[:, : plan.canaries])
        lay.write(sums, "budget_beside", (both * who.everyone[1]) @ plan.in_stratum)
    return sums


def _counts(
    plan: Plan,
    lay: Layout,
    look: Columns,
    found: Measured,
    who: Cast,
    limits: tuple[Floats, Floats],
    sums: Floats,
) -> None:
    x, raw = found.events, found.exposure
    known = np.isfinite(x) & np.isfinite(raw) & (raw > 0)
    x, slow, raw = np.where(known, x, 0.0), np.where(known, found.slower, 0.0), np.where(known, raw, 0.0)
    e = raw * plan.effects
    m, places, m_places = plan.canaries, plan.in_stratum, plan.canary_in_stratum
    factor, addition = limits[0][:, None], limits[1][:, None]
    events, limit, added, allowed, exposure, expected = np.zeros((6, PHASES, len(plan.counts), m))
    control = np.zeros((2, PHASES, len(plan.counts), plan.strata))
    for phase in (WARM, COLD):
        all_ages = who.everyone if phase == WARM else (0.0 * who.everyone[0], 0.0 * who.everyone[1])
        # A process that begins anew is what restarts are about, whatever its age.
        mine = np.where(plan.of_restarts, all_ages[0], who.canary[phase])
        theirs = np.where(plan.of_restarts, all_ages[1], who.control[phase])
        if not mine.any():
            continue
        its_events, its_exposure = (x * theirs) @ places, (e * theirs) @ places
        if plan.unpaired:
            # As many control events as make production's past as sure as it can be taken to be.
            its_events = np.nan_to_num(plan.rates) * np.ones(plan.strata)
            its_exposure = np.isfinite(plan.rates) * np.ones(plan.strata)
        canary_exposure = (e * mine) @ places
        compared = (its_exposure > 0) & (canary_exposure > 0)
        rate = np.divide(its_events, its_exposure, out=np.zeros_like(its_events), where=compared)
        use = mine[:, :m] * (compared @ m_places.T)
        kappa = _kappa(plan, look.age_s[:m]) if phase == COLD else np.ones((len(plan.counts), m))
        rate_of = rate @ m_places.T
        tolerated = addition
        if not plan.unpaired and plan.tolerant.any():
            # A canary that takes as much longer than its control of this moment as is tolerated has what is slower.
            slower = np.divide((slow * theirs) @ places, its_exposure, out=np.zeros_like(rate), where=compared)
            tolerated = np.where(plan.tolerant, np.maximum(slower @ m_places.T - factor * rate_of, 0.0), addition)
        events[phase], exposure[phase] = x[:, :m] * use, e[:, :m] * use
        allowed[phase] = exposure[phase] * kappa
        added[phase] = tolerated * allowed[phase]
        limit[phase] = rate_of * factor * allowed[phase] + added[phase]
        expected[phase] = rate_of * exposure[phase]
        control[0, phase], control[1, phase] = its_events * compared, its_exposure * compared
    for name, values in (
        ("events", events),
        ("limit", limit),
        ("added", added),
        ("allowed", allowed),
        ("exposure", exposure),
        ("expected", expected),
        ("control_events", control[0]),
        ("control_exposure", control[1]),
    ):
        lay.write(sums, name, values)
    warm = who.warm_control
    pool_events, pool_exposure = (x * warm) @ places, (e * warm) @ places
    rate = np.divide(pool_events, pool_exposure, out=np.zeros_like(pool_events), where=pool_exposure > 0)
    lay.write(sums, "spread_events", x * warm)
    lay.write(sums, "pool_exposure", pool_exposure.sum(axis=1))
    lay.write(sums, "spread_expected", e * warm * (rate @ places.T + LIVE))
    both = (who.canary[WARM] + who.canary[COLD], np.maximum(warm, who.control[COLD]))
    lay.write(sums, "seen", np.array([(raw * part).sum(axis=1) for part in both]))


def _kappa(plan: Plan, age_s: Floats) -> Floats:
    """(metrics, canaries): how many times more a cold process may have, or how few times less."""
    rows = []
    for metric in plan.counts:
        more = 1 + metric.cold.size * np.exp(-np.minimum(age_s, 1e9) / metric.cold.fade_s)
        rows.append(1 / more if metric.rule.worse is Worse.LOWER else more)
    return np.array(rows)


def _levels(plan: Plan, lay: Layout, look: Columns, found: Measured, who: Cast, sums: Floats) -> None:
    raw = found.levels
    known = np.isfinite(raw) & (raw >= 0)
    means = np.where(known, raw, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    y = np.log(np.where(known, raw, 0.0) + LEVEL_FLOOR * means[:, None] + TINY) - plan.shifts
    m, places, m_places = plan.canaries, plan.in_stratum, plan.canary_in_stratum
    deviation = np.zeros((PHASES, len(plan.levels), m))
    readings, inverse = deviation.copy(), np.zeros((PHASES, len(plan.levels), plan.strata))
    ticks = inverse.copy()
    shown = np.zeros((4, len(plan.levels)))
    for phase in (WARM, COLD):
        mine = known[:, :m] * who.canary[phase][:m]
        if not mine.any() or plan.unpaired:
            continue
        theirs = known * np.where(plan.aged, who.control[phase] * plan.beside, who.control[phase])
        hosts = theirs @ places
        compared = (hosts > 0) & (mine @ m_places > 0)
        mean = np.divide((y * theirs) @ places, hosts, out=np.zeros_like(hosts), where=hosts > 0)
        use = mine * (compared @ m_places.T)
        off = y[:, :m] - mean @ m_places.T
        if phase == COLD:
            sizes = np.array([[metric.sign * metric.cold.size] for metric in plan.levels])
            fades = np.array([[metric.cold.fade_s] for metric in plan.levels])
            off = off - sizes * np.exp(-np.minimum(look.age_s[:m], 1e9) / fades)
        deviation[phase], readings[phase] = off * use, use
        inverse[phase] = np.divide(1.0, hosts, out=np.zeros_like(hosts), where=compared)
        ticks[phase] = compared
        level_of = np.where(known, raw, 0.0)
        control = np.divide((level_of * theirs) @ places, hosts, out=np.zeros_like(hosts), where=hosts > 0)
        shown[0] += (level_of[:, :m] * use).sum(axis=1)
        shown[1] += use.sum(axis=1)
        shown[2] += (control @ m_places.T * use).sum(axis=1)
        shown[3] += use.sum(axis=1)
    warm = known * who.warm_control
    hosts = warm @ places
    mean = np.divide((y * warm) @ places, hosts, out=np.zeros_like(hosts), where=hosts > 0)
    for name, values in (
        ("deviation", deviation),
        ("readings", readings),
        ("inverse", inverse),
        ("ticks", ticks),
        ("spread_deviation", (y - mean @ places.T) * warm),
        ("spread_readings", warm.astype(np.float64)),
        ("level_sums", shown),
    ):
        lay.write(sums, name, values)
