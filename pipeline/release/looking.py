"""One look at a release that serves users: judge this tick, and count what was served in it."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from pipeline.events import Event
from pipeline.judge.evidence import Evidence
from pipeline.judge.look import LookRecord
from pipeline.judge.trial import Judge, Kept, TrialRecord
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.lifecycle import PRODUCTION, Phase, Rollout, Served
from pipeline.policy.canary_traffic import share, shared
from pipeline.release.blame import put_right
from pipeline.release.facts import Facts, spoken
from pipeline.release.trials import look_at, trial_of
from pipeline.traffic_cycle import serving

JUDGED = PRODUCTION | {Phase.CANARY_BAKE}
LOOKS_A_CYCLE, LOOKS_APART_S = 12, 30.0
"""Looks told in the timeline where nothing changes; every change of verdict is told too."""
KEPT_EVERY = 64
"""Looks from one packed evidence to the next: what a restarted controller must look at again, at the most."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a look."""

    rollout: Rollout
    judgement: Judgement | None = None
    events: tuple[Event, ...] = ()
    evidence: Evidence | None = None
    begun: TrialRecord | None = None
    """A trial that began with this look."""
    record: LookRecord | None = None
    kept: Kept | None = None


def begins(evidence: Evidence | None, rollout: Rollout) -> bool:
    """Whether the next look begins a trial, and needs to know how the service's hosts were before."""
    return rollout.phase in JUDGED and not _same(evidence, rollout)


def look(facts: Facts, judge: Judge[Evidence]) -> Looked:
    """The release with this look in it, what follows, and what is worth keeping."""
    rollout, telemetry = facts.rollout, facts.telemetry
    if rollout.phase not in JUDGED:
        return Looked(rollout, evidence=facts.evidence)
    evidence, begun = facts.evidence, None
    if not telemetry.measured:
        # Between two readings nothing is known that was not known at the last look.
        return Looked(rollout, None if begins(evidence, rollout) else facts.last, evidence=evidence)
    if evidence is None or not _same(evidence, rollout):
        trial = trial_of(facts.service, rollout, facts.apart_s)
        begun = TrialRecord(trial, judge.prior(trial, facts.past))
        evidence = judge.begin(trial, begun.prior)
    baked_s = max((facts.now - rollout.since).total_seconds(), 0.0)
    seen = look_at(facts.service, rollout, facts.targets, telemetry, facts.now_s, baked_s, facts.look_s)
    evidence, said = judge.look(evidence, seen)
    judgement = put_right(facts, seen, said)
    if rollout.no_data_s > facts.service.rules.judge.stale_s and not judgement.missing:
        # What was served before a gap is no word on what runs after it: a fresh full window.
        rollout = replace(rollout, served=Served(busiest_rps=rollout.served.busiest_rps), approved=False)
    bad_looks = 1 if judgement.verdict in {Verdict.FAIL, Verdict.WATCH} else 0
    if judgement.missing and rollout.bad_looks:
        bad_looks = rollout.bad_looks + 1
    rollout = replace(
        rollout,
        judgement=judgement,
        bad_looks=bad_looks,
        no_data_s=rollout.no_data_s + facts.look_s if judgement.missing else 0.0,
    )
    new = telemetry.on(facts.targets.step, rollout.revision)
    record = LookRecord(rollout.id, rollout.wave, judgement.looks, facts.now, seen, said)
    kept = judge.pack(evidence) if judgement.looks % KEPT_EVERY == 0 else None
    events = _worth_telling(facts, judgement)
    return Looked(_served(facts, rollout, new), judgement, events, evidence, begun, record, kept)


def _same(evidence: Evidence | None, rollout: Rollout) -> bool:
    if evidence is None:
        return False
    trial = evidence.plan.trial
    return (trial.release, trial.wave) == (rollout.id, rollout.wave)


def _served(facts: Facts, rollout: Rollout, new: Collection[str]) -> Rollout:
    """Time counts only with data from at least half of the hosts, and not while paused."""
    samples = facts.telemetry.of(list(new))
    if rollout.pause is not None or 2 * len(samples) < max(len(facts.targets.step), 1):
        return rollout
    counter = facts.service.rules.budget.total
    requests = sum(sample.counters.get(counter, 0.0) for sample in samples.values())
    served = rollout.served
    busiest = max(served.busiest_rps, facts.telemetry.busiest_rps)
    grown = serving(replace(served, busiest_rps=busiest), facts.look_s, requests, facts.telemetry.rps)
    if rollout.phase is Phase.CANARY_BAKE:
        its = share(facts.service.production, new, facts.telemetry.samples, counter)
        grown = shared(grown, *its, facts.look_s, facts.service.rules.cycle.duration_s)
    return replace(rollout, served=grown)


def _worth_telling(facts: Facts, judgement: Judgement) -> tuple[Event, ...]:
    apart_s = max(facts.service.rules.cycle.duration_s / LOOKS_A_CYCLE, LOOKS_APART_S)
    every = max(int(apart_s / max(facts.look_s, 1e-3)), 1)
    last = facts.last
    known = {_host(alert) for alert in last.alerts} if last is not None else set()
    told = [facts.event("alert", alert) for alert in judgement.alerts if _host(alert) not in known]
    changed = last is None or last.verdict is not judgement.verdict
    if changed or judgement.looks % every == 0:
        told.append(facts.event("look", f"{judgement.verdict.upper()} {judgement.why}", spoken(judgement)))
    return tuple(told)


def _host(alert: str) -> str:
    return alert.partition(" ")[0]
