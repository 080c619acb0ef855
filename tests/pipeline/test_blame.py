"""Missing data are put down to what they are missing for, and what the judge said of its looks stays as it was."""

from world import Company, Verb

from pipeline.judge.look import LookRecord
from pipeline.judge.sequential import SequentialJudge

DOWN = "http://prometheus:9090: connection refused"


async def baking() -> Company:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    await company.ticks(6)
    return company


def looks(company: Company) -> tuple[LookRecord, ...]:
    return company.history.looks(company.rollout.id, 0, 0, 1000)


async def test_without_any_metrics_the_source_is_named_and_not_the_canary() -> None:
    company = await baking()
    for machine in company.world.machines.values():
        machine.metrics_fault = DOWN
    await company.ticks(4)
    judgement = company.rollout.judgement
    assert judgement is not None
    assert judgement.why.startswith("no metrics: ")
    assert judgement.why.endswith(f": {DOWN}")
    assert judgement.why.split(": ")[1] not in company.rollout.canaries
    texts = [judgement.why, *(metric.why for metric in judgement.metrics), *judgement.alerts]
    assert not any("the canary gives no" in text or "host of the new revision" in text for text in texts)
    assert "look at those hosts" not in " ".join(texts)


async def test_a_canary_whose_own_metrics_cannot_be_read_is_named_with_the_reason() -> None:
    company = await baking()
    for name in company.rollout.canaries:
        company.world.machines[name].metrics_fault = "refused"
    await company.ticks(4)
    judgement = company.rollout.judgement
    assert judgement is not None
    assert judgement.why == f"no metrics: {company.rollout.canaries[0]}: refused"
    assert any(alert.endswith(f"production does: {judgement.why}") for alert in judgement.alerts)


async def test_a_canary_that_does_not_say_what_it_runs_is_a_matter_of_reach() -> None:
    company = await baking()
    for name in company.rollout.canaries:
        company.world.machines[name].fault = "ssh: no answer in 5 s"
    await company.ticks(4)
    judgement = company.rollout.judgement
    assert judgement is not None
    assert judgement.why == f"no answer from {', '.join(company.rollout.canaries)}: ssh: no answer in 5 s"
    assert not any("look at those hosts" in alert for alert in judgement.alerts)


async def test_the_history_keeps_what_the_judge_said_so_that_it_can_be_worked_out_again() -> None:
    company = await baking()
    for machine in company.world.machines.values():
        machine.metrics_fault = DOWN
    await company.ticks(4)
    record = company.history.trial(company.rollout.id, 0)
    assert record is not None
    judge = SequentialJudge()
    evidence = judge.begin(record.trial, record.prior)
    for one in looks(company):
        evidence, said = judge.look(evidence, one.look)
        assert said == one.judgement


async def test_once_metrics_are_back_nobody_is_blamed() -> None:
    company = await baking()
    for machine in company.world.machines.values():
        machine.metrics_fault = DOWN
    await company.ticks(3)
    for machine in company.world.machines.values():
        machine.metrics_fault = ""
    await company.ticks(8)
    assert company.controller._stations["checkout"].telemetry.faults == {}
    assert company.rollout.judgement is not None
    assert "no metrics" not in company.rollout.judgement.why


async def test_a_canary_whose_metrics_come_back_a_look_later_is_not_called_alone_with_its_lack_of_them() -> None:
    company = await baking()
    for machine in company.world.machines.values():
        machine.metrics_fault = DOWN
    await company.ticks(6)
    for name, machine in company.world.machines.items():
        if name not in company.rollout.canaries:
            machine.metrics_fault = ""
    await company.ticks(1)
    judgement = company.rollout.judgement
    assert judgement is not None
    assert judgement.why.startswith("no metrics: ") and judgement.why.endswith(DOWN)
    assert not any("look at those hosts" in alert for alert in judgement.alerts)
