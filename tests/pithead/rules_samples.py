"""What the rules know of a few services: reports and papers with every field filled, to print and to carry."""

from datetime import UTC, datetime, timedelta

from pipeline.docket import (
    Attestation,
    Correction,
    CorrectionKind,
    Docket,
    Incident,
    LoadTest,
    Lock,
    LockCause,
    Pass,
    Reservation,
    SecurityFix,
)
from pipeline.gates import Answer, Gate
from pipeline.readiness.report import ReadinessReport, Row, RowState
from pipeline.slo.report import (
    Alarm,
    BudgetReport,
    BurnPair,
    Debt,
    Outage,
    PaybackReport,
    SloReport,
    WindowReport,
)
from pipeline.slo.rules import Count, Kind
from pipeline.view import Budget, Deploy, FleetView, GateReport, State
from tests.tui.samples import row

NOW = datetime(2025, 1, 16, 14, 2, 11, tzinfo=UTC)
DOWN = datetime(2025, 1, 15, 9, 0, tzinfo=UTC)
BREACH = DOWN + timedelta(seconds=262.8)
UNTIL = datetime(2025, 4, 15, 9, 4, 22, 800_000, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAYBACK = (
    "payback: 720 s of 262.8 s = 2.74 -> 3 months: 12m00s down since 2025-01-15 09:00 UTC; until 2025-04-15 09:04 UTC"
)


def gate_report(service: str = "payments", deploy: Deploy = Deploy.BLOCKED, why: str = PAYBACK) -> GateReport:
    answers = {Deploy.OK: Answer.PASS, Deploy.WARN: Answer.PASS, Deploy.UNKNOWN: Answer.UNKNOWN}
    name, _, found = why.partition(": ")
    closed = Gate(name, answers.get(deploy, Answer.HOLD), found, BREACH, UNTIL, "by itself on that day", "spent in 2 h")
    return GateReport(
        service, NOW, deploy, why, (closed, Gate("freeze", Answer.PASS, "none", None, None, "", "in 3 h"))
    )


def window(label: str, left: float | None, left_s: float | None, why: str = "") -> WindowReport:
    start = datetime(2024, 12, 17, 14, tzinfo=UTC)
    return WindowReport(
        label, start, NOW, 1_000_000, 280, 2_591_280, 60, 720, 3_600, left, left_s, "99.972", "99.833", "99.972", why
    )


def budget_report(service: str = "payments", *, block: bool = True) -> BudgetReport:
    debt = Debt(datetime(2025, 1, 1, tzinfo=UTC), BREACH, 720.0, 262.8, 3, UNTIL)
    old = Debt(datetime(2023, 1, 1, tzinfo=UTC), BREACH - 700 * DAY, 4_000.0, 262.8, 12, BREACH - 340 * DAY, True)
    pairs = (
        BurnPair(Alarm.PAGE, 14.4, 3_600.0, 300.0, 16.25, float("inf"), True),
        BurnPair(Alarm.TICKET, 1.0, 259_200.0, 21_600.0, None, 0.0, False),
    )
    slo = SloReport(
        "availability",
        Kind.AVAILABILITY,
        Count.SLICES,
        "99.99",
        window("rolling 30d", -1.78, -461.2),
        window("month 2025-01 UTC", None, None, "too few events"),
        pairs,
        14.94,
        None,
        None,
        0.992,
        41.0,
        ((DOWN, 1.0), (NOW, None)),
    )
    outages = (
        Outage(DOWN, DOWN + timedelta(minutes=12)),
        Outage(DOWN - DAY, DOWN - DAY + HOUR, excluded="fix-1 by ana, approved by ben: provider", backfill=True),
    )
    payback = PaybackReport(262.8, 720.0, datetime(2025, 1, 1, tzinfo=UTC), (old, debt), debt if block else None)
    return BudgetReport(service, NOW, (slo,), payback, outages)


def readiness_report(service: str = "payments", *, binding: bool = True) -> ReadinessReport:
    return ReadinessReport(
        service,
        NOW,
        binding,
        (
            Row("STB-1", "one owner", RowState.PASS, "team pay", None),
            Row("CAT-1", "load test", RowState.WAIVED, "waived by ana: moved", NOW + 40 * DAY),
            Row("MON-3", "on-call", RowState.PASS, "ana and ben are on call", NOW + 3 * DAY + HOUR),
            Row("CAT-2", "loss of a datacenter", RowState.EXPIRED, "attested by ana", NOW - 2 * DAY, "pithead attest"),
            Row("FLT-1", "two datacenters", RowState.FAIL, "all hosts are in fra1", None, "add hosts elsewhere"),
            Row("SCA-2", "peak", RowState.UNKNOWN, "no load test is known", None, "run one"),
        ),
    )


def ready_report(service: str = "web") -> ReadinessReport:
    return ReadinessReport(service, NOW, True, (Row("STB-1", "one owner", RowState.PASS, "team web"),))


LOCKS = (
    Lock("lock-1", "payments", "ana", NOW - 2 * DAY, "old", lifted_by="ben", lifted=NOW - DAY),
    Lock("lock-2", "payments", "ana", NOW - HOUR, "sale", NOW + HOUR),
    Lock("lock-3", "search", "auto", NOW - HOUR, "k6 failed: p99 2.1 s", cause=LockCause.LOAD_TEST),
    Lock("lock-4", "search", "auto", NOW - 3 * HOUR, "over", NOW - HOUR),
)
RESERVATIONS = (
    Reservation("res-1", ("payments", "search"), "ana", NOW - HOUR, NOW - HOUR, NOW + HOUR, "migration"),
    Reservation("res-2", ("search",), "ben", NOW, NOW + HOUR, NOW + 3 * HOUR, "next"),
    Reservation("res-3", ("web",), "eve", NOW - DAY, NOW - DAY, NOW + DAY, "gone", released=NOW - HOUR),
)
ATTESTATIONS = (
    Attestation("att-1", "payments", "CAT-2", "ana", NOW - DAY, "drill", "https://wiki/drill", NOW + 3 * DAY),
    Attestation("att-2", "payments", "CAT-3", "ana", NOW - DAY, "restored", expires=NOW + 100 * DAY),
    Attestation("att-3", "payments", "SCA-1", "ana", NOW, "late", expires=NOW + 13 * DAY, waived=True),
    Attestation("att-4", "payments", "smoke", "ana", NOW, "ok", expires=NOW + DAY, revision="r9", revoked=NOW),
    Attestation("att-5", "payments", "DOC-2", "ana", NOW - 9 * DAY, "met", expires=NOW - DAY),
)
INCIDENTS = (
    Incident("inc-1", "payments", "sev2", "ana", NOW - DAY, "slow", "ana", NOW - HOUR),
    Incident("inc-2", "payments", "sev1", "ana", NOW - HOUR, "nobody can pay"),
)
PASSES = (
    Pass("pass-1", "payments", "inc-2", "ana", 1000, NOW - HOUR, "fix", NOW + HOUR, "ben", NOW - HOUR),
    Pass("pass-2", "search", "inc-3", "eve", 1002, NOW - HOUR, "now", NOW + HOUR),
    Pass(
        "pass-3", "web", "inc-0", "ana", 1000, NOW - DAY, "then", NOW - DAY + HOUR, "ben", NOW - DAY, ("web-7", "web-8")
    ),
    Pass(
        "pass-4", "web", "inc-0", "ana", 1000, NOW - 2 * DAY, "x", NOW - DAY, "ben", NOW - DAY, ("web-6",), NOW - DAY,
        "eve", NOW, "write a runbook",
    ),
    Pass("pass-5", "web", "inc-0", "ana", 1000, NOW - 2 * DAY, "unused", NOW - DAY, "ben", NOW - 2 * DAY),
)  # fmt: skip
CORRECTIONS = (
    Correction(
        "fix-1", "payments", DOWN - DAY, DOWN - DAY + HOUR, CorrectionKind.EXCLUDE, "ana", 1000, NOW - HOUR,
        "provider", "INC-77", "ben", NOW,
    ),
    Correction("fix-2", "payments", DOWN, DOWN + HOUR, CorrectionKind.BAD, "ana", 1000, NOW, "worse", "INC-78"),
    Correction("fix-3", "payments", DOWN, DOWN + HOUR, CorrectionKind.GOOD, "eve", 7, NOW, "no", revoked=NOW),
)  # fmt: skip
SECURITY_FIXES = (
    SecurityFix("sec-1", "payments", "r9", "CVE-2026-1", "ana", 1000, NOW, "leak", NOW + DAY, "ben", NOW),
    SecurityFix("sec-2", "search", "r8", "CVE-2026-2", "eve", 1002, NOW, "hole", NOW + DAY),
    SecurityFix(
        "sec-3", "web", "r7", "CVE-2026-3", "ana", 1000, NOW - DAY, "old", NOW + DAY, "ben", NOW - DAY, ("web-9",), NOW
    ),
)
LOAD_TESTS = (LoadTest("load-1", "search", "r9", NOW - HOUR, "auto", False, "p99 2.1 s", 1_234.5),)


def docket() -> Docket:
    return Docket(
        LOCKS,
        RESERVATIONS,
        ATTESTATIONS,
        INCIDENTS,
        PASSES,
        CORRECTIONS,
        LOAD_TESTS,
        security_fixes=SECURITY_FIXES,
    )


SPENT = Budget(
    -1.7777, "30d", target="99.99", left_s=-460.8, burn_1h=0.0, burn_6h=0.0, deploy=Deploy.BLOCKED,
    deploy_why=PAYBACK, deploy_until=UNTIL, coverage=0.992,
)  # fmt: skip
BURNING = Budget(
    0.1226, "30d", target="99.95", left_s=161.9, burn_1h=14.9, burn_6h=6.3, gone_in_s=21_600.0, deploy=Deploy.HOLD,
    deploy_why="budget: a page burn fires", coverage=0.9999,
)  # fmt: skip
CALM = Budget(0.719, "30d", target="99.9", left_s=1_870.4, burn_1h=0.44, burn_6h=0.91, coverage=0.999)
DARK = Budget(None, "30d", target="99.9", deploy=Deploy.UNKNOWN, deploy_why="coverage: no data for 2 h")


def fleet(**its: Budget) -> FleetView:
    rows = tuple(row(name, State.STEADY, "steady", budget=each) for name, each in its.items())
    return FleetView(NOW, 1, 5.0, rows)
