"""A company under its rules: `ruled_fleet`, `ruled_company`, `sample_budget`, `sample_checklist`, `ruled_service`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.events import AUTO, Event
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
from pipeline.view import Budget, Deploy, FleetView, ServiceRow, ServiceView, State
from tests.tui.fakes import NOW, FakeRoom
from tests.tui.samples import row, sample_events, sample_fleet, sample_service

DAY = timedelta(days=1)
DOWN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
UNTIL = datetime(2026, 4, 5, 9, 4, 22, tzinfo=UTC)
OWES = (
    "payback: 720 s of 262.8 s = 2.74 -> 3 months: 12m00s down since 2026-01-05 09:00 UTC; until 2026-04-05 09:04 UTC"
)
BLOCKED = Budget(
    -1.78, "30d", 0.0, "99.99", -461.0, 0.0, None, Deploy.BLOCKED, OWES, UNTIL, 0.998, "",
    "slices", 720.0, 262.8, DOWN,
)  # fmt: skip
BURNS = "budget: burn: availability 30d: 14.9 and 16.1 of 14.4 allowed; 2m41s left"
HELD = Budget(
    0.124, "30d", 14.9, "99.95", 161.4, 6.3, 21_600.0, Deploy.HOLD, BURNS,
    None, 1.0, "page", "requests", 92.0, 1_314.0, NOW - timedelta(minutes=40),
)  # fmt: skip
UNKNOWN = Budget(
    None, "30d", None, "99.99", None, None, None, Deploy.UNKNOWN, "coverage: 81.0 % of the last 24 h is known",
    None, 0.81, "", "slices",
)  # fmt: skip
GREY = Budget(0.93, "30d", 0.1, "99.9", 2_410.0, 0.1, None, Deploy.OK, "", None, 0.90, "", "requests", 0.0, 2_628.0)
FINE = Budget(0.72, "30d", 0.4, "99.9", 1_870.9, 0.9, None, Deploy.OK, "", None, 0.999, "", "requests", 60.0, 2_628.0)
WARNED = Budget(
    0.21, "30d", 1.1, "99.9", 544.0, 1.0, 1_400_000.0, Deploy.WARN, "budget: below 25 %", None, 1.0, "",
    "requests", 400.0, 2_628.0, NOW - 3 * DAY,
)  # fmt: skip


def ruled_rows() -> tuple[ServiceRow, ...]:
    """One of each kind, and many that are well."""
    ours = {
        "ledger": BLOCKED,
        "checkout-api": HELD,
        "geo-lookup": UNKNOWN,
        "cart": GREY,
        "search-api": WARNED,
        "profile": BLOCKED,
    }
    locks = {"search-api": "ana until 9 Jan 14:30Z"}
    rows = []
    for each in sample_fleet().services:
        its = ours.get(each.name, replace(FINE, left=0.72 + len(each.name) / 100, left_s=1_800 + 20.0 * len(each.name)))
        if its.count and its is not UNKNOWN:
            left = its.left or 0.0
            trend = tuple(round(1 - (1 - left) * n / 9, 2) for n in range(10))
            its = replace(its, bad=12 if its.count == "slices" else 1_258, total=786_305, trend=trend)
        rows.append(
            replace(each, budget=its, readiness="22/26" if each.tier == 1 else "", lock=locks.get(each.name, ""))
        )
    return tuple(rows)


def glassy(rows: tuple[ServiceRow, ...]) -> tuple[ServiceRow, ...]:
    """With an incident, and break-glass in force."""
    incidents = {"ledger": "sev1 inc-3", "auth": "sev2 inc-4"}
    glass = {"ledger": "until 15:02 UTC by ana, approved by ben"}
    return tuple(replace(each, incident=incidents.get(each.name, ""), glass=glass.get(each.name, "")) for each in rows)


def ruled_fleet(*, glass: bool = False) -> FleetView:
    rows = ruled_rows()
    return replace(sample_fleet(), services=glassy(rows) if glass else rows)


def window(label: str, start: datetime, end: datetime, left: float | None, left_s: float | None) -> WindowReport:
    return WindowReport(
        label, start, end, 1_204_000, 2_812, 2_590_000, 1_000, 720, 280, left, left_s,
        "" if left is None else "99.972", "99.961", "99.972", "too few events" if left is None else "",
    )  # fmt: skip


def burned(at: datetime, final: float) -> tuple[tuple[datetime, float | None], ...]:
    """Flat, a fall at the outage, flat."""
    start = at - 30 * DAY
    return tuple(
        (moment, 1.0 if moment < DOWN else final if n < 58 else final + 0.01)
        for n in range(60)
        for moment in (start + n * (30 * DAY / 59),)
    )


def sample_budget(name: str = "ledger", at: datetime = NOW) -> BudgetReport:
    pairs = (
        BurnPair(Alarm.PAGE, 14.4, 3_600, 300, 0.0, 0.0, False),
        BurnPair(Alarm.PAGE, 6.0, 21_600, 1_800, 6.3, 7.1, True),
        BurnPair(Alarm.TICKET, 3.0, 86_400, 7_200, None, None, False),
    )
    month = datetime(2026, 1, 1, tzinfo=UTC)
    slo = SloReport(
        "availability", Kind.AVAILABILITY, Count.SLICES, "99.99",
        window("rolling 30d", at - 30 * DAY, at, -1.78, -461.0),
        window("month 2026-01 UTC", month, datetime(2026, 2, 1, tzinfo=UTC), -1.74, -457.2),
        pairs, 0.0, 0.0, None, 0.998, 20.0, burned(at, -1.78),
    )  # fmt: skip
    slow = replace(
        slo,
        name="p99 under 300 ms",
        kind=Kind.LATENCY,
        count=Count.REQUESTS,
        target="99.5",
        rolling=window("rolling 30d", at - 30 * DAY, at, None, None),
        burn=(),
    )
    debt = Debt(month, datetime(2026, 1, 5, 9, 4, 22, 800_000, tzinfo=UTC), 720.0, 262.8, 3, UNTIL)
    before = Debt(
        datetime(2025, 3, 1, tzinfo=UTC),
        datetime(2025, 3, 3, 4, 0, tzinfo=UTC),
        300.0,
        262.8,
        2,
        datetime(2025, 5, 3, 4, 0, tzinfo=UTC),
    )
    outages = (
        Outage(DOWN, DOWN + timedelta(minutes=12)),
        Outage(
            at - 20 * DAY, at - 20 * DAY + timedelta(minutes=6), excluded="ana, approved by ben: provider's network"
        ),
        Outage(at - 40 * DAY, at - 40 * DAY + timedelta(minutes=1), backfill=True),
    )
    return BudgetReport(name, at, (slo, slow), PaybackReport(262.8, 720.0, month, (before, debt), debt), outages)


def released(name: str, at: datetime = NOW) -> tuple[Event, ...]:
    told = ((2, "settled", "r310"), (4, "rollback", "r309"), (11, "settled", "r305"), (19, "settled", "r300"))
    return tuple(
        Event(at - days * DAY, AUTO, name, f"{name}-{revision}", revision, action, f"{action} {revision}", (), 900 - n)
        for n, (days, action, revision) in enumerate(told)
    )


def sample_checklist(name: str = "checkout-api", at: datetime = NOW) -> ReadinessReport:
    rows = (
        Row("STB-1", "one repository, one owner", RowState.PASS, "git/checkout-api, team shop"),
        Row(
            "CAT-2", "loss of a datacenter exercised", RowState.EXPIRED, "ana, 2025-07-02: game day 14",
            at - 7 * DAY, "repeat it, then pithead attest checkout-api CAT-2 --reason ... --evidence ...",
        ),
        Row("MON-3", "two people on call", RowState.PASS, "kim and mira, as configured", at + 5 * DAY),
        Row(
            "PRF-2", "limits set, use between 10 and 80 %", RowState.FAIL, "no limit of memory is stated for it",
            None, "set readiness.memory_limit in config.toml",
        ),
        Row("SCA-3", "dependencies confirmed", RowState.WAIVED, "ben until 2026-02-01: payments moves", at + 23 * DAY,
            "pithead attest checkout-api SCA-3"),
        Row("STB-4", "retired endpoints are silent", RowState.UNKNOWN, "no metric says so", None,
            "pithead attest checkout-api STB-4"),
    )  # fmt: skip
    return ReadinessReport(name, at, True, rows)


def ruled_gates(at: datetime = NOW) -> tuple[Gate, ...]:
    lifts = "by itself on that day, or an approved correction (pithead correct), or break-glass in a sev1"
    return (
        Gate("lock", Answer.PASS, "nobody has locked it"),
        Gate("payback", Answer.HOLD, OWES.removeprefix("payback: "), DOWN, UNTIL, lifts),
        Gate("budget", Answer.PASS, "21 % left", warns="below 25 %: one outage of 9m04s spends it"),
        Gate("coverage", Answer.UNKNOWN, "81.0 % of the last 24 h is known, 95 % are needed", at - DAY, None,
             "data, or a person who vouches: pithead attest ledger coverage"),
        Gate("isolation", Answer.FAIL, "FUL-01 config.toml:31: db resolves to production's db-1:5432, and 2 more",
             None, None, "point the dependency at its staging copy"),
        Gate("readiness", Answer.HOLD, "3 of 26 rows are missing: CAT-2, PRF-2, STB-4", at - DAY, None,
             "pithead readiness ledger names what each row needs"),
        Gate("traffic-cycle", Answer.HOLD, "15 h 08 m of 24 h, peak seen, 0.9 of 1.0 M requests",
             at - timedelta(hours=15), at + timedelta(hours=8, minutes=52), "by itself, once a full cycle is served"),
    )  # fmt: skip


def ruled_service(name: str = "ledger", *, glass: bool = False) -> ServiceView:
    line = next(each for each in ruled_fleet(glass=glass).services if each.name == name)
    return replace(sample_service(name), row=line, gates=ruled_gates())


def ruled_company(*, glass: bool = False) -> FakeRoom:
    fleet = ruled_fleet(glass=glass)
    names = [each.name for each in fleet.services]
    services = {name: ruled_service(name, glass=glass) for name in ("ledger", "checkout-api", "geo-lookup")}
    events = tuple(event for name in ("ledger", "checkout-api") for event in released(name)) + sample_events()
    room = FakeRoom(fleet, services, events)
    room.budgets = {name: sample_budget(name) for name in names}
    room.checklists = {name: sample_checklist(name) for name in names}
    return room


def quiet(name: str) -> ServiceRow:
    return row(name, State.STEADY, "nothing under way", budget=FINE)
