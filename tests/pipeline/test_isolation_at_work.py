"""Hosts that a file names while the controller runs, and the rules for staging, asked about them before they count."""

import asyncio
import json
from pathlib import Path

import pytest
from world import Company, ManualClock, make_rules

from adapters.config.errors import Problems, Spot
from adapters.config.policy import Policy
from adapters.discovery.file_sd import FileTargets
from adapters.discovery.sift import Configured
from adapters.discovery.watch import Discovered, Discovery
from adapters.names.lookup import NameFault
from adapters.names.watch import EVERY_S, WatchedNames
from adapters.owners import Owners
from adapters.roster import FoundHosts
from pipeline.commands import Verb
from pipeline.gates import Answer, Gate
from pipeline.model import Host, Pool, TrafficCycle
from pipeline.view import Deploy

SAID = {"organisation": {"staging": {"mode": "full"}}, "service": {"checkout": {}}}
RULES = make_rules(cycle=TrafficCycle(30, 500, 0.5, shorter_because="a test waits for it"))
LINES = {("organisation", "staging", "mode"): 3, ("organisation", "staging"): 2, ("service", "checkout"): 9}
SHARED = {"targets": ["127.0.2.3:81"], "labels": {"service": "checkout", "name": "stg-9", "pool": "staging"}}
"""On the machine of a production host."""


class HostsFile:
    """`Resolver` over lines like those of /etc/hosts."""

    def __init__(self) -> None:
        self.text = ""

    async def addresses(self, name: str) -> frozenset[str]:
        found = frozenset(line.split()[0] for line in self.text.splitlines() if name in line.split()[1:])
        if not found:
            raise NameFault("no such name", missing=True)
        return found


class Found:
    """A company whose hosts are also found in a file, as the real parts find them."""

    def __init__(self, folder: Path) -> None:
        self.company = company = Company(RULES)
        self.file, self.hosts_file = folder / "targets.json", HostsFile()
        self.write([])
        service, clock = company.service, company.world.clock
        spot = Spot(Problems(str(folder / "shop.toml"), LINES))
        self.names = WatchedNames(self.hosts_file, clock)
        self.inventory = FoundHosts(
            {"checkout": service},
            Discovery([FileTargets(self.file, clock)], Configured({"checkout": service.hosts}), clock),
            Owners({"checkout": service.hosts}),
            clock,
            Policy({}, SAID, spot, 1.0, 86_400.0),
            self.names,
        )
        company.inventory = self.inventory
        company.start()

    def write(self, groups: list[object]) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(groups))
        new.replace(self.file)

    async def tick(self) -> None:
        await self.inventory.look()
        await self.company.ticks(1)

    @property
    def gate(self) -> Gate:
        return next(one for one in self.company.controller.service("checkout").gates if one.name == "isolation")

    def told(self) -> list[str]:
        return [event.detail for event in self.company.history.log if event.action == "hosts"]


@pytest.fixture
def found(tmp_path: Path) -> Found:
    made = Found(tmp_path)
    made.company.world.add(Host("stg-9", "127.0.2.3:81", Pool.STAGING, ""), "r1")
    return made


async def test_a_file_that_puts_staging_onto_a_machine_of_production_holds_within_a_tick(found: Found) -> None:
    await found.tick()
    assert found.gate.answer is Answer.PASS
    found.write([SHARED])
    await found.tick()
    assert found.gate.answer is Answer.FAIL
    why = "staging host stg-9 and production host fra1-03 are one machine"
    assert found.gate.why == f"STG-02 (shop.toml:9): {why}"
    assert found.company.controller.gate("checkout").deploy is Deploy.BLOCKED
    assert found.told() == [f"found 1 host: stg-9; isolation: STG-02: {why}"]
    found.write([])
    await found.tick()
    assert found.gate.answer is Answer.PASS
    assert found.told()[-1] == "gone 1 host: stg-9; isolation: no error any more"


async def test_a_release_in_its_canary_stops_for_it_and_may_go_back(found: Found) -> None:
    await found.tick()
    found.company.ask(Verb.SUBMIT, "r2")
    await found.company.until("canary-bake")
    found.write([SHARED])
    await found.tick()
    assert found.gate.answer is Answer.FAIL
    await found.company.ticks(60)
    assert found.company.rollout.phase == "canary-bake"
    assert {one.name for one in found.company.controller.gate("checkout").gates if one.answer is not Answer.PASS} == {
        "isolation"
    }
    found.company.ask(Verb.ROLLBACK)
    await found.company.until("rolled-back", 40)


async def test_a_staging_host_that_turns_out_to_be_productions_is_told_nothing(found: Found) -> None:
    await found.tick()
    found.company.ask(Verb.SUBMIT, "r2")
    found.write([SHARED])
    await found.inventory.look()
    await found.company.ticks(20)
    assert found.company.on("r2") == set()
    assert found.company.rollout.phase == "queued"


async def test_no_check_runs_against_a_staging_that_is_production(found: Found) -> None:
    found.company.world.restart_s = 3.0
    await found.tick()
    found.company.ask(Verb.SUBMIT, "r2")
    await found.company.until("staging-deploy")
    await found.company.ticks(1)
    found.write([SHARED])
    await found.tick()
    await found.company.ticks(30)
    assert found.company.rollout.phase == "staging-deploy"
    assert found.company.rollout.checks == ()
    assert not found.company.world.machines["stg-9"].told
    found.write([])
    await found.tick()
    await found.company.until("settled", 200)


async def test_a_name_that_moves_onto_production_holds_within_a_look(found: Found) -> None:
    found.hosts_file.text = "127.0.1.9 stg-9.example"
    named = {**SHARED, "targets": ["stg-9.example:81"]}
    found.write([named])
    await found.inventory.look()
    await found.names.once()
    await found.tick()
    assert found.gate.answer is Answer.PASS
    found.hosts_file.text = "127.0.2.3 stg-9.example"
    found.company.world.clock.forward(EVERY_S)
    await found.names.ask(found.names.due())
    await found.tick()
    assert found.gate.answer is Answer.FAIL
    assert "stg-9 and production host fra1-03 are one machine" in found.gate.why


class Turning(ManualClock):
    """Each sleep is a turn of the loop."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Breaking:
    """Sources of hosts that give what they gave, but while they are `broken`."""

    def __init__(self, given: Discovered) -> None:
        self.given, self.broken = given, False

    async def refresh(self, wait_s: float) -> Discovered:
        if self.broken:
            raise RuntimeError("no more threads")
        return self.given

    async def close(self) -> None:
        pass


async def test_looking_for_hosts_goes_on_after_a_fault_of_ours_which_is_told_meanwhile() -> None:
    service, clock = Company(RULES).service, Turning()
    sources = Breaking(Discovered({"checkout": service.hosts}, ()))
    inventory = FoundHosts({"checkout": service}, sources, Owners({"checkout": service.hosts}), clock)  # type: ignore[arg-type]
    await inventory.start()
    for broken in (True, False):
        sources.broken = broken
        async with asyncio.timeout(10):
            while bool(inventory.roster().problems) is not broken:  # noqa: ASYNC110 - its clock moves with the loop
                await asyncio.sleep(0)
        assert inventory.roster().services["checkout"] is service
        if broken:
            why = "hosts and names are not looked at: pithead itself failed: RuntimeError('no more threads')"
            assert inventory.roster().problems == (why,)
    await inventory.close()
