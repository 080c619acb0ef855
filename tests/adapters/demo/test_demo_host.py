"""Hosts of the demo, asked over the network by the adapter that the controller uses."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from adapters.demo.builds import Fault
from adapters.demo.host import DemoHost
from adapters.hosts.http import HttpHosts
from adapters.wire import Wire, WireError
from pipeline.events import Intent, Outcome, Result
from pipeline.observed import HostFault, HostState, Observation
from pipeline.release.hostwork import Step

SOON_S = 5.0
LOOK_S = 0.3


@pytest.fixture
async def hosts(wall_clock) -> AsyncIterator[HttpHosts]:
    fleet = HttpHosts(wall_clock)
    yield fleet
    await fleet.close()


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    client = Wire()
    yield client
    await client.close()


@pytest.fixture
async def host(demo_host: Callable[..., DemoHost]) -> DemoHost:
    made = demo_host("cart", "r511")
    await made.start()
    return made


async def page(wire: Wire, host: DemoHost, path: str) -> tuple[int, str]:
    answer = await wire.request(host.host.address, "GET", path, timeout_s=SOON_S)
    return answer.status, answer.body.decode()


async def seen(hosts: HttpHosts, host: DemoHost) -> Observation:
    return (await hosts.states([host.host], LOOK_S))[host.host.name]


async def deployed(
    hosts: HttpHosts, wall_clock, host: DemoHost, revision: str, attempt: int = 1, step: Step = Step.FORWARD
) -> Outcome:
    name = host.host.name
    operation = f"{host.service}-1.{step}.{name}.{attempt}"
    intent = Intent(operation, f"{host.service}-1", host.service, name, revision, wall_clock.now())
    return await hosts.deploy(host.host, intent, 1, SOON_S)


async def test_a_deploy_brings_a_new_process_whose_counters_begin_at_nought(hosts, wire, wall_clock, host) -> None:
    for _ in range(3):
        assert (await page(wire, host, "/"))[0] in (200, 500)
    before = (await page(wire, host, "/metrics"))[1]
    assert "http_request_duration_seconds_count" in before
    assert 'le="+Inf"} 3' in before

    outcome = await deployed(hosts, wall_clock, host, "r512")

    assert outcome.result is Result.DONE
    after = (await page(wire, host, "/metrics"))[1]
    assert 'le="+Inf"} 0' in after
    assert 'build_info{revision="r512"} 1' in after
    state = await seen(hosts, host)
    assert isinstance(state, HostState)
    assert (state.revision, state.healthy) == ("r512", True)


async def test_a_repeated_deploy_does_not_restart_the_process_again(hosts, wall_clock, host) -> None:
    await deployed(hosts, wall_clock, host, "r512")
    process = host.process
    assert (await deployed(hosts, wall_clock, host, "r512")).result is Result.DONE
    assert host.process is process


async def test_a_baselines_restart_brings_a_new_process_of_the_same_revision_and_only_one(
    hosts, wire, wall_clock, host
) -> None:
    for _ in range(3):
        await page(wire, host, "/")
    old = host.process
    assert (await deployed(hosts, wall_clock, host, "r511")).detail == "ran already"
    assert host.process is old

    outcome = await deployed(hosts, wall_clock, host, "r511", step=Step.BASELINE)

    assert outcome.result is Result.DONE
    restarted = host.process
    assert restarted is not old
    said = (await page(wire, host, "/metrics"))[1]
    assert 'le="+Inf"} 0' in said
    assert 'build_info{revision="r511"} 1' in said
    await deployed(hosts, wall_clock, host, "r511", step=Step.BASELINE)
    assert host.process is restarted


async def test_a_restarting_host_drains_then_is_not_there_and_says_so(wire, host) -> None:
    body = b'{"version": 1, "operation": "o", "host": "cart-fra1-1", "revision": "r512", "token": 1}'
    said = await wire.request(host.host.address, "PUT", "/agent/v1/deploy", body=body, timeout_s=SOON_S)
    assert said.status == 202
    assert (await page(wire, host, "/healthz"))[0] == 503
    assert (await page(wire, host, "/"))[0] in (200, 500)
    while host.process is not None:
        await page(wire, host, "/healthz")
    assert (await page(wire, host, "/"))[0] == 503
    assert (await page(wire, host, "/metrics"))[0] == 503
    while host.process is None:
        assert (await page(wire, host, "/healthz"))[0] in (200, 503)
    assert (await page(wire, host, "/healthz"))[0] == 200


async def test_the_ledger_answers_for_accounts_as_its_build_writes_amounts(wire, demo_host) -> None:
    good, bad, other = demo_host("ledger", "r310", 1), demo_host("ledger", "r311", 2), demo_host("cart", "r511", 3)
    for host in (good, bad, other):
        await host.start()
        assert await page(wire, host, "/ready") == (200, "ready\n")
        assert (await page(wire, host, "/nowhere"))[0] == 404
    assert '"balance": 554.33' in (await page(wire, good, "/accounts/7"))[1]
    assert '"balance": "554.33"' in (await page(wire, bad, "/accounts/7"))[1]
    for path in ("/accounts/7/owner", "/currencies"):
        assert await page(wire, good, path) == await page(wire, bad, path)
    for host, path in ((good, "/accounts/0"), (good, "/accounts/1000"), (other, "/accounts/7")):
        assert (await page(wire, host, path))[0] == 404


async def test_a_build_that_does_not_start_fails_its_deploy_and_the_old_one_can_come_back(
    hosts, wall_clock, host
) -> None:
    outcome = await deployed(hosts, wall_clock, host, "r512-broken")
    assert outcome.result is Result.FAILED
    assert "exited" in outcome.detail
    state = await seen(hosts, host)
    assert isinstance(state, HostState)
    assert (state.revision, state.healthy) == ("", False)
    assert (await deployed(hosts, wall_clock, host, "r511", attempt=2)).result is Result.DONE


async def test_a_build_that_hangs_leaves_the_agent_free_to_undo_it(hosts, wire, wall_clock, host) -> None:
    await deployed(hosts, wall_clock, host, "r512-hang")
    with pytest.raises(WireError):
        await wire.request(host.host.address, "GET", "/metrics", timeout_s=LOOK_S)
    assert (await deployed(hosts, wall_clock, host, "r511", attempt=2)).result is Result.DONE
    assert (await page(wire, host, "/healthz"))[0] == 200


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.REFUSE, Fault.RUBBISH])
async def test_a_faulty_host_is_a_fault_and_recovers(hosts, host, fault: Fault) -> None:
    await host.become(fault)
    assert isinstance(await seen(hosts, host), HostFault)
    await host.become(Fault.NONE)
    assert isinstance(await seen(hosts, host), HostState)


async def test_a_host_astray_names_a_revision_that_nobody_asked_for(hosts, host) -> None:
    await host.become(Fault.WRONG_VERSION)
    state = await seen(hosts, host)
    assert isinstance(state, HostState)
    assert state.revision == "r-astray"


async def test_each_host_answers_by_its_own_name_only(hosts, host) -> None:
    stranger = replace(host.host, name="cart-fra1-2")
    assert isinstance((await hosts.states([stranger], LOOK_S))["cart-fra1-2"], HostFault)
