"""What is looked at again and again: when, of whom, and what a fault leaves behind."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.hosts.ssh.artifacts import Directory
from adapters.scout.scout import BASE_S, WatchedScout
from pipeline.model import Host, Pool, Rules, Service
from pipeline.readiness.rules import ReadinessRules
from pipeline.readiness.seen import Answer, Asked, Digest
from pipeline.text import plain

HOUR_S = 3_600.0


class Looks:
    def __init__(self, clock: Any) -> None:
        self.clock, self.asked, self.status = clock, [], 200

    async def look(self, service: Service) -> Mapping[str, Asked]:
        self.asked.append(service.name)
        return {host.name: Asked(self.clock.now(), 0.01, self.status) for host in service.production}

    async def close(self) -> None:
        pass


class Counting:
    def __init__(self) -> None:
        self.said: dict[str, Any] = {}

    async def counts(self, services: Any) -> Mapping[str, Any]:
        return {service.name: self.said[service.name] for service in services}

    async def close(self) -> None:
        pass


class Rig:
    def __init__(self, clock: Any, folder: Path) -> None:
        self.clock, self.looks, self.counting = clock, Looks(clock), Counting()
        self.opened: list[str] = []
        self.answers: dict[str, Answer] = {}
        self.scout = WatchedScout(
            self.counting,
            self.looks,
            lambda _: Directory(str(folder)),
            folder,
            clock,
            open_link=self.open,  # type: ignore[arg-type]
        )

    async def open(self, link: str, folder: Path) -> Any:
        self.opened.append(link)
        return self.answers.get(link, Answer.OPEN), plain("as told")

    async def lanes(self) -> None:
        """One round of each."""
        its = self.scout
        for lane in (its._open_links, its._look_at_health, its._count_callers, its._read_digests):
            await lane()


@pytest.fixture
def rig(clock: Any, tmp_path: Path) -> Rig:
    return Rig(clock, tmp_path)


def service(name: str = "cart", *, critical: bool = False, hosts: int = 2, **stated: Any) -> Service:
    stated = {"runbook": "https://wiki/run", "health_path": "/healthz", **stated}
    production = tuple(Host(f"{name}-{n}", f"{name}-{n}:80", Pool.PRODUCTION, "fra1") for n in range(hosts))
    rules = Rules(readiness=ReadinessRules(**stated))
    return Service(name, production, "r1", rules=rules, business_critical=critical)


async def test_what_is_well_is_looked_at_once_an_hour_and_what_is_not_sooner(rig: Rig) -> None:
    cart = service(docs={"faq": "gone"})
    rig.answers["gone"] = Answer.GONE
    assert rig.scout.seen(cart, "r1").links == {}
    await rig.lanes()
    seen = rig.scout.seen(cart, "r1")
    assert {link: one.answer for link, one in seen.links.items()} == {
        "https://wiki/run": Answer.OPEN,
        "gone": Answer.GONE,
    }
    assert set(seen.health) == {"cart-0", "cart-1"}
    rig.clock.elapsed_s += HOUR_S / 10
    await rig.lanes()
    assert (rig.opened, rig.looks.asked) == (["https://wiki/run", "gone", "gone"], ["cart"])
    rig.clock.elapsed_s += HOUR_S
    await rig.lanes()
    assert rig.looks.asked == ["cart", "cart"]


async def test_when_a_link_was_last_open_is_remembered(rig: Rig) -> None:
    cart = service()
    rig.scout.seen(cart, "r1")
    await rig.lanes()
    first = rig.clock.now()
    rig.answers["https://wiki/run"] = Answer.UNKNOWN
    rig.clock.elapsed_s += HOUR_S
    await rig.lanes()
    one = rig.scout.seen(cart, "r1").links["https://wiki/run"]
    assert one.opened is not None
    assert one.answer is Answer.UNKNOWN
    assert first - one.opened < timedelta(seconds=2)


async def test_those_whose_list_binds_come_first_and_a_link_of_two_is_opened_once(rig: Rig) -> None:
    rig.scout.seen(service("cart", runbook="a", docs={"faq": "b"}), "r1")
    rig.scout.seen(service("orders", critical=True, runbook="b"), "r1")
    await rig.lanes()
    assert rig.opened == ["b", "a"]
    assert rig.looks.asked == ["orders", "cart"]


async def test_hosts_that_have_come_are_looked_at_at_once(rig: Rig) -> None:
    rig.scout.seen(service(), "r1")
    await rig.lanes()
    rig.scout.seen(service(hosts=3), "r1")
    await rig.lanes()
    assert rig.looks.asked == ["cart", "cart"]


async def test_a_caller_is_seen_by_the_second_count_a_minute_later(rig: Rig) -> None:
    cart = service(clients=("web",), client_label="client")
    rig.scout.seen(cart, "r1")
    rig.counting.said["cart"] = {"cart-0": {"web": 5.0, "bot": 1.0}}
    await rig.lanes()
    assert rig.scout.seen(cart, "r1").callers == {}
    rig.counting.said["cart"] = {"cart-0": {"web": 6.0, "bot": 1.0}}
    rig.clock.elapsed_s += BASE_S
    await rig.lanes()
    assert set(rig.scout.seen(cart, "r1").callers) == {"web"}
    rig.counting.said["cart"] = "no answer"
    rig.clock.elapsed_s += HOUR_S
    await rig.lanes()
    assert (set(rig.scout.seen(cart, "r1").callers), rig.scout.seen(cart, "r1").callers_fault) == ({"web"}, "no answer")


async def test_counts_of_hosts_that_have_gone_are_forgotten(rig: Rig) -> None:
    cart = service(clients=("web",), client_label="client")
    for host in ("cart-0", "cart-old"):
        rig.scout.seen(cart, "r1")
        rig.counting.said["cart"] = {host: {"web": 5.0}}
        await rig.lanes()
        rig.clock.elapsed_s += HOUR_S
    assert set(rig.scout._counts["cart"]) == {"cart-0"}


async def test_the_digest_is_of_the_build_at_hand(rig: Rig, tmp_path: Path) -> None:
    cart = service()
    for revision, sha in (("r1", "ab" * 32), ("r2", "cd" * 32)):
        (tmp_path / f"{revision}.tar.gz").write_bytes(b"x")
        (tmp_path / f"{revision}.tar.gz.sha256").write_text(f"{sha}\n")
        assert rig.scout.seen(cart, revision).digest == Digest(waits=True)
        await rig.lanes()
        assert rig.scout.seen(cart, revision).digest == Digest(sha)
    # However many builds there have been, no more is remembered than of the newest.
    assert [key for key in rig.scout._due_s if "digest" in str(key)] == [("digest", "cart")]


async def test_a_fault_in_one_round_ends_no_other(rig: Rig) -> None:
    cart = service(clients=("web",), client_label="client")
    rig.scout.seen(cart, "r1")
    # Nothing is said of its callers: that lane breaks in every round.
    await rig.scout.start()
    async with asyncio.timeout(10):
        while not (rig.opened and rig.looks.asked):  # noqa: ASYNC110 - its clock moves with each turn of the loop
            await asyncio.sleep(0)
    await rig.scout.close()
    assert rig.scout.seen(cart, "r1").links
