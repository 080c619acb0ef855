"""Values to keep, and a history in a folder of the test's own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapters.history.sqlite import SqliteHistory
from pipeline.events import AUTO, Event, Intent, Outcome, Result
from pipeline.lifecycle import Phase, Rollout

Opener = Callable[..., SqliteHistory]

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class HandClock:
    """Time that the test moves."""

    time: datetime = START
    elapsed_s: float = 1_000.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def later(self, by: timedelta, elapsed_s: float) -> None:
        self.time += by
        self.elapsed_s += elapsed_s


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def rollout(service: str = "pricing", number: int = 1, phase: Phase = Phase.CANARY_BAKE) -> Rollout:
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
    )


def event(number: int = 1, service: str = "pricing", detail: str = "canary drawn: fra1-01") -> Event:
    return Event(at(number), AUTO, service, f"{service}-1", "r1", "canary", detail, ("seed 7", "1 of 9 hosts"))


def intent(host: str = "fra1-01", attempt: int = 1, service: str = "pricing", number: int = 1) -> Intent:
    release = f"{service}-{number}"
    return Intent(f"{release}.canary.{host}.{attempt}", release, service, host, f"r{number}", at(attempt))


def outcome(of: Intent, result: Result = Result.DONE) -> Outcome:
    return Outcome(of.operation, result, "healthy", at(9))
