"""What a judge is shown: each host's raw counts since the look before, and how old its process is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pipeline.judge.verdict import Judgement
from pipeline.signals import Sample


class Group(StrEnum):
    CANARY = "canary"
    """Runs the new revision."""
    BASELINE = "baseline"
    """Was restarted on the old one when the canary was deployed."""
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class HostLook:
    """What one host did since its last reading."""

    group: Group
    sample: Sample
    age_s: float | None = None
    """Since its process began; None where nobody saw it begin, which is long ago."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a service's production hosts. A host without fresh data is left out."""

    seconds: float
    """Since the look before."""
    hosts: Mapping[str, HostLook]
    expected: int = 0
    """Canary hosts that should have been seen."""
    down: tuple[str, ...] = ()
    """Canary hosts that are known to be sick, by their own word or that of a check (`HostState.down`)."""


@dataclass(frozen=True, slots=True)
class LookRecord:
    """One look as the history keeps it: its inputs and what was said, so that it can be worked out again."""

    release: str
    wave: int
    """0 is the canary."""
    number: int
    """1 is the trial's first look."""
    at: datetime
    look: Look
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stretch of a service's production while no release is judged, for what hosts do when nothing is wrong."""

    service: str
    at: datetime
    """When it ended."""
    look: Look
    """Of all hosts as production."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a service's placebo canaries showed: how often these settings roll back no release at all."""

    service: str
    at: datetime
    by: str
    canaries: int
    false: int
    """Placebo canaries that were rolled back."""
    bound: float
    """95 % upper bound of the false-rollback rate."""
    settings: str
    """Fingerprint of the judge's settings that it holds for (`Trial.settings`)."""
    days: float = 0.0
    """Of recorded history that it rests on."""
    step_s: float = field(default=60.0)
    """Between two looks of a placebo."""
