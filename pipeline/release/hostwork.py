"""Desired against observed, host by host: who is told what next, and who is given up on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from pipeline.events import Intent, Outcome, Result
from pipeline.observed import HostFault, HostState, Observation

NOTHING_DONE = "nothing done"
"""How the detail of an outcome begins whose host is certain to run what it ran before (`HostFleet.deploy`)."""
ATTEMPTS = 2
"""Deploys of one revision to one host on the way forward; then it is set aside, however it flaps."""


class Standing(StrEnum):
    THERE = "there"
    """Healthy on what it should run."""
    SICK = "sick"
    """Runs what it should, and is not healthy."""
    COMING = "coming"
    """In the middle of a deploy, or well on the revision, but not for long enough yet."""
    UNKNOWN = "unknown"
    """Lost in a deploy: it may have taken it or not."""
    MISSING = "missing"
    """To be told."""
    FAILED = "failed"
    """Told as often as is sensible; on the way back, told just now."""
    LOST = "lost"
    """No usable answer, and nothing under way."""


@dataclass(frozen=True, slots=True)
class Journal:
    """What is known of operations on a service's hosts."""

    open: Mapping[str, Intent]
    """By host: told, outcome not known."""
    running: frozenset[str]
    """Operations that someone is waiting for right now."""
    attempts: Mapping[str, int]
    """By `RELEASE.STEP.HOST`."""
    told_s: Mapping[str, float]
    """By host: when it was last told anything, on the monotonic clock; unknown after a restart."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """By operation, of the first attempts: why it failed, as far as this controller has seen it."""
    held: frozenset[str] = frozenset()
    """Operations that were told in vain, as nothing before the host answered (`Result.HELD`)."""

    def untaken(self, release: str) -> bool:
        """Whether the release is known to have changed nothing on any host that was told to run it."""
        prefix = f"{release}.{Step.FORWARD}."
        told = [
            f"{key}.{attempt}"
            for key, last in self.attempts.items()
            if key.startswith(prefix)
            for attempt in range(1, last + 1)
        ]
        return bool(told) and all(self.failed.get(one, "").startswith(NOTHING_DONE) for one in told)

    def cause(self, release: str, host: str) -> str:
        """Why the newest deploy of the release to the host failed; "" where that is not known."""
        key = f"{release}.{Step.FORWARD}.{host}"
        why = self.failed.get(f"{key}.{self.attempts.get(key, 0)}", "")
        return why.removeprefix(NOTHING_DONE).removeprefix(":").strip() or why


class Step(StrEnum):
    """Which way a host is told to go: part of the operation's name."""

    FORWARD = "forward"
    BACK = "back"
    AFTER = "after"
    """A straggler of a release that has ended."""
    BASELINE = "baseline"
    """Nowhere: it is restarted on what it runs, once."""


def is_restart(operation: str, host: str) -> bool:
    """Whether `operation` on `host` begins its process anew though it runs the revision already."""
    return operation.rpartition(".")[0].endswith(f".{Step.BASELINE}.{host}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What one release wants of some hosts, in order."""

    release: str
    service: str
    step: Step
    revision: str
    hosts: Sequence[str]
    again_s: float
    """Seconds between two deploys of the same host, once the first was in vain."""


@dataclass(frozen=True, slots=True)
class Work:
    standings: Mapping[str, Standing]
    orders: tuple[Intent, ...] = ()
    """New ones, to be kept before anybody acts."""
    again: tuple[Intent, ...] = ()
    """Open ones that the host does not know of: the same operation once more."""
    closed: tuple[Outcome, ...] = ()
    """Open ones whose end was seen on the host."""
    baseline: Mapping[str, Standing] = field(default_factory=dict)
    """Of the hosts restarted beside the canary, while they are."""

    def names(self, standing: Standing) -> list[str]:
        return [host for host, its in self.standings.items() if its is standing]


def survey(wish: Wish, seen: Mapping[str, Observation], journal: Journal, now_s: float) -> dict[str, Standing]:
    """How each wished-for host stands; a host nobody has heard of is lost."""
    return {host: _standing(wish, host, seen.get(host), journal, now_s) for host in wish.hosts}


def _standing(wish: Wish, host: str, now: Observation | None, journal: Journal, now_s: float) -> Standing:
    told = journal.open.get(host)
    if told is not None and told.operation in journal.running:
        return Standing.COMING
    if told is not None and told.operation in journal.held and wish.step is Step.FORWARD:
        # Nothing was done; a way back must not wait for it.
        return Standing.COMING
    if told is not None and is_restart(told.operation, host):
        # It is looked up first how the restart ended; of a host out of reach, it is nobody's care any more.
        return Standing.COMING if isinstance(now, HostState) else Standing.LOST
    if told is not None:
        return Standing.UNKNOWN
    if not isinstance(now, HostState):
        return Standing.LOST
    if now.revision == wish.revision:
        if now.healthy:
            return Standing.THERE
        return Standing.COMING if now.settling else Standing.SICK
    tried = journal.attempts.get(f"{wish.release}.{wish.step}.{host}", 0)
    if wish.step is Step.FORWARD:
        return Standing.FAILED if tried >= ATTEMPTS else Standing.MISSING
    rested = now_s - journal.told_s.get(host, -wish.again_s * tried) >= wish.again_s
    return Standing.MISSING if tried < ATTEMPTS or rested else Standing.FAILED


def work(
    wish: Wish,
    seen: Mapping[str, Observation],
    journal: Journal,
    at_once: int,
    now: datetime,
    now_s: float,
    *,
    tell: bool = True,
    repeat: bool = True,
) -> Work:
    """What to do next for `wish`: at most `at_once` hosts not well at a time, none told anything new unless `tell`.

    `repeat`: whether a host that does not know what it was told is told again.
    """
    closed: list[Outcome] = []
    again: list[Intent] = []
    still_open = dict(journal.open)
    for host in wish.hosts:
        intent = journal.open.get(host)
        if intent is None or intent.operation in journal.running or is_restart(intent.operation, host):
            continue
        end = _end_of(intent, wish, seen.get(host), now)
        rested = now_s - journal.told_s.get(host, -wish.again_s) >= wish.again_s
        if end is not None:
            closed.append(end)
            del still_open[host]
        elif repeat and rested and _unknown_to(intent, seen.get(host)) and intent.revision == wish.revision:
            again.append(intent)
    rest = replace(journal, open=still_open)
    standings = survey(wish, seen, rest, now_s)
    missing = [host for host, standing in standings.items() if standing is Standing.MISSING]
    told = missing[: max(at_once - busy(wish.step, standings), 0)] if tell else []
    orders = tuple(_order(wish, host, journal, now) for host in told)
    return Work(standings, orders, tuple(again), tuple(closed))


def busy(step: Step, standings: Mapping[str, Standing]) -> int:
    """Hosts that may be in the middle of a deploy."""
    unwell = {Standing.COMING, Standing.UNKNOWN} | ({Standing.SICK} if step is Step.FORWARD else set())
    return sum(standing in unwell for standing in standings.values())


def _order(wish: Wish, host: str, journal: Journal, now: datetime) -> Intent:
    key = f"{wish.release}.{wish.step}.{host}"
    attempt = journal.attempts.get(key, 0) + 1
    return Intent(f"{key}.{attempt}", wish.release, wish.service, host, wish.revision, now)


def _end_of(intent: Intent, wish: Wish, now: Observation | None, at: datetime) -> Outcome | None:
    """How an operation ended that nobody waits for, as far as the host shows it."""
    if now is None or isinstance(now, HostFault):
        return None
    if now.operation == intent.operation:
        return None if now.result is None else Outcome(intent.operation, now.result, now.detail, at)
    if now.revision == intent.revision and now.healthy:
        return Outcome(intent.operation, Result.DONE, "found on the revision", at)
    if intent.revision != wish.revision:
        return Outcome(intent.operation, Result.FAILED, "given up for a rollback", at)
    return None


def _unknown_to(intent: Intent, now: Observation | None) -> bool:
    return isinstance(now, HostState) and now.operation != intent.operation
