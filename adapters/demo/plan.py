"""The demo's story as data: what is released, paused, called back and vouched for, and what one sees of it."""

from dataclasses import dataclass

from pipeline.view import State


@dataclass(frozen=True, slots=True)
class Release:
    """`revision` of `service`, submitted `at_s` seconds after the script began."""

    at_s: float
    service: str
    revision: str
    shows: str
    """What one sees, in a few words."""


@dataclass(frozen=True, slots=True)
class Pause:
    """`revision` of `service` is paused as soon as it is seen in one of `states`."""

    service: str
    revision: str
    states: frozenset[State]
    reason: str


@dataclass(frozen=True, slots=True)
class Recall:
    """`revision` of `service` is rolled back by a colleague once `gate` holds it."""

    service: str
    revision: str
    gate: str
    reason: str


@dataclass(frozen=True, slots=True)
class Word:
    """A colleague vouches for a row of a service's readiness list, or lets it off for some days."""

    service: str
    row: str
    found: str
    evidence: str = ""
    off_days: int = 0
    """0: vouched for."""
    revision: str = ""
    """Of a row about one build."""


RELEASES = (
    Release(2.5, "checkout", "r1204", "a good one, wave by wave through production"),
    Release(6.0, "payments", "r881", "20 % errors in canary: rolled back by itself"),
    Release(8.0, "pricing", "r451", "a good one that waits for your promote"),
    Release(10.0, "cart", "r512", "paused in canary by a colleague"),
    Release(12.0, "ledger", "r311", "held in staging: recorded traffic is answered otherwise"),
    Release(14.0, "mail", "r331", "a good canary whose traffic cycle is far from full"),
    Release(16.0, "stock", "r62", "its load test fails: called back, and the service is locked"),
    Release(18.0, "billing", "r72", "blocked: 12 minutes of downtime are being paid back"),
    Release(20.0, "orders", "r941", "business-critical: held by its readiness list"),
    Release(25.0, "search", "r885", "slow at p99 in canary: rolled back by itself"),
    Release(32.0, "media", "r208", "leaks memory in canary: rolled back by itself"),
)
PAUSES = (
    Pause(
        "cart",
        "r512",
        frozenset({State.CANARY, State.BAKE, State.WAIT, State.ROLL}),
        "the shop's campaign begins at the full hour",
    ),
)
RECALLS = (Recall("stock", "r62", "load-test", "too slow for Saturday's sale; back to the drawing board"),)
WIKI = "https://wiki.example/orders"
WORDS = (
    Word(
        "orders", "STB-2", "r941 passed unit, integration and end-to-end tests", f"{WIKI}/builds/r941", revision="r941"
    ),
    Word("orders", "STB-4", "version 1 of the interface got no request for 60 days", f"{WIKI}/v1"),
    Word("orders", "REL-1", "checkout and billing are all that call it", f"{WIKI}/callers"),
    Word("orders", "REL-3", "the health check asks the database, the liveness check does not", f"{WIKI}/health"),
    Word("orders", "REL-4", "the first release since the move: the way back is tried with this one", off_days=30),
    Word("orders", "SCA-2", "a host took 60 requests a second, four of them see 15", f"{WIKI}/load"),
    Word("orders", "SCA-3", "checkout has confirmed our forecast for the winter", f"{WIKI}/forecast"),
    Word("orders", "CAT-1", "240 requests a second for an hour, p99 below 200 ms", f"{WIKI}/load"),
    Word("orders", "CAT-3", "restored from last night's backup in 11 minutes", f"{WIKI}/restore"),
    Word("orders", "CAT-4", "roles and severities were walked through on Monday", f"{WIKI}/incidents"),
    Word("orders", "MON-2", "all 14 alerts have owner, runbook and severity", f"{WIKI}/alerts"),
)
"""FLT-3, CAT-2 and DOC-2 nobody has vouched for, and PRF-2 is not configured: four rows are missing."""
