"""Every source of hosts together: the last good answer of each stays in force."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.discovery.found import Found, HostSource, Look, SourceFault
from adapters.discovery.merge import Merged, merge
from adapters.discovery.sift import Configured, Hosts
from pipeline.model import Host
from pipeline.ports import Clock
from pipeline.text import PlainText, plain


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source stands now."""

    name: PlainText
    hosts: int
    """In its last good answer."""
    age_s: float | None
    """Of its last good answer; None if there was none yet."""
    fault: PlainText
    """Why there is nothing newer; "" where all is well."""


@dataclass(frozen=True, slots=True)
class Discovered:
    hosts: Mapping[str, tuple[Host, ...]]
    """Of every configured service; the same object while no host has changed."""
    problems: tuple[str, ...] = ()
    """The same lines for the same problems, so that a new one is seen."""
    changes: tuple[str, ...] = ()
    """Since the refresh before, a line for each service."""
    sources: tuple[SourceState, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every source has answered once; until then no host vanishes."""
        return all(source.age_s is not None for source in self.sources)


@dataclass(slots=True)
class _Watched:
    source: HostSource
    good: Found | None = None
    good_at_s: float = 0.0
    good_at: datetime | None = None
    fault: PlainText | None = None
    looking: "asyncio.Task[Look] | None" = None

    def note(self, look: Look, clock: Clock) -> bool:
        """Take what the source says; whether its hosts are others than before."""
        if isinstance(look.answer, SourceFault):
            self.fault = look.answer.why
            return False
        self.fault = None
        self.good_at_s = look.at_s
        self.good_at = clock.now() - timedelta(seconds=clock.monotonic() - look.at_s)
        changed = look.answer is not self.good and look.answer != self.good
        self.good = look.answer
        return changed

    def problem(self) -> PlainText | None:
        if self.fault is None:
            return None
        if self.good is None or self.good_at is None:
            return plain(f"{self.source.name}: it has given no hosts yet: {self.fault}")
        of = len(self.good)
        kept = f"its {of:,} host{'' if of == 1 else 's'} of {self.good_at:%Y-%m-%d %H:%M:%S} UTC stay"
        # A narrow screen cuts the end: what became of its hosts comes first.
        return plain(f"{self.source.name}: {kept}: {self.fault}")

    def state(self, now_s: float) -> SourceState:
        age_s = None if self.good is None else max(now_s - self.good_at_s, 0.0)
        return SourceState(self.source.name, len(self.good or ()), age_s, self.fault or plain(""))


class Discovery:
    """The hosts of every configured service. One caller of `refresh` at a time; `close` it at the end.

    Args:
        sources: of hosts, besides the configuration.
        configured: services with the hosts that the configuration names, none or all of them.
        clock: for ages.
        before: the hosts in force when the controller went, if that is known; else the configured ones.
    """

    def __init__(
        self, sources: Sequence[HostSource], configured: Configured, clock: Clock, before: Hosts | None = None
    ) -> None:
        self._watched = [_Watched(source) for source in sources]
        self._configured = configured
        self._clock = clock
        known = before or {}
        self._merged = Merged({name: known.get(name, hosts) for name, hosts in configured.services.items()})
        self._complete: bool | None = None
        self._stale = True
        """Whether the sources say something that is not merged yet."""

    async def refresh(self, wait_s: float | None = None) -> Discovered:
        """What all sources say, each within its own deadline.

        A source that is not done in `wait_s` keeps its last answer and goes on; a later refresh takes
        what it says.
        """
        for watched in self._watched:
            if watched.looking is None:
                watched.looking = asyncio.create_task(watched.source.look())
        looks = [watched.looking for watched in self._watched if watched.looking is not None]
        if looks:
            await asyncio.wait(looks, timeout=wait_s)
        for watched in self._watched:
            self._stale |= self._noted(watched)
        complete = all(watched.good is not None for watched in self._watched)
        changes: tuple[str, ...] = ()
        if self._stale or complete != self._complete:
            changes = await self._merge(complete=complete)
            self._stale, self._complete = False, complete
        return self._discovered(changes)

    async def close(self) -> None:
        """End what is under way; commands are ended with it."""
        looks = [watched.looking for watched in self._watched if watched.looking is not None]
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    def _noted(self, watched: _Watched) -> bool:
        task = watched.looking
        if task is None or not task.done():
            return False
        watched.looking = None
        broken = None if task.cancelled() else task.exception()
        if task.cancelled() or broken is not None:
            # A source promises not to raise; one that does must not take the others along.
            why = plain(f"{type(broken).__name__}: {broken}" if broken else "cancelled", 300)
            return watched.note(Look(SourceFault(why), self._clock.monotonic()), self._clock)
        return watched.note(task.result(), self._clock)

    async def _merge(self, *, complete: bool) -> tuple[str, ...]:
        found = [(watched.source.name, watched.good) for watched in self._watched if watched.good is not None]
        # Half a second for 20,000 hosts: not on the loop that rolls back.
        merged = await asyncio.to_thread(merge, self._configured, found, self._merged.hosts, complete=complete)
        if not merged.changes:
            merged = Merged(self._merged.hosts, (), merged.problems)
        self._merged = merged
        return tuple(str(change) for change in merged.changes)

    def _discovered(self, changes: tuple[str, ...]) -> Discovered:
        now_s = self._clock.monotonic()
        faults = (watched.problem() for watched in self._watched)
        return Discovered(
            self._merged.hosts,
            (*(fault for fault in faults if fault is not None), *self._merged.problems),
            changes,
            tuple(watched.state(now_s) for watched in self._watched),
        )
