"""A balancer that does not answer holds a release in its own words, and no build fails by it."""

from dataclasses import replace

import pytest
from world import Company, Verb

from pipeline.events import Intent, Outcome, Result
from pipeline.model import Host, Pool
from pipeline.observed import HostState
from pipeline.view import State

SILENT = "balancer lb:9999 does not answer for 20 s: refused"


class Silence:
    """While it `lasts`, nobody of production can be taken out of the traffic."""

    def __init__(self, company: Company, *, seen: bool = True) -> None:
        self.lasts, self.seen = True, seen
        """`seen`: the hosts say so too."""
        self.told: list[str] = []
        world = company.world
        before_state, before_deploy = world._state, world.deploy

        def state(machine):  # type: ignore[no-untyped-def]
            now = before_state(machine)
            behind = self.lasts and self.seen and machine.host.pool is Pool.PRODUCTION
            return replace(now, held=SILENT) if behind and isinstance(now, HostState) else now

        async def deploy(host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
            if self.lasts and host.pool is Pool.PRODUCTION:
                self.told.append(intent.operation)
                return Outcome(intent.operation, Result.HELD, "nothing done: no answer for 20 s", world.clock.now())
            return await before_deploy(host, intent, token, deadline_s)

        world._state, world.deploy = state, deploy  # type: ignore[method-assign]


async def held(*, seen: bool = True) -> tuple[Company, Silence]:
    company = Company()
    silence = Silence(company, seen=seen)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-deploy")
    await company.ticks(100)
    return company, silence


async def test_it_holds_in_its_own_words_tells_no_host_and_goes_on_by_itself() -> None:
    company, silence = await held()
    assert company.rollout.phase == "canary-deploy"
    of = len(company.rollout.canaries)
    assert (company.row.state, company.row.why) == (State.HOLD, f"{SILENT}; {of} of {of} hosts wait for it")
    gate = next(gate for gate in company.controller.service("checkout").gates if gate.name == "balancer")
    assert gate.lifts == "by itself, when it answers; or roll back"
    assert silence.told == []
    silence.lasts = False
    await company.until("settled", 400)
    assert "rollback" not in company.actions()


async def test_deploys_that_met_it_are_no_attempts_and_are_told_again() -> None:
    company, silence = await held(seen=False)
    assert company.rollout.phase == "canary-deploy"
    assert len(silence.told) > 5
    assert len(set(silence.told)) == len(company.rollout.canaries)
    said = [event.detail for event in company.history.log if event.action == "host"]
    assert set(said) == {
        f"{name} is not told r2 yet: nothing done: no answer for 20 s" for name in company.rollout.canaries
    }
    assert len(said) == len(set(said))
    silence.lasts = False
    await company.until("settled", 400)
    assert "rollback" not in company.actions()


async def test_after_a_restart_what_was_held_is_told_again() -> None:
    company, silence = await held(seen=False)
    company.start()
    silence.lasts = False
    await company.until("settled", 400)
    assert "rollback" not in company.actions()


@pytest.mark.parametrize("seen", [True, False])
async def test_the_way_back_waits_a_deadline_for_it_and_not_for_ever(seen: bool) -> None:
    company = Company()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    silence = Silence(company, seen=seen)
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back", 60)
    assert set(company.rollout.stragglers) == set(company.rollout.canaries)
    silence.lasts = False
    await company.ticks(60)
    assert company.on("r2") == set()
