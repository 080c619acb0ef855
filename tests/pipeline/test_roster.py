"""Hosts that come and go while the controller runs."""

from dataclasses import replace

import pytest
from world import Company, make_hosts

from pipeline.commands import Refused, Verb
from pipeline.gates import Answer
from pipeline.model import Host, Pool
from pipeline.ports import Roster


class Given:
    """An inventory that says what the test says."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.hosts = company.service.hosts
        self.problems: tuple[str, ...] = ()
        company.inventory = self
        company.start()

    def roster(self) -> Roster:
        return Roster({"checkout": replace(self.company.service, hosts=self.hosts)}, self.problems)

    def lose(self, *names: str) -> None:
        self.hosts = tuple(host for host in self.hosts if host.name not in names)

    def find(self, host: Host) -> None:
        self.company.world.add(host, "r1")
        self.hosts = (*self.hosts, host)


def said(company: Company) -> list[str]:
    return [event.detail for event in company.history.log if event.action == "hosts"]


async def test_a_host_that_is_found_is_asked_and_takes_part_without_a_restart() -> None:
    company = Company()
    given = Given(company)
    await company.ticks(3)
    given.find(Host("fra1-90", "127.0.2.90:80", Pool.PRODUCTION, "fra1", "eu", "de", "own"))
    company.ask(Verb.SUBMIT, "r2")
    await company.until("settled", 400)
    assert said(company) == ["found 1 host: fra1-90"]
    assert "fra1-90" in company.on("r2")


async def test_a_host_that_vanishes_in_mid_rollout_is_said_so_and_counted() -> None:
    company = Company()
    given = Given(company)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    given.lose(*company.rollout.canaries)
    await company.ticks(2)
    assert "vanished in mid-rollout: counted as out of reach" in said(company)[-1]
    gates = {gate.name: gate for gate in company.controller.service("checkout").gates}
    assert gates["hosts"].answer is Answer.UNKNOWN
    assert "no longer among the hosts that are found" in gates["hosts"].why
    for _ in range(40):
        await company.ticks(1)
        assert company.rollout.phase in {"canary-bake", "rolling-back", "rolled-back"}


async def test_while_nothing_changes_nothing_is_said() -> None:
    company = Company()
    Given(company)
    await company.ticks(5)
    assert not said(company)


async def test_doubts_about_found_hosts_stand_in_the_notices() -> None:
    company = Company()
    given = Given(company)
    given.problems = ("targets.json: web-9: the address is not host:port",)
    await company.ticks(1)
    assert company.controller.fleet().notices == ("hosts: targets.json: web-9: the address is not host:port",)


async def test_without_a_known_host_nothing_is_submitted() -> None:
    company = Company()
    given = Given(company)
    given.hosts = tuple(host for host in make_hosts() if host.pool is Pool.PRODUCTION)
    await company.ticks(1)
    with pytest.raises(Refused, match="no staging host of checkout is known"):
        company.ask(Verb.SUBMIT, "r2")
