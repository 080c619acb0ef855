"""Hosts that give no answer for a while: not taken for sick, not passed over, and told of in the right words."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from world import Company, Machine, Verb, make_rules

from adapters.health.checks import HealthRule, InnerCheck
from adapters.health.healthy import HealthyHosts
from adapters.wire import Wire
from pipeline.judge.verdict import Verdict
from pipeline.model import CanaryRules, DeployRules, Rules, Wave
from pipeline.observed import HostFault, HostState, Observation
from pipeline.release.hostwork import Standing
from pipeline.service.wellness import Unwell, unwell
from pipeline.view import HistoryQuery, Mark, State


def small() -> Rules:
    """A canary of one host."""
    deploy = DeployRules(at_once=3, deadline_s=20, soak_s=5, settle_s=10, max_unreachable=1)
    return make_rules(waves=(Wave("", "", 1.0),), deploy=deploy, canary=CanaryRules(share=0.1))


async def baking(production: int = 10) -> tuple[Company, str]:
    company = Company(small(), production)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    await company.ticks(6)
    assert len(company.rollout.canaries) == 1
    return company, company.rollout.canaries[0]


def says(company: Company, name: str, change: Callable[[HostState], Observation]) -> Callable[[], None]:
    """From now on the host's state is changed so; the answer ends that."""
    before = company.world._state

    def state(machine: Machine) -> Observation:
        now = before(machine)
        return change(now) if machine.host.name == name and isinstance(now, HostState) else now

    company.world._state = state  # type: ignore[method-assign]

    def end() -> None:
        company.world._state = before  # type: ignore[method-assign]

    return end


@pytest.mark.parametrize(
    "change",
    [{"settling": True, "detail": "healthy for 0 s of 10 s"}, {"answered": False, "detail": "no answer in 2 s"}],
    ids=["settling", "not answered"],
)
async def test_a_canary_host_that_is_not_known_to_be_sick_is_not_rolled_back(change: dict[str, object]) -> None:
    company, canary = await baking()
    end = says(company, canary, lambda now: replace(now, healthy=False, **change))  # type: ignore[arg-type]
    await company.ticks(5)
    assert company.rollout.phase == "canary-bake"
    line = next(host for host in company.controller.service("checkout").hosts if host.name == canary)
    assert line.mark is not Mark.BAD
    end()
    await company.until("settled")


class Told:
    """`HostFleet`: a world's hosts as their health over time is told of them."""

    def __init__(self, company: Company) -> None:
        self.states, self.deploy = company.world.states, company.world.deploy


@pytest.mark.parametrize("silent_ticks", [1, 5, 40])
async def test_a_canary_host_that_ssh_does_not_reach_for_a_while_is_not_rolled_back(silent_ticks: int) -> None:
    company, canary = await baking()
    clock = company.world.clock
    healthy = HealthyHosts(Told(company), lambda _: HealthRule(InnerCheck(), 10.0), clock, Wire())
    company.world.states = healthy.states  # type: ignore[method-assign]
    await company.ticks(3)
    company.world.machines[canary].fault = "no answer in 5 s"
    await company.ticks(silent_ticks)
    company.world.machines[canary].fault = ""
    for _ in range(20):
        await company.ticks(1)
        assert company.rollout.phase in {"canary-bake", "wave-deploy"}
    assert "rollback" not in company.actions()


async def test_a_canary_host_whose_check_is_never_answered_is_undone_after_the_deadline() -> None:
    company, canary = await baking()
    says(company, canary, lambda now: replace(now, healthy=now.revision == "r1", answered=now.revision == "r1"))
    await company.until("rolled-back")
    assert "not healthy for" in company.rollout.why


async def test_one_bad_answer_of_the_only_canary_host_undoes_nothing_and_two_in_a_row_do() -> None:
    company, canary = await baking()
    end = says(company, canary, lambda now: replace(now, healthy=False))
    await company.ticks(1)
    end()
    await company.ticks(3)
    assert company.rollout.phase == "canary-bake"
    says(company, canary, lambda now: replace(now, healthy=now.revision == "r1"))
    await company.ticks(2)
    assert company.rollout.phase == "rolling-back"
    assert company.rollout.why.startswith("FAIL: 1 of 1 hosts of the new revision are down")


async def test_all_of_several_canary_hosts_down_at_once_is_enough() -> None:
    company = Company(production=40)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    await company.ticks(2)
    assert len(company.rollout.canaries) > 1
    for canary in company.rollout.canaries:
        says(company, canary, lambda now: replace(now, healthy=False))
    await company.ticks(1)
    assert company.rollout.phase == "rolling-back"


async def test_a_production_host_out_of_reach_shows_though_one_may_be() -> None:
    company = Company(small(), 3)
    await company.ticks(2)
    assert company.row.why == "r1 is stable; nothing is on its way"
    company.world.machines["iad1-02"].fault = "no answer in 2 s"
    await company.ticks(1)
    assert (company.row.state, company.row.why) == (State.STEADY, "2 of 3 hosts answer: iad1-02 does not")
    drift = company.controller._stations["checkout"].drift
    assert drift is not None
    assert drift.why == "4 of 5 hosts run what they were told; no answer from iad1-02"


async def test_what_is_down_and_what_does_not_answer_are_not_mixed_up() -> None:
    company = Company(small(), 3)
    await company.ticks(2)
    company.world.machines["fra1-00"].fault = "no answer in 2 s"
    says(company, "iad1-02", lambda now: replace(now, healthy=False))
    await company.ticks(1)
    assert company.row.state is State.HOLD
    assert company.row.why == "1 of 3 hosts healthy: iad1-02 is down, fra1-00 does not answer"


def test_hosts_are_named_by_what_is_the_matter_with_them() -> None:
    well, sick = HostState(0.0, "r1", True), HostState(0.0, "r1", False)
    unsure, lost = replace(sick, settling=True), HostFault(0.0, "refused")
    seen = {"a": well, "b": sick, "c": unsure, "d": lost, "e": replace(sick, answered=False)}
    assert unwell("abcdef", seen) == Unwell(6, ("b",), ("c", "e"), ("d",))
    assert unwell("af", seen).said() == ""
    assert unwell("ab", seen).said() == "1 of 2 hosts healthy: b is down"
    assert unwell("ace", seen).said() == "1 of 3 hosts healthy: c, e are not known to be"
    assert unwell("ad", seen).said() == "1 of 2 hosts answer: d does not"


async def test_a_straggler_is_told_in_the_history_when_it_is_told_again_and_when_it_is_there() -> None:
    company = Company(small(), 10)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("wave-deploy")
    late = next(name for name in company.on("r1") if name not in company.rollout.canaries)
    company.world.machines[late].fault = "no answer in 2 s"
    await company.until("settled")
    assert company.rollout.stragglers == (late,)
    drift = company.controller._stations["checkout"].drift
    assert drift is not None
    assert drift.why == f"11 of 12 hosts run what they were told; no answer from {late}"
    company.world.machines[late].fault = ""
    await company.ticks(10)
    assert company.world.machines[late].revision == "r2"
    events = company.history.events(HistoryQuery(text=late, limit=50)).events
    said = [event.detail for event in reversed(events) if event.action == "host"]
    assert said[-1] == f"{late} runs r2: it is no straggler any more"
    assert said[-2].startswith(f"{late} is told r2")
    assert said[-2].endswith(", now that it answers")
    assert Standing.MISSING not in company.controller._stations["checkout"].work.standings.values()


async def test_a_canary_is_judged_again_to_the_same_verdict_after_a_hiccup() -> None:
    company, canary = await baking()
    company.world.machines[canary].fault = "no answer in 2 s"
    await company.ticks(2)
    company.world.machines[canary].fault = ""
    await company.until("wave-deploy")
    looks = company.history.looks(company.rollout.id, 0, 0, 1000)
    assert Verdict.FAIL not in {look.judgement.verdict for look in looks}
