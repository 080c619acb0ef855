"""Values to keep, and a history in a folder of the test's own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from adapters.history.sqlite import SqliteHistory
from pipeline.events import AUTO, Event, Intent, Outcome, Result
from pipeline.judge.evidence import Evidence, Window
from pipeline.lifecycle import Phase, Rollout
from pipeline.signals import Histogram, Sample

Opener = Callable[..., SqliteHistory]

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def rollout(service: str = "pricing", number: int = 1, phase: Phase = Phase.CANARY_BAKE) -> Rollout:
    histogram = Histogram((0.1, 0.5, float("inf")), (90.0, 9.0, 1.0))
    seen = Sample(40.0, {"requests": 100.0, "errors": 2.0}, {"rss": 1.5e8}, {"latency": histogram})
    return Rollout(
        id=f"{service}-{number}",
        service=service,
        revision=f"r{number}",
        stable="r0",
        phase=phase,
        since=at(number),
        version=3,
        by="ana",
        submitted=at(number),
        seed=2**63 + 7,
        canaries=("fra1-01", "ams2-07"),
        evidence=Evidence(Window(4, seen, seen)),
    )


def event(number: int = 1, service: str = "pricing", detail: str = "canary drawn: fra1-01") -> Event:
    return Event(at(number), AUTO, service, f"{service}-1", "r1", "canary", detail, ("seed 7", "1 of 9 hosts"))


def intent(host: str = "fra1-01", attempt: int = 1, service: str = "pricing", number: int = 1) -> Intent:
    release = f"{service}-{number}"
    return Intent(f"{release}.canary.{host}.{attempt}", release, service, host, f"r{number}", at(attempt))


def outcome(of: Intent, result: Result = Result.DONE) -> Outcome:
    return Outcome(of.operation, result, "healthy", at(9))
