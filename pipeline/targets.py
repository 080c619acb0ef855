"""Desired state: which host should run which revision, by the phase of its service's release."""

from dataclasses import dataclass

from pipeline.lifecycle import CANARY, FORWARD, PRODUCTION, STAGING, Phase, Rollout
from pipeline.model import Service
from pipeline.placement import in_waves


@dataclass(frozen=True, slots=True)
class Targets:
    """Hosts by name, in the order in which they are told."""

    step: tuple[str, ...]
    """Of the stage or wave at hand: those whose health decides whether it is done."""
    new: frozenset[str]
    """That should run the release's revision."""
    back: tuple[str, ...]
    """That were touched and should run the stable revision again."""


NOTHING = Targets((), frozenset(), ())


def targets(service: Service, rollout: Rollout | None) -> Targets:
    """What the release wants of the service's hosts now; `NOTHING` once it has ended."""
    if rollout is None or rollout.phase not in FORWARD | {Phase.ROLLING_BACK}:
        return NOTHING
    staging = tuple(host.name for host in service.staging)
    if rollout.phase in STAGING:
        return Targets(staging, frozenset(staging), ())
    if rollout.phase in CANARY:
        return Targets(rollout.canaries, frozenset(staging + rollout.canaries), ())
    if rollout.phase in PRODUCTION:
        out = out_in_wave(service, rollout, rollout.wave)
        return Targets(out, frozenset(staging + out), ())
    touched = out_in_wave(service, rollout, rollout.wave) if rollout.touched else ()
    back = touched + staging
    return Targets(back, frozenset(), back)


def out_in_wave(service: Service, rollout: Rollout, wave: int) -> tuple[str, ...]:
    """Production hosts on the new revision once `wave` is out; 0 is the canary alone."""
    if wave == 0:
        return rollout.canaries
    rules = service.rules
    cuts = in_waves(service.production, rules.waves, rollout.canaries, rules.canary.stratify, rollout.seed)
    return cuts[min(wave, len(cuts)) - 1]
