"""One tick of one release: what was seen, whether it must go back, whether it may go on, who is told.

`decide` is pure: facts in, a `Decision` out. Backward comes first and asks no gate; forward needs every
gate of the phase. Nothing has happened until the decision is kept and acted on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.events import AUTO, Event, Intent, Outcome
from pipeline.gates import Gate, open_
from pipeline.holds import drifted, gates
from pipeline.hostwork import Journal, Standing, Wish, Work, work
from pipeline.judge.evidence import Evidence, Judge, Judgement, Look, Verdict
from pipeline.lifecycle import DEPLOYING, FORWARD, PRODUCTION, Phase, Rollout, Signal, step
from pipeline.model import CheckRule, NoData, Service
from pipeline.observed import HostState
from pipeline.placement import draw_canaries
from pipeline.policy.staging_checks import AGAIN_S
from pipeline.targets import out_in_wave, targets
from pipeline.telemetry import Telemetry
from pipeline.traffic_cycle import serving
from pipeline.words import duration, some

JUDGED = PRODUCTION | {Phase.CANARY_BAKE}
LOOKS_A_CYCLE = 6
"""Looks written into the history where nothing changes; every change of verdict is written too."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a decision rests on."""

    service: Service
    rollout: Rollout
    stable: str
    telemetry: Telemetry
    journal: Journal
    started: tuple[datetime, ...]
    """When earlier releases of the service went to staging, newest first."""
    last: Judgement | None
    """Of the look before."""
    holds: tuple[Gate, ...]
    """The controller's own: its clock, its history."""
    now: datetime
    now_s: float
    elapsed_s: float
    """Since the last tick, by the monotonic clock."""
    slots: int
    """Deploys that may be begun over all services."""


@dataclass(frozen=True, slots=True)
class Decision:
    rollout: Rollout
    gates: tuple[Gate, ...]
    work: Work
    judgement: Judgement | None = None
    events: tuple[Event, ...] = ()
    checks: tuple[CheckRule, ...] = ()
    """To be run now."""

    @property
    def orders(self) -> tuple[Intent, ...]:
        return self.work.orders

    @property
    def closed(self) -> tuple[Outcome, ...]:
        return self.work.closed


def decide(facts: Facts, judge: Judge) -> Decision:
    """What to do about a release that has not ended."""
    looked, judgement, events = _look(facts, judge)
    facts = replace(facts, rollout=looked)
    survey = _work(facts, tell=False)
    closed = gates(facts.service, looked, judgement, survey, _context(facts))
    signal, why = _signal(facts, judgement, survey, closed)
    if signal is None:
        may = looked.phase not in FORWARD or _may_tell(closed)
        told = _work(facts, tell=may)
        return Decision(_progressed(facts, told), closed, told, judgement, events, _due(facts))
    moved = step(looked, signal, facts.now, why)
    if moved.phase is Phase.CANARY_DEPLOY:
        canaries = draw_canaries(facts.service.production, facts.service.rules.canary, moved.seed)
        moved = replace(moved, canaries=canaries)
    after = replace(facts, rollout=moved)
    told = _work(after, tell=not moved.ended)
    anew = gates(facts.service, moved, None, told, _context(after))
    said = (*events, _moved(facts, moved, judgement))
    return Decision(moved, anew, told, judgement if moved.phase in JUDGED else None, said, _due(after))


def _context(facts: Facts) -> tuple[tuple[Gate, ...], tuple[datetime, ...], datetime, Gate]:
    return facts.holds, facts.started, facts.now, drifted(facts.service, facts.rollout, facts.stable, facts.telemetry)


def _work(facts: Facts, *, tell: bool) -> Work:
    rollout, rules = facts.rollout, facts.service.rules.deploy
    wanted = targets(facts.service, rollout)
    back = rollout.phase is Phase.ROLLING_BACK
    hosts = wanted.step if back else (*wanted.step, *sorted(wanted.new.difference(wanted.step)))
    wish = Wish(
        rollout.id,
        rollout.service,
        "back" if back else "forward",
        rollout.stable if back else rollout.revision,
        hosts,
    )
    at_once = len(hosts) if back and rollout.wave == 0 else rules.at_once
    coming = sum(1 for host in hosts if host in facts.journal.open)
    limit = min(at_once, coming + facts.slots)
    return work(wish, facts.telemetry.seen, facts.journal, limit, facts.now, tell=tell)


def _may_tell(closed: tuple[Gate, ...]) -> bool:
    """Within a stage only these stop the next host; the others are asked between stages."""
    return open_(gate for gate in closed if gate.name in {"pause", "drift", "clock", "history", "hosts"})


def _look(facts: Facts, judge: Judge) -> tuple[Rollout, Judgement | None, tuple[Event, ...]]:
    """Judge this tick, and count what was served in it."""
    rollout, telemetry, rules = facts.rollout, facts.telemetry, facts.service.rules
    if rollout.phase not in JUDGED:
        return rollout, None, ()
    wanted = targets(facts.service, rollout)
    fleet = [host.name for host in facts.service.production]
    new = telemetry.on(wanted.step, rollout.revision)
    warm = telemetry.warm(new, facts.now_s)
    others = [name for name in fleet if name not in wanted.new]
    control = telemetry.warm(telemetry.on(others, rollout.stable), facts.now_s)
    look = Look(telemetry.of(warm), telemetry.of(control), expected=len(wanted.step))
    down = _all_down(wanted.step, telemetry)
    if down:
        evidence, judgement = rollout.evidence, Judgement(Verdict.FAIL, down)
    elif new and not warm:
        return _served(facts, rollout, telemetry.of(new)), facts.last, ()
    else:
        evidence, judgement = judge.look(rules.judge, rollout.evidence, look, rollout.reference)
    no_data = not look.candidate and not down
    if rollout.no_data_s > rules.judge.stale_s and not no_data:
        # What was seen before a gap is no verdict on what runs after it: a fresh window is gathered.
        evidence, judgement = judge.look(rules.judge, Evidence(), look, rollout.reference)
    bad_looks = rollout.bad_looks + 1 if judgement.verdict is Verdict.FAIL or (no_data and rollout.bad_looks) else 0
    rollout = replace(
        rollout,
        evidence=evidence,
        bad_looks=bad_looks,
        no_data_s=rollout.no_data_s + facts.elapsed_s if no_data else 0.0,
    )
    return _served(facts, rollout, telemetry.of(new)), judgement, _look_event(facts, rollout, judgement)


def _all_down(hosts: tuple[str, ...], telemetry: Telemetry) -> str:
    """The absolute guard beside the statistics: every host of the new revision says it is down."""
    states = [telemetry.seen.get(name) for name in hosts]
    if hosts and all(isinstance(state, HostState) and not state.healthy for state in states):
        return f"all {len(hosts)} hosts of the new revision are down"
    return ""


def _served(facts: Facts, rollout: Rollout, samples: Mapping[str, object]) -> Rollout:
    """Time counts only with data from at least half of the hosts, and not while paused."""
    if rollout.pause is not None or 2 * len(samples) < max(len(targets(facts.service, rollout).step), 1):
        return rollout
    counter = facts.service.rules.budget.total
    requests = sum(facts.telemetry.samples[name].counters.get(counter, 0.0) for name in samples)
    served = rollout.served
    busiest = max(served.busiest_rps, facts.telemetry.busiest_rps)
    grown = serving(replace(served, busiest_rps=busiest), facts.elapsed_s, requests, facts.telemetry.rps)
    return replace(rollout, served=grown)


def _look_event(facts: Facts, rollout: Rollout, judgement: Judgement) -> tuple[Event, ...]:
    every = max(int(facts.service.rules.cycle.duration_s / LOOKS_A_CYCLE / max(facts.elapsed_s, 1e-3)), 1)
    changed = facts.last is None or facts.last.verdict is not judgement.verdict
    if not changed and rollout.evidence.looks % every:
        return ()
    evidence = tuple(f"{metric.verdict.upper()} {metric.why}" for metric in judgement.metrics)
    detail = f"{judgement.verdict.upper()} {judgement.why}"
    return (_event(facts, "look", detail, evidence),)


def _signal(
    facts: Facts, judgement: Judgement | None, now: Work, closed: tuple[Gate, ...]
) -> tuple[Signal | None, str]:
    """The move to make, and why; None to stay."""
    rollout = facts.rollout
    if rollout.phase is Phase.ROLLING_BACK:
        return _restored(facts, now)
    if rollout.phase in FORWARD:
        wrong = _must_go_back(facts, judgement, now)
        if wrong:
            return Signal.FAILED, wrong
    if not open_(closed):
        return None, ""
    if rollout.phase is Phase.QUEUED:
        return Signal.ADMITTED, "every gate of staging is open"
    if rollout.phase in {Phase.STAGING_CHECKS, Phase.CANARY_BAKE, Phase.WAVE_SOAK}:
        return Signal.PROMOTED, _passed(facts, judgement)
    if rollout.phase is Phase.SETTLING:
        return Signal.STABLE, f"{rollout.revision} stayed healthy for {duration(facts.service.rules.deploy.settle_s)}"
    last = rollout.phase is Phase.WAVE_DEPLOY and rollout.wave >= len(facts.service.rules.waves)
    there = len(now.names(Standing.THERE))
    return Signal.COMPLETED if last else Signal.DEPLOYED, f"{there} hosts healthy on {rollout.revision}"


def _passed(facts: Facts, judgement: Judgement | None) -> str:
    by = "an operator" if facts.rollout.approved else "itself"
    return f"promoted by {by}: {judgement.why if judgement is not None else 'all checks passed'}"


def _must_go_back(facts: Facts, judgement: Judgement | None, now: Work) -> str:
    """Why the release must be undone; "" if it need not be."""
    rollout, rules = facts.rollout, facts.service.rules
    if judgement is not None and rollout.bad_looks >= rules.judge.fail_looks:
        return f"FAIL x{rollout.bad_looks}: {judgement.why}"
    if rules.judge.no_data is NoData.ROLLBACK and rollout.no_data_s > rules.judge.no_data_limit_s:
        return f"no data for {duration(rollout.no_data_s)} (limit {duration(rules.judge.no_data_limit_s)})"
    wanted = targets(facts.service, rollout).step
    failed = [host for host in wanted if now.standings.get(host) is Standing.FAILED]
    stalled = rollout.stalled_s > rules.deploy.deadline_s
    sick = [host for host in wanted if now.standings.get(host) is Standing.SICK] if stalled else []
    bad = failed + sick
    if bad and (len(bad) > rules.deploy.max_failed or 2 * len(bad) > len(wanted)):
        what = "the deploy failed" if failed else f"not healthy after {duration(rollout.stalled_s)}"
        return f"{what} on {len(bad)} of {len(wanted)} hosts: {some(bad)}"
    return ""


def _restored(facts: Facts, now: Work) -> tuple[Signal | None, str]:
    """Back once every touched host is; one that cannot be reached holds it up for a deadline, not for ever."""
    rest = [host for host, standing in now.standings.items() if standing is not Standing.THERE]
    if not rest:
        return Signal.RESTORED, facts.rollout.why
    over = facts.rollout.stalled_s > facts.service.rules.deploy.deadline_s
    stuck = {Standing.LOST, Standing.FAILED, Standing.SICK}
    if over and all(now.standings[host] in stuck for host in rest):
        return Signal.RESTORED, f"{facts.rollout.why}; not restored, look at them: {some(rest)}"
    return None, ""


def _progressed(facts: Facts, now: Work) -> Rollout:
    """Progress is more hosts healthy on the new revision than ever before in this phase."""
    rollout, there = facts.rollout, len(now.names(Standing.THERE))
    if there > rollout.most_healthy:
        return replace(rollout, most_healthy=there, stalled_s=0.0)
    if rollout.phase in DEPLOYING | {Phase.ROLLING_BACK} and rollout.pause is None:
        return replace(rollout, stalled_s=rollout.stalled_s + facts.elapsed_s)
    return rollout


def _due(facts: Facts) -> tuple[CheckRule, ...]:
    """Staging checks that have not run for this build, or failed long enough ago."""
    if facts.rollout.phase is not Phase.STAGING_CHECKS or facts.rollout.pause is not None:
        return ()
    found = {result.name: result for result in facts.rollout.checks}
    again = facts.now - timedelta(seconds=AGAIN_S)
    return tuple(
        rule
        for rule in facts.service.rules.checks
        if (result := found.get(rule.name)) is None or (not result.passed and result.at <= again)
    )


_ACTIONS = {
    Phase.STAGING_DEPLOY: "staging",
    Phase.STAGING_CHECKS: "staging",
    Phase.CANARY_DEPLOY: "canary",
    Phase.CANARY_BAKE: "canary",
    Phase.WAVE_DEPLOY: "wave",
    Phase.WAVE_SOAK: "wave",
    Phase.SETTLING: "wave",
    Phase.SETTLED: "settled",
    Phase.ROLLING_BACK: "rollback",
    Phase.ROLLED_BACK: "restored",
}


def _moved(facts: Facts, now: Rollout, judgement: Judgement | None) -> Event:
    evidence = tuple(f"{metric.verdict.upper()} {metric.why}" for metric in judgement.metrics) if judgement else ()
    detail = {
        Phase.STAGING_DEPLOY: f"{now.revision} goes to {len(facts.service.staging)} staging hosts",
        Phase.STAGING_CHECKS: f"{now.why}; {len(facts.service.rules.checks)} checks run",
        Phase.CANARY_DEPLOY: _drawn(facts.service, now),
        Phase.CANARY_BAKE: f"{now.why}; it bakes for a full traffic cycle",
        Phase.WAVE_DEPLOY: _wave(facts.service, now),
        Phase.WAVE_SOAK: f"wave {now.wave} of {len(facts.service.rules.waves)} is out: {now.why}",
        Phase.SETTLING: f"the last wave is out: {now.why}",
        Phase.SETTLED: f"{now.revision} is stable",
        Phase.ROLLING_BACK: f"to {now.stable}: {now.why}",
        Phase.ROLLED_BACK: f"{now.stable} runs again: {now.why}",
    }.get(now.phase, now.why)
    return _event(facts, _ACTIONS.get(now.phase, "gate"), detail, evidence)


def _drawn(service: Service, rollout: Rollout) -> str:
    datacenters = {host.name: host.datacenter for host in service.production}
    drawn = [datacenters[name] for name in rollout.canaries]
    counts = ", ".join(f"{name} {drawn.count(name)}" for name in sorted(set(drawn)))
    share = len(drawn) / len(datacenters)
    return f"{len(drawn)} of {len(datacenters)} hosts drawn ({share:.0%}), stratified: {counts} (seed {rollout.seed:x})"


def _wave(service: Service, now: Rollout) -> str:
    share = len(out_in_wave(service, now, now.wave)) / max(len(service.production), 1)
    rule = service.rules.waves[now.wave - 1]
    return f"wave {now.wave} of {len(service.rules.waves)} ({rule}): to {share:.0%} of production; {now.why}"


def _event(facts: Facts, action: str, detail: str, evidence: tuple[str, ...] = ()) -> Event:
    rollout = facts.rollout
    return Event(facts.now, AUTO, rollout.service, rollout.id, rollout.revision, action, detail, evidence)
