"""`gate`, `readiness`, `budget`, `docket`: what they print, and how they end."""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest

from pipeline.commands import Refused
from pipeline.docket import Docket
from pipeline.gates import Answer, Gate
from pipeline.ports import ControllerLost
from pipeline.readiness.report import ReadinessReport, Row, RowState
from pipeline.text import plain
from pipeline.view import Deploy, GateReport
from pithead import cli, papers, sheet
from pithead.exits import Exit, Failure, GateExit
from pithead.verbs import budget, docket, explain, gate, readiness, status
from tests.pithead import rules_samples as samples
from tests.pithead.rules_room import RulesRoom
from tests.pithead.rules_samples import BURNING, NOW, PAYBACK, SPENT, fleet
from tests.pithead.test_verbs import HOSTILE, Heard, typed
from tests.tui.samples import sample_service


@pytest.fixture
def out() -> Heard:
    return Heard()


def at(later: timedelta = timedelta(0)) -> datetime:
    return NOW + later


# gate


@pytest.mark.parametrize(
    ("deploy", "code"),
    [(Deploy.OK, 0), (Deploy.WARN, 1), (Deploy.HOLD, 2), (Deploy.BLOCKED, 2), (Deploy.UNKNOWN, 3)],
)
async def test_gate_says_one_line_of_the_controllers_words_and_ends_for_ci(
    deploy: Deploy, code: int, out: Heard
) -> None:
    room = RulesRoom(gates={"payments": samples.gate_report(deploy=deploy)})
    assert await gate.run(typed("gate", "payments"), room, out, at) == code
    assert out.lines == [f"payments {deploy}: {PAYBACK}"]
    assert out.errors == []


async def test_gate_of_everything_names_each_gate_with_since_until_and_what_lifts_it(out: Heard) -> None:
    room = RulesRoom(gates={"payments": samples.gate_report()})
    await gate.run(typed("gate", "payments", "--all"), room, out, at)
    assert out.lines[1:] == [
        f"  ~ {PAYBACK}; lifts by itself on that day; since 2025-01-15 09:04 UTC",
        "  + freeze: none; warning: in 3 h",
    ]


def test_what_a_person_lifts_reads_as_a_sentence() -> None:
    lock = Gate("lock", Answer.HOLD, "lock-2: locked by root", lifts="a person: pithead unlock cart")
    assert sheet.gate_line(lock) == "~ lock: lock-2: locked by root; a person lifts it: pithead unlock cart"


async def test_gate_in_json_is_the_report_itself(out: Heard) -> None:
    room = RulesRoom(gates={"payments": samples.gate_report()})
    assert await gate.run(typed("gate", "payments", "--json"), room, out, at) == GateExit.STOP
    assert msgspec.json.decode(out.lines[0], type=GateReport) == samples.gate_report()


async def test_what_gate_cannot_know_never_ends_like_a_pass(out: Heard) -> None:
    room = RulesRoom(gates={"payments": samples.gate_report(deploy=Deploy.OK)})
    assert await gate.run(typed("gate", "nosuch"), room, out, at) == GateExit.UNKNOWN
    assert out.errors == ["pithead: nosuch: no such service: pithead status lists the services"]
    old = timedelta(minutes=2)
    assert await gate.run(typed("gate", "payments"), room, out, lambda: at(old)) == GateExit.UNKNOWN
    assert "of 2 min ago" in out.errors[1]
    room.lose()
    with pytest.raises(ControllerLost):
        await gate.run(typed("gate", "payments"), room, out, at)
    with pytest.raises(Failure) as wrong:
        await gate.run(typed("gate", "--", "-x"), room, out, at)
    assert wrong.value.code == Exit.USAGE


@pytest.mark.parametrize(
    ("raised", "code"),
    [(ValueError("x"), GateExit.UNKNOWN), (ControllerLost("cut"), GateExit.UNKNOWN), (Refused("a", "b", "c"), 3)],
)
def test_gate_on_the_command_line_ends_with_3_whatever_goes_wrong(
    raised: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def asked(verb: object, args: object, out: object) -> int:
        room = RulesRoom()
        room.fault = raised
        return await gate.run(args, room, out)  # type: ignore[arg-type]

    monkeypatch.setattr("pithead.connect.asked", asked)
    assert cli.main(["gate", "payments"]) == code
    assert capsys.readouterr().err.startswith("pithead: ")


def test_gate_without_a_controller_ends_with_3(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--run-dir", str(tmp_path), "gate", "payments"]) == GateExit.UNKNOWN
    assert "no controller answers" in capsys.readouterr().err


# readiness


async def test_readiness_is_a_table_and_ends_with_1_while_rows_are_missing(out: Heard) -> None:
    room = RulesRoom(lists={"payments": samples.readiness_report()})
    assert await readiness.run(typed("readiness", "payments"), room, out) == Exit.REFUSED
    assert [line.split()[:2] for line in out.lines] == [
        ["ROW", "STATE"],
        ["STB-1", "PASS"],
        ["CAT-1", "WAIVED"],
        ["MON-3", "PASS"],
        ["CAT-2", "EXPIRED"],
        ["FLT-1", "FAIL"],
        ["SCA-2", "UNKNOWN"],
    ]
    assert "2025-02-25 14:02 UTC" in out.lines[2]
    assert "in 3 d 01 h" in out.lines[3]
    assert "2 d ago" in out.lines[4]
    assert out.lines[4].endswith("loss of a datacenter: attested by ana")
    assert out.errors[0] == (
        "payments: 3 of 6 rows pass or are waived; business-critical, so releases are held until all pass"
    )
    assert "pithead attest" in out.errors[1]


async def test_readiness_that_passes_ends_with_0_and_an_advisory_one_says_so(out: Heard) -> None:
    room = RulesRoom(lists={"web": samples.ready_report(), "cart": samples.readiness_report("cart", binding=False)})
    assert await readiness.run(typed("readiness", "web"), room, out) == Exit.DONE
    assert await readiness.run(typed("readiness", "cart"), room, out) == Exit.REFUSED
    assert out.errors[1].endswith("advice: holds nothing")


async def test_readiness_in_json_is_the_report_itself(out: Heard) -> None:
    room = RulesRoom(lists={"payments": samples.readiness_report()})
    assert await readiness.run(typed("readiness", "payments", "--json"), room, out) == Exit.REFUSED
    assert msgspec.json.decode(out.lines[0], type=ReadinessReport) == samples.readiness_report()


# docket


async def test_the_docket_tells_what_is_in_force_and_what_waits_for_somebody(out: Heard) -> None:
    room = RulesRoom(dockets={"": samples.docket()})
    assert await docket.run(typed("docket"), room, out, at) == Exit.DONE
    fixed = "by ana: provider (INC-77); approved by ben: pithead revoke payments fix-1"
    fixed_by = "  sec-3 web r7 (CVE-2026-3) by ana, approved by ben, used by web-9"
    used = "  pass-3 web in inc-0 by ana, approved by ben, used by web-7, web-8"
    assert out.lines == [
        "locks",
        "  lock-2 payments by ana, until 2025-01-16 15:02 UTC: sale",
        "  lock-3 search by auto (load-test), until pithead unlock search lock-3: k6 failed: p99 2.1 s",
        "reservations of staging",
        "  res-1 payments, search by ana, until 2025-01-16 15:02 UTC: migration",
        "  res-2 search by ben, waits behind res-1, from 2025-01-16 15:02 UTC until 2025-01-16 17:02 UTC: next",
        "open incidents",
        "  inc-2 payments sev1 since 2025-01-16 13:02 UTC by ana: nobody can pay",
        "break-glass",
        "  pass-1 payments in inc-2 by ana, approved by ben, IN FORCE until 2025-01-16 15:02 UTC: fix",
        "  pass-2 search in inc-3 by eve: waits for a second person: pithead approve search pass-2: now",
        f"{used}: over, waits for a review: pithead review web pass-3: then",
        "security fixes",
        "  sec-1 payments r9 (CVE-2026-1) by ana, approved by ben, IN FORCE until 2025-01-17 14:02 UTC: leak",
        "  sec-2 search r8 (CVE-2026-2) by eve: waits for a second person: pithead approve search sec-2: hole",
        f"{fixed_by}: over, waits for a review: pithead review web sec-3: old",
        "corrections that wait for a second person",
        "  fix-2 payments bad 2025-01-15 09:00 UTC for 1h00m, by ana: worse (INC-78): pithead approve payments fix-2",
        "corrections that count",
        f"  fix-1 payments exclude 2025-01-14 09:00 UTC for 1h00m, {fixed}",
        "attestations that expire within 14 d",
        "  att-1 payments CAT-2 attested by ana, until 2025-01-19 14:02 UTC: drill (https://wiki/drill)",
        "  att-3 payments SCA-1 waived by ana, until 2025-01-29 14:02 UTC: late",
    ]


async def test_an_empty_docket_says_so_and_json_is_the_docket_itself(out: Heard) -> None:
    room = RulesRoom(dockets={"": samples.docket(), "web": Docket()})
    await docket.run(typed("docket", "web"), room, out, at)
    await docket.run(typed("docket", "--json"), room, out, at)
    assert out.lines[0] == "nothing is laid down"
    assert msgspec.json.decode(out.lines[1], type=Docket) == samples.docket()


def test_everything_lapses_by_itself() -> None:
    told = "\n".join(papers.lines(samples.docket(), NOW + timedelta(days=400)))
    assert "lock-2" not in told
    assert "res-" not in told
    assert "pass-1" not in told
    assert "pass-2" not in told
    assert "sec-1" not in told
    assert "sec-2" not in told
    assert "pass-3" in told
    assert "lock-3" in told


# status and explain


def held() -> object:
    view = sample_service("checkout-api")
    marked = replace(
        view.row, budget=SPENT, incident="sev1 inc-3", glass="until 14:02 UTC by ana, approved by ben", why="bake"
    )
    return replace(view, row=marked, at=NOW)


async def test_status_of_a_service_tells_deploy_word_incident_and_break_glass(out: Heard) -> None:
    room = RulesRoom(services={"checkout-api": held()})
    await status.run(typed("status", "checkout-api"), room, out, at)
    assert "  ! BREAK-GLASS until 14:02 UTC by ana, approved by ben" in out.lines
    assert "  ! sev1 inc-3" in out.lines
    assert f"  deploy BLOCKED: {PAYBACK}" in out.lines


async def test_what_a_gate_says_is_not_said_twice(out: Heard) -> None:
    view = replace(held(), gates=samples.gate_report().gates)  # type: ignore[type-var]
    room = RulesRoom(services={"checkout-api": view})
    await status.run(typed("status", "checkout-api"), room, out, at)
    await explain.run(typed("explain", "checkout-api"), room, out, at, lambda: False)
    assert out.lines.count("  deploy BLOCKED until 2025-04-15 09:04 UTC: payback") == 2
    assert "\n".join(out.lines).count(PAYBACK) == 2


def test_the_fleets_line_carries_the_marks_too() -> None:
    cells = sheet.row(held().row)  # type: ignore[attr-defined]
    assert cells[-1] == "BREAK-GLASS until 14:02 UTC by ana, approved by ben; sev1 inc-3; bake"


async def test_explain_tells_a_blocked_services_budget_and_payback(out: Heard) -> None:
    room = RulesRoom(services={"checkout-api": held()})
    args = typed("explain", "checkout-api")
    assert await explain.run(args, room, out, at, lambda: False) == Exit.DONE
    assert f"  deploy BLOCKED: {PAYBACK}" in out.lines
    assert "  budget rolling 30d: -7m41s left (-178 %), burn 1h 0.0, 6h 0.0, spent" in out.lines
    assert "  ! sev1 inc-3" in out.lines


async def test_explain_of_a_service_that_may_deploy_says_nothing_of_budgets(out: Heard) -> None:
    room = RulesRoom(services={"checkout-api": replace(sample_service("checkout-api"), at=NOW)})
    await explain.run(typed("explain", "checkout-api"), room, out, at, lambda: False)
    assert "budget" not in "\n".join(line for line in out.lines if "error budget" not in line)


# hostile text


async def test_hostile_text_in_every_report_is_printed_harmlessly(out: Heard) -> None:
    evil = samples.gate_report("web", Deploy.HOLD, f"{HOSTILE}: {HOSTILE}")
    rows = (Row("STB-1", HOSTILE, RowState.FAIL, HOSTILE, None, HOSTILE),)
    locks = (replace(samples.LOCKS[1], reason=HOSTILE, by=HOSTILE),)
    outages = (replace(samples.budget_report().outages[1], excluded=HOSTILE),)
    room = RulesRoom(
        fleet(web=replace(BURNING, deploy_why=HOSTILE)),
        gates={"web": replace(evil, gates=(*evil.gates, Gate(HOSTILE, Answer.FAIL, HOSTILE)))},
        lists={"web": ReadinessReport("web", NOW, True, rows)},
        budgets={"web": replace(samples.budget_report("web"), outages=outages)},
        dockets={"web": Docket(locks=locks)},
    )
    for more in ((), ("--json",)):
        await gate.run(typed("gate", "web", *(more or ("--all",))), room, out, at)
        await readiness.run(typed("readiness", "web", *more), room, out)
        await budget.run(typed("budget", "web", *more), room, out, at)
        await budget.run(typed("budget", *more), room, out, at)
        await docket.run(typed("docket", "web", *more), room, out, at)
    assert all(plain(line, 100_000) == line for line in out.lines + out.errors)


@pytest.mark.parametrize("verb", ["gate", "readiness", "budget", "docket"])
async def test_what_is_no_service_is_never_asked_for(verb: str, out: Heard) -> None:
    modules = {"gate": gate, "readiness": readiness, "budget": budget, "docket": docket}
    room = RulesRoom()
    room.fault = AssertionError("it was asked")
    with pytest.raises(Failure) as told:
        await modules[verb].run(typed(verb, HOSTILE), room, out)  # type: ignore[attr-defined]
    assert told.value.code == Exit.USAGE
    assert plain(str(told.value), 10_000) == str(told.value)


async def test_status_names_every_closed_gate_and_shows_them_first(out: Heard) -> None:
    gates = (
        Gate("freeze", Answer.PASS, "none"),
        Gate("lock", Answer.HOLD, "locked by ana"),
        Gate("traffic-cycle", Answer.HOLD, "15 h of 24 h"),
    )
    room = RulesRoom(services={"checkout-api": replace(held(), gates=gates)})  # type: ignore[type-var]
    await status.run(typed("status", "checkout-api"), room, out, at)
    assert "  2 gates hold it: lock, traffic-cycle" in out.lines
    shown = [line for line in out.lines if line.startswith(("  + ", "  ~ "))]
    assert shown == ["  ~ lock: locked by ana", "  ~ traffic-cycle: 15 h of 24 h", "  + freeze: none"]
