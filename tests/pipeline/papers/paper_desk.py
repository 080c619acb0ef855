"""A desk without a controller: commands are taken, and their papers and events kept, as a controller would."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pipeline.checks import CheckKind, CheckRule
from pipeline.commands import Command, Verb
from pipeline.docket import Docket
from pipeline.emergency import EmergencyRules
from pipeline.events import Event, Who
from pipeline.lifecycle import Phase, Rollout
from pipeline.model import Rules, Service
from pipeline.premises import Premises
from pipeline.release.requests import take
from pipeline.situation import Situation, Taken

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ANA, BEN, EVA = Who("ana", 1001), Who("ben", 1002), Who("eva", 1003)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def rollout(phase: Phase = Phase.STAGING_CHECKS, revision: str = "r2", service: str = "checkout") -> Rollout:
    return Rollout(f"{service}-1", service, revision, "r1", phase, NOON, 1, "ana", NOON, 7)


@dataclass
class Desk:
    emergency: EmergencyRules = field(default_factory=EmergencyRules)
    services: Collection[str] = ("checkout", "pricing", "search")
    docket: Docket = field(default_factory=Docket)
    log: list[Event] = field(default_factory=list)
    now: datetime = NOON
    rollout: Rollout | None = None
    undone: dict[str, str] = field(default_factory=dict)
    premises: Premises = field(default_factory=Premises)
    sharing: dict[str, frozenset[str]] = field(default_factory=dict)

    def situation(self, service: str = "checkout") -> Situation:
        checks = (CheckRule("looks-right", CheckKind.MANUAL), CheckRule("load", CheckKind.LOAD))
        its = Service(service, (), "r1", rules=Rules(checks=checks, emergency=self.emergency))
        return Situation(
            its,
            self.rollout,
            "r1",
            (),
            0,
            None,
            self.undone,
            frozenset(),
            self.now,
            1,
            docket=self.docket,
            services=self.services,
            premises=self.premises,
            sharing=self.sharing,
        )

    def ask(self, verb: Verb, subject: str = "", *, who: Who = ANA, service: str = "checkout", **more: object) -> Taken:
        command = replace(Command(verb, service, "request", subject=subject), **more)  # type: ignore[arg-type]
        taken = take(command, self.situation(service), who)
        self.docket = self.docket.with_papers(taken.papers)
        self.log += [taken.event, *taken.more]
        return taken

    def later(self, by: timedelta) -> None:
        self.now += by
