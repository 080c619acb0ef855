"""What each revision really does once a host runs it.

A revision that is not in the table is a fine build. Some endings work for every service, for tests
and for whoever wants to see a fault: `r1-broken`, `r1-hang`, `r1-rubbish`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """How a whole host can go wrong, its agent included."""

    NONE = "none"
    HANG = "hang"
    """Takes connections and never answers."""
    REFUSE = "refuse"
    """Takes no connections."""
    RUBBISH = "rubbish"
    """Answers bytes that mean nothing, escape sequences among them."""
    WRONG_VERSION = "wrong-version"
    """Runs something else than it was told to run."""


@dataclass(frozen=True, slots=True)
class Build:
    error_ratio: float = 0.0
    """Requests answered with HTTP 500, beyond the everyday ones."""
    slow_ratio: float = 0.0
    """Requests that take `slow_s` longer."""
    slow_s: float = 0.0
    leak_bytes: int = 0
    """Held on to after each request."""
    amounts_as_text: bool = False
    """Its pages write amounts as text, where they were numbers (`adapters.demo.pages`)."""
    starts: bool = True
    """Whether the process comes up at all."""
    fault: Fault = Fault.NONE
    """Of the service's own pages only: the host's agent still answers, so it can be rolled back."""


FINE = Build()
NEXT = 3
"""Fine builds after the one that runs, for whoever wants to release something."""
BUILDS: Mapping[tuple[str, str], Build] = {
    ("payments", "r881"): Build(error_ratio=0.2),
    ("search", "r885"): Build(slow_ratio=0.45, slow_s=0.6),
    ("media", "r208"): Build(leak_bytes=256 * 1024),
    ("ledger", "r311"): Build(amounts_as_text=True),
    ("stock", "r62"): Build(slow_ratio=0.2, slow_s=0.5),
}
ENDINGS: Mapping[str, Build] = {
    "-broken": Build(starts=False),
    "-hang": Build(fault=Fault.HANG),
    "-rubbish": Build(fault=Fault.RUBBISH),
}
LATENCY_S: Mapping[str, float] = {
    "checkout": 0.022,
    "payments": 0.030,
    "search": 0.040,
    "media": 0.026,
    "pricing": 0.009,
    "cart": 0.013,
    "ledger": 0.034,
    "profile": 0.007,
    "billing": 0.018,
    "orders": 0.021,
}
"""Median of a service's answers."""
OTHER_LATENCY_S = 0.015


def build_of(service: str, revision: str) -> Build:
    """What `revision` of `service` does."""
    known = BUILDS.get((service, revision))
    if known is not None:
        return known
    return next((build for ending, build in ENDINGS.items() if revision.endswith(ending)), FINE)


def latency_of(service: str) -> float:
    """Median seconds of an answer."""
    return LATENCY_S.get(service, OTHER_LATENCY_S)


def catalogue(service: str, revision: str) -> tuple[str, ...]:
    """What has been built of a service that runs `revision`: its script's releases, the next numbers, the faults."""
    stem, number = revision.rstrip("0123456789"), revision[len(revision.rstrip("0123456789")) :]
    later = [f"{stem}{int(number) + more}" for more in range(1, NEXT + 1)] if number else []
    built = [revision, *later, *(name for of, name in BUILDS if of == service)]
    return tuple(dict.fromkeys((*built, *(f"{name}{ending}" for name in built for ending in ENDINGS))))
