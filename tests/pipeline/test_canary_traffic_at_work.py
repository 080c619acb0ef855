"""A canary that the balancer hardly sends anything stays where it is, says why, and can go back."""

from world import Company, make_rules

from pipeline.commands import Verb
from pipeline.gates import Answer, Gate
from pipeline.model import TrafficCycle

RULES = make_rules(cycle=TrafficCycle(duration_s=10, requests=20, peak_ratio=0.5))


def gate(company: Company) -> Gate:
    return next(one for one in company.controller.gate("checkout").gates if one.name == "canary-traffic")


async def baking(company: Company, weight: float) -> None:
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    for name in company.rollout.canaries:
        company.world.machines[name].weight = weight


async def test_a_canary_of_little_weight_is_held_after_a_full_cycle_and_goes_on_once_it_is_put_right() -> None:
    company = Company(RULES)
    await baking(company, 0.1)
    await company.ticks(30)
    closed = [one for one in company.controller.gate("checkout").gates if one.answer is not Answer.PASS]
    assert [(one.name, one.answer) for one in closed] == [("canary-traffic", Answer.HOLD)]
    asks = "weight or health of the canary hosts in the balancer?"
    assert closed[0].why == f"canary serves 1.2 % of requests with 10 % of hosts: {asks}"
    assert company.row.why.startswith("canary-traffic: canary serves 1.2 % of requests")
    for name in company.rollout.canaries:
        company.world.machines[name].weight = 1.0
    await company.until("settled", 120)


async def test_the_way_back_stays_open() -> None:
    company = Company(RULES)
    await baking(company, 0.1)
    await company.ticks(30)
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back", 40)


async def test_a_controller_that_is_restarted_remembers_what_the_canary_served() -> None:
    company = Company(RULES)
    await baking(company, 0.1)
    await company.ticks(15)
    before = gate(company)
    assert before.answer is Answer.HOLD
    company.start()
    await company.ticks(2)
    assert gate(company).answer is Answer.HOLD
    assert "canary serves 1." in gate(company).why
