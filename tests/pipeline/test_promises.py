"""Promises that a fleet with unwell hosts, lost data, full disks and odd clocks puts to the test."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from world import Behaviour, Company, Machine, Pool, Verb, Wave, make_rules

from pipeline.commands import Refused
from pipeline.events import Outcome, Result
from pipeline.judge.verdict import Verdict
from pipeline.model import DeployRules, FrequencyRules, NoData, Promotions, Rules
from pipeline.observed import HostFault, HostState
from pipeline.signals import Reading
from pipeline.view import State


async def at(phase: str, rules: Rules | None = None, production: int = 10) -> Company:
    company = Company(rules, production)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until(phase)
    return company


def sick(company: Company, names: set[str]) -> None:
    """Those hosts run r2 and say that they are not healthy."""
    orig = company.world._state

    def state(m):
        s = orig(m)
        return (
            replace(s, healthy=False) if isinstance(s, HostState) and m.host.name in names and m.revision == "r2" else s
        )

    company.world._state = state


def prod(company: Company, rev: str) -> set[str]:
    return {n for n in company.on(rev) if "stg" not in n}


async def test_unwell_production_is_rolled_back_in_settling() -> None:
    company = await at("settling", production=30)
    sick(company, set(sorted(prod(company, "r2"))[:-1]))
    await company.until("rolled-back", 300)


async def test_three_of_four_sick_canaries_are_rolled_back() -> None:
    company = await at("canary-bake", production=40)
    sick(company, set(company.rollout.canaries[:-1]))
    await company.until("rolled-back", 300)


async def test_a_wave_stops_at_max_failed_sick_hosts() -> None:
    company = await at(
        "canary-bake",
        make_rules(waves=(Wave("", "", 1.0),), deploy=DeployRules(at_once=5, deadline_s=120, soak_s=5, settle_s=10)),
        60,
    )
    sick(company, {n for n in company.world.machines if n not in company.rollout.canaries and "stg" not in n})
    await company.until("rolling-back", 400)
    assert len(prod(company, "r2")) <= 6 + 5 + 2


async def test_a_bad_wave_is_judged_from_its_first_hosts() -> None:
    company = await at(
        "wave-deploy",
        make_rules(waves=(Wave("", "", 1.0),), deploy=DeployRules(at_once=2, deadline_s=60, soak_s=5, settle_s=10)),
        60,
    )
    company.world.restart_s = 4
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.5)
    await company.until("rolling-back", 400)
    assert len(prod(company, "r2")) <= 14


async def test_a_bad_canary_goes_back_by_itself_on_a_full_disk() -> None:
    company = await at("canary-bake")
    await company.ticks(5)
    company.history.broken = "disk full"
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.5)
    await company.until("rolled-back")


async def test_rollback_ends_though_a_host_was_lost_in_mid_deploy() -> None:
    company = await at("staging-checks")
    orig = company.world.deploy

    async def deploy(host, *rest):
        if host.pool is Pool.PRODUCTION:
            company.world.machines[host.name].fault = "no answer in 2 s"
        return await orig(host, *rest)

    company.world.deploy = deploy
    await company.until("canary-deploy")
    await company.ticks(2)
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back", 300)


async def test_rollback_reaches_every_host_on_the_revision_though_waves_changed() -> None:
    company = await at("wave-soak", production=20)
    company.service = replace(
        company.service,
        rules=replace(company.service.rules, waves=(Wave("datacenter", "iad1", 1.0), Wave("", "", 1.0))),
    )
    company.start()
    await company.ticks(1)
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back", 300)
    assert not company.on("r2")


async def test_fewer_waves_after_a_restart_do_not_kill_the_controller() -> None:
    company = await at("settling", production=20)
    company.service = replace(company.service, rules=replace(company.service.rules, waves=(Wave("", "", 1.0),)))
    company.start()
    await company.ticks(30)


async def test_a_host_that_comes_back_on_the_bad_revision_is_put_right() -> None:
    company = await at("canary-bake")
    n = company.rollout.canaries[0]
    company.world.machines[n].fault = "no answer in 2 s"
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back", 300)
    company.world.machines[n].fault = ""
    await company.ticks(60)
    assert company.world.machines[n].revision == "r1"


async def test_a_straggler_does_not_block_every_later_release() -> None:
    company = await at("wave-soak")
    n = sorted(prod(company, "r1"))[0]
    company.world.machines[n].fault = "no answer in 2 s"
    await company.until("settled", 300)
    company.world.machines[n].fault = ""
    await company.ticks(10)
    company.ask(Verb.SUBMIT, "r3")
    await company.until("settled", 300)


async def test_after_a_gap_a_full_window_is_served_again() -> None:
    company = await at("canary-bake")
    while company.rollout.served.seconds < 29:
        await company.ticks(1)
    for m in company.world.machines.values():
        m.metrics_fault = "refused"
    await company.ticks(12)
    for m in company.world.machines.values():
        m.metrics_fault = ""
    await company.ticks(20)
    assert company.rollout.phase == "canary-bake"


@pytest.mark.parametrize("what", ["quorum", "histogram"])
async def test_partial_data_run_into_the_no_data_limit(what: str) -> None:
    company = await at("canary-bake", make_rules(judge=replace(make_rules().judge, no_data=NoData.ROLLBACK)), 40)
    if what == "quorum":
        for n in company.rollout.canaries[:-1]:
            company.world.machines[n].metrics_fault = "refused"
    else:
        orig = company.world._reading

        def without_latency(machine: Machine) -> Reading | HostFault:
            now = orig(machine)
            return replace(now, histograms={}) if isinstance(now, Reading) and machine.revision == "r2" else now

        company.world._reading = without_latency
    await company.until("rolled-back")


async def test_a_bad_look_counts_when_most_data_then_vanish() -> None:
    company = await at("canary-bake", production=40)
    await company.ticks(6)
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.02)
    for _ in range(200):
        if company.rollout.bad_looks:
            break
        await company.ticks(1)
    assert company.rollout.judgement.verdict is Verdict.WATCH
    for n in company.rollout.canaries[:-1]:
        company.world.machines[n].metrics_fault = "refused"
    await company.ticks(2)
    assert company.rollout.phase == "canary-bake"
    await company.until("rolled-back", 60)


async def test_two_controls_left_do_not_hold_a_wave_for_ever() -> None:
    company = await at("canary-bake", make_rules(waves=(Wave("", "", 0.25), Wave("", "", 0.9), Wave("", "", 1.0))), 20)
    await company.until("settled", 400)


async def test_a_settled_release_can_be_rolled_back_while_another_is_queued() -> None:
    company = await at("settled", make_rules(frequency=FrequencyRules(per_day=1)))
    company.ask(Verb.SUBMIT, "r3")
    await company.ticks(3)
    company.ask(Verb.ROLLBACK)
    await company.ticks(1)
    company.ask(Verb.ROLLBACK) if company.on("r2") and company.rollout.phase != "rolling-back" else None


@pytest.mark.parametrize("what", ["deploy", "run"])
async def test_a_raising_adapter_does_not_end_the_controller(what):
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")

    async def boom(*_):
        raise RuntimeError("a bug in an adapter")

    setattr(company.world, what, boom)
    await company.ticks(20)


async def test_a_restart_takes_up_the_newest_release_by_number_not_by_wall_clock() -> None:
    company = Company(make_rules(checks=()))
    company.world.clock.wall += timedelta(days=1)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("settled")
    company.world.clock.wall -= timedelta(days=1)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r3")
    await company.ticks(10)
    company.start()
    assert company.controller._stations["checkout"].rollout.revision == "r3"


async def test_a_failed_check_is_asked_again_though_the_wall_clock_went_back() -> None:
    company = Company()
    company.world.behaviours["r2"] = Behaviour(check_passes=False)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("staging-checks")
    await company.ticks(3)
    company.world.clock.wall -= timedelta(hours=1)
    company.world.behaviours["r2"] = Behaviour()
    await company.until("canary-deploy", 60)


async def test_budget_counts_survive_a_refusing_history() -> None:
    company = Company()
    await company.ticks(10)
    company.history.broken = "disk full"
    await company.ticks(60)
    company.history.broken = ""
    await company.ticks(60)
    kept = company.history.requests(company.world.clock.wall - timedelta(hours=1))["checkout"][0]
    assert kept > 0.9 * sum(m.requests for m in company.world.machines.values())


async def test_a_paused_release_is_not_promoted() -> None:
    company = Company(make_rules(promotions=Promotions()))
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    while company.row.state != "WAIT":
        await company.ticks(1)
    company.ask(Verb.PAUSE)
    with pytest.raises(Refused):
        company.ask(Verb.PROMOTE)


async def test_a_host_is_not_told_without_end() -> None:
    company = await at("staging-checks")
    told = []
    orig = company.world.deploy

    async def deploy(host, intent, *rest):
        if host.pool is Pool.PRODUCTION:
            told.append(1)
            return Outcome(intent.operation, Result.UNKNOWN, "reset", company.world.clock.now())
        return await orig(host, intent, *rest)

    company.world.deploy = deploy
    await company.ticks(100)
    assert len(told) <= 20


async def test_a_lock_after_rollback_survives_a_cancelled_release() -> None:
    company = await at("canary-bake")
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back")
    company.ask(Verb.SUBMIT, "r3")
    company.ask(Verb.CANCEL)
    with pytest.raises(Refused):
        company.ask(Verb.SUBMIT, "r2")


@pytest.mark.parametrize("seed", range(8))
async def test_a_small_fleet_gets_through_its_waves_wherever_the_canary_was_drawn(seed: int) -> None:
    company = Company(make_rules(promotions=Promotions()), production=8)
    company.controller._rng = Random(seed)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    while company.row.state is not State.WAIT:
        await company.ticks(1)
    company.ask(Verb.PROMOTE)
    await company.until("settled")


async def test_a_check_that_goes_on_failing_is_told_once_and_keeps_the_time_it_began() -> None:
    company = Company()
    company.world.behaviours["r2"] = Behaviour(check_passes=False)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.ticks(150)
    failed = [event for event in company.history.log if "check smoke failed" in event.detail]
    assert len(failed) == 1
    assert company.rollout.checks[0].at == failed[0].at


async def test_a_restarted_controller_still_knows_the_verdict() -> None:
    company = await at("canary-bake")
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.3)
    await company.until("rolled-back")
    company.start()
    await company.ticks(1)
    assert company.row.verdict is Verdict.FAIL


async def test_a_fault_of_our_own_holds_its_service_and_is_told_until_it_is_gone() -> None:
    company = await at("canary-bake")
    judge = company.controller._judge

    class Broken:
        def __getattr__(self, name: str) -> None:
            raise ZeroDivisionError("no such metric")

    company.controller._judge = Broken()  # type: ignore[assignment]
    await company.ticks(40)
    assert company.rollout.phase == "canary-bake"
    assert any("ZeroDivisionError" in notice for notice in company.controller.fleet().notices)
    assert company.row.state is State.HOLD
    company.controller._judge = judge
    await company.until("settled")
    assert company.controller.fleet().notices == ()
