"""Every gate of a phase, in the order in which they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.gates import Answer, Gate
from pipeline.judge.verdict import Judgement
from pipeline.lifecycle import Phase, Rollout
from pipeline.measured.telemetry import Telemetry
from pipeline.model import Pool, Service
from pipeline.observed import HostState
from pipeline.policy.alerts import alerts
from pipeline.policy.break_glass import through
from pipeline.policy.canary_overlap import canary_overlap
from pipeline.policy.canary_traffic import canary_traffic
from pipeline.policy.coverage import coverage
from pipeline.policy.error_budget import error_budget
from pipeline.policy.freeze import freeze
from pipeline.policy.frequency import frequency
from pipeline.policy.hotfix import hotfix
from pipeline.policy.isolation import isolation
from pipeline.policy.load_test import load_test
from pipeline.policy.locks import locks
from pipeline.policy.payback import payback
from pipeline.policy.promotion import NEXT, paused, promotion, waited
from pipeline.policy.readiness import readiness
from pipeline.policy.reservation import reservation
from pipeline.policy.security_fix import through as let_past
from pipeline.policy.staging_checks import staging_checks
from pipeline.policy.verdict import verdict
from pipeline.premises import Premises
from pipeline.release.balancing import balancer
from pipeline.release.facts import Facts
from pipeline.release.hostwork import Standing, Work
from pipeline.release.matched import restarted
from pipeline.release.silence import too_many
from pipeline.release.targets import targets
from pipeline.traffic_cycle import traffic_cycle
from pipeline.words import some

_BETWEEN = frozenset({Phase.QUEUED, Phase.STAGING_CHECKS, Phase.CANARY_BAKE, Phase.WAVE_SOAK})
"""Phases that end in a step forward: freezes and locks are asked at each."""
_STAGES = _BETWEEN - {Phase.WAVE_SOAK}
"""Those that end in another stage: budgets are asked at each; between waves production is not left mixed."""
_ISOLATED = frozenset({Phase.STAGING_DEPLOY, Phase.STAGING_CHECKS, Phase.CANARY_BAKE})
"""Hosts that are found, and names that resolve to something else, can undo it at any moment after the entrance."""
_ON_THE_WAY = {
    Phase.STAGING_DEPLOY: frozenset({"budget", "payback", "lock", "load-test", "freeze"}),
    Phase.CANARY_DEPLOY: frozenset({"budget", "payback", "lock", "load-test", "freeze"}),
    Phase.WAVE_DEPLOY: frozenset({"lock", "load-test", "freeze"}),
}
"""While hosts are told: gates of the door ahead. They are shown as a warning, and stop no host halfway."""


def gates(facts: Facts, judgement: Judgement | None, work: Work) -> tuple[Gate, ...]:
    """What the release waits for in its phase; none once it is going back or has ended."""
    if facts.rollout.ended or facts.rollout.phase is Phase.ROLLING_BACK:
        return ()
    docket, now = facts.premises.docket, facts.now
    asked = (*_of_the_stage(facts, judgement, work), *_of_the_service(facts), *_of_people(facts))
    found = let_past(asked, docket, now, facts.rollout.revision, facts.rollout.id)
    ahead = _ON_THE_WAY.get(facts.rollout.phase, frozenset())
    return through((_ahead(gate) if gate.name in ahead else gate for gate in found), facts.service, docket, now)


def _ahead(gate: Gate) -> Gate:
    """A gate of the next door, before the release is there."""
    if gate.answer is Answer.PASS:
        return gate
    return replace(gate, answer=Answer.PASS, warns=f"holds it at the next door: {gate.why}")


def _of_the_stage(facts: Facts, judgement: Judgement | None, work: Work) -> tuple[Gate, ...]:
    """About the build and the hosts that it is on."""
    service, rollout, now = facts.service, facts.rollout, facts.now
    rules, phase = service.rules, rollout.phase
    found: list[Gate] = []
    said = verdict(judgement, (now - rollout.since).total_seconds(), rules.judge.stale_s)
    if phase is Phase.STAGING_CHECKS:
        found += staging_checks(rules.checks, rollout, facts.premises.docket, now)
    if phase is Phase.CANARY_BAKE:
        found += [
            said,
            replace(traffic_cycle(rules.cycle, rollout.served, now), since=rollout.since),
            canary_traffic(service, rollout),
        ]
    if phase is Phase.WAVE_SOAK:
        found += [said, _soaked("soak", rollout, rules.deploy.soak_s, now)]
    if phase is Phase.SETTLING:
        found += [said, _soaked("settle", rollout, rules.deploy.settle_s, now)]
    found += alerts(rules, rollout, facts.firing)
    if phase is not Phase.QUEUED:
        found += [*balancer(facts, work), _hosts(service, rollout, work), *restarted(facts, work)]
    found.append(drifted(service, rollout, facts.stable, facts.telemetry))
    return tuple(found)


def _of_the_service(facts: Facts) -> tuple[Gate, ...]:
    """What the rules hold any release of the service for."""
    service, premises, now, phase = facts.service, facts.premises, facts.now, facts.rollout.phase
    found: list[Gate] = []
    if phase in _ISOLATED:
        found.append(isolation(service))
    if phase is Phase.QUEUED:
        return before(service, premises, facts.rollout.by, facts.started, now)
    if phase is Phase.STAGING_CHECKS:
        found.append(canary_overlap(service, premises))
    if phase in _STAGES or "budget" in _ON_THE_WAY.get(phase, ()):
        found += [error_budget(service, premises, now), payback(service, premises, now)]
    if phase in _BETWEEN or phase in _ON_THE_WAY:
        found += [
            locks(service, premises.docket, now),
            load_test(service, premises.docket, now),
            freeze(service.rules.freezes, now),
        ]
    return tuple(found)


def before(
    service: Service, premises: Premises, by: str | None, started: Sequence[datetime], now: datetime
) -> tuple[Gate, ...]:
    """What is asked before a release begins; `by` is None where nobody has submitted one yet."""
    return (
        isolation(service),
        reservation(service, premises, by, now),
        error_budget(service, premises, now),
        coverage(service, premises, now),
        payback(service, premises, now),
        locks(service, premises.docket, now),
        load_test(service, premises.docket, now, entrance=True),
        freeze(service.rules.freezes, now),
        frequency(service.rules.frequency, started, now),
        readiness(service, premises, now),
        hotfix(service, premises, now),
    )


def _of_people(facts: Facts) -> tuple[Gate, ...]:
    """A person's word, and the controller's own."""
    rollout = facts.rollout
    found = [paused(rollout), *facts.holds]
    if rollout.phase in NEXT:
        found.append(promotion(rollout, facts.service.rules.promotions))
    return tuple(found)


def _soaked(name: str, rollout: Rollout, of_s: float, now: datetime) -> Gate:
    missing = max(of_s - rollout.served.seconds, 0.0)
    asked = waited(name, rollout.served.seconds, of_s, now + timedelta(seconds=missing))
    return replace(asked, since=rollout.since)


def _hosts(service: Service, rollout: Rollout, work: Work) -> Gate:
    """Whether enough of the stage's hosts are healthy on the new revision."""
    wanted = targets(service, rollout).step
    of = len(wanted)
    if not of:
        return Gate("hosts", Answer.UNKNOWN, "no host of this stage is known", lifts="when one is found; or roll back")
    standings = {host: work.standings.get(host, Standing.LOST) for host in wanted}
    named = {its: [host for host, standing in standings.items() if standing is its] for its in Standing}
    there, lost, sick = len(named[Standing.THERE]), named[Standing.LOST], named[Standing.SICK]
    said = f"{there} of {of} hosts healthy on {rollout.revision}"
    limits = service.rules.deploy
    if len(lost) > limits.max_unreachable or (lost and 2 * len(lost) >= of):
        known = {host.name for host in service.hosts}
        gone = [host for host in lost if host not in known]
        if gone:
            why = f"{said}; no longer among the hosts that are found: {some(gone)}"
            return Gate("hosts", Answer.UNKNOWN, why, lifts="when they are found again; or roll back")
        why = f"{said}; no answer from {len(lost)}: {some(lost)}"
        return Gate("hosts", Answer.UNKNOWN, why, lifts="by itself, when they answer; or roll back")
    if named[Standing.UNKNOWN]:
        why = f"{said}; not known to have taken it: {some(named[Standing.UNKNOWN])}"
        return Gate("hosts", Answer.UNKNOWN, why, lifts="by itself, when they answer; or roll back")
    waiting = len(named[Standing.COMING]) + len(named[Standing.MISSING])
    if waiting:
        deploying = rollout.phase in {Phase.STAGING_DEPLOY, Phase.CANARY_DEPLOY, Phase.WAVE_DEPLOY}
        return _under_way(said, waiting, deploying=deploying)
    spared = limits.max_failed + limits.max_unreachable
    missing = of - there
    if sick or missing > spared or (missing and 2 * missing >= of):
        rest = sick + named[Standing.FAILED] + lost
        return Gate("hosts", Answer.FAIL, f"{said}; not: {some(rest)}", lifts="when they are healthy; or roll back")
    return Gate("hosts", Answer.PASS, said)


def _under_way(said: str, waiting: int, *, deploying: bool) -> Gate:
    again = "" if deploying else " again"
    return Gate("deploy", Answer.HOLD, f"{said}, {waiting} to come{again}", lifts="by itself, as hosts come up")


def otherwise(service: Service, rollout: Rollout | None, stable: str, telemetry: Telemetry) -> Mapping[str, str]:
    """By host: the revision that it runs, where that is none that it was told."""
    new = targets(service, rollout).new if rollout is not None else frozenset()
    found: dict[str, str] = {}
    for host in service.hosts:
        state = telemetry.seen.get(host.name)
        if isinstance(state, HostState) and state.revision and state.revision != stable:
            told = rollout is not None and (host.name in new or host.pool is Pool.STAGING)
            if rollout is None or not told or state.revision not in {rollout.revision, rollout.stable}:
                found[host.name] = state.revision
    return found


def drifted(service: Service, rollout: Rollout | None, stable: str, telemetry: Telemetry) -> Gate:
    """Hosts that run what nobody told them: shown, and nothing moves forward until they are put right.

    Of a host that does not answer nobody knows: it is told, and too many of them are not known to be no drift.
    """
    silent: list[str] = []
    unsure: list[str] = []
    for host in service.hosts:
        state = telemetry.seen.get(host.name)
        if not isinstance(state, HostState):
            silent.append(host.name)
        elif not state.revision:
            unsure.append(f"nothing runs on {host.name}")
    others = otherwise(service, rollout, stable, telemetry)
    left = rollout.stragglers if rollout is not None else ()
    unsure += [f"{name} still runs {revision}" for name, revision in others.items() if name in left]
    odd = [f"{name} runs {revision}" for name, revision in others.items() if name not in left]
    if silent:
        unsure.insert(0, f"no answer from {some(silent)}")
    if not odd:
        of = len(service.hosts)
        there = of - len(unsure) - len(silent) + bool(silent)
        said = f"{there} of {of} hosts run what they were told; {some(unsure)}" if unsure else ""
        if too_many(service, rollout, frozenset(silent)):
            why = f"{said.partition(';')[0]}, {len(silent)} {'do' if len(silent) > 1 else 'does'} not answer: "
            return Gate("drift", Answer.UNKNOWN, why + some(silent), lifts="by itself, when they answer")
        return Gate("drift", Answer.PASS, said or "every host runs what it was told")
    lifts = (
        f"when {'it runs' if len(odd) == 1 else 'they run'} {stable} again: pithead rollback {service.name}, or by hand"
    )
    return Gate("drift", Answer.HOLD, f"{some(odd)}; nobody told {'it' if len(odd) == 1 else 'them'}", lifts=lifts)
