"""Verbs about more than one kind of paper: the second person's word, and taking back."""

from dataclasses import replace

from pipeline.commands import Command
from pipeline.docket import Attestation, Correction, CorrectionKind, Paper, Pass, SecurityFix
from pipeline.events import Who
from pipeline.papers import corrections, passes, security_fixes
from pipeline.papers.common import named, second, taken
from pipeline.situation import Situation, Taken
from pipeline.text import plain


def approve(command: Command, situation: Situation, who: Who) -> Taken:
    """As the second person."""
    mine, now = situation.docket.of(situation.service.name), situation.now
    waiting: list[Pass | SecurityFix | Correction] = [one for one in mine.given if one.waits(now)]
    waiting += [one for one in mine.corrections if one.approved is None and one.revoked is None]
    none = "nothing of it waits for a second person"
    at_hand = named(command, waiting, "pass, security fix or correction", none, "nothing to do")
    if isinstance(at_hand, Pass):
        return passes.approved(command, situation, who, at_hand)
    if isinstance(at_hand, SecurityFix):
        return security_fixes.approved(command, situation, who, at_hand)
    return corrections.approved(command, situation, who, at_hand)


def revoke(command: Command, situation: Situation, who: Who) -> Taken:
    """Take back an attestation, a correction, a pass or a security fix before its end.

    Anybody may where that only makes things stricter; downtime that two people added, its author may not take away.
    """
    name, now = situation.service.name, situation.now
    mine = situation.docket.of(name)
    standing: list[Attestation | Correction | Pass | SecurityFix] = [one for one in mine.attestations if one.holds(now)]
    standing += [one for one in mine.corrections if one.revoked is None]
    standing += [one for one in mine.given if one.in_force(now) or one.waits(now)]
    none = "it has no attestation, correction, pass or security fix that holds"
    at_hand = named(command, standing, "paper", none, f"see pithead docket {name}")
    if isinstance(at_hand, Correction) and at_hand.counts and at_hand.kind is CorrectionKind.BAD:
        second(command, situation, who, at_hand.by, at_hand.by_uid)
    if isinstance(at_hand, Pass | SecurityFix):
        gone: Paper = replace(at_hand, ended=now)
    else:
        gone = replace(at_hand, revoked=now)
    note = plain(command.reason.strip())
    said = f"{name}: {at_hand.id} of {at_hand.by} is taken back by {who.name}{': ' + note if note else ''}"
    return taken(command, situation, who, (gone,), said)
