"""The baseline: restarted on the stable revision beside the canary, once, whatever becomes of hosts and controllers."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest
from world import Behaviour, Company, Machine, MemoryHistory, World, make_rules

from pipeline.commands import Verb
from pipeline.events import Event, Intent, Outcome, Result
from pipeline.lifecycle import CANARY, Phase
from pipeline.measured.telemetry import track_of
from pipeline.model import Control, DeployRules, Host, Pool, Rules, Track, TrafficCycle
from pipeline.observed import HostState, Observation
from pipeline.release.hostwork import is_restart
from pipeline.release.targets import targets

DEADLINE_S = 20.0
DEADLINE_TICKS = 30
"""A deadline's ticks, and some."""


class Moody(World):
    """Hosts whose restarts go wrong."""

    unsent = False
    """A controller that dies before its requests leave it."""
    failing: frozenset[str] = frozenset()
    """Their restart leaves nothing running."""
    silent: frozenset[str] = frozenset()
    """They are out of reach from the moment they are told to restart; what they do is `does`."""
    does = True
    down: frozenset[str] = frozenset()
    """They came back up and are not healthy."""

    async def deploy(self, host: Host, intent: Intent, token: int, deadline_s: float) -> Outcome:
        if self.unsent and host.pool is Pool.PRODUCTION:
            await asyncio.Event().wait()
        machine = self.machines[host.name]
        if is_restart(intent.operation, host.name) and intent.operation not in machine.operations:
            if host.name in self.failing:
                machine.told.append(intent.operation)
                machine.newest = intent.operation
                machine.revision = ""
                failed = Outcome(intent.operation, Result.FAILED, "exited with status 1", self.clock.now())
                machine.operations[intent.operation] = failed
                return failed
            if host.name in self.silent:
                began_s = self.clock.mono
                if self.does:
                    waiting = asyncio.ensure_future(super().deploy(host, intent, token, deadline_s))
                    await asyncio.sleep(0)
                    waiting.cancel()
                machine.fault = machine.metrics_fault = "no answer in 2 s"
                while self.clock.mono - began_s < deadline_s:  # noqa: ASYNC110 - the clock moves by hand
                    await asyncio.sleep(0)
                return Outcome(intent.operation, Result.UNKNOWN, "no outcome", self.clock.now())
        return await super().deploy(host, intent, token, deadline_s)

    def _state(self, machine: Machine) -> Observation:
        state = super()._state(machine)
        if not isinstance(state, HostState) or not is_restart(machine.newest, machine.host.name):
            return state
        sick, known = machine.host.name in self.down, machine.operations[machine.newest]
        return replace(state, healthy=state.healthy and not sick, detail=known.detail)


class Matched(Company):
    """30 production hosts: 3 canaries, 3 baseline hosts."""

    world: Moody

    def __init__(self, rules: Rules | None = None, production: int = 30) -> None:
        super().__init__(rules or with_baseline(), production)
        self.world, self.history = Moody(self.service), MemoryHistory()
        self.start()

    async def drawn(self) -> tuple[str, ...]:
        """Submit r2 and go on to the tick that draws; the baseline."""
        await self.ticks(3)
        self.ask(Verb.SUBMIT, "r2")
        await self.until(Phase.CANARY_DEPLOY)
        return self.rollout.baseline

    async def next_draw(self) -> tuple[str, ...]:
        """What the draw will be: it is the seed's."""
        other = Matched(self.service.rules, len(self.service.production))
        return await other.drawn()

    def restarts(self, host: str) -> list[str]:
        return [operation for operation in self.world.machines[host].told if is_restart(operation, host)]

    def left_out(self) -> list[Event]:
        return [event for event in self.history.log if "left out of the baseline" in event.detail]


QUICK: Mapping[str, object] = {
    "cycle": TrafficCycle(duration_s=8, requests=300, peak_ratio=0.5),
    "deploy": DeployRules(at_once=3, deadline_s=DEADLINE_S, soak_s=2, settle_s=3),
}
"""Restarts are done before the canary bakes: what comes then may be short."""


def with_baseline(**changes: object) -> Rules:
    rules = make_rules(**{**QUICK, **changes})
    return replace(rules, judge=replace(rules.judge, control=Control.BASELINE))


async def test_baseline_hosts_restart_on_the_stable_revision_as_the_canaries_are_deployed() -> None:
    company = Matched(with_baseline(deploy=DeployRules(at_once=6, deadline_s=DEADLINE_S, soak_s=5, settle_s=10)))
    baseline = await company.drawn()
    assert len(baseline) == len(company.rollout.canaries) == 3
    assert not set(baseline) & set(company.rollout.canaries)
    first = company.history.intents
    told_at = {first[f"checkout-1.baseline.{host}.1"].at for host in baseline}
    assert told_at == {first[f"checkout-1.forward.{host}.1"].at for host in company.rollout.canaries}
    await company.until(Phase.CANARY_BAKE)
    machines = company.world.machines
    assert all(machines[host].revision == "r1" for host in baseline)
    assert [company.restarts(host) for host in baseline] == [[f"checkout-1.baseline.{host}.1"] for host in baseline]
    drawn = next(event for event in company.history.log if "drawn" in event.detail)
    assert "restarted on r1 beside them as the baseline: " in drawn.detail


async def test_a_baseline_host_is_production_to_the_waves_and_its_own_track_before() -> None:
    company = Matched()
    baseline = await company.drawn()
    await company.until(Phase.CANARY_BAKE)
    assert {track(company, host) for host in baseline} == {Track.BASELINE}
    assert {track(company, host) for host in company.rollout.canaries} == {Track.CANARY}
    assert not set(baseline) & set(company.rollout.out)
    await company.until(Phase.WAVE_DEPLOY)
    assert Track.BASELINE not in {track(company, host.name) for host in company.service.hosts}
    await company.until(Phase.SETTLED, 400)
    assert company.on("r2") == set(company.world.machines)
    for host in baseline:
        assert company.world.machines[host].told == [f"checkout-1.{step}.{host}.1" for step in ("baseline", "forward")]


def track(company: Company, host: str) -> Track:
    wanted = targets(company.service, company.rollout)
    return track_of(company.service, wanted.new, host, wanted.beside)


async def test_a_canary_against_production_restarts_nobody() -> None:
    company = Company(production=30)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until(Phase.CANARY_BAKE)
    assert company.rollout.baseline == ()
    assert not [operation for operation in company.history.intents if ".baseline." in operation]


async def test_both_groups_share_the_limit_of_hosts_at_once_and_take_turns() -> None:
    company = Matched()
    company.world.restart_s = 4.0
    await company.drawn()
    most = 0
    while company.rollout.phase is Phase.CANARY_DEPLOY:
        await company.ticks(1)
        mono = company.world.clock.mono
        most = max(most, sum(machine.up_at > mono for machine in company.world.machines.values()))
    assert most == company.service.rules.deploy.at_once == 3
    steps = [operation.split(".")[1] for operation in company.history.intents if ".stg-" not in operation]
    assert steps[:6] == ["forward", "baseline", "forward", "baseline", "forward", "baseline"]


async def test_the_canary_does_not_bake_before_the_baseline_is_up() -> None:
    company = Matched(with_baseline(deploy=DeployRules(at_once=1, deadline_s=DEADLINE_S, soak_s=5, settle_s=10)))
    company.world.restart_s = 4.0
    baseline = await company.drawn()
    waited = False
    while company.rollout.phase is Phase.CANARY_DEPLOY:
        waited |= "baseline hosts restarted on r1; to come: " in company.row.why
        await company.ticks(1)
    assert waited
    mono = company.world.clock.mono
    assert all(company.world.machines[host].up_at <= mono for host in baseline)


@pytest.mark.parametrize("kill_after", range(12))
@pytest.mark.parametrize("unsent", [False, True])
async def test_a_controller_lost_at_any_tick_restarts_each_baseline_host_exactly_once(
    kill_after: int, *, unsent: bool
) -> None:
    company = Matched()
    company.world.restart_s = 3.0
    company.world.unsent = unsent and not kill_after
    baseline = await company.drawn()
    await company.ticks(max(kill_after - 1, 0))
    company.world.unsent = unsent
    await company.ticks(1)
    company.world.unsent = False
    company.start()
    await company.until(Phase.CANARY_BAKE)
    assert company.rollout.baseline == baseline
    assert [len(company.restarts(host)) for host in baseline] == [1, 1, 1]
    await company.until(Phase.SETTLED, 400)
    assert [len(company.restarts(host)) for host in baseline] == [1, 1, 1]
    assert set(company.history.intents) == set(company.history.outcomes)


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_happens_no_host_restarts_twice_unwritten_or_on_another_revision(seed: int) -> None:
    rng, company = Random(seed), Matched()
    baseline = await company.drawn()
    world = company.world
    for _ in range(60):
        machine = world.machines[rng.choice(baseline)]
        match rng.randrange(8):
            case 0:
                company.start()
            case 1:
                machine.fault = rng.choice(("no answer in 2 s", "refused"))
            case 2:
                for other in world.machines.values():
                    other.fault = other.metrics_fault = ""
            case 3:
                company.history.broken = rng.choice(("", "disk full"))
            case 4:
                world.restart_s = rng.choice((0.0, 1.0, 4.0))
            case 5 if company.rollout.phase is Phase.CANARY_DEPLOY:
                company.ask(rng.choice((Verb.PAUSE, Verb.PAUSE, Verb.ROLLBACK)))
            case 6 if company.rollout.pause is not None and not company.history.broken:
                company.ask(Verb.RESUME, version=company.rollout.version)
        await company.ticks(1)
        for host in baseline:
            assert len(company.restarts(host)) <= 1
            assert set(world.machines[host].told) <= set(company.history.intents)
            assert company.rollout.phase not in CANARY or world.machines[host].revision == "r1"
            assert host not in company.rollout.out or company.rollout.phase not in CANARY
        if company.rollout.phase is Phase.CANARY_BAKE:
            assert all(len(company.restarts(host)) == 1 for host in company.rollout.baseline)


async def test_a_baseline_host_whose_restart_fails_is_left_out_seen_to_and_fails_nothing() -> None:
    company = Matched()
    broken = (await company.next_draw())[1]
    company.world.failing = frozenset({broken})
    baseline = await company.drawn()
    await company.until(Phase.CANARY_BAKE)
    assert company.rollout.baseline == tuple(host for host in baseline if host != broken)
    said = company.left_out()
    assert [event.detail for event in said] == [
        f"left out of the baseline, 2 stay: {broken}: its restart failed: exited with status 1"
    ]
    await company.ticks(5)
    assert company.world.machines[broken].revision == "r1", "what the restart broke is put right"
    assert company.rollout.stragglers == ()
    await company.until(Phase.SETTLED, 400)
    assert len(company.restarts(broken)) == 1


@pytest.mark.parametrize("does", [True, False])
async def test_a_baseline_host_that_is_lost_in_its_restart_is_left_out_and_looked_up_when_it_is_back(
    *, does: bool
) -> None:
    company = Matched()
    lost = (await company.next_draw())[0]
    company.world.silent, company.world.does = frozenset({lost}), does
    await company.drawn()
    began_s = company.world.clock.mono
    await company.until(Phase.CANARY_BAKE)
    assert company.world.clock.mono - began_s <= DEADLINE_S + 8
    assert lost not in company.rollout.baseline
    assert "not back from its restart in 20 s" in company.left_out()[0].detail
    assert f"checkout-1.baseline.{lost}.1" not in company.history.outcomes
    company.world.machines[lost].fault = company.world.machines[lost].metrics_fault = ""
    company.world.silent = frozenset()
    await company.ticks(2)
    outcome = company.history.outcomes[f"checkout-1.baseline.{lost}.1"]
    assert outcome.result is (Result.DONE if does else Result.FAILED)
    await company.until(Phase.SETTLED, 400)
    assert len(company.restarts(lost)) == does


async def test_a_baseline_host_that_stays_lost_holds_no_wave_and_is_told_as_it_returns() -> None:
    company = Matched()
    lost = (await company.next_draw())[0]
    company.world.silent, company.world.does = frozenset({lost}), False
    await company.drawn()
    await company.until(Phase.SETTLED, 400)
    assert company.on("r2") == set(company.world.machines) - {lost}
    company.world.machines[lost].fault = company.world.machines[lost].metrics_fault = ""
    company.world.silent = frozenset()
    await company.ticks(DEADLINE_TICKS)
    assert company.on("r2") == set(company.world.machines)
    assert company.restarts(lost) == []


@pytest.mark.parametrize("at_once", [1, 3])
async def test_a_baseline_that_is_dead_altogether_holds_the_canary_up_for_a_deadline_not_one_each(at_once: int) -> None:
    rules = with_baseline(deploy=DeployRules(at_once=at_once, deadline_s=DEADLINE_S, soak_s=5, settle_s=10))
    company = Matched(rules)
    company.world.silent, company.world.does = frozenset(await company.next_draw()), False
    await company.drawn()
    began_s = company.world.clock.mono
    await company.until(Phase.CANARY_BAKE)
    assert company.world.clock.mono - began_s <= 2 * DEADLINE_S + 12
    assert company.rollout.baseline == ()


async def test_hosts_that_were_down_before_are_not_restarted_and_not_waited_for_longer_than_a_deadline() -> None:
    company = Matched()
    down = (await company.next_draw())[2]
    company.world.machines[down].fault = "refused"
    await company.drawn()
    began_s = company.world.clock.mono
    await company.until(Phase.CANARY_BAKE)
    assert company.world.clock.mono - began_s <= DEADLINE_S + 8
    assert (down in company.rollout.baseline, company.restarts(down)) == (False, [])
    assert "not to be restarted in 20 s" in company.left_out()[0].detail


async def test_a_baseline_host_that_comes_back_sick_is_left_out() -> None:
    company = Matched()
    sick = (await company.next_draw())[0]
    company.world.down = frozenset({sick})
    await company.drawn()
    await company.until(Phase.CANARY_BAKE)
    assert sick not in company.rollout.baseline
    assert len(company.restarts(sick)) == 1


async def test_a_pause_stops_restarts_and_a_resume_goes_on_with_them() -> None:
    company = Matched(with_baseline(deploy=DeployRules(at_once=1, deadline_s=DEADLINE_S, soak_s=5, settle_s=10)))
    baseline = await company.drawn()
    company.ask(Verb.PAUSE)
    await company.ticks(60)
    assert not any(company.restarts(host) for host in baseline)
    company.ask(Verb.RESUME)
    await company.until(Phase.CANARY_BAKE)
    assert company.rollout.baseline == baseline
    assert [len(company.restarts(host)) for host in baseline] == [1, 1, 1]


async def test_a_rollback_tells_baseline_hosts_nothing_more() -> None:
    company = Matched()
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.2)
    baseline = await company.drawn()
    await company.until(Phase.ROLLED_BACK, 300)
    for host in baseline:
        assert company.world.machines[host].told == [f"checkout-1.baseline.{host}.1"]
    assert company.on("r1") == set(company.world.machines)
    assert company.rollout.stragglers == ()


async def test_a_rollback_in_the_middle_of_the_restarts_waits_for_none_of_them() -> None:
    company = Matched()
    company.world.silent, company.world.does = frozenset(await company.next_draw()), False
    await company.drawn()
    await company.ticks(2)
    company.ask(Verb.ROLLBACK)
    await company.until(Phase.ROLLED_BACK, 12)


async def test_canaries_that_come_up_dead_end_the_restarts_too() -> None:
    company = Matched()
    baseline = await company.drawn()
    company.world.behaviours["r2"] = Behaviour(healthy=False)
    await company.until(Phase.ROLLED_BACK, 300)
    assert sum(len(company.restarts(host)) for host in baseline) < 3


async def test_where_no_datacenter_can_spare_a_host_that_is_said_and_the_canary_goes_on() -> None:
    company = Matched(production=3)
    assert await company.drawn() == ()
    assert any("no baseline: their datacenters have no host to spare" in event.detail for event in company.history.log)
    await company.until(Phase.CANARY_BAKE)


@pytest.mark.parametrize(
    ("operation", "host", "restarts"),
    [
        ("cart-1.baseline.fra1-1.1", "fra1-1", True),
        ("web.eu-1.baseline.fra1.x-1.1", "fra1.x-1", True),
        ("cart-1.forward.baseline.fra1-1.1", "baseline.fra1-1", False),
        ("cart.baseline-1.forward.fra1-1.1", "fra1-1", False),
        ("cart-1.baseline.fra1-1.1", "fra1-2", False),
        ("", "fra1-1", False),
    ],
)
def test_only_a_baselines_operation_on_the_very_host_is_a_restart(operation: str, host: str, *, restarts: bool) -> None:
    assert is_restart(operation, host) is restarts
