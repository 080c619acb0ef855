"""Links of the readiness lists: the runbook, dashboards and documents that a service names, each opened once."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from adapters.scout.links import opened
from pipeline.model import Service
from pipeline.readiness.links import stated
from pipeline.readiness.seen import Answer
from pithead.reaching.reached import Kind, Reached, Wrong, told

MEND = {
    Answer.GONE: "correct the link, or put the page there",
    Answer.UNKNOWN: "see whether it opens from this machine; if it never can, let a person vouch for the row",
}


def links(services: Iterable[Service]) -> Mapping[str, list[str]]:
    """Every link, and the services that state it: it is opened once."""
    found: dict[str, list[str]] = {}
    for service in services:
        for link in stated(service.rules.readiness):
            found.setdefault(link, []).append(service.name)
    return found


async def link(url: str, services: list[str], folder: Path) -> list[Reached]:
    answer, why = await opened(url, folder)
    of = services[0] if len(services) == 1 else ""
    return told(Kind.LINK, of, url, [Wrong(why, MEND[answer])] if answer in MEND else [], why)
