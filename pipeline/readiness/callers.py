"""REL-1: who calls a service, as its metrics tell, is on its list."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.readiness.facts import Found, Subject, fails, passes, unknown
from pipeline.words import duration, some

SEEN_FOR = timedelta(days=30)
"""A caller counts for so long."""
SILENT = timedelta(days=1)
"""Where nobody was seen to call for so long, nobody knows any more."""
MOST_STRANGERS = 20
"""Callers that are not on the list, of which a look keeps so many: one is enough to fail, and a label may hold
anything."""

Counts = Mapping[str, Mapping[str, float]]
"""Requests that were counted, by host and by caller."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller of a service, and when a request of it was last seen."""

    service: str
    name: str
    """"" for requests that name none."""
    at: datetime


def called(before: Counts, now: Counts) -> frozenset[str]:
    """Who called between two looks: whose count grew, began, or began anew.

    What a host has counted when it is first looked at says nothing: it may be years old.
    """
    return frozenset(
        caller
        for host, counts in now.items()
        if (old := before.get(host)) is not None
        for caller, count in counts.items()
        if count > 0 and count != old.get(caller)
    )


def kept(names: Iterable[str], listed: Collection[str]) -> tuple[str, ...]:
    """Of the callers that a look found, those that are worth keeping."""
    known = sorted(name for name in names if name in listed or not name)
    return (*known, *sorted(name for name in names if name and name not in listed)[:MOST_STRANGERS])


def clients(of: Subject) -> Found:
    stated = of.service.rules.readiness
    if not stated.clients:
        return fails("readiness.clients names nobody")
    listed = ", ".join(stated.clients)
    if not stated.client_label:
        return passes(listed)
    seen = {**of.facts.callers, **of.facts.seen.callers}
    recent = {name: at for name, at in seen.items() if of.now - at <= SEEN_FOR}
    strangers = sorted(name for name in recent if name and name not in stated.clients)
    if strangers:
        return fails(
            f"{some(strangers)} called it in the last {SEEN_FOR.days} days, and readiness.clients does not name it"
        )
    newest = max(recent.values(), default=None)
    why = f"; {of.facts.seen.callers_fault}" if of.facts.seen.callers_fault else ""
    if newest is None:
        return unknown(f"{listed}; nobody was seen to call it yet{why}")
    if of.now - newest > SILENT:
        return unknown(f"{listed}; for {duration((of.now - newest).total_seconds())} nobody was seen to call it{why}")
    if "" in recent:
        return unknown(f"{listed}; some requests name no caller (label {stated.client_label})")
    return passes(f"{listed}; {some(sorted(recent))} called it in the last {SEEN_FOR.days} days, and nobody else")
