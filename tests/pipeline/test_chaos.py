"""The real controller in a company where everything goes wrong, by seed; what must hold is checked at each tick.

`PITHEAD_CHAOS_SEEDS=N` runs more seeds (`make soak`); a seed that broke something stays in `FOUND`.
"""

import os
from datetime import timedelta
from random import Random

import pytest
from world import MIRA, Behaviour, Company, make_rules

from pipeline.commands import OF_RELEASES, Refused, Verb
from pipeline.docket import Docket
from pipeline.events import Who
from pipeline.judge.verdict import Verdict
from pipeline.lifecycle import CANARY, Phase, Rollout
from pipeline.model import JudgeRules, NoData, Pool, Promotion, Promotions
from pipeline.placement import canary_size
from pipeline.view import State

SEEDS = int(os.environ.get("PITHEAD_CHAOS_SEEDS", "30"))
FOUND: tuple[int, ...] = ()
OF_RELEASES_IN_ORDER = [verb for verb in Verb if verb in OF_RELEASES]
ENTERED = frozenset({Phase.STAGING_DEPLOY, Phase.CANARY_DEPLOY, Phase.WAVE_DEPLOY})
BUILDS = (
    *[Behaviour()] * 6,
    Behaviour(error_ratio=0.1),
    Behaviour(slow_ratio=0.2),
    Behaviour(healthy=False),
    Behaviour(fails=True),
    Behaviour(leak_bytes=6e6),
)


class Storm:
    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        judge = make_rules().judge
        self.company = Company(
            make_rules(
                promotions=Promotions(production=self.rng.choice(list(Promotion))),
                judge=JudgeRules(
                    judge.metrics, stale_s=5, warmup_s=1, no_data_limit_s=15, no_data=self.rng.choice(list(NoData))
                ),
            ),
            production=self.rng.choice((3, 10, 24)),
        )
        self.revision = 1
        self.restlessness = self.rng.choice((0.03, 0.1, 0.25))

    def upset(self) -> None:
        """One thing that happens to real fleets and their people."""
        world, rng = self.company.world, self.rng
        machine = rng.choice(list(world.machines.values()))
        match rng.randrange(13):
            case 0:
                machine.fault = rng.choice(("no answer in 2 s", "refused", "malformed state: not JSON"))
            case 1:
                machine.metrics_fault = "HTTP 500"
            case 2:
                for other in world.machines.values():
                    other.metrics_fault = "no answer in 2 s"
            case 3 | 4 | 5:
                for other in world.machines.values():
                    other.fault = other.metrics_fault = ""
            case 6:
                self.company.history.broken = rng.choice(("", "disk full"))
            case 7:
                self.company.start()
            case 8:
                world.restart_s = rng.choice((0.0, 1.0, 4.0, 15.0))
            case 9:
                self.ask_for_paper()
            case _:
                self.ask()

    def ask(self) -> None:
        verb = self.rng.choice([Verb.SUBMIT, Verb.SUBMIT, Verb.PROMOTE, Verb.PROMOTE, *OF_RELEASES_IN_ORDER])
        if verb is Verb.SUBMIT:
            self.revision += 1
            self.company.world.behaviours[f"r{self.revision}"] = self.rng.choice(BUILDS)
        self.lay_down(verb, revision=f"r{self.revision}")

    def ask_for_paper(self) -> None:
        """Anything of the papers' verbs, most of it sensible; nothing outlasts the storm."""
        now, rng = self.company.world.clock.now(), self.rng
        subjects = ("", "", "sev1", "sev2", "exclude", "good", "CAT-2", "smoke", "coverage", "lock-1", "res-1", "inc-1")
        start, end = now - timedelta(seconds=rng.randrange(60)), now + timedelta(seconds=rng.randrange(1, 30))
        verb = rng.choice([verb for verb in Verb if verb not in OF_RELEASES])
        if verb is Verb.CORRECT:
            end = now
        self.lay_down(
            verb,
            who=rng.choice((MIRA, Who("ben", 1001))),
            subject=rng.choice(subjects),
            reason=rng.choice(("because", "because", "")),
            evidence="T-1",
            start=start if verb is Verb.CORRECT else None,
            end=rng.choice((end, end, None)) if verb is not Verb.LOCK else end,
            queue=rng.random() < 0.5,
        )

    def lay_down(self, verb: Verb, who: Who = MIRA, **what: object) -> None:
        try:
            self.company.controller.propose(verb, "checkout")
            self.company.ask(verb, who=who, **what)
        except Refused as no:
            assert no.what and no.why and no.mend

    def check(self, before: Rollout | None) -> None:
        company = self.company
        rollouts = company.history.rollouts.values()
        assert sum(not rollout.ended for rollout in rollouts) <= 1
        for machine in company.world.machines.values():
            assert len(machine.told) == len(set(machine.told)), "an operation was carried out twice"
            assert set(machine.told) <= set(company.history.intents), "a host was told before it was written down"
        now = company.rollout if company.history.rollouts else None
        if now is None:
            return
        self.check_places(now)
        baked = before is not None and before.id == now.id and before.phase is Phase.CANARY_BAKE
        if before is not None and baked and now.phase is Phase.WAVE_DEPLOY:
            assert before.served.seconds > 0
            assert company.history.broken == ""
            assert before.judgement is not None
            assert now.reference
        self.check_papers(now, before)
        if company.row.state is State.STALE:
            assert company.row.verdict is Verdict.NO_DATA

    def check_papers(self, now: Rollout, before: Rollout | None) -> None:
        """What the controller has laid out is what the history has; a lock stands at every door forward."""
        company = self.company
        assert company.controller.docket().all() == Docket().with_papers(company.history.papers()).all()
        entered = before is not None and before.id == now.id and before.phase is not now.phase
        if entered and now.phase in ENTERED:
            asked = company.world.clock.now() - timedelta(seconds=1)
            assert not company.controller.docket("checkout").locks_on(asked)

    def check_places(self, now: Rollout) -> None:
        """A revision is on no host that its phase does not allow."""
        production = [m for m in self.company.world.machines.values() if m.host.pool is Pool.PRODUCTION]
        new = {machine.host.name for machine in production if machine.revision == now.revision}
        if now.phase in {Phase.QUEUED, Phase.STAGING_DEPLOY, Phase.STAGING_CHECKS}:
            assert not new
        if now.phase in CANARY:
            assert new <= set(now.canaries)
            assert len(now.canaries) == canary_size(len(production), 0.1)
        if now.phase in {Phase.WAVE_DEPLOY, Phase.WAVE_SOAK}:
            assert new <= set(now.out)


@pytest.mark.parametrize("seed", [*FOUND, *range(SEEDS)])
async def test_whatever_goes_wrong_nothing_is_done_twice_unrecorded_or_out_of_place(seed: int) -> None:
    storm = Storm(seed)
    company = storm.company
    for _ in range(150):
        before = company.rollout if company.history.rollouts else None
        if storm.rng.random() < storm.restlessness:
            storm.upset()
        await company.ticks(1)
        storm.check(before)
    await calm(storm)


async def calm(storm: Storm) -> None:
    """Once the storm is over, a rollback ends though hosts are still dead, and they are told as they return."""
    company = storm.company
    company.history.broken = ""
    company.world.restart_s = 1.0
    if company.history.rollouts and not company.rollout.ended:
        if company.rollout.phase is not Phase.ROLLING_BACK:
            company.ask(Verb.ROLLBACK)
        await ended(company)
    for machine in company.world.machines.values():
        machine.fault = machine.metrics_fault = ""
    if not company.history.rollouts:
        return
    stable = company.rollout.stable if company.rollout.phase != Phase.SETTLED else company.rollout.revision

    def home() -> bool:
        return company.on(stable) == set(company.world.machines)

    await company.ticks(90, home)
    await company.ticks(10)
    assert home(), company.rollout.why


async def ended(company: Company) -> None:
    for _ in range(150):
        if company.rollout.ended:
            return
        await company.ticks(1)
    raise AssertionError(f"still {company.rollout.phase}: {company.row.why}")
