"""Break-glass: waiting is skipped in a severe incident, once a second person agrees, until it ends by itself.

Never skipped: the canary and its verdict, staging checks, alerts, locks, hosts; never hindered: the way back.
"""

from dataclasses import replace
from datetime import timedelta

from pipeline.commands import Command, Refused
from pipeline.docket import Incident, Pass
from pipeline.events import Who
from pipeline.papers.common import at_once, named, next_id, reason, second, taken, what, when
from pipeline.situation import Situation, Taken
from pipeline.text import plain
from pipeline.words import duration, either, some


def breakglass(command: Command, situation: Situation, who: Who) -> Taken:
    name, now, rules = situation.service.name, situation.now, situation.service.rules.emergency
    its = severe(command, situation)
    for other in situation.docket.of(name).passes:
        if other.in_force(now):
            raise Refused(what(command), f"{other.id} is in force until {when(other.ends)}", "nothing to do")
        if other.waits(now):
            mend = f"another person agrees with pithead approve {name} {other.id}"
            raise Refused(what(command), f"{other.id} waits for a second person already", mend)
    why = reason(command)
    at_once(command, now)
    made = Pass(
        next_id("pass", situation.docket.passes),
        name,
        its.id,
        who.name,
        who.uid,
        now,
        why,
        now + timedelta(seconds=rules.pass_s),
    )
    may = [one for one in rules.approvers if one != who.name]
    by = either(may) if may else "another person"
    said = (
        f"{name}: {who.name} asks to skip waiting in {its.severity} {its.id} ({made.id}): {why}; nothing is skipped "
        f"until {by} agrees, by {when(made.ends)}: pithead approve {name} {made.id}"
    )
    return taken(command, situation, who, (made,), said)


def severe(command: Command, situation: Situation) -> Incident:
    """The open incident that is grave enough; raises `Refused` where there is none."""
    name, rules = situation.service.name, situation.service.rules.emergency
    grave = " or ".join(rules.severe)
    if not grave:
        why = f"break-glass is off for {name}: no severity of an incident is severe in its rules"
        raise Refused(what(command), why, "wait for the gates, or roll back, which needs none")
    if command.subject:
        named_one = next((one for one in situation.docket.incidents if one.id == command.subject), None)
        if named_one is None:
            shown = plain(command.subject, 60)
            raise Refused(what(command), f"there is no incident {shown}", "see pithead docket for those that are open")
    else:
        named_one = situation.docket.of(name).gravest(rules.severities)
    if named_one is None:
        mend = f"declare it first: pithead incident {name} {rules.severe[0]} --reason TEXT"
        raise Refused(what(command), f"no incident of {name} is open; it takes {grave}", mend)
    if not named_one.open:
        raise Refused(what(command), f"{named_one.id} is closed", "waiting is skipped while it goes on only")
    if named_one.severity not in rules.severe:
        why = f"{named_one.id} is {named_one.severity}; waiting is skipped in {grave} only"
        raise Refused(what(command), why, "wait for the gates, or roll back, which needs none")
    return named_one


def approved(command: Command, situation: Situation, who: Who, asked: Pass) -> Taken:
    """By the second person."""
    name, now, rules = situation.service.name, situation.now, situation.service.rules.emergency
    second(command, situation, who, asked.by, asked.by_uid)
    its = next((one for one in situation.docket.incidents if one.id == asked.incident), None)
    if its is None or not its.open:
        raise Refused(what(command), f"{asked.incident} is closed", "waiting is skipped while it goes on only")
    ends = now + timedelta(seconds=rules.pass_s)
    agreed = replace(asked, approved_by=who.name, approved=now, ends=ends)
    said = (
        f"{name}: break-glass {asked.id} of {asked.by} is approved by {who.name}: waiting is skipped for "
        f"{duration(rules.pass_s)}, until {when(ends)}; canary, verdict, checks and rollback stay as they are"
    )
    return taken(command, situation, who, (agreed,), said)


def review(command: Command, situation: Situation, who: Who) -> Taken:
    """What was learnt of a pass, or a security fix, that a release went through with."""
    name, now = situation.service.name, situation.now
    mine = situation.docket.of(name)
    at_hand = mine.unreviewed(now)
    running = mine.pass_in_force(now) or mine.security_fix_in_force(now)
    none = "no used pass of it waits for its review"
    if running is not None and not at_hand:
        none = f"{running.id} is in force until {when(running.ends)}"
    used = named(command, at_hand, "pass", none, "passes are reviewed once they are over and were used")
    learnt = reason(command, "say what was learnt: --reason TEXT")
    done = replace(used, reviewed=now, reviewed_by=who.name, review=learnt)
    said = f"{name}: {used.id} ({some(list(used.used_by))}) is reviewed by {who.name}: {learnt}"
    return taken(command, situation, who, (done,), said)
