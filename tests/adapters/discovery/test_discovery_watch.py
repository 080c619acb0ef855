"""All sources together, over time: the last good answer of each stays in force."""

import asyncio
import json
import sys
from pathlib import Path

from adapters.discovery.command import CommandTargets
from adapters.discovery.file_sd import FileTargets
from adapters.discovery.found import Found, Look, SourceFault
from adapters.discovery.sift import Configured
from adapters.discovery.watch import Discovery, SourceState
from pipeline.model import Host, Pool
from pipeline.text import plain

STAGING = Host("stg-1", "10.0.0.100:7077", Pool.STAGING, "fra1")
WEB = Host("web-1", "10.0.0.1:7077", Pool.PRODUCTION, "fra1")
OWN = Configured({"web": (STAGING, WEB)})
LONG_S = 30.0


def written(*names: str) -> str:
    return json.dumps(
        [
            {
                "targets": [f"10.0.1.{number}:7077"],
                "labels": {"service": "web", "name": name, "datacenter": "fra1"},
            }
            for number, name in enumerate(names, 1)
        ]
    )


class Told:
    """A source that says what the test wants."""

    name = plain("told")

    def __init__(self, clock, answer: Found | SourceFault | Exception) -> None:
        self.clock = clock
        self.answer = answer
        self.gate = asyncio.Event()
        self.gate.set()

    async def look(self) -> Look:
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return Look(self.answer, self.clock.monotonic())


def web(*names: str) -> Found:
    hosts = (Host(name, f"{name}:7077", Pool.PRODUCTION, "fra1") for name in names)
    return Found({"web": tuple(hosts)})


async def test_files_and_commands_together_and_quiet_while_nothing_changes(tmp_path: Path, clock) -> None:
    path = tmp_path / "hosts.json"
    path.write_text(written("web-2"))
    program = (
        sys.executable,
        "-c",
        "import sys; print(sys.argv[1])",
        written("x", "web-3").replace("10.0.1", "10.0.2"),
    )
    discovery = Discovery([FileTargets(path, clock), CommandTargets(program, clock)], OWN, clock)
    first = await discovery.refresh()
    assert [host.name for host in first.hosts["web"]] == ["stg-1", "web-1", "web-2", "web-3", "x"]
    assert first.changes == ("web: added web-2, web-3, x",)
    assert (first.problems, first.complete) == ((), True)
    second = await discovery.refresh()
    assert second.hosts is first.hosts
    assert (second.problems, second.changes) == ((), ())
    await discovery.close()


async def test_the_last_good_answer_stays_in_force_with_its_age(tmp_path: Path, clock) -> None:
    path = tmp_path / "hosts.json"
    path.write_text(written("web-2"))
    discovery = Discovery([FileTargets(path, clock)], OWN, clock)
    good = await discovery.refresh()
    assert good.sources == (SourceState(plain(str(path)), 1, 0.0, plain("")),)
    path.write_text(written("web-2", "web-3")[:-9])
    told = []
    for _ in range(2):
        await clock.sleep(30)
        told.append(await discovery.refresh())
    assert told[0].hosts is told[1].hosts is good.hosts
    assert [one.sources[0].age_s for one in told] == [30.0, 60.0]
    (problem,) = told[0].problems
    assert problem.startswith(f"{path}: its 1 host of 2026-01-05 00:16:40 UTC stay: not the JSON of file_sd: ")
    assert told[1].problems == told[0].problems
    path.write_text(written("web-2", "web-3"))
    mended = await discovery.refresh()
    assert (mended.problems, mended.changes) == ((), ("web: added web-3",))


async def test_hosts_that_appear_twice_in_a_file_are_refused(tmp_path: Path, clock) -> None:
    path = tmp_path / "hosts.json"
    path.write_text(written("web-2", "web-2", "web-3"))
    discovered = await Discovery([FileTargets(path, clock)], OWN, clock).refresh()
    assert discovered.changes == ("web: added web-3",)
    assert "one name or address for several hosts" in discovered.problems[0]


async def test_a_source_that_never_answered_lets_no_host_vanish(clock) -> None:
    source = Told(clock, SourceFault(plain("refused")))
    before = {"web": (*OWN.services["web"], *web("web-2").hosts["web"])}
    discovery = Discovery([source, Told(clock, Found())], OWN, clock, before)
    first = await discovery.refresh()
    assert first.hosts == before
    assert first.problems == ("told: it has given no hosts yet: refused",)
    assert not first.complete
    source.answer = Found()
    second = await discovery.refresh()
    assert second.changes == ("web: vanished web-2",)
    assert second.complete


async def test_a_slow_source_does_not_hold_up_the_others(clock) -> None:
    slow, quick = Told(clock, web("web-3")), Told(clock, web("web-2"))
    slow.gate.clear()
    discovery = Discovery([slow, quick], OWN, clock)
    first = await discovery.refresh(wait_s=0.05)
    assert first.changes == ("web: added web-2",)
    assert first.problems == ()
    slow.gate.set()
    assert (await discovery.refresh(wait_s=LONG_S)).changes == ("web: added web-3",)
    slow.gate.clear()
    await discovery.refresh(wait_s=0.05)
    await discovery.close()


async def test_closing_ends_a_command_that_is_under_way(peers, clock) -> None:
    met, gone = asyncio.Event(), asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.set()
        try:
            await reader.read()
        finally:
            gone.set()

    port = (await peers.talking(hold)).split(":")[1]
    code = (
        "import signal, socket, sys; line = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); signal.pause()"
    )
    source = CommandTargets((sys.executable, "-c", code, port), clock, deadline_s=LONG_S)
    discovery = Discovery([source], OWN, clock)
    async with asyncio.timeout(LONG_S):
        await discovery.refresh(wait_s=0.01)
        await met.wait()
        await discovery.close()
        await gone.wait()


async def test_a_source_that_raises_is_a_fault_and_takes_no_other_along(clock) -> None:
    broken = Told(clock, ValueError("\x1b[2J"))
    discovered = await Discovery([broken, Told(clock, web("web-2"))], OWN, clock).refresh()
    assert discovered.changes == ("web: added web-2",)
    assert discovered.problems == ("told: it has given no hosts yet: ValueError: \ufffd[2J",)


async def test_without_sources_the_configured_hosts_stand(clock) -> None:
    discovered = await Discovery([], OWN, clock).refresh()
    assert discovered.hosts == OWN.services
    assert (discovered.problems, discovered.changes, discovered.complete) == ((), (), True)
