"""Desired state: which host should run which revision, by the phase of its service's release."""

from dataclasses import dataclass

from pipeline.lifecycle import CANARY, PRODUCTION, STAGING, Phase, Rollout
from pipeline.model import Service
from pipeline.placement import in_waves


@dataclass(frozen=True, slots=True)
class Targets:
    """Hosts by name, in the order in which they are told."""

    step: tuple[str, ...]
    """Of the stage or wave at hand, or of the way back: those whose health decides whether it is done."""
    new: frozenset[str]
    """That should run the release's revision."""
    beside: frozenset[str] = frozenset()
    """The baseline's hosts, as long as there is a canary that they stand beside."""


NOTHING = Targets((), frozenset())


def targets(service: Service, rollout: Rollout | None) -> Targets:
    """What the release wants of the service's hosts now; `NOTHING` before it begins and once it has ended."""
    if rollout is None:
        return NOTHING
    staging = tuple(host.name for host in service.staging)
    if rollout.phase in STAGING:
        return Targets(staging, frozenset(staging))
    if rollout.phase in CANARY | PRODUCTION:
        beside = frozenset(rollout.baseline) if rollout.phase in CANARY else frozenset()
        return Targets(rollout.out, frozenset(staging + rollout.out), beside)
    if rollout.phase is Phase.ROLLING_BACK:
        return Targets(rollout.out + staging, frozenset())
    return NOTHING


def out_in_wave(service: Service, rollout: Rollout, wave: int) -> tuple[str, ...]:
    """Production hosts on the new revision once `wave` is out, those that are on it already included."""
    rules = service.rules
    cuts = in_waves(service.production, rules.waves, rollout.canaries, rules.canary.stratify, rollout.seed)
    cut = cuts[min(wave, len(cuts)) - 1]
    return (*rollout.out, *(name for name in cut if name not in set(rollout.out)))
