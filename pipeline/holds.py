"""Every gate of a phase, in the order in which they are shown."""

from datetime import datetime, timedelta

from pipeline.facts import Facts
from pipeline.gates import Answer, Gate
from pipeline.hostwork import Standing, Work
from pipeline.judge.verdict import Judgement
from pipeline.lifecycle import Phase, Rollout
from pipeline.matched import restarted
from pipeline.model import Pool, Service
from pipeline.observed import HostState
from pipeline.policy.alerts import alerts
from pipeline.policy.freeze import freeze
from pipeline.policy.frequency import frequency
from pipeline.policy.promotion import paused, promotion, waited
from pipeline.policy.staging_checks import staging_checks
from pipeline.policy.verdict import verdict
from pipeline.targets import targets
from pipeline.telemetry import Telemetry
from pipeline.traffic_cycle import traffic_cycle
from pipeline.words import some

_BETWEEN = frozenset({Phase.QUEUED, Phase.STAGING_CHECKS, Phase.CANARY_BAKE, Phase.WAVE_SOAK})
"""Phases that end in a step forward: freezes are asked at each."""


def gates(facts: Facts, judgement: Judgement | None, work: Work) -> tuple[Gate, ...]:
    """What the release waits for in its phase; none once it is going back or has ended."""
    service, rollout, now = facts.service, facts.rollout, facts.now
    rules, phase = service.rules, rollout.phase
    found: list[Gate] = []
    if rollout.ended or phase is Phase.ROLLING_BACK:
        return ()
    if phase is Phase.STAGING_CHECKS:
        found += staging_checks(rules.checks, rollout.checks)
    if phase is Phase.CANARY_BAKE:
        found += [verdict(judgement), traffic_cycle(rules.cycle, rollout.served, now)]
    if phase is Phase.WAVE_SOAK:
        found += [verdict(judgement), _soaked("soak", rollout, rules.deploy.soak_s, now)]
    if phase is Phase.SETTLING:
        found += [verdict(judgement), _soaked("settle", rollout, rules.deploy.settle_s, now)]
    found += alerts(rules, rollout, facts.firing)
    if phase is not Phase.QUEUED:
        found += [_hosts(service, rollout, work), *restarted(facts, work)]
    found.append(drifted(service, rollout, facts.stable, facts.telemetry))
    if phase in _BETWEEN:
        found.append(freeze(rules.freezes, now))
    if phase is Phase.QUEUED:
        found.append(frequency(rules.frequency, facts.started, now))
    found += [paused(rollout), *facts.holds]
    if phase in {Phase.STAGING_CHECKS, Phase.CANARY_BAKE, Phase.WAVE_SOAK}:
        found.append(promotion(rollout, rules.promotions))
    return tuple(found)


def _soaked(name: str, rollout: Rollout, of_s: float, now: datetime) -> Gate:
    missing = max(of_s - rollout.served.seconds, 0.0)
    return waited(name, rollout.served.seconds, of_s, now + timedelta(seconds=missing))


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


def drifted(service: Service, rollout: Rollout | None, stable: str, telemetry: Telemetry) -> Gate:
    """Hosts that run what nobody told them: shown, and nothing moves forward until they are put right.

    Of a host that does not answer nobody knows: other gates stop for it, this one says so.
    """
    new = targets(service, rollout).new if rollout is not None else frozenset()
    odd: list[str] = []
    silent: list[str] = []
    unsure: list[str] = []
    for host in service.hosts:
        state = telemetry.seen.get(host.name)
        if not isinstance(state, HostState):
            silent.append(host.name)
            continue
        if not state.revision:
            unsure.append(f"nothing runs on {host.name}")
            continue
        allowed = {stable}
        if rollout is not None and (host.name in new or host.pool is Pool.STAGING):
            allowed |= {rollout.revision, rollout.stable}
        if state.revision not in allowed:
            left = rollout is not None and host.name in rollout.stragglers
            (unsure if left else odd).append(f"{host.name} {'still ' if left else ''}runs {state.revision}")
    if silent:
        unsure.insert(0, f"no answer from {some(silent)}")
    if not odd:
        of = len(service.hosts)
        there = of - len(unsure) - len(silent) + bool(silent)
        said = f"{there} of {of} hosts run what they were told; {some(unsure)}" if unsure else ""
        return Gate("drift", Answer.PASS, said or "every host runs what it was told")
    lifts = f"when it runs {stable} again" if len(odd) == 1 else f"when they run {stable} again"
    return Gate("drift", Answer.HOLD, f"{some(odd)}; nobody told {'it' if len(odd) == 1 else 'them'}", lifts=lifts)
