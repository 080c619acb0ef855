"""Facts for the gates' tests: a service that may release, and what a test changes of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.docket import Docket, Pass
from pipeline.lifecycle import Phase, Rollout
from pipeline.model import Host, Pool, Rules, Service
from pipeline.premises import Premises
from pipeline.slo.report import Alarm, BudgetReport, BurnPair, Debt, Outage, PaybackReport, SloReport, WindowReport
from pipeline.slo.rules import Count, Kind

NOW = datetime(2025, 1, 15, 14, 2, tzinfo=UTC)
MONTH = datetime(2025, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def a_service(rules: Rules | None = None, **changes: object) -> Service:
    hosts = [Host("stg-1", "127.0.1.1:80", Pool.STAGING, "fra1")]
    hosts += [Host(f"fra1-{n}", f"127.0.2.{n}:80", Pool.PRODUCTION, "fra1") for n in range(1, 21)]
    service = Service("checkout", tuple(hosts), "r877", rules=rules or Rules())
    return replace(service, **changes)  # type: ignore[arg-type]


def a_window(**changes: object) -> WindowReport:
    window = WindowReport(
        label="rolling 30d",
        start=NOW - 30 * DAY,
        end=NOW,
        total=1_000_000,
        bad=250,
        good_s=2_592_000,
        idle_s=0,
        bad_s=0,
        unknown_s=0,
        left=0.75,
        left_s=1_944.0,
        achieved="99.975",
        worst="99.975",
        best="99.975",
    )
    return replace(window, **changes)  # type: ignore[arg-type]


def an_slo(rolling: WindowReport | None = None, **changes: object) -> SloReport:
    window = rolling or a_window()
    slo = SloReport(
        name="availability",
        kind=Kind.AVAILABILITY,
        count=Count.REQUESTS,
        target="99.9",
        rolling=window,
        month=replace(window, label="month 2025-01 UTC", start=MONTH),
        burn=(),
        burn_1h=0.4,
        burn_6h=0.4,
        gone_in_s=None,
        coverage=1.0,
        silent_s=20.0,
    )
    return replace(slo, **changes)  # type: ignore[arg-type]


NOTHING = an_slo(
    a_window(total=0, bad=0, good_s=0, left=None, left_s=None, achieved="", worst="", best="", why="nothing known yet"),
    burn_1h=None,
    burn_6h=None,
    coverage=None,
    silent_s=None,
)
"""Of an objective of which no slice was ever known."""
CALM = PaybackReport(262.8, 12.0, MONTH)


def a_report(*slos: SloReport, payback: PaybackReport | None = CALM, outages: tuple[Outage, ...] = ()) -> BudgetReport:
    return BudgetReport("checkout", NOW, slos or (an_slo(),), payback, outages)


def pair(alarm: Alarm, *, fires: bool = True) -> BurnPair:
    return BurnPair(alarm, 14.4, 3_600.0, 300.0, 14.9, 15.2, fires)


def premised(**changes: object) -> Premises:
    """What a running controller has of a service that is well."""
    return replace(Premises(budget=a_report(), stable="r877", measured=NOW - DAY), **changes)  # type: ignore[arg-type]


def a_rollout(phase: Phase = Phase.QUEUED, **changes: object) -> Rollout:
    rollout = Rollout("checkout-8", "checkout", "r878", "r877", phase, NOW, 1, "mira", NOW, 1)
    return replace(rollout, **changes)  # type: ignore[arg-type]


GLASS = Pass(
    "pass-1",
    "checkout",
    "inc-3",
    "ana",
    1001,
    NOW - HOUR,
    "the tills are down",
    NOW,
    approved_by="ben",
    approved=NOW - HOUR,
)


def broken(ends: datetime = NOW + HOUR) -> Docket:
    """A docket with a pass in force."""
    return Docket(passes=(replace(GLASS, ends=ends),))


DOWN = datetime(2025, 1, 15, 9, 0, tzinfo=UTC)
BREACH = datetime(2025, 1, 15, 9, 4, 22, 800_000, tzinfo=UTC)
UNTIL = datetime(2025, 4, 15, 9, 4, 22, 800_000, tzinfo=UTC)
OUTAGE = Outage(DOWN, DOWN + timedelta(minutes=12))
DEBT = Debt(MONTH, BREACH, 720.0, 262.8, 3, UNTIL)
PAYS_BACK = a_report(payback=PaybackReport(262.8, 720.0, MONTH, (DEBT,), DEBT), outages=(OUTAGE,))
SETTLED = replace(a_rollout(Phase.SETTLED), since=NOW - HOUR)
ILL = premised(unhealthy="3 of 20 hosts are down", settled=SETTLED, stable="r878")
