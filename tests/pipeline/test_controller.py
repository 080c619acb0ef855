"""Releases run by the real controller in a simulated company."""

from dataclasses import replace
from datetime import timedelta

import pytest
from world import MIRA, Behaviour, Company, make_rules

from pipeline.commands import Command, Refused, Verb
from pipeline.controller.ledger import Ledger
from pipeline.model import NoData, Pool, Promotions
from pipeline.release.hostwork import ATTEMPTS
from pipeline.view import State


async def test_a_good_release_goes_through_staging_canary_and_waves_and_settles() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("settled")
    assert company.on("r2") == set(company.world.machines)
    actions = company.actions()
    assert next(a for a in actions if a in {"submit", "staging", "canary", "wave", "settled"}) == "submit"
    assert actions.index("staging") < actions.index("canary") < actions.index("wave") < actions.index("settled")
    assert all(len(machine.told) == 1 for machine in company.world.machines.values())
    assert company.row.state is State.STEADY
    assert company.row.production.revision == "r2"


async def test_a_canary_with_errors_is_rolled_back_and_production_never_sees_it() -> None:
    company = Company()
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.08)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("rolled-back")
    canaries = set(company.rollout.canaries)
    assert company.on("r1") == set(company.world.machines)
    for name, machine in company.world.machines.items():
        touched = machine.host.pool is Pool.STAGING or name in canaries
        assert len(machine.told) == (2 if touched else 0)
    assert company.row.state is State.LOCK
    assert "errors" in company.rollout.why or "error rate" in company.rollout.why


@pytest.mark.parametrize(
    "bad",
    [Behaviour(slow_ratio=0.2), Behaviour(leak_bytes=5e6), Behaviour(healthy=False)],
    ids=["slow", "leak", "down"],
)
async def test_slow_leaking_and_dead_canaries_are_rolled_back(bad: Behaviour) -> None:
    company = Company()
    company.world.behaviours["r2"] = bad
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("rolled-back", 300)
    assert company.on("r1") == set(company.world.machines)


async def test_a_release_that_turns_bad_in_its_last_wave_is_rolled_back_everywhere() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("settling")
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.2)
    await company.until("rolled-back")
    assert company.on("r1") == set(company.world.machines)


@pytest.mark.parametrize("kill_after", [1, 2, 3, 5, 8, 13, 20, 30, 45, 60, 80])
async def test_a_killed_controller_goes_on_where_it_was_and_deploys_no_host_twice(kill_after: int) -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.ticks(kill_after)
    company.start()
    await company.until("settled", 300)
    assert company.on("r2") == set(company.world.machines)
    assert all(len(machine.told) == 1 for machine in company.world.machines.values())


async def test_a_controller_killed_at_every_tick_still_finishes_once() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    for _ in range(400):
        if company.rollout.phase == "settled":
            break
        await company.ticks(3)
        company.start()
    assert company.rollout.phase == "settled"
    assert all(len(machine.told) == 1 for machine in company.world.machines.values())


async def test_at_most_the_allowed_hosts_are_in_a_deploy_at_once() -> None:
    company = Company()
    company.world.restart_s = 4.0
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    most = 0
    for _ in range(200):
        await company.ticks(1)
        mono = company.world.clock.mono
        most = max(most, sum(machine.up_at > mono for machine in company.world.machines.values()))
    assert company.rollout.phase == "settled"
    assert most == company.service.rules.deploy.at_once


async def test_an_operator_is_waited_for_and_a_promote_of_what_moved_on_is_refused() -> None:
    company = Company(make_rules(promotions=Promotions()))
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    while company.row.state is not State.WAIT:
        await company.ticks(1)
    seen = company.row.version
    company.ask(Verb.PROMOTE)
    with pytest.raises(Refused, match="moved on"):
        company.ask(Verb.PROMOTE, version=seen)
    await company.until("settled")


async def test_a_promote_that_gates_forbid_is_refused_with_the_gate_and_recorded() -> None:
    company = Company(make_rules(promotions=Promotions()))
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    with pytest.raises(Refused, match=r"traffic-cycle|verdict"):
        company.ask(Verb.PROMOTE)
    assert company.history.log[-1].action == "denied"
    assert company.history.log[-1].who == MIRA


async def test_a_failing_staging_check_holds_and_says_why() -> None:
    company = Company()
    company.world.behaviours["r2"] = Behaviour(check_passes=False)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.ticks(60)
    assert company.rollout.phase == "staging-checks"
    assert company.row.state is State.GATES
    assert "migrations: pending" in company.row.why
    company.world.behaviours["r2"] = Behaviour()
    await company.until("settled")


async def test_a_paused_canary_goes_nowhere_but_is_still_rolled_back() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    company.ask(Verb.PAUSE)
    await company.ticks(80)
    assert company.rollout.phase == "canary-bake"
    assert company.row.state is State.PAUSED
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.3)
    await company.until("rolled-back")


async def test_pause_and_resume_in_a_wave_stop_and_go_on() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("wave-deploy")
    company.ask(Verb.PAUSE, reason="lunch")
    await company.ticks(5)
    before = len(company.on("r2"))
    await company.ticks(40)
    assert len(company.on("r2")) == before
    assert "lunch" in company.row.why
    company.ask(Verb.RESUME)
    await company.until("settled")


async def test_rollback_works_in_every_phase_and_needs_no_version() -> None:
    for phase in (
        "staging-deploy",
        "staging-checks",
        "canary-deploy",
        "canary-bake",
        "wave-deploy",
        "wave-soak",
        "settling",
        "settled",
    ):
        company = Company()
        await company.ticks(3)
        company.ask(Verb.SUBMIT, "r2")
        await company.until(phase)
        company.ask(Verb.ROLLBACK, reason="users complain")
        await company.until("rolled-back")
        assert company.on("r1") == set(company.world.machines), phase
        assert "users complain" in company.rollout.why


async def test_a_rolled_back_revision_stays_out_and_a_newer_one_may_come() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back")
    with pytest.raises(Refused, match="rolled back"):
        company.ask(Verb.SUBMIT, "r2")
    company.ask(Verb.SUBMIT, "r3")
    await company.until("settled")


async def test_a_second_release_is_refused_while_one_is_on_its_way() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("staging-deploy")
    with pytest.raises(Refused, match="r2 is on its way"):
        company.ask(Verb.SUBMIT, "r3")
    for name in ("", "-x", "a b", "r\x1b[31m", "x" * 101):
        with pytest.raises(Refused, match="not a revision"):
            company.ask(Verb.SUBMIT, name)


async def test_without_data_a_canary_holds_and_then_does_what_its_rule_says() -> None:
    for rule, phase in ((NoData.HOLD, "canary-bake"), (NoData.ROLLBACK, "rolled-back")):
        rules = make_rules()
        company = Company(make_rules(judge=replace(rules.judge, no_data=rule)))
        await company.ticks(3)
        company.ask(Verb.SUBMIT, "r2")
        await company.until("canary-bake")
        for machine in company.world.machines.values():
            machine.metrics_fault = "refused"
        await company.ticks(10)
        assert company.rollout.phase == "canary-bake"
        assert company.row.state is State.STALE
        await company.ticks(60)
        assert company.rollout.phase == phase


async def test_metrics_that_come_back_are_judged_and_the_release_goes_on() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    for machine in company.world.machines.values():
        machine.metrics_fault = "refused"
    await company.ticks(12)
    served = company.rollout.served.seconds
    for machine in company.world.machines.values():
        machine.metrics_fault = ""
    await company.until("wave-deploy")
    assert served < company.service.rules.cycle.duration_s


async def test_unreachable_hosts_hold_and_are_named() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    # One host stays beside a canary that was drawn there.
    for name in [name for name in ("fra1-00", "fra1-03", "fra1-06") if name not in company.rollout.canaries][:2]:
        company.world.machines[name].fault = "no answer in 2 s"
    await company.ticks(90)
    assert company.rollout.phase in {"canary-bake", "wave-deploy"}
    assert company.row.state in {State.HOLD, State.STALE}
    assert "no answer from" in company.row.why or "no host" in company.row.why


async def test_drift_stops_forward_moves_and_is_shown() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    stranger = next(
        name for name in company.world.machines if name not in company.rollout.canaries and "stg" not in name
    )
    company.world.machines[stranger].revision = "r0"
    await company.ticks(80)
    assert company.rollout.phase == "canary-bake"
    assert company.row.state is State.HOLD
    assert f"{stranger} runs r0" in company.row.why


@pytest.mark.parametrize("released", [False, True])
async def test_a_rollback_puts_hosts_right_that_run_what_nobody_told_them(released: bool) -> None:
    company = Company()
    await company.ticks(3)
    if released:
        company.ask(Verb.SUBMIT, "r2")
        await company.until("canary-bake")
        company.ask(Verb.ROLLBACK)
        await company.until("rolled-back")
    else:
        with pytest.raises(Refused, match="no release"):
            company.ask(Verb.ROLLBACK)
    strays = sorted(company.world.machines)[:2]
    for name in strays:
        company.world.machines[name].revision = "r0"
    await company.ticks(3)
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back")
    assert company.rollout.revision == "r0"
    assert company.on("r1") == set(company.world.machines)
    assert all(len(company.world.machines[name].told) <= ATTEMPTS for name in company.world.machines)


async def test_a_host_that_fails_its_deploy_is_tried_twice_and_the_canary_fails() -> None:
    company = Company()
    company.world.behaviours["r2"] = Behaviour(fails=True)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("rolled-back")
    assert all(len(machine.told) <= ATTEMPTS for machine in company.world.machines.values())
    assert "deploy failed" in company.rollout.why


async def test_a_fault_that_is_no_service_s_own_holds_all_and_stops_no_round(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "record_rest", broken)
        await company.ticks(60)
        assert company.rollout.phase == "canary-bake"
        assert any("pithead itself failed: ZeroDivisionError" in said for said in company.controller.fleet().notices)
        company.ask(Verb.ROLLBACK)
        await company.until("rolled-back")
    await company.ticks(2)
    assert not company.controller.fleet().notices


async def test_what_the_history_refuses_does_not_happen_but_rollback_does() -> None:
    company = Company()
    await company.ticks(3)
    company.history.broken = "disk full"
    with pytest.raises(Refused, match="disk full"):
        company.ask(Verb.SUBMIT, "r2")
    company.history.broken = ""
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    company.history.broken = "disk full"
    await company.ticks(60)
    assert company.rollout.phase == "canary-bake"
    assert any("disk full" in notice for notice in company.controller.fleet().notices)
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back")
    assert company.on("r1") == set(company.world.machines)


async def test_a_clock_behind_the_history_pauses_every_release() -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    company.world.clock.wall -= timedelta(hours=3)
    company.start()
    await company.ticks(3)
    assert company.row.state is State.PAUSED
    assert "clock" in company.row.why


async def test_a_repeated_request_gets_its_first_answer() -> None:
    company = Company()
    await company.ticks(3)
    first = company.ask(Verb.SUBMIT, "r2", request="same")
    assert company.ask(Verb.SUBMIT, "r2", request="same") == first
    assert company.actions().count("submit") == 1


async def test_a_read_only_line_is_refused_by_the_controller_and_recorded() -> None:
    company = Company()
    await company.ticks(1)
    with pytest.raises(Refused, match="read-only"):
        company.controller.command(Command(Verb.SUBMIT, "checkout", "r", "r2"), MIRA, read_only=True)
    assert company.history.log[-1].action == "denied"
    with pytest.raises(Refused, match="did you mean checkout"):
        company.controller.command(Command(Verb.SUBMIT, "chekout", "r", "r2"), MIRA, read_only=False)


async def test_from_the_first_bad_look_to_the_rollback_order_are_two_looks() -> None:
    company = Company()
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.3)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    first_bad = ordered = None
    for tick in range(100):
        await company.ticks(1)
        looks = [event for event in company.history.log if event.action == "look"]
        if first_bad is None and looks and looks[-1].detail.startswith("FAIL"):
            first_bad = tick
        if any(".back." in operation for machine in company.world.machines.values() for operation in machine.told):
            ordered = tick
            break
    assert first_bad is not None
    assert ordered is not None
    assert ordered - first_bad <= 1


async def test_the_history_has_what_a_budget_is_summed_from() -> None:
    company = Company()
    company.world.behaviours["r1"] = Behaviour(error_ratio=0.5)
    await company.ticks(30)
    total, bad = company.history.requests(company.world.clock.wall - timedelta(hours=1))["checkout"]
    assert total > 5_000
    assert bad == pytest.approx(total / 2, rel=0.1)
    left = company.row.budget.left
    assert left is not None
    assert left < -40
    company.start()
    await company.ticks(1)
    assert company.row.budget.left == pytest.approx(left, rel=0.05)


async def test_a_revision_that_no_staging_host_knows_is_refused() -> None:
    company = Company()
    company.world.available = frozenset({"r1", "r2"})
    await company.ticks(2)
    with pytest.raises(Refused, match="no staging host knows such a build"):
        company.ask(Verb.SUBMIT, "r999")
    company.ask(Verb.SUBMIT, "r2")
