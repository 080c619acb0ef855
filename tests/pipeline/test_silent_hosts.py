"""Of hosts that do not answer nobody knows what they run: too many of them hold a release, a few do not."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from world import Company, Verb, make_hosts, make_rules

from pipeline.gates import Answer, Gate
from pipeline.model import CanaryRules, DeployRules, Pool, Service, Wave
from pipeline.release.silence import too_many
from pipeline.view import State

ONE_WAVE = make_rules(
    waves=(Wave("", "", 1.0),),
    deploy=DeployRules(at_once=3, deadline_s=20, soak_s=5, settle_s=10, max_unreachable=1),
    canary=CanaryRules(share=0.1),
)


def drift(company: Company) -> Gate:
    its = company.controller._stations["checkout"].drift
    assert its is not None
    return its


async def baking() -> tuple[Company, list[str]]:
    """The company, and its production hosts that are no canaries."""
    company = Company(ONE_WAVE)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    canaries = set(company.rollout.canaries)
    return company, [host.name for host in company.service.production if host.name not in canaries]


async def test_a_release_waits_while_too_many_hosts_are_silent_and_goes_on_by_itself() -> None:
    company, others = await baking()
    for name in others[:6]:
        company.world.machines[name].fault = "no answer in 2 s"
    await company.ticks(60)
    assert company.rollout.phase == "canary-bake"
    gate = drift(company)
    assert gate.answer is Answer.UNKNOWN
    assert gate.why.startswith("6 of 12 hosts run what they were told, 6 do not answer: ")
    assert gate.lifts == "by itself, when they answer"
    for name in others:
        company.world.machines[name].fault = ""
    await company.until("settled", 400)


async def test_one_silent_host_of_many_is_told_and_holds_nothing() -> None:
    company, others = await baking()
    company.world.machines[others[0]].fault = "no answer in 2 s"
    await company.ticks(1)
    assert drift(company) == Gate(
        "drift", Answer.PASS, f"11 of 12 hosts run what they were told; no answer from {others[0]}"
    )
    await company.until("settled", 400)


async def test_no_release_may_begin_while_staging_is_silent() -> None:
    company = Company(ONE_WAVE)
    await company.ticks(3)
    for host in company.service.staging:
        company.world.machines[host.name].fault = "no answer in 2 s"
    await company.ticks(1)
    assert drift(company).answer is Answer.UNKNOWN
    assert (company.row.state, company.row.why) == (State.HOLD, drift(company).why)


@given(st.sets(st.integers(0, 19)), st.integers(0, 4), st.integers(1, 3))
def test_while_nothing_is_on_its_way_silence_holds_from_half_of_production_or_more_than_waves_may_leave(
    silent: set[int], most: int, waves: int
) -> None:
    rules = make_rules(waves=(Wave("", "", 1.0),) * waves)
    rules = replace(rules, deploy=replace(rules.deploy, max_unreachable=most))
    service = Service("checkout", make_hosts(20, 2), "r1", "shop", 1, rules)
    names = [host.name for host in service.hosts if host.pool is Pool.PRODUCTION]
    lost = {names[at] for at in silent}
    assert too_many(service, None, lost) is (len(lost) > most * waves or len(lost) >= 10)
