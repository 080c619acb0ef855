"""What came of reaching one thing: well, or what is wrong and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.text import plain


class Kind(StrEnum):
    """In the order in which they are told."""

    FOLDER = "folder"
    """Of the controller itself."""
    DISCOVERY = "discovery"
    RULE = "rule"
    """For staging, canary and observation, on the hosts that are found and what names resolve to."""
    HOST = "host"
    PROMETHEUS = "prometheus"
    METRIC = "metric"
    BALANCER = "balancer"
    ARTIFACT = "artifact"
    ALERTMANAGER = "alertmanager"
    LINK = "link"
    """Of the readiness list."""


PLURAL = {
    Kind.FOLDER: "folders",
    Kind.DISCOVERY: "discovery",
    Kind.RULE: "rules",
    Kind.HOST: "hosts",
    Kind.PROMETHEUS: "prometheus",
    Kind.METRIC: "metrics",
    Kind.BALANCER: "balancers",
    Kind.ARTIFACT: "artifacts",
    Kind.ALERTMANAGER: "alertmanager",
    Kind.LINK: "links",
}


@dataclass(frozen=True, slots=True)
class Reached:
    """One line. A thing with several faults has one for each."""

    kind: Kind
    service: str
    """"" where it belongs to all of them."""
    name: str
    ok: bool
    said: str
    mend: str = ""
    """What to do; "" where all is well."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One fault, of whatever it is."""

    said: str
    mend: str


def told(kind: Kind, service: str, name: str, wrong: Iterable[Wrong], well: str) -> list[Reached]:
    """A line for each fault, or one that says `well`."""
    faults = [Reached(kind, service, name, ok=False, said=plain(each.said), mend=plain(each.mend)) for each in wrong]
    return faults or [Reached(kind, service, name, ok=True, said=plain(well))]
