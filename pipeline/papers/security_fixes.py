"""Security fixes: one named build goes past a spent budget or a payback, once a named approver agrees.

Never let past: isolation, staging checks, canary and verdict, alerts, locks, load tests, readiness, freezes, hosts.
"""

from dataclasses import replace
from datetime import timedelta

from pipeline.commands import Command, Refused
from pipeline.docket import SecurityFix
from pipeline.events import Who
from pipeline.gates import Gate
from pipeline.papers.common import at_once, end, evidence, next_id, reason, second, taken, what, when
from pipeline.policy.security_fix import PAST, held_by
from pipeline.situation import Situation, Taken
from pipeline.text import is_identifier, plain
from pipeline.words import either

LASTS = timedelta(days=1)
LONGEST = timedelta(days=7)
KEEPS = (
    "isolation, staging checks, canary with its verdict and full traffic cycle, alerts, locks, load tests, readiness, "
    "freezes, reservations, hosts, and every rollback"
)


def securityfix(command: Command, situation: Situation, who: Who) -> Taken:
    name, now = situation.service.name, situation.now
    revision = _revision(command, situation)
    held = refuse_unneeded(command, situation)
    may = refuse_nobody(command, situation, who.name)
    for other in situation.docket.of(name).security_fixes:
        if other.in_force(now):
            mend = f"use it, or take it back first: pithead revoke {name} {other.id}"
            raise Refused(what(command), f"{other.id} for {other.revision} is in force until {when(other.ends)}", mend)
        if other.waits(now):
            mend = f"{either(may)} agrees with pithead approve {name} {other.id}, or take it back: pithead revoke"
            raise Refused(what(command), f"{other.id} for {other.revision} waits for its approver already", mend)
    advisory = evidence(command)
    if not advisory:
        raise Refused(what(command), "its advisory is missing", "say what it mends: --advisory CVE-2026-1234")
    why = reason(command)
    at_once(command, now)
    ends = end(command, now, LONGEST) or now + LASTS
    made = SecurityFix(
        next_id("sec", situation.docket.security_fixes),
        name,
        revision,
        advisory,
        who.name,
        who.uid,
        now,
        why,
        ends,
    )
    said = (
        f"{name}: {who.name} asks to let {revision} past {_names(held)} as a security fix ({made.id}): {why}; "
        f"nothing is let past until {either(may)} agrees, by {when(ends)}: pithead approve {name} {made.id}"
    )
    return taken(command, situation, who, (made,), said, proof=advisory, revision=revision)


def approved(command: Command, situation: Situation, who: Who, asked: SecurityFix) -> Taken:
    """By an approver that is another person."""
    name, now = situation.service.name, situation.now
    refuse_nobody(command, situation, asked.by)
    second(command, situation, who, asked.by, asked.by_uid)
    refuse_unneeded(command, situation)
    agreed = replace(asked, approved_by=who.name, approved=now)
    said = (
        f"{name}: security fix {asked.id} of {asked.by} is approved by {who.name}: {asked.revision} ({asked.advisory}) "
        f"goes past {', '.join(sorted(PAST))}, in one release, until {when(asked.ends)}; the block stays, and so do "
        f"{KEEPS}"
    )
    return taken(command, situation, who, (agreed,), said, proof=asked.advisory, revision=asked.revision)


def refuse_nobody(command: Command, situation: Situation, by: str) -> list[str]:
    """Who may approve what `by` asks for; raises `Refused` where nobody may."""
    approvers = situation.service.rules.emergency.approvers
    may = [name for name in approvers if name != by]
    if not approvers:
        why = "nobody is named who may approve a security fix"
        raise Refused(what(command), why, 'name them in the configuration: emergency.approvers = ["ana", "ben"]')
    if not may:
        raise Refused(what(command), f"{by} is the only approver that is named", "name another: emergency.approvers")
    return may


def refuse_unneeded(command: Command, situation: Situation) -> tuple[Gate, ...]:
    """What holds the service that may be let past; raises `Refused` where nothing does."""
    held = held_by(situation.service, situation.premises, situation.now)
    if not held:
        mend = f"it goes the way of every release: pithead submit {situation.service.name} REVISION"
        raise Refused(what(command), "no block is in force: neither payback nor a spent budget holds it", mend)
    return held


def _revision(command: Command, situation: Situation) -> str:
    revision = command.revision
    if not is_identifier(revision):
        shown = f"{plain(revision, 60)} is not a revision's name" if revision else "its revision is missing"
        raise Refused(what(command), shown, "name the build: 1 to 100 of A-Z a-z 0-9 . _ -, no leading dash")
    if revision == situation.stable:
        raise Refused(what(command), f"{revision} is what runs in production", "name the build that mends it")
    if revision in situation.undone:
        raise Refused(what(command), situation.undone[revision], "name a newer build")
    return revision


def _names(held: tuple[Gate, ...]) -> str:
    return " and ".join(gate.name for gate in held)
