"""How a move of a release is told in the history."""

from collections.abc import Mapping

from pipeline.events import Event
from pipeline.judge.verdict import Judgement
from pipeline.lifecycle import Phase, Rollout
from pipeline.model import Control, Rules, Service
from pipeline.policy.staging_checks import run_by_machine
from pipeline.policy.wording import count
from pipeline.release.facts import Facts, spoken

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


def moved(facts: Facts, now: Rollout, judgement: Judgement | None) -> Event:
    """The event of a release that has just come to `now`."""
    rules = facts.service.rules
    detail = {
        Phase.STAGING_DEPLOY: f"goes to {count(len(facts.service.staging), 'staging host')}",
        Phase.STAGING_CHECKS: f"{now.why}; {_checks(rules)}",
        Phase.CANARY_DEPLOY: _drawn(facts.service, now),
        Phase.CANARY_BAKE: f"{now.why}; it bakes for a full traffic cycle",
        Phase.WAVE_DEPLOY: _wave(facts.service, now),
        Phase.WAVE_SOAK: f"wave {now.wave} of {len(rules.waves)} is out: {now.why}",
        Phase.SETTLING: f"the last wave is out: {now.why}",
        Phase.ROLLING_BACK: f"to {now.stable}: {now.why}",
        Phase.ROLLED_BACK: f"{now.stable} runs {'as before, no host took it' if now.untaken else 'again'}: {now.why}",
    }.get(now.phase, now.why)
    action = _ACTIONS.get(now.phase, "gate")
    return facts.event(action, detail, spoken(judgement) if judgement is not None else ())


def _checks(rules: Rules) -> str:
    runs = len(run_by_machine(rules.checks))
    people = len(rules.checks) - runs
    run = f"{count(runs, 'check')} run{'s' if runs == 1 else ''}"
    return f"{run}, {people} wait{'s' if people == 1 else ''} for a person" if people else run


def _drawn(service: Service, rollout: Rollout) -> str:
    datacenters = {host.name: host.datacenter for host in service.production}
    drawn = [datacenters[name] for name in rollout.canaries if name in datacenters]
    counts = ", ".join(f"{name} {drawn.count(name)}" for name in sorted(set(drawn)))
    share = len(drawn) / max(len(datacenters), 1)
    said = f"{len(drawn)} of {len(datacenters)} hosts drawn ({share:.0%}), stratified: {counts} (seed {rollout.seed:x})"
    return f"{said}{_beside(service, rollout, datacenters)}"


def _beside(service: Service, rollout: Rollout, datacenters: Mapping[str, str]) -> str:
    if service.rules.judge.control is not Control.BASELINE:
        return ""
    if not rollout.baseline:
        return "; no baseline: their datacenters have no host to spare"
    drawn = [datacenters[name] for name in rollout.baseline]
    counts = ", ".join(f"{name} {drawn.count(name)}" for name in sorted(set(drawn)))
    return f"; restarted on {rollout.stable} beside them as the baseline: {counts}"


def _wave(service: Service, rollout: Rollout) -> str:
    waves = service.rules.waves
    share = len(rollout.out) / max(len(service.production), 1)
    rule = waves[min(rollout.wave, len(waves)) - 1]
    return f"wave {rollout.wave} of {len(waves)} ({rule}): to {share:.0%} of production; {rollout.why}"
