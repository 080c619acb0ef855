"""What people have laid down about services: locks, reservations, attestations, incidents, passes, corrections.

Each paper has an author, a reason and, mostly, an end at which it lapses by itself. Papers are added and replaced
by their id, never removed: the history keeps how they came and went.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar


class LockCause(StrEnum):
    PERSON = "person"
    ROLLBACK = "rollback"
    """After a rollback, where the rules want a person to look first."""
    LOAD_TEST = "load-test"
    """A load test failed; a passed one lifts it, or a person."""


@dataclass(frozen=True, slots=True)
class Lock:
    """Nothing moves forward."""

    id: str
    service: str
    by: str
    at: datetime
    reason: str
    ends: datetime | None = None
    cause: LockCause = LockCause.PERSON
    lifted_by: str = ""
    lifted: datetime | None = None

    def on(self, now: datetime) -> bool:
        return self.lifted is None and (self.ends is None or now < self.ends)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Staging of some services is one team's alone for a while."""

    id: str
    services: tuple[str, ...]
    owner: str
    at: datetime
    """When it was asked for: the queue's order."""
    start: datetime
    end: datetime
    reason: str
    released: datetime | None = None
    wanted: datetime | None = None
    """Queued: the start that was asked for; it moves up as far as that."""

    def on(self, now: datetime) -> bool:
        return self.released is None and self.start <= now < self.end

    def to_come(self, now: datetime) -> bool:
        return self.released is None and now < self.start

    def overlaps(self, services: Iterable[str], start: datetime, end: datetime) -> bool:
        """Whether it keeps any of `services` in any of that time."""
        shared = not set(self.services).isdisjoint(services)
        return self.released is None and shared and self.start < end and start < self.end


@dataclass(frozen=True, slots=True)
class Attestation:
    """A person vouches for something that no machine can see: a readiness row, a manual check of a build."""

    id: str
    service: str
    item: str
    """A readiness row ("CAT-2"), the name of a manual check, or "coverage"."""
    by: str
    at: datetime
    reason: str
    """What was found."""
    evidence: str = ""
    """Where to read it: a link, a ticket."""
    expires: datetime | None = None
    revision: str = ""
    """Of a check, or of a row about one build: the build that was looked at; "" is any."""
    waived: bool = False
    """Not vouched for, but let off until it expires."""
    revoked: datetime | None = None
    digest: str = ""
    """Of a row about one build: its SHA-256 in hex, where the person named it or it was known."""

    def holds(self, now: datetime) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclass(frozen=True, slots=True)
class Incident:
    id: str
    service: str
    severity: str
    """A word of the organisation's table: "sev1"."""
    by: str
    at: datetime
    reason: str
    closed_by: str = ""
    closed: datetime | None = None

    @property
    def open(self) -> bool:
        return self.closed is None


class _Agreed:
    """What holds once a second person has agreed, until it ends."""

    __slots__ = ()
    approved: datetime | None
    ended: datetime | None
    ends: datetime

    def in_force(self, now: datetime) -> bool:
        return self.approved is not None and self.ended is None and now < self.ends

    def waits(self, now: datetime) -> bool:
        """For the second person."""
        return self.approved is None and self.ended is None and now < self.ends


@dataclass(frozen=True, slots=True)
class Pass(_Agreed):
    """Break-glass: waiting is skipped for one service, once a second person has agreed, until it ends by itself."""

    id: str
    service: str
    incident: str
    """Its id."""
    by: str
    by_uid: int | None
    at: datetime
    reason: str
    ends: datetime
    approved_by: str = ""
    approved: datetime | None = None
    used_by: tuple[str, ...] = ()
    """Releases that went through with it."""
    ended: datetime | None = None
    """Before its time: given back, or its incident closed."""
    reviewed_by: str = ""
    reviewed: datetime | None = None
    review: str = ""
    """What was learnt."""


@dataclass(frozen=True, slots=True)
class SecurityFix(_Agreed):
    """One build goes past a spent budget and a payback, once an approver has agreed, in one release, until it ends."""

    id: str
    service: str
    revision: str
    advisory: str
    """What it mends: "CVE-2026-1234", a link."""
    by: str
    by_uid: int | None
    at: datetime
    reason: str
    ends: datetime
    approved_by: str = ""
    approved: datetime | None = None
    used_by: tuple[str, ...] = ()
    """The release that went through with it, and no other."""
    ended: datetime | None = None
    """Before its time: taken back, or its release is over."""
    reviewed_by: str = ""
    reviewed: datetime | None = None
    review: str = ""

    def lets(self, revision: str, release: str) -> bool:
        """Whether it is about `revision`, and no other release than `release` has it; "" has not begun yet."""
        return revision == self.revision and (not self.used_by or release in self.used_by)


class CorrectionKind(StrEnum):
    EXCLUDE = "exclude"
    """These slices count for nothing: a provider's outage, announced maintenance."""
    BAD = "bad"
    """They were down, whatever was measured."""
    GOOD = "good"
    """They were up, whatever was measured."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Of what was measured, with a second person's approval; nothing before that."""

    id: str
    service: str
    start: datetime
    end: datetime
    kind: CorrectionKind
    by: str
    by_uid: int | None
    at: datetime
    reason: str
    evidence: str = ""
    approved_by: str = ""
    approved: datetime | None = None
    revoked: datetime | None = None

    @property
    def counts(self) -> bool:
        return self.approved is not None and self.revoked is None


@dataclass(frozen=True, slots=True)
class LoadTest:
    """How a load test of a build ended."""

    id: str
    service: str
    revision: str
    at: datetime
    by: str
    passed: bool
    detail: str
    peak_rps: float | None = None
    """The rate that it reached, of the whole service."""


@dataclass(frozen=True, slots=True)
class CiResult:
    """What CI says of one build, as it was submitted."""

    id: str
    service: str
    revision: str
    at: datetime
    by: str
    commit: str
    """In hex."""
    suites: tuple[tuple[str, bool], ...]
    """By name, whether each passed."""
    digest: str = ""
    """SHA-256 of the build, in hex."""
    url: str = ""


Paper = Lock | Reservation | Attestation | Incident | Pass | SecurityFix | Correction | LoadTest | CiResult
P = TypeVar("P", Lock, Reservation, Attestation, Incident, Pass, SecurityFix, Correction, LoadTest, CiResult)


def services_of(paper: Paper) -> tuple[str, ...]:
    """Whom it is about."""
    return paper.services if isinstance(paper, Reservation) else (paper.service,)


def number_of(paper: Paper) -> int:
    """In the order in which papers of its kind were made: 3 of "lock-3"."""
    return int(paper.id.rpartition("-")[2])


@dataclass(frozen=True, slots=True)
class Docket:
    """Every paper, by kind, oldest first."""

    locks: tuple[Lock, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    incidents: tuple[Incident, ...] = ()
    passes: tuple[Pass, ...] = ()
    corrections: tuple[Correction, ...] = ()
    load_tests: tuple[LoadTest, ...] = ()
    ci: tuple[CiResult, ...] = ()
    security_fixes: tuple[SecurityFix, ...] = ()

    def all(self) -> tuple[Paper, ...]:
        return (
            *self.locks,
            *self.reservations,
            *self.attestations,
            *self.incidents,
            *self.passes,
            *self.corrections,
            *self.load_tests,
            *self.ci,
            *self.security_fixes,
        )

    def of(self, service: str) -> "Docket":
        """The papers that are about `service`."""
        return Docket().with_papers(paper for paper in self.all() if service in services_of(paper))

    def by_service(self) -> Mapping[str, "Docket"]:
        """Of every service that has any."""
        mine: dict[str, list[Paper]] = defaultdict(list)
        for paper in self.all():
            for service in services_of(paper):
                mine[service].append(paper)
        return {service: Docket().with_papers(papers) for service, papers in mine.items()}

    def with_papers(self, papers: Iterable[Paper]) -> "Docket":
        """Added, or put in place of those with the same ids."""
        new: dict[type, list[Paper]] = defaultdict(list)
        for paper in papers:
            new[type(paper)].append(paper)
        if not new:
            return self
        return Docket(
            _merged(self.locks, new[Lock]),
            _merged(self.reservations, new[Reservation]),
            _merged(self.attestations, new[Attestation]),
            _merged(self.incidents, new[Incident]),
            _merged(self.passes, new[Pass]),
            _merged(self.corrections, new[Correction]),
            _merged(self.load_tests, new[LoadTest]),
            _merged(self.ci, new[CiResult]),
            _merged(self.security_fixes, new[SecurityFix]),
        )

    def locks_on(self, now: datetime) -> tuple[Lock, ...]:
        return tuple(lock for lock in self.locks if lock.on(now))

    def reserved(self, service: str, now: datetime) -> Reservation | None:
        """What keeps the service's staging now."""
        return next((one for one in self.reservations if service in one.services and one.on(now)), None)

    def queue(self, service: str, now: datetime) -> tuple[Reservation, ...]:
        """Reservations of the service's staging that are to come, in their order."""
        to_come = (one for one in self.reservations if service in one.services and one.to_come(now))
        return tuple(sorted(to_come, key=lambda one: (one.start, number_of(one))))

    def attestation(self, item: str, revision: str = "") -> Attestation | None:
        """The newest word on `item` that was not taken back; whether it holds still is its own to say.

        Where `revision` is given, one about another build does not count.
        """
        for one in reversed(self.attestations):
            about = not revision or one.revision in {"", revision}
            if one.item == item and about and one.revoked is None:
                return one
        return None

    def open_incidents(self) -> tuple[Incident, ...]:
        return tuple(incident for incident in self.incidents if incident.open)

    def gravest(self, severities: Sequence[str]) -> Incident | None:
        """Of the open incidents, by the organisation's order; one with a word that it no longer knows comes last."""
        rank = {word: at for at, word in enumerate(severities)}
        return min(self.open_incidents(), key=lambda one: rank.get(one.severity, len(rank)), default=None)

    def pass_in_force(self, now: datetime) -> Pass | None:
        return next((one for one in self.passes if one.in_force(now)), None)

    def security_fix_in_force(self, now: datetime) -> SecurityFix | None:
        return next((one for one in self.security_fixes if one.in_force(now)), None)

    @property
    def given(self) -> tuple[Pass | SecurityFix, ...]:
        """What lets releases through for a while."""
        return (*self.passes, *self.security_fixes)

    def unreviewed(self, now: datetime) -> tuple[Pass | SecurityFix, ...]:
        """Those that are over and that a release went through with."""
        return tuple(one for one in self.given if one.used_by and one.reviewed is None and not one.in_force(now))


def called(paper: Pass | SecurityFix) -> str:
    """As in "break-glass pass-1", "security fix sec-1"."""
    return f"{'break-glass' if isinstance(paper, Pass) else 'security fix'} {paper.id}"


def _merged(old: tuple[P, ...], new: Sequence[Paper]) -> tuple[P, ...]:
    if not new:
        return old
    papers: dict[str, Paper] = {paper.id: paper for paper in old}
    papers.update({paper.id: paper for paper in new})
    return tuple(papers.values())  # type: ignore[arg-type]  # of one kind: sorted out by `with_papers`
