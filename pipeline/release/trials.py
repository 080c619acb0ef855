"""Which trial a release is in: its canary, or one of its waves, as the judge is told of it."""

from pipeline.judge.look import Group, HostLook, Look
from pipeline.judge.trial import Trial
from pipeline.lifecycle import Phase, Rollout
from pipeline.measured.telemetry import Telemetry
from pipeline.model import Service
from pipeline.observed import HostState
from pipeline.release.targets import Targets

LEAST_LOOKS = 20
"""A wave is planned for at least so many looks, however short its soak is."""


def trial_of(service: Service, rollout: Rollout, tick_s: float) -> Trial:
    """Of the canary, or of the wave that is out; the error rate of all waves together is that of the canary."""
    rules, wave = service.rules, rollout.wave
    known = {host.name: host.datacenter for host in service.production}
    # A canary host that has vanished is still one of the canary: one that gives no data.
    canary = rollout.out
    known |= {name: "" for name in canary if name not in known}
    baseline = tuple(name for name in rollout.baseline if name in known and name not in canary) if not wave else ()
    planned_s = rules.cycle.duration_s if not wave else rules.deploy.soak_s
    if wave >= len(rules.waves):
        planned_s = rules.deploy.settle_s
    return Trial(
        release=rollout.id,
        wave=wave,
        rules=rules.judge,
        tick_s=tick_s,
        looks=max(int(planned_s / tick_s), LEAST_LOOKS),
        datacenters=known,
        canary=canary,
        baseline=baseline,
        production=tuple(host.name for host in service.production if host.name not in {*canary, *baseline}),
        total=rules.budget.total,
        bad=rules.budget.bad,
        objective=float(rules.budget.objective),
        share=1.0 if not wave else 1 / max(len(rules.waves), 1),
        reference=rollout.reference,
    )


def look_at(
    service: Service,
    rollout: Rollout,
    targets: Targets,
    telemetry: Telemetry,
    now_s: float,
    baked_s: float,
    span_s: float,
) -> Look:
    """What every production host did in this tick, as far as it gives fresh data and runs what it should.

    Args:
        baked_s: how long ago the phase began: the least age of hosts that nobody saw begin, a controller ago.
        span_s: since the look before.
    """
    new = telemetry.on(targets.step, rollout.revision)
    old = set(telemetry.on([host.name for host in service.production], rollout.stable))
    wanted, beside = set(targets.new), set(rollout.baseline) if not rollout.wave else set()
    hosts: dict[str, HostLook] = {}
    for name in (*new, *(host.name for host in service.production)):
        sample = telemetry.samples.get(name)
        if sample is None or name in hosts:
            continue
        age_s = telemetry.age_s(name, now_s)
        if name in new:
            hosts[name] = HostLook(Group.CANARY, sample, baked_s if age_s is None else age_s)
        elif name in old and name not in wanted:
            in_baseline = name in beside
            known_s = baked_s if in_baseline and age_s is None else age_s
            hosts[name] = HostLook(Group.BASELINE if in_baseline else Group.PRODUCTION, sample, known_s)
    deploying = rollout.phase is Phase.WAVE_DEPLOY
    states = {name: telemetry.seen.get(name) for name in new}
    down = [name for name, state in states.items() if isinstance(state, HostState) and state.down]
    return Look(
        seconds=span_s,
        hosts=hosts,
        # While a wave goes out, hosts that were not told yet are no missing data, and those that start are not down.
        expected=len(new) if deploying else len(targets.step),
        down=() if deploying else tuple(down),
    )
