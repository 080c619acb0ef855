"""All that a decision about one release rests on, in one tick."""

from dataclasses import dataclass, field
from datetime import datetime

from pipeline.alerts import NOT_ASKED, Firing
from pipeline.events import AUTO, Event
from pipeline.gates import Gate
from pipeline.judge.evidence import Evidence
from pipeline.judge.look import Recorded
from pipeline.judge.verdict import Judgement
from pipeline.lifecycle import Rollout
from pipeline.measured.telemetry import Telemetry
from pipeline.model import Service
from pipeline.premises import Premises
from pipeline.release.hostwork import Journal
from pipeline.release.targets import Targets, targets


@dataclass(frozen=True, slots=True)
class Facts:
    service: Service
    rollout: Rollout
    stable: str
    """What hosts run that no release on its way wants anything of."""
    telemetry: Telemetry
    journal: Journal
    started: tuple[datetime, ...]
    """When earlier releases of the service were submitted that went to staging, newest first."""
    last: Judgement | None
    """Of the look before."""
    holds: tuple[Gate, ...]
    """The controller's own: its history."""
    due: frozenset[str]
    """Names of failed staging checks that it is time to ask again."""
    now: datetime
    now_s: float
    elapsed_s: float
    """Since the last tick, by the monotonic clock."""
    look_s: float
    """Since the metrics were last read, likewise; 0 where they were not read in this tick."""
    evidence: Evidence | None
    """The judge's, of the trial that the release is in or was in last."""
    past: tuple[Recorded, ...]
    """The service before the release, where a trial is about to begin."""
    apart_s: float
    """From look to look, as planned."""
    slots: int
    """Deploys that may be begun over all services; the way back does not wait for one."""
    firing: Firing = NOT_ASKED
    premises: Premises = field(default_factory=Premises)

    @property
    def targets(self) -> Targets:
        return targets(self.service, self.rollout)

    def event(self, action: str, detail: str, evidence: tuple[str, ...] = ()) -> Event:
        rollout = self.rollout
        return Event(self.now, AUTO, rollout.service, rollout.id, rollout.revision, action, detail, evidence)


def spoken(judgement: Judgement) -> tuple[str, ...]:
    """A verdict's metrics, a line each."""
    return tuple(f"{metric.verdict.upper()} {metric.why}" for metric in judgement.metrics)
