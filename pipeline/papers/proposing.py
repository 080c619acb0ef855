"""What a verb of the papers would do, said before it is done."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from pipeline.commands import Command, Refused, Verb
from pipeline.docket import Docket
from pipeline.papers.common import until, when
from pipeline.papers.corrections import unapproved, words
from pipeline.papers.passes import severe
from pipeline.papers.security_fixes import KEEPS as FIX_KEEPS
from pipeline.papers.security_fixes import refuse_nobody, refuse_unneeded
from pipeline.policy.break_glass import WAITING
from pipeline.policy.security_fix import PAST
from pipeline.situation import Situation
from pipeline.view import Asks, Proposal
from pipeline.words import duration, either, some

Rows = tuple[tuple[str, str], ...]
KEEPS = "staging checks, canary and its verdict, alerts, locks, hosts, and every rollback"

_SAID: Mapping[Verb, tuple[str, str]] = MappingProxyType(
    {
        Verb.LOCK: ("Lock {}", "nothing of it moves forward until someone unlocks it; a rollback stays possible"),
        Verb.UNLOCK: ("Unlock {}", "the lock is lifted; the other gates stay"),
        Verb.RESERVE: ("Reserve staging of {}", "nobody else's release goes to its staging until the end"),
        Verb.RELEASE: ("Give back staging of {}", "it is free for others, and the queue moves up"),
        Verb.ATTEST: ("Vouch for {}", "your name stands for what was found, until it expires"),
        Verb.WAIVE: ("Let {} off a readiness row", "the row holds no release until the end"),
        Verb.INCIDENT: ("Declare an incident of {}", "it is shown everywhere until it is closed"),
        Verb.CLOSE: ("Close an incident of {}", "passes that rest on it end with it"),
        Verb.CORRECT: ("Correct what was measured of {}", "its budgets change once a second person agrees"),
        Verb.REVOKE: ("Take back a paper of {}", "it holds no more from now on"),
        Verb.REVIEW: ("Review a pass of {}", "what was learnt is kept with it"),
    }
)
"""By verb: its title, and its effect."""


def proposal(verb: Verb, situation: Situation) -> Proposal:
    if verb is Verb.BREAKGLASS:
        return _breakglass(situation)
    if verb is Verb.SECURITYFIX:
        return _security_fix(situation)
    if verb is Verb.APPROVE:
        return _approve(situation)
    name = situation.service.name
    title, effect = _SAID[verb]
    rows: Rows = (("effect", effect), *_standing(verb, situation))
    return _proposal(verb, situation, f"{title.format(name)}?", rows, allowed=True)


def _breakglass(situation: Situation) -> Proposal:
    name, rules = situation.service.name, situation.service.rules.emergency
    title = f"Break glass for {name}"
    try:
        its = severe(Command(Verb.BREAKGLASS, name, ""), situation)
    except Refused as no:
        held: Rows = (("why", no.why), ("lifts", no.mend))
        return _proposal(Verb.BREAKGLASS, situation, f"{title}: not allowed", held, allowed=False)
    ends = situation.now + timedelta(seconds=rules.pass_s)
    rows: Rows = (
        ("incident", f"{its.severity} {its.id} since {when(its.at)}: {its.reason}"),
        ("skips", some(sorted(WAITING), len(WAITING))),
        ("keeps", KEEPS),
        ("until", f"{duration(rules.pass_s)} after the approval; about {when(ends)}, or when the incident is closed"),
        ("approve", f"{either(list(rules.approvers)) if rules.approvers else 'another person'}, not who asks"),
        ("after", "every release that goes with it is reviewed: pithead review"),
    )
    return _proposal(Verb.BREAKGLASS, situation, f"{title}?", rows, allowed=True, asks=Asks.NAME)


def _security_fix(situation: Situation) -> Proposal:
    name = situation.service.name
    title, command = f"Ask for a security fix of {name}", Command(Verb.SECURITYFIX, name, "")
    try:
        held, may = refuse_unneeded(command, situation), refuse_nobody(command, situation, "")
    except Refused as no:
        why: Rows = (("why", no.why), ("lifts", no.mend))
        return _proposal(Verb.SECURITYFIX, situation, f"{title}: not allowed", why, allowed=False)
    rows: Rows = (
        *((gate.name, gate.why) for gate in held),
        ("past", f"{', '.join(sorted(PAST))}; that build alone, in one release; the block stays"),
        ("keeps", FIX_KEEPS),
        ("approve", f"{either(may)}, not who asks"),
        ("after", "its release is reviewed: pithead review"),
    )
    return _proposal(Verb.SECURITYFIX, situation, f"{title}?", rows, allowed=True)


def _approve(situation: Situation) -> Proposal:
    name = situation.service.name
    waiting = _waiting(situation.docket.of(name), situation)
    if not waiting:
        held: Rows = (("why", "nothing of it waits for a second person"), ("lifts", "nothing to do"))
        return _proposal(Verb.APPROVE, situation, f"Approve for {name}: not allowed", held, allowed=False)
    if len(waiting) > 1:
        waiting = (*waiting, ("approve", f"name one: pithead approve {name} {waiting[-1][0]}"))
    return _proposal(Verb.APPROVE, situation, f"Approve for {name}, as the second person?", waiting, allowed=True)


def _waiting(mine: Docket, situation: Situation) -> Rows:
    passes = tuple(
        (
            one.id,
            f"break-glass for {one.by} in {one.incident}: {one.reason}; skips {some(sorted(WAITING), len(WAITING))}",
        )
        for one in mine.passes
        if one.waits(situation.now)
    )
    fixes = tuple(
        (
            one.id,
            (
                f"security fix {one.revision} ({one.advisory}) for {one.by}: {one.reason}; past "
                f"{', '.join(sorted(PAST))} until {when(one.ends)}"
            ),
        )
        for one in mine.security_fixes
        if one.waits(situation.now)
    )
    corrections = tuple((one.id, f"{words(one)}; {one.by}: {one.reason} ({one.evidence})") for one in unapproved(mine))
    return passes + fixes + corrections


def _standing(verb: Verb, situation: Situation) -> Rows:
    """What there is already of the kind that the verb is about."""
    mine, now = situation.docket.of(situation.service.name), situation.now
    if verb in {Verb.LOCK, Verb.UNLOCK}:
        return tuple((one.id, f"{one.by}, {until(one.ends, 'no end')}: {one.reason}") for one in mine.locks_on(now))
    if verb in {Verb.RESERVE, Verb.RELEASE}:
        known = (one for one in mine.reservations if one.released is None and now < one.end)
        return tuple((one.id, f"{one.owner}, {when(one.start)} to {when(one.end)}: {one.reason}") for one in known)
    if verb in {Verb.INCIDENT, Verb.CLOSE}:
        return tuple((one.id, f"{one.severity}, {one.by}: {one.reason}") for one in mine.open_incidents())
    if verb is Verb.REVIEW:
        used = mine.unreviewed(now)
        return tuple((one.id, f"{one.by}: {one.reason}; {some(list(one.used_by))}") for one in used)
    return ()


def _proposal(
    verb: Verb, situation: Situation, title: str, rows: Rows, *, allowed: bool, asks: Asks = Asks.YES
) -> Proposal:
    rollout = situation.rollout
    release, version = (rollout.id, rollout.version) if rollout is not None else ("", 0)
    return Proposal(verb, situation.service.name, release, version, title, rows, allowed, asks)
