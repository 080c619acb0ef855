"""Papers in the controller: kept before they are true, there again after a restart, and followed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from world import MIRA, START, Behaviour, Company, make_rules

from pipeline.checks import CheckKind, CheckRule
from pipeline.commands import Command, Refused, Verb
from pipeline.docket import LockCause
from pipeline.emergency import AfterRollback, EmergencyRules
from pipeline.events import Who
from pipeline.lifecycle import Phase
from pipeline.model import Freeze
from pipeline.view import Deploy, State

BEN = Who("ben", 1001)
AHEAD = START + timedelta(hours=2)


async def measured(company: Company) -> Company:
    await company.ticks(3)
    return company


async def test_papers_survive_a_restart_and_their_numbers_go_on() -> None:
    company = await measured(Company())
    company.ask(Verb.LOCK, reason="migration", end=AHEAD)
    company.ask(Verb.RESERVE, reason="demo", end=AHEAD)
    company.ask(Verb.INCIDENT, subject="sev2", reason="slow")
    company.ask(Verb.ATTEST, subject="CAT-3", reason="restored")
    before = company.controller.docket()
    company.start()
    assert company.controller.docket() == before
    assert company.controller.docket("checkout") == before
    company.ask(Verb.LOCK, reason="audit", end=AHEAD)
    assert [lock.id for lock in company.controller.docket().locks] == ["lock-1", "lock-2"]


async def test_a_repeated_request_lays_down_one_paper() -> None:
    company = await measured(Company())
    command = Command(Verb.LOCK, "checkout", "same", reason="migration")
    first = company.controller.command(command, MIRA, read_only=False)
    company.start()
    assert company.controller.command(command, MIRA, read_only=False) == first
    assert len(company.controller.docket().locks) == 1
    assert company.actions().count("lock") == 1


async def test_a_read_only_line_lays_nothing_down_and_that_is_told() -> None:
    company = await measured(Company())
    with pytest.raises(Refused, match="lock checkout: this line is read-only"):
        company.controller.command(Command(Verb.LOCK, "checkout", "r", reason="x"), MIRA, read_only=True)
    assert company.controller.docket().locks == ()
    assert company.actions()[-1] == "denied"


async def test_what_the_history_does_not_take_is_not_true() -> None:
    company = await measured(Company())
    company.history.broken = "disk full"
    with pytest.raises(Refused, match="cannot be recorded: disk full"):
        company.ask(Verb.LOCK, reason="x")
    assert company.controller.docket().locks == ()
    assert company.row.state is not State.LOCK


async def test_a_lock_is_the_state_of_a_service_at_rest_until_it_ends() -> None:
    company = await measured(Company())
    company.ask(Verb.LOCK, reason="migration", end=START + timedelta(seconds=30))
    assert company.row.state is State.LOCK
    assert company.row.why.startswith("locked by mira until 2026-03-02 09:00 UTC: migration (lock-1)")
    assert company.row.budget.deploy is Deploy.BLOCKED
    await company.ticks(40, lambda: company.row.state is State.STEADY)
    assert company.world.clock.now() >= START + timedelta(seconds=30)


async def test_a_lock_holds_a_release_at_its_door_and_not_the_way_back() -> None:
    company = await measured(Company())
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    company.ask(Verb.LOCK, reason="migration")
    await company.ticks(60)
    assert company.rollout.phase is Phase.CANARY_BAKE
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back")


async def test_after_unlock_the_revision_that_was_rolled_back_may_come_again_also_after_a_restart() -> None:
    company = await measured(Company())
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    company.ask(Verb.ROLLBACK, reason="by mistake")
    await company.until("rolled-back")
    await company.ticks(2)
    assert company.row.state is State.LOCK
    with pytest.raises(Refused, match="pithead unlock checkout"):
        company.ask(Verb.SUBMIT, "r2")
    company.ask(Verb.UNLOCK, reason="it was a mistake")
    assert company.row.state is not State.LOCK
    company.start()
    await company.ticks(3)
    assert company.row.state is not State.LOCK
    company.ask(Verb.SUBMIT, "r2")
    assert company.rollout.phase is Phase.QUEUED


async def test_a_rollback_locks_where_the_rules_want_a_person_and_unlock_frees_it() -> None:
    emergency = EmergencyRules(after_rollback=AfterRollback.PERSON)
    company = await measured(Company(make_rules(emergency=emergency)))
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.5)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("rolled-back")
    (lock,) = company.controller.docket().locks
    assert lock.cause is LockCause.ROLLBACK
    company.start()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r3")
    await company.ticks(10)
    assert company.rollout.phase is Phase.QUEUED
    assert "lock" in company.row.why
    company.ask(Verb.UNLOCK)
    await company.until("staging-deploy", 10)


async def test_a_rollback_by_hand_locks_likewise() -> None:
    company = await measured(Company(make_rules(emergency=EmergencyRules(after_rollback=AfterRollback.PERSON))))
    company.ask(Verb.SUBMIT, "r2")
    await company.until("staging-checks")
    company.ask(Verb.ROLLBACK)
    assert [lock.cause for lock in company.controller.docket().locks] == [LockCause.ROLLBACK]


async def test_a_failed_load_test_locks_the_service_and_one_that_passes_frees_it() -> None:
    rules = make_rules(checks=(CheckRule("load", CheckKind.LOAD, command=("k6",)),))
    company = await measured(Company(rules))
    company.world.behaviours["r2"] = Behaviour(check_passes=False)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("staging-checks")
    await company.ticks(5, lambda: bool(company.controller.docket().locks))
    (lock,) = company.controller.docket().locks
    assert lock.cause is LockCause.LOAD_TEST
    company.world.behaviours["r2"] = Behaviour()
    await company.until("canary-deploy", 100)
    assert company.controller.docket().locks_on(company.world.clock.now()) == ()
    assert [test.passed for test in company.controller.docket().load_tests] == [False, True]


async def test_a_load_test_that_goes_on_failing_locks_again_after_an_unlock() -> None:
    company = await measured(Company(make_rules(checks=(CheckRule("load", CheckKind.LOAD, command=("k6",)),))))
    company.world.behaviours["r2"] = Behaviour(check_passes=False)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("staging-checks")
    await company.ticks(5, lambda: bool(company.controller.docket().locks))
    company.ask(Verb.UNLOCK, reason="staging was busy")
    assert company.controller.docket().locks_on(company.world.clock.now()) == ()
    found = company.rollout.checks
    await company.ticks(100, lambda: len(company.controller.docket().locks) > 1)
    assert [lock.id for lock in company.controller.docket().locks_on(company.world.clock.now())] == ["lock-2"]
    # The figures are the same: the check has failed since it first did.
    assert company.rollout.checks == found
    kept = company.actions().count("gate")
    await company.ticks(100)
    assert [lock.id for lock in company.controller.docket().locks] == ["lock-1", "lock-2"]
    assert company.actions().count("gate") == kept


async def test_under_a_load_test_lock_the_row_the_gate_and_the_submit_let_a_mended_build_into_staging() -> None:
    company = await measured(Company(make_rules(checks=(CheckRule("load", CheckKind.LOAD, command=("k6",)),))))
    company.world.behaviours["r2"] = Behaviour(check_passes=False)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("staging-checks")
    await company.ticks(5, lambda: bool(company.controller.docket().locks))
    company.ask(Verb.ROLLBACK, reason="too slow")
    await company.until("rolled-back")
    await company.ticks(2)
    report = company.controller.gate("checkout")
    assert (report.deploy, company.row.budget.deploy, company.row.state) == (Deploy.WARN, Deploy.WARN, State.LOCK)
    assert report.why == company.row.budget.deploy_why
    assert report.why.startswith("load-test: lock-1 since 2026-03-02 09:00 UTC: the load test load of r2 failed: ")
    assert report.why.endswith(": a mended build may go to staging; nothing goes further until a load test passes")
    company.world.behaviours["r3"] = Behaviour(check_passes=False)
    company.ask(Verb.SUBMIT, "r3")
    await company.until("staging-checks")
    await company.ticks(20)
    assert company.rollout.phase is Phase.STAGING_CHECKS
    assert company.controller.gate("checkout").deploy is Deploy.BLOCKED


async def test_break_glass_is_loud_skips_waiting_and_is_noted_with_the_release() -> None:
    freeze = Freeze("eva", "quarter end", START - timedelta(days=1), START + timedelta(days=1))
    company = await measured(Company(make_rules(freezes=(freeze,))))
    company.ask(Verb.SUBMIT, "r2")
    await company.ticks(5)
    assert company.rollout.phase is Phase.QUEUED
    company.ask(Verb.INCIDENT, subject="sev1", reason="checkout is down")
    assert company.row.incident == "sev1 inc-1"
    company.ask(Verb.BREAKGLASS, reason="the fix")
    await company.ticks(3)
    assert company.rollout.phase is Phase.QUEUED
    assert company.row.glass == ""
    company.ask(Verb.APPROVE, who=BEN)
    assert company.row.glass == "until 10:00 UTC by mira, approved by ben"
    await company.until("staging-checks", 20)
    assert company.controller.docket().passes[0].used_by == ("checkout-1",)
    company.ask(Verb.CLOSE, reason="over")
    assert (company.row.glass, company.row.incident) == ("", "")


@pytest.mark.parametrize("verb", Verb)
async def test_every_verb_says_what_it_would_do_or_is_refused(verb: Verb) -> None:
    company = await measured(Company())
    for _ in range(2):
        try:
            proposal = company.controller.propose(verb, "checkout")
        except Refused as no:
            assert no.why and no.mend
        else:
            assert proposal.title and proposal.rows
            assert proposal.verb is verb
        for asked, what in (
            (Verb.INCIDENT, {"subject": "sev1", "reason": "down"}),
            (Verb.BREAKGLASS, {"reason": "fix"}),
            (Verb.LOCK, {"reason": "x"}),
            (Verb.RESERVE, {"reason": "x", "end": AHEAD}),
        ):
            if company.controller.docket() and asked.value not in company.actions():
                company.ask(asked, **what)


async def test_a_proposed_break_glass_says_what_it_skips_and_keeps_and_who_must_agree() -> None:
    company = await measured(Company(make_rules(emergency=EmergencyRules(approvers=("ben", "eva")))))
    assert not company.controller.propose(Verb.BREAKGLASS, "checkout").allowed
    company.ask(Verb.INCIDENT, subject="sev1", reason="down")
    proposal = company.controller.propose(Verb.BREAKGLASS, "checkout")
    rows = dict(proposal.rows)
    assert proposal.allowed
    assert "payback" in rows["skips"]
    assert "verdict" not in rows["skips"]
    assert "canary and its verdict" in rows["keeps"]
    assert rows["approve"] == "ben or eva, not who asks"
    assert rows["until"].startswith("1 h after the approval")


async def test_the_desk_answers_gate_readiness_and_docket_and_knows_no_other_service() -> None:
    company = await measured(Company())
    assert company.controller.gate("checkout").gates
    assert company.controller.readiness("checkout").rows
    for ask in (company.controller.gate, company.controller.readiness, company.controller.docket):
        with pytest.raises(Refused, match="no such service: did you mean checkout"):
            ask("chekout")


async def test_the_gates_of_a_service_at_rest_are_those_that_a_release_would_meet() -> None:
    company = await measured(Company())
    company.ask(Verb.LOCK, reason="migration")
    await company.ticks(1)
    report = company.controller.gate("checkout")
    assert report.deploy is Deploy.BLOCKED
    assert report.why.startswith("lock: ")
    assert replace(report, at=START).gates == company.controller.service("checkout").gates
    assert company.row.budget.deploy_why == report.why


async def test_where_premises_cannot_be_worked_out_forward_holds_and_the_way_back_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = await measured(Company())
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")

    def broken(*_: object) -> str:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("pipeline.controller.ground.unhealthy", broken)
    await company.ticks(80)
    assert company.rollout.phase is Phase.CANARY_BAKE
    assert any("a fault of ours" in notice for notice in company.controller.fleet().notices)
    assert company.row.budget.deploy is Deploy.UNKNOWN
    company.ask(Verb.ROLLBACK)
    await company.until("rolled-back")
