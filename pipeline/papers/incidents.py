"""Incidents: declared with a severity, closed when they are over; a pass does not outlive its own."""

from dataclasses import replace

from pipeline.commands import Command, Refused
from pipeline.docket import Incident
from pipeline.events import Event, Who
from pipeline.papers.common import named, next_id, reason, taken, what
from pipeline.situation import Situation, Taken
from pipeline.text import plain
from pipeline.words import some


def incident(command: Command, situation: Situation, who: Who) -> Taken:
    name, rules = situation.service.name, situation.service.rules.emergency
    severity = command.subject
    if severity not in rules.severities:
        known = some(list(rules.severities), 8)
        shown = plain(severity, 60)
        why = f"{shown} is no severity here" if shown else "its severity is missing"
        raise Refused(what(command), why, f"use one of {known}")
    why = reason(command)
    for other in situation.docket.of(name).open_incidents():
        if other.severity == severity:
            mend = f"pithead close {name} {other.id} when it is over"
            raise Refused(what(command), f"{other.id} ({severity}) is open already: {other.reason}", mend)
    made = Incident(next_id("inc", situation.docket.incidents), name, severity, who.name, situation.now, why)
    said = f"{name}: {severity} {made.id} is declared by {who.name}: {why}"
    if severity in rules.severe:
        said = f"{said}; waiting may be skipped with a second person: pithead breakglass {name}"
    return taken(command, situation, who, (made,), said)


def close(command: Command, situation: Situation, who: Who) -> Taken:
    name, now = situation.service.name, situation.now
    opened = situation.docket.of(name).open_incidents()
    over = named(command, opened, "incident", "no incident of it is open", "nothing to do")
    closed = replace(over, closed=now, closed_by=who.name)
    ended = tuple(
        replace(one, ended=now)
        for one in situation.docket.passes
        if one.incident == over.id and (one.in_force(now) or one.waits(now))
    )
    note = plain(command.reason.strip())
    said = f"{name}: {over.severity} {over.id} is closed by {who.name}{': ' + note if note else ''}"
    if ended:
        said = f"{said}; {some([one.id for one in ended])} ends with it"
    more = tuple(
        Event(now, who, one.service, "", "", command.verb.value, plain(f"{one.id} ends: {over.id} is closed"))
        for one in ended
        if one.service != name
    )
    return taken(command, situation, who, (closed, *ended), said, more=more)
