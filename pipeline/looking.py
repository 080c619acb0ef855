"""One look at a release that serves users: judge this tick, and count what was served in it."""

from collections.abc import Collection
from dataclasses import replace

from pipeline.events import Event
from pipeline.facts import Facts, spoken
from pipeline.judge.evidence import Evidence, Judge, Look
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.lifecycle import PRODUCTION, Phase, Rollout, Served
from pipeline.observed import HostState
from pipeline.traffic_cycle import serving

JUDGED = PRODUCTION | {Phase.CANARY_BAKE}
LOOKS_A_CYCLE, LOOKS_APART_S = 12, 30.0
"""Looks written into the history where nothing changes; every change of verdict is written too."""


def look(facts: Facts, judge: Judge) -> tuple[Rollout, Judgement | None, tuple[Event, ...]]:
    """The release with this look in it, what follows, and what is worth writing down."""
    rollout, telemetry, rules = facts.rollout, facts.telemetry, facts.service.rules
    if rollout.phase not in JUDGED:
        return rollout, None, ()
    step = facts.targets.step
    new = telemetry.on(step, rollout.revision)
    warm = telemetry.warm(new, facts.now_s)
    down = _down(facts, warm)
    if new and not warm and not down:
        return _served(facts, rollout, new), facts.last, ()
    others = [host.name for host in facts.service.production if host.name not in facts.targets.new]
    control = telemetry.warm(telemetry.on(others, rollout.stable), facts.now_s)
    # While a wave is going out, the hosts that were not told yet are no missing data.
    expected = len(new) if rollout.phase is Phase.WAVE_DEPLOY else len(step)
    seen = Look(telemetry.of(warm), telemetry.of(control), expected)
    evidence, judgement = judge.look(rules.judge, rollout.evidence, seen, rollout.reference)
    if rollout.no_data_s > rules.judge.stale_s and not judgement.missing:
        # What was seen and served before a gap is no word on what runs after it: a fresh full window.
        evidence, judgement = judge.look(rules.judge, Evidence(), seen, rollout.reference)
        rollout = replace(rollout, served=Served(busiest_rps=rollout.served.busiest_rps), approved=False)
    if down:
        judgement = Judgement(Verdict.FAIL, down)
    bad = judgement.verdict is Verdict.FAIL or (judgement.missing and rollout.bad_looks > 0)
    rollout = replace(
        rollout,
        evidence=evidence,
        judgement=judgement,
        bad_looks=rollout.bad_looks + 1 if bad else 0,
        no_data_s=rollout.no_data_s + facts.elapsed_s if judgement.missing else 0.0,
    )
    return _served(facts, rollout, new), judgement, _worth_keeping(facts, rollout, judgement)


def _down(facts: Facts, warm: Collection[str]) -> str:
    """The absolute guard beside the statistics: half of the hosts on the new revision say that they are down.

    Not while a wave goes out: hosts that have just been restarted are given their deadline.
    """
    if facts.rollout.phase is Phase.WAVE_DEPLOY:
        return ""
    states = [facts.telemetry.seen.get(name) for name in warm]
    sick = sum(isinstance(state, HostState) and not state.healthy for state in states)
    return f"{sick} of {len(states)} hosts of the new revision are down" if sick and 2 * sick >= len(states) else ""


def _served(facts: Facts, rollout: Rollout, new: Collection[str]) -> Rollout:
    """Time counts only with data from at least half of the hosts, and not while paused."""
    samples = facts.telemetry.of(list(new))
    if rollout.pause is not None or 2 * len(samples) < max(len(facts.targets.step), 1):
        return rollout
    counter = facts.service.rules.budget.total
    requests = sum(sample.counters.get(counter, 0.0) for sample in samples.values())
    served = rollout.served
    busiest = max(served.busiest_rps, facts.telemetry.busiest_rps)
    grown = serving(replace(served, busiest_rps=busiest), facts.elapsed_s, requests, facts.telemetry.rps)
    return replace(rollout, served=grown)


def _worth_keeping(facts: Facts, rollout: Rollout, judgement: Judgement) -> tuple[Event, ...]:
    apart_s = max(facts.service.rules.cycle.duration_s / LOOKS_A_CYCLE, LOOKS_APART_S)
    every = max(int(apart_s / max(facts.elapsed_s, 1e-3)), 1)
    changed = facts.last is None or facts.last.verdict is not judgement.verdict
    if not changed and rollout.evidence.looks % every:
        return ()
    return (facts.event("look", f"{judgement.verdict.upper()} {judgement.why}", spoken(judgement)),)
