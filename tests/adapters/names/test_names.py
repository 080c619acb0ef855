"""Names looked up at a slow pace: a hiccup changes nothing, trouble is told with its age, and nothing piles up."""

import asyncio
import socket
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.names.lookup import NOT_YET, Lookup, NameFault
from adapters.names.system import SystemResolver
from adapters.names.watch import AGAIN_S, EVERY_S, NEW, PACE, STANDS_S, WatchedNames

DB = frozenset({"10.0.0.5"})


class HostsFile:
    """`Resolver` over a text like /etc/hosts; a name without a line is missing, "busy" answers with trouble."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.fault = ""
        self.asked: Counter[str] = Counter()

    async def addresses(self, name: str) -> frozenset[str]:
        self.asked[name] += 1
        if self.fault:
            raise NameFault(self.fault)
        lines = [line.split() for line in self.text.splitlines()]
        found = frozenset(line[0] for line in lines if name in line[1:])
        if not found:
            raise NameFault("no such name", missing=True)
        return found


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 5, tzinfo=UTC) + timedelta(seconds=self.now_s)

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


async def later(names: WatchedNames, clock: Clock, seconds: float) -> None:
    clock.now_s += seconds
    await names.ask(names.due())


async def test_a_name_that_was_never_asked_is_not_known_and_says_so() -> None:
    names = WatchedNames(HostsFile("10.0.0.5 db"), Clock())
    names.want({"db"})
    assert names.known == {"db": NOT_YET}
    await names.once()
    assert names.known == {"db": Lookup(DB)}


async def test_an_answer_stands_through_a_hiccup_and_not_through_an_outage() -> None:
    resolver, clock = HostsFile("10.0.0.5 db"), Clock()
    names = WatchedNames(resolver, clock)
    names.want({"db"})
    await names.once()
    known, resolver.fault = names.known, "Temporary failure in name resolution"
    await later(names, clock, EVERY_S)
    assert names.known is known
    began = datetime(2026, 1, 5, tzinfo=UTC)
    await later(names, clock, STANDS_S)
    assert names.known["db"] == Lookup(fault="Temporary failure in name resolution", since=began)
    await later(names, clock, AGAIN_S)
    assert names.known["db"].since == began
    resolver.fault = ""
    await later(names, clock, AGAIN_S)
    assert names.known["db"] == Lookup(DB)


async def test_a_name_that_is_gone_is_told_from_a_resolver_in_trouble() -> None:
    names = WatchedNames(HostsFile(), clock := Clock())
    names.want({"db"})
    await names.once()
    assert names.known["db"] == Lookup(fault="no such name", since=clock.now(), missing=True)


async def test_names_are_asked_again_in_their_time_and_a_few_at_once() -> None:
    resolver, clock = HostsFile("10.0.0.5 " + " ".join(f"h{n}" for n in range(NEW + 50))), Clock()
    names = WatchedNames(resolver, clock)
    names.want({f"h{n}" for n in range(NEW + 50)})
    assert len(names.due()) == NEW
    await names.once()
    assert set(resolver.asked.values()) == {1}
    await later(names, clock, EVERY_S - 1)
    assert set(resolver.asked.values()) == {1}
    await later(names, clock, 1)
    assert Counter(resolver.asked.values()) == {1: NEW + 50 - PACE, 2: PACE}


async def test_among_more_names_than_there_is_time_for_a_hiccup_changes_nothing_and_is_asked_about_first() -> None:
    resolver, clock = HostsFile("10.0.0.5 " + " ".join(f"h{n}" for n in range(500))), Clock()
    names = WatchedNames(resolver, clock)
    names.want({f"h{n}" for n in range(500)})
    await names.once()
    known, resolver.fault = names.known, "Temporary failure in name resolution"
    # The last answer is older than one that fails may become.
    await later(names, clock, STANDS_S + EVERY_S)
    assert names.known is known
    failed = set(names._failing_s)
    assert len(failed) == PACE
    clock.now_s += AGAIN_S
    assert failed < set(names.due())
    assert len(names.due()) == 2 * PACE
    resolver.fault = ""
    await names.ask(names.due())
    assert not names._failing_s


async def test_names_that_are_nowhere_are_asked_at_the_pace_of_those_that_are_known() -> None:
    names = WatchedNames(HostsFile(), clock := Clock())
    names.want({f"alias{n}" for n in range(50)})
    await names.once()
    clock.now_s += EVERY_S
    assert len(names.due()) == PACE


async def test_what_is_not_wanted_any_more_is_forgotten() -> None:
    names = WatchedNames(HostsFile("10.0.0.5 db cache"), Clock())
    names.want({"db", "cache"})
    await names.once()
    names.want({"db", "new"})
    assert names.known == {"db": Lookup(DB), "new": NOT_YET}


async def test_a_name_that_is_not_wanted_any_more_when_its_answer_comes_is_forgotten_all_the_same() -> None:
    class Leaving(HostsFile):
        async def addresses(self, name: str) -> frozenset[str]:
            names.want({"cache"})
            return await super().addresses(name)

    names = WatchedNames(Leaving("10.0.0.5 cache"), Clock())
    names.want({"db"})
    await names.ask(names.due())
    assert names.known == {"cache": NOT_YET}
    assert names.due() == ["cache"]


async def test_a_resolver_that_breaks_leaves_a_name_unknown_and_is_asked_again() -> None:
    class Broken(HostsFile):
        async def addresses(self, name: str) -> frozenset[str]:
            if self.fault:
                raise RuntimeError(self.fault)
            return await super().addresses(name)

    resolver, clock = Broken("10.0.0.5 db"), Clock()
    names, resolver.fault = WatchedNames(resolver, clock), "no more threads"
    names.want({"db"})
    await names.once()
    assert names.known == {"db": Lookup(fault="RuntimeError: no more threads", since=clock.now())}
    resolver.fault = ""
    await later(names, clock, AGAIN_S)
    assert names.known == {"db": Lookup(DB)}


async def test_the_same_answer_changes_nothing() -> None:
    clock = Clock()
    names = WatchedNames(HostsFile("10.0.0.5 db"), clock)
    names.want({"db"})
    await names.once()
    known = names.known
    names.want({"db"})
    await later(names, clock, EVERY_S)
    assert names.known is known


async def test_a_watch_asks_by_itself_and_ends() -> None:
    names = WatchedNames(HostsFile("10.0.0.5 db"), Clock())
    names.want({"db"})
    await names.start(10.0)
    assert names.known == {"db": Lookup(DB)}
    await names.close()


@given(st.lists(st.sampled_from(["good", "trouble", "missing"]), max_size=30), st.data())
def test_a_lookup_has_addresses_or_a_fault_and_an_old_answer_never_stands_for_long(steps, data) -> None:
    async def run() -> None:
        resolver, clock = HostsFile(), Clock()
        names = WatchedNames(resolver, clock)
        names.want({"db"})
        failing_s = None
        for step in steps:
            resolver.fault = "busy" if step == "trouble" else ""
            resolver.text = "10.0.0.5 db" if step == "good" else ""
            clock.now_s += data.draw(st.floats(1.0, 400.0))
            if not names.due():
                continue
            await names.ask(names.due())
            failing_s = None if step == "good" else clock.now_s if failing_s is None else failing_s
            known = names.known["db"]
            assert bool(known.addresses) != bool(known.fault)
            if known.addresses:
                assert failing_s is None or clock.now_s - failing_s < STANDS_S

    asyncio.run(run())


async def test_the_machines_own_resolver_knows_this_machine() -> None:
    assert await SystemResolver().addresses("localhost") & {"127.0.0.1", "::1"}


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a" * 300, "-", "bad..name"])
async def test_a_name_that_cannot_be_is_a_fault(name: str) -> None:
    with pytest.raises(NameFault):
        await SystemResolver().addresses(name)


async def test_a_resolver_that_hangs_costs_a_thread_for_each_place_and_no_more(monkeypatch) -> None:
    """The places are taken until the lookups have really ended."""
    release, asked = threading.Event(), []

    def hang(name: str, *_: object, **__: object) -> list[object]:
        asked.append(name)
        release.wait(30.0)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    resolver = SystemResolver(at_once=2, deadline_s=0.05)
    told = await asyncio.gather(*(resolver.addresses(f"h{n}") for n in range(6)), return_exceptions=True)
    assert len(asked) == 2
    assert (
        sorted(str(each) for each in told)
        == ["no answer in 0.05 s"] * 2 + ["the name server is busy with other names"] * 4
    )
    release.set()


async def test_where_there_is_no_thread_for_it_a_name_is_a_fault_and_its_place_is_free_again(monkeypatch) -> None:
    resolver = SystemResolver(at_once=1, deadline_s=5.0)

    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", none_left)
        with pytest.raises(NameFault, match="can't start new thread"):
            await resolver.addresses("localhost")
    assert await resolver.addresses("localhost")
