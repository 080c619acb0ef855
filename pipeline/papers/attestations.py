"""Attestations: a person vouches for what no machine sees, or lets a row off until a day."""

from dataclasses import replace
from datetime import datetime, timedelta
from difflib import get_close_matches

from pipeline.checks import CheckKind
from pipeline.commands import Command, Refused
from pipeline.docket import Attestation
from pipeline.events import Who
from pipeline.lifecycle import STAGING, Phase
from pipeline.papers.ci import digest
from pipeline.papers.common import YEAR, at_once, end, evidence, next_id, reason, taken, until, what
from pipeline.readiness.catalogue import ITEMS, PER_BUILD
from pipeline.readiness.report import RowState
from pipeline.situation import Situation, Taken
from pipeline.text import is_identifier, plain
from pipeline.words import some

COVERAGE = "coverage"
COVERAGE_FOR = timedelta(days=1)
LONGEST_COVERAGE = timedelta(days=7)
"""A person's word for what nobody measures is short."""
LONGEST_WAIVER = timedelta(days=180)


def attest(command: Command, situation: Situation, who: Who) -> Taken:
    item = _item(command, situation)
    found = reason(command, "say what you found: --reason TEXT")
    at_once(command, situation.now)
    of_build = item in PER_BUILD or item in _manual(situation)
    revision = _revision(command, situation) if of_build else ""
    sha256 = _digest(command, situation, revision) if item in PER_BUILD else ""
    if item not in _manual(situation):
        _not_against_what_is_measured(command, situation)
    longest = LONGEST_COVERAGE if item == COVERAGE else YEAR
    made = Attestation(
        next_id("att", situation.docket.attestations),
        situation.service.name,
        item,
        who.name,
        situation.now,
        found,
        evidence(command),
        end(command, situation.now, longest) or _default_end(item, situation.now),
        revision,
        digest=sha256,
    )
    of = f" of {revision}{f' (sha256 {sha256[:12]})' if sha256 else ''}" if revision else ""
    holds = until(made.expires, "for this build")
    proof = f" ({made.evidence})" if made.evidence else ""
    said = f"{made.service}: {who.name} vouches for {item}{of} {holds} ({made.id}): {found}{proof}"
    return taken(command, situation, who, (made,), said, proof=made.evidence, revision=revision)


def _not_against_what_is_measured(command: Command, situation: Situation) -> None:
    """Raises `Refused` for a row that is measured, and fails: a word would change nothing."""
    report = situation.premises.readiness
    row = next((row for row in report.rows if row.id == command.subject), None) if report is not None else None
    if command.subject in PER_BUILD and command.revision and report is not None and command.revision != report.build:
        return
    if row is not None and row.state is RowState.FAIL:
        name = situation.service.name
        mend = f"mend it, or let it off for a time: pithead waive {name} {row.id} --until TIME --reason TEXT"
        raise Refused(what(command), f"{row.id} is measured, and fails: {row.why}", mend)


def waive(command: Command, situation: Situation, who: Who) -> Taken:
    item = command.subject
    if item not in ITEMS:
        raise Refused(what(command), f"{_shown(item)} is no row of the readiness list", _rows(situation))
    why = reason(command)
    at_once(command, situation.now)
    ends = end(command, situation.now, LONGEST_WAIVER)
    if ends is None:
        raise Refused(what(command), "its end is missing", "say until when: --until TIME, within 180 days")
    made = Attestation(
        next_id("att", situation.docket.attestations),
        situation.service.name,
        item,
        who.name,
        situation.now,
        why,
        evidence(command),
        ends,
        waived=True,
    )
    said = f"{made.service}: {item} ({ITEMS[item].title}) is let off {until(ends, '')} ({made.id}): {why}"
    return taken(command, situation, who, (made,), said, proof=made.evidence)


def revoked(paper: Attestation, now: datetime) -> Attestation:
    return replace(paper, revoked=now)


def _manual(situation: Situation) -> list[str]:
    return [check.name for check in situation.service.rules.checks if check.kind is CheckKind.MANUAL]


def _item(command: Command, situation: Situation) -> str:
    """What is vouched for; a manual check goes before a row of the same name."""
    known = [*_manual(situation), COVERAGE, *ITEMS]
    if command.subject in known:
        return command.subject
    near = get_close_matches(command.subject.upper(), ITEMS, 1) or get_close_matches(command.subject, known, 1)
    mend = f"did you mean {near[0]}?" if near else _rows(situation)
    raise Refused(what(command), f"{_shown(command.subject)} is nothing that a person vouches for", mend)


def _shown(subject: str) -> str:
    return plain(subject, 60) or "it"


def _rows(situation: Situation) -> str:
    named = [*_manual(situation), COVERAGE]
    return f"name {some(named)} or a row of pithead readiness {situation.service.name}"


def _revision(command: Command, situation: Situation) -> str:
    """The build that was looked at: the one named, or the one in staging."""
    if command.revision:
        if not is_identifier(command.revision):
            raise Refused(what(command), f"{_shown(command.revision)} is no revision's name", "name the build")
        return command.revision
    rollout = situation.rollout
    if rollout is not None and rollout.phase in STAGING | {Phase.QUEUED}:
        return rollout.revision
    raise Refused(what(command), "no build is in staging", "name the one that was looked at: --revision REVISION")


def _digest(command: Command, situation: Situation, revision: str) -> str:
    """Of the build that is vouched for: as the person names it, or as it is known."""
    if command.digest:
        return digest(what(command), command.digest)
    report = situation.premises.readiness
    return report.digest if report is not None and report.build == revision else ""


def _default_end(item: str, now: datetime) -> datetime | None:
    if item == COVERAGE:
        return now + COVERAGE_FOR
    return now + timedelta(days=ITEMS[item].days) if item in ITEMS else None
