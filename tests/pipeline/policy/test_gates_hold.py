"""The gates in a running controller: the same words everywhere, forward stopped, the way back open."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from world import START, Behaviour, Company, make_rules

from pipeline.checks import CheckKind, CheckRule
from pipeline.commands import Command, Receipt, Refused, Verb
from pipeline.emergency import EmergencyRules
from pipeline.events import Who
from pipeline.lifecycle import CheckResult, Phase
from pipeline.model import BudgetRules, FrequencyRules, Promotion, Promotions, Rules, TrafficCycle
from pipeline.slo.slices import Slice
from pipeline.staging import StagingLimit, StagingMode, StagingRules
from pipeline.view import Deploy

BEN = Who("ben", 1001)
FOUR_NINES = BudgetRules(Decimal("0.9999"), window_s=3_600, slice_s=1)
WELL = Behaviour(error_ratio=0.0)
SAID = (
    "payback: 720 s of 262.8 s = 2.74 -> 3 months: 12m00s down since 2026-03-02 08:00 UTC; until 2026-06-02 08:04 UTC"
)


def was_down(company: Company, minutes: int) -> None:
    """An hour before the controller begins, of which the first minutes were an outage."""
    begun, end = START - timedelta(hours=1), timedelta(minutes=minutes)
    for second in range(3_600):
        at, down = begun + timedelta(seconds=second), timedelta(seconds=second) < end
        piece = Slice("checkout", at, 400, 400 if down else 0, length_s=1, down=down)
        company.history.kept_slices["checkout", "availability", at] = piece
    company.start()


def told(company: Company, verb: Verb, **changes: object) -> Receipt:
    """Asked by a second person."""
    command = Command(verb, "checkout", f"ben-{verb}")
    return company.controller.command(replace(command, **changes), BEN, read_only=False)  # type: ignore[arg-type]


def a_company(rules: Rules) -> Company:
    company = Company(rules)
    company.world.behaviours.update({"r1": WELL, "r2": WELL})
    return company


async def test_who_pays_back_is_refused_in_the_same_words_by_the_row_the_gate_and_the_verb_also_after_a_restart() -> (
    None
):
    company = a_company(make_rules(budget=FOUR_NINES))
    was_down(company, 12)
    for _ in range(2):
        await company.ticks(3)
        its = company.row.budget
        assert (its.deploy, its.deploy_why) == (Deploy.BLOCKED, SAID)
        assert company.controller.gate("checkout").why == SAID
        with pytest.raises(Refused) as no:
            company.ask(Verb.SUBMIT, "r2")
        assert no.value.why == SAID
        company.start()


async def test_four_minutes_down_block_nothing_but_spend_the_rolling_budget() -> None:
    company = a_company(make_rules(budget=FOUR_NINES))
    was_down(company, 4)
    await company.ticks(3)
    assert company.row.budget.deploy is Deploy.HOLD
    assert company.row.budget.deploy_why.startswith("budget: availability 1h: ")
    company.ask(Verb.SUBMIT, "r2")
    await company.ticks(5)
    assert company.rollout.phase is Phase.QUEUED
    assert company.row.why == company.controller.gate("checkout").why


async def test_a_lock_binds_a_promote_and_not_the_way_back() -> None:
    company = a_company(make_rules(promotions=Promotions(production=Promotion.OPERATOR)))
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    company.ask(Verb.LOCK, reason="the database moves tonight")
    await company.ticks(60)
    with pytest.raises(Refused, match=r"lock: lock-1: locked by mira at .*: the database moves tonight"):
        company.ask(Verb.PROMOTE)
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back")
    assert company.on("r1") == set(company.world.machines)


async def test_hosts_in_the_middle_of_a_wave_are_finished_before_a_lock_holds_the_next() -> None:
    company = a_company(make_rules())
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("wave-deploy")
    company.ask(Verb.LOCK, reason="stop")
    await company.until("wave-soak")
    wave = company.rollout.wave
    await company.ticks(30)
    assert (company.rollout.phase, company.rollout.wave) == (Phase.WAVE_SOAK, wave)


async def test_a_manual_check_waits_for_a_persons_word_on_the_very_build() -> None:
    company = a_company(make_rules(checks=(CheckRule("look", CheckKind.MANUAL),)))
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("staging-checks")
    await company.ticks(5)
    assert company.row.why == "check look: waits for a person who has looked at r2"
    company.ask(Verb.ATTEST, subject="look", reason="all screens are well")
    await company.until("canary-bake")


def patient() -> Rules:
    """Rules under which nothing goes today: a payback, a cycle of days, one release a week."""
    return make_rules(
        budget=FOUR_NINES,
        cycle=TrafficCycle(duration_s=300_000, requests=10**9, peak_ratio=0.9),
        frequency=FrequencyRules(min_gap_s=86_400),
    )


async def glass_is_broken(company: Company) -> None:
    was_down(company, 12)
    await company.ticks(3)
    company.ask(Verb.INCIDENT, subject="sev1", reason="the tills are down")
    company.ask(Verb.BREAKGLASS, reason="r2 mends it")
    with pytest.raises(Refused, match="payback: "):
        company.ask(Verb.SUBMIT, "r2")
    told(company, Verb.APPROVE)
    company.ask(Verb.SUBMIT, "r2")


async def test_break_glass_skips_waiting_once_the_judge_passes_and_is_marked() -> None:
    company = a_company(patient())
    await glass_is_broken(company)
    await company.until("settled", 600)
    details = [event.detail for event in company.history.log if event.action in {"staging", "wave"}]
    assert any("break-glass skipped" in detail and "payback" in detail for detail in details)
    assert any("traffic-cycle" in detail for detail in details)


async def test_break_glass_keeps_no_bad_canary() -> None:
    company = a_company(patient())
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.3)
    await glass_is_broken(company)
    await company.until("rolled-back", 600)
    assert company.on("r1") == set(company.world.machines)


async def test_a_build_that_breaks_a_limit_of_partial_staging_goes_back_by_itself() -> None:
    limits = StagingRules(mode=StagingMode.PARTIAL, limits=(StagingLimit("errors", 0.05, window_s=10),))
    company = a_company(make_rules(checks=(CheckRule("look", CheckKind.MANUAL),), staging=limits))
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("staging-checks")
    for _ in range(8):
        for name in ("stg-0", "stg-1"):
            company.world.machines[name].requests += 40
            company.world.machines[name].errors += 4
        await company.ticks(1)
    assert company.rollout.why.startswith("staging limit: error rate 10.00 % is above 5.00 % over 10 s, ")
    await company.until("rolled-back")
    assert company.on("r1") == set(company.world.machines)


async def a_security_fix_is_given(company: Company) -> None:
    was_down(company, 12)
    await company.ticks(3)
    with pytest.raises(Refused, match="payback: "):
        company.ask(Verb.SUBMIT, "r2")
    company.ask(Verb.SECURITYFIX, "r2", reason="a token leaks", evidence="CVE-2026-1234", end=START + timedelta(days=1))
    with pytest.raises(Refused, match="payback: "):
        company.ask(Verb.SUBMIT, "r2")
    told(company, Verb.APPROVE)
    with pytest.raises(Refused, match=r"payback: .*; security fix sec-1 is for r2 alone"):
        company.ask(Verb.SUBMIT, "r3")
    company.ask(Verb.SUBMIT, "r2")


FIXABLE = make_rules(budget=FOUR_NINES, emergency=EmergencyRules(approvers=("ben",)))


async def test_a_security_fix_goes_all_the_way_under_a_payback_is_marked_and_leaves_the_block() -> None:
    company = a_company(FIXABLE)
    await a_security_fix_is_given(company)
    assert company.row.security_fix == "r2 (CVE-2026-1234) until 2026-03-03 09:00 UTC by mira, approved by ben"
    await company.until("canary-bake", 300)
    company.start()
    await company.until("settled", 600)
    details = [event.detail for event in company.history.log if event.release == "checkout-1"]
    assert sum("its security fix let it past" in detail and "payback" in detail for detail in details) == 3
    assert details.count("goes on with security fix sec-1 (mira, approved by ben); it is to be reviewed") == 1
    await company.ticks(3)
    assert company.row.security_fix == ""
    assert company.controller.gate("checkout").deploy is Deploy.BLOCKED
    (fix,) = company.controller.docket().unreviewed(START + timedelta(hours=1))
    assert fix.used_by == ("checkout-1",)
    with pytest.raises(Refused, match="payback: "):
        company.ask(Verb.SUBMIT, "r3")


async def test_a_security_fix_keeps_no_bad_canary_and_is_over_with_it() -> None:
    company = a_company(FIXABLE)
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.3)
    await a_security_fix_is_given(company)
    await company.until("rolled-back", 600)
    assert company.on("r1") == set(company.world.machines)
    assert company.controller.docket().security_fix_in_force(START + timedelta(hours=1)) is None


async def test_a_lock_holds_a_security_fix_and_its_end_holds_it_at_the_next_door() -> None:
    company = a_company(FIXABLE)
    await a_security_fix_is_given(company)
    await company.until("staging-deploy", 20)
    company.ask(Verb.LOCK, reason="the database moves tonight")
    await company.ticks(60)
    assert company.rollout.phase is Phase.STAGING_CHECKS
    told(company, Verb.REVOKE, subject="sec-1")
    company.ask(Verb.UNLOCK)
    await company.ticks(60)
    assert company.rollout.phase is Phase.STAGING_CHECKS
    assert company.row.budget.deploy_why.startswith("payback: ")


async def test_a_check_that_runs_is_known_and_holds_with_when_it_ends_at_the_latest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = a_company(make_rules(checks=(CheckRule("traffic", CheckKind.REPLAY, deadline_s=60.0),)))

    async def runs_on(*_: object) -> CheckResult:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(company.world, "run", runs_on)
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("staging-checks")
    await company.ticks(3)
    report = company.controller.gate("checkout")
    since = company.rollout.since
    assert report.deploy is Deploy.HOLD
    latest = since + timedelta(seconds=60)
    said = f"under way since {since:%H:%M:%S} UTC, until {latest:%H:%M:%S} UTC at the latest"
    assert report.why == f"check traffic: {said}"
    assert company.row.budget.deploy_until == latest
