"""The demo's own staging checks, as its configuration has them, against hosts that run good and bad builds."""

from collections.abc import AsyncIterator, Callable

import pytest

from adapters.checks.replay import lint
from adapters.checks.runner import HostChecks
from adapters.config import demo_config_path, load
from adapters.demo.host import DemoHost
from adapters.demo.pages import page_of
from pipeline.checks import CheckRule
from pipeline.model import Host, Pool, Service


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    return dict(load(demo_config_path()).fleet.services)


@pytest.fixture
async def checks(wall_clock) -> AsyncIterator[HostChecks]:
    made = HostChecks(wall_clock)
    yield made
    await made.close()


async def staged(demo_host: Callable[..., DemoHost], service: str, revision: str) -> Service:
    host = demo_host(service, revision)
    await host.start()
    return Service(service, (Host(host.host.name, host.host.address, Pool.STAGING, "fra1"),), revision)


def check(services: dict[str, Service], service: str, name: str) -> CheckRule:
    return next(rule for rule in services[service].rules.checks if rule.name == name)


async def test_recorded_traffic_passes_r310_and_tells_which_answer_of_r311_differs(services, checks, demo_host) -> None:
    rule = check(services, "ledger", "traffic")
    assert rule.replay is not None and lint(rule.replay, services["ledger"]) == ()
    good = await checks.run(rule, await staged(demo_host, "ledger", "r310"), "r310")
    assert (good.passed, good.detail) == (True, "29 of 29 answers as recorded")
    bad = await checks.run(rule, await staged(demo_host, "ledger", "r311"), "r311")
    assert not bad.passed
    assert "17 of 29 answers as recorded" in bad.detail
    assert 'GET /accounts/7: $.balance "554.33", recorded 554.33 (11 more)' in bad.detail


async def test_the_load_test_passes_r61_and_fails_r62_with_its_numbers(services, checks, demo_host) -> None:
    rule = check(services, "stock", "load")
    good = await checks.run(rule, await staged(demo_host, "stock", "r61"), "r61")
    assert good.passed, good.detail
    assert good.peak_rps is not None and good.peak_rps > 20
    bad = await checks.run(rule, await staged(demo_host, "stock", "r62"), "r62")
    assert not bad.passed
    assert "expected at most 400 ms" in bad.detail


def test_only_the_ledger_has_accounts_and_a_build_changes_nothing_but_how_amounts_are_written(services) -> None:
    from adapters.demo.builds import FINE, build_of

    assert page_of("cart", FINE, "/accounts/7") is None
    assert page_of("ledger", FINE, "/accounts/7") != page_of("ledger", build_of("ledger", "r311"), "/accounts/7")
    assert page_of("ledger", FINE, "/accounts/007") is None
