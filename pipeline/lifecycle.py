"""The life of a release, as one table.

`MOVES` holds every legal move; `step` is the only way from one phase to the next. Being paused or
held by gates is a fact beside the phase, not a phase: a paused canary is still judged and still
rolled back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from pipeline.judge.trial import Reference
from pipeline.judge.verdict import Judgement


class Phase(StrEnum):
    QUEUED = "queued"
    STAGING_DEPLOY = "staging-deploy"
    STAGING_CHECKS = "staging-checks"
    CANARY_DEPLOY = "canary-deploy"
    CANARY_BAKE = "canary-bake"
    WAVE_DEPLOY = "wave-deploy"
    WAVE_SOAK = "wave-soak"
    SETTLING = "settling"
    SETTLED = "settled"
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class Signal(StrEnum):
    ADMITTED = "admitted"
    """The gates of staging are open."""
    DEPLOYED = "deployed"
    """Every host of this stage or wave is healthy on the new revision."""
    PROMOTED = "promoted"
    """The next stage may begin, by itself or by an operator."""
    COMPLETED = "completed"
    """The last wave is out."""
    STABLE = "stable"
    """It stayed healthy for its settle time."""
    FAILED = "failed"
    """Worse than production, failed on too many hosts, or without data for too long."""
    ROLL_BACK = "roll-back"
    """An operator wants it gone."""
    RESTORED = "restored"
    """Every touched host that can be reached is back on the stable revision; the others follow as they return."""
    CANCEL = "cancel"
    SUPERSEDE = "supersede"


ENDED = frozenset({Phase.SETTLED, Phase.ROLLED_BACK, Phase.CANCELLED, Phase.SUPERSEDED})
"""Nothing moves any more; only a settled release can still be rolled back."""

STAGING = frozenset({Phase.STAGING_DEPLOY, Phase.STAGING_CHECKS})
CANARY = frozenset({Phase.CANARY_DEPLOY, Phase.CANARY_BAKE})
PRODUCTION = frozenset({Phase.WAVE_DEPLOY, Phase.WAVE_SOAK, Phase.SETTLING})
FORWARD = STAGING | CANARY | PRODUCTION
"""On its way, and able to fail."""

DEPLOYING = frozenset({Phase.STAGING_DEPLOY, Phase.CANARY_DEPLOY, Phase.WAVE_DEPLOY})

MOVES: Mapping[tuple[Phase, Signal], Phase] = {
    (Phase.QUEUED, Signal.ADMITTED): Phase.STAGING_DEPLOY,
    (Phase.QUEUED, Signal.CANCEL): Phase.CANCELLED,
    (Phase.QUEUED, Signal.ROLL_BACK): Phase.CANCELLED,
    (Phase.QUEUED, Signal.SUPERSEDE): Phase.SUPERSEDED,
    (Phase.STAGING_DEPLOY, Signal.DEPLOYED): Phase.STAGING_CHECKS,
    (Phase.STAGING_CHECKS, Signal.PROMOTED): Phase.CANARY_DEPLOY,
    (Phase.CANARY_DEPLOY, Signal.DEPLOYED): Phase.CANARY_BAKE,
    (Phase.CANARY_BAKE, Signal.PROMOTED): Phase.WAVE_DEPLOY,
    (Phase.WAVE_DEPLOY, Signal.DEPLOYED): Phase.WAVE_SOAK,
    (Phase.WAVE_DEPLOY, Signal.COMPLETED): Phase.SETTLING,
    (Phase.WAVE_SOAK, Signal.PROMOTED): Phase.WAVE_DEPLOY,
    (Phase.SETTLING, Signal.STABLE): Phase.SETTLED,
    (Phase.SETTLED, Signal.ROLL_BACK): Phase.ROLLING_BACK,
    (Phase.ROLLING_BACK, Signal.RESTORED): Phase.ROLLED_BACK,
    **{(phase, Signal.FAILED): Phase.ROLLING_BACK for phase in FORWARD},
    **{(phase, Signal.ROLL_BACK): Phase.ROLLING_BACK for phase in FORWARD},
}


@dataclass(frozen=True, slots=True)
class Pause:
    """Forward moves stand still until someone resumes; backward ones do not."""

    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    """What this phase has seen so far; time without data or paused does not count."""

    seconds: float = 0.0
    requests: float = 0.0
    """By the hosts on the new revision."""
    peak_rps: float = 0.0
    """The busiest that the whole service was."""
    busiest_rps: float = 0.0
    """The same over this phase and the traffic cycle before it: what a peak is measured against."""
    lately: float = 0.0
    """Requests by the hosts on the new revision, the last traffic cycle weighing most."""
    due_lately: float = 0.0
    """Likewise, what their share of all requests was."""
    all_lately: float = 0.0
    """Likewise, by all of production."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    name: str
    passed: bool
    detail: str
    at: datetime
    peak_rps: float | None = None
    """Load: the rate that it reached."""
    output: tuple[str, ...] = ()
    """The last lines of a command that failed."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One release on its way, whole: a controller that reads it back goes on where it was."""

    id: str
    """The release's name, `SERVICE-N`."""
    service: str
    revision: str
    stable: str
    """Revision that a rollback restores: the last one that settled before this release."""
    phase: Phase
    since: datetime
    """When `phase` began."""
    version: int
    """Raised by each move and command; a command names the one it saw."""
    by: str
    submitted: datetime
    seed: int
    """Of every draw of hosts in this release."""
    before: tuple[str, ...] = ()
    """Canaries of the release before, spared where others are free."""
    canaries: tuple[str, ...] = ()
    out: tuple[str, ...] = ()
    """Production hosts that were told, or may be told, to run `revision`: the canaries, then each wave's.

    Kept as drawn, so that a rollback finds them whatever the configuration says by then."""
    baseline: tuple[str, ...] = ()
    """Production hosts restarted on `stable` beside the canaries, for the judge to hold against them."""
    stragglers: tuple[str, ...] = ()
    """Hosts that an ended release left behind, this one's or an earlier one's: told as they return."""
    wave: int = 0
    """1 is the first wave; 0 before production."""
    served: Served = Served()
    pause: Pause | None = None
    approved: bool = False
    """An operator has promoted out of this phase; it goes when the gates pass."""
    why: str = ""
    """Why it is where it is, in a sentence: of a rollback, what was wrong."""
    checks: tuple[CheckResult, ...] = ()
    bad_looks: int = 0
    """1 after a look that was watched, and one more for each without data that follows it."""
    no_data_s: float = 0.0
    """How long there has been nothing to judge by."""
    most_healthy: int = 0
    """Most hosts ever healthy on the new revision in this phase: the measure of progress."""
    stalled_s: float = 0.0
    """How long hosts have been told to change without any such progress."""
    sick_s: float = 0.0
    """How long too many hosts have run `revision` and not been healthy."""
    judgement: Judgement | None = None
    """The newest verdict on it."""
    untaken: bool = False
    """It failed before any host took it, and nothing was changed anywhere: it may be submitted again."""
    reference: Mapping[str, Reference] = field(default_factory=dict)
    """By metric, production as it was before and while the canary baked: what is compared with where too few hosts
    are left."""

    @property
    def ended(self) -> bool:
        return self.phase in ENDED

    @property
    def number(self) -> int:
        """Of the service's releases, in the order in which they were submitted."""
        return int(self.id.rpartition("-")[2])


class IllegalMove(ValueError):
    """A signal that the phase does not know; nothing has changed."""


def step(rollout: Rollout, signal: Signal, now: datetime, why: str = "") -> Rollout:
    """`rollout` after `signal`, its phase's counters at nought; raises `IllegalMove` and changes nothing."""
    try:
        phase = MOVES[rollout.phase, signal]
    except KeyError:
        raise IllegalMove(f"{rollout.id}: {signal} while {rollout.phase}") from None
    wave = rollout.wave + 1 if phase is Phase.WAVE_DEPLOY else rollout.wave
    return replace(
        rollout,
        phase=phase,
        since=now,
        version=rollout.version + 1,
        wave=wave,
        served=Served(),
        pause=rollout.pause if phase in FORWARD else None,
        approved=False,
        why=why or rollout.why,
        bad_looks=0,
        no_data_s=0.0,
        most_healthy=0,
        stalled_s=0.0,
        sick_s=rollout.sick_s if phase in FORWARD else 0.0,
    )
