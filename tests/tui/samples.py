"""A company of 42 services to draw: `sample_fleet`, `sample_service`, `sample_events`, and `large_fleet(n)`."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.commands import Verb
from pipeline.events import AUTO, Event, Who
from pipeline.gates import Answer, Gate
from pipeline.judge.verdict import Verdict
from pipeline.model import Track
from pipeline.view import (
    Asks,
    Budget,
    DayCounts,
    FleetView,
    HostLine,
    JudgeView,
    Mark,
    MetricPane,
    Progress,
    Proposal,
    ServiceRow,
    ServiceView,
    StageCell,
    State,
)
from tests.tui.fakes import NOW

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
CALM = tuple(
    name
    for line in (
        "profile auth sessions billing-web invoices tax fraud-score risk-rules kyc ratings reviews wishlist coupons",
        "loyalty images video-enc cdn-purge tiles routing eta courier fleet-gps push email-out sms templates i18n",
        "flags audit-log exports reports etl-orders",
    )
    for name in line.split()
)
TEAMS = ("msg", "data", "shop", "data", "data", "msg", "shop", "data", "geo", "id")


def cell(revision: str, done: int = 0, of: int = 0, share: float | None = None, mark: Mark = Mark.GOOD) -> StageCell:
    return StageCell(revision, mark, done, of, share)


def row(name: str, state: State, why: str, **more: object) -> ServiceRow:
    base = ServiceRow(
        name=name,
        team="shop",
        tier=1,
        state=state,
        verdict=None,
        why=why,
        staging=StageCell(),
        canary=StageCell(),
        production=StageCell(),
        budget=Budget(0.99, "30d"),
        p99_s=0.05,
        error_ratio=0.0003,
        wait_s=None,
        age_s=None,
        attention=9,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def sample_rows() -> tuple[ServiceRow, ...]:
    busy = (
        row(
            "payments-gw", State.BACK, "rolling back r880 -> r877 (last stable): err +1.10pp, 7/9 canary hosts",
            team="pay", verdict=Verdict.FAIL, staging=cell("r881", 6, 6), canary=cell("r880", 9, 180, 0.05),
            production=cell("r877"), budget=Budget(0.12, "30d", 9.1), p99_s=0.412, error_ratio=0.0131,
            wait_s=2 * MINUTE, attention=0, release="payments-gw-880", revision="r880", version=7,
        ),
        row(
            "checkout-api", State.BAKE, "bake 41/60 min; err +0.08pp (limit 0.10), p99 +3% (limit 10%)",
            verdict=Verdict.WATCH, watched=True, staging=cell("r1204", 6, 6), canary=cell("r1203", 12, 171, 0.07),
            production=cell("r1201"), budget=Budget(0.61, "30d", 1.4), p99_s=0.188, error_ratio=0.0021,
            wait_s=19 * MINUTE, attention=1, release="checkout-api-1203", revision="r1203", version=12,
            progress=Progress(41 * MINUTE, 60 * MINUTE),
        ),
        row(
            "ledger", State.BLOCK, "SLO quota spent: 12.4 of 4.38 min; deploys blocked until 2 Feb",
            team="pay", staging=cell("r310", 6, 6), production=cell("r305"), budget=Budget(0.0, "30d"), p99_s=0.097,
            error_ratio=0.0002, wait_s=71 * DAY, attention=2, release="ledger-310", revision="r310", version=2,
        ),
        row(
            "geo-lookup", State.STALE, "no metrics for 93 s (limit 30 s): prom-eu refused; controller holds at canary",
            team="geo", tier=2, verdict=Verdict.NO_DATA, staging=cell("r91", mark=Mark.UNKNOWN),
            canary=cell("r90", mark=Mark.UNKNOWN), production=cell("r90"), budget=Budget(None, "30d"), p99_s=None,
            error_ratio=None, age_s=93.0, attention=3, release="geo-lookup-90", revision="r90", version=4,
        ),
        row(
            "search-api", State.PAUSED, "paused by ana (14:01): load test lock search-eu until 14:30",
            team="find", verdict=Verdict.PASS, staging=cell("r884", 6, 6), canary=cell("r884"),
            production=cell("r884", 60, 150, 0.4), budget=Budget(0.83, "30d", 0.6), p99_s=0.061, error_ratio=0.0005,
            age_s=6 * MINUTE, attention=4, release="search-api-884", revision="r884", version=9,
            progress=Progress(4, 10),
        ),
        row(
            "cart", State.ROLL, "wave 2 of 5: 25% of production, soaks 11 min more",
            verdict=Verdict.PASS, staging=cell("r512", 6, 6), canary=cell("r512"),
            production=cell("r512", 30, 120, 0.25), budget=Budget(0.88, "30d", 0.7), p99_s=0.054, error_ratio=0.0003,
            wait_s=11 * MINUTE, attention=5, release="cart-512", revision="r512", version=11,
            progress=Progress(25, 100),
        ),
        row(
            "media-thumb", State.ROLL, "wave 4 of 5: 75% of production, soaks 4 min more", team="media", tier=2,
            verdict=Verdict.PASS, staging=cell("r207", 4, 4), canary=cell("r207"),
            production=cell("r207", 30, 40, 0.75), budget=Budget(0.91, "30d", 0.4), p99_s=0.035, error_ratio=0.0011,
            wait_s=4 * MINUTE, attention=5, release="media-thumb-207", revision="r207", version=14,
            progress=Progress(75, 100),
        ),
        row(
            "inventory", State.CANARY, "canary serves 16 of 60 min; nothing worse than production",
            verdict=Verdict.PASS, staging=cell("r77", 6, 6), canary=cell("r77", 10, 124, 0.08), production=cell("r75"),
            budget=Budget(0.97, "30d", 0.2), p99_s=0.071, error_ratio=0.0001, wait_s=44 * MINUTE, attention=6,
            release="inventory-77", revision="r77", version=5, progress=Progress(16 * MINUTE, 60 * MINUTE),
        ),
        row(
            "pricing", State.CANARY, "canary serves 8 of 60 min; nothing worse than production",
            verdict=Verdict.PASS, staging=cell("r450", 6, 6), canary=cell("r450", 6, 110, 0.05),
            production=cell("r448"), budget=Budget(0.94, "30d", 0.6), p99_s=0.043, error_ratio=0.0002,
            wait_s=52 * MINUTE, attention=6, release="pricing-450", revision="r450", version=5,
            progress=Progress(8 * MINUTE, 60 * MINUTE),
        ),
        row(
            "notify", State.GATES, "staging checks: 3 of 4 passed, recorded traffic runs", team="msg", tier=2,
            staging=cell("r130", 3, 4, mark=Mark.RUNNING), production=cell("r129"), p99_s=0.080, error_ratio=0.0004,
            wait_s=7 * MINUTE, attention=6, release="notify-130", revision="r130", version=3, progress=Progress(3, 4),
        ),
    )  # fmt: skip
    calm = tuple(
        row(
            name,
            State.STEADY,
            "nothing under way",
            team=TEAMS[index % len(TEAMS)],
            tier=1 + index * 7 % 3,
            staging=cell(f"r{100 + 17 * index}", 4, 4),
            production=cell(f"r{100 + 17 * index}"),
            budget=Budget(0.96 + index * 3 % 5 / 100, "30d", 0.1),
            p99_s=0.02 + index * 37 % 120 / 1_000,
            error_ratio=index * 13 % 10 / 10_000,
            age_s=(1 + index * 11 % 38) * DAY,
        )
        for index, name in enumerate(CALM)
    )
    return busy + calm


def sample_fleet(at: datetime = NOW) -> FleetView:
    last = event(at - timedelta(seconds=33), AUTO, "cart", "r512", "wave", "prod 10%->25% PASS", 48_213)
    return FleetView(at, 1, 2.0, sample_rows(), last, (), DayCounts(31, 29, 2, 1))


def large_fleet(count: int, at: datetime = NOW) -> FleetView:
    """`count` services: those of the sample, with numbers after their names."""
    rows = sample_rows()
    many = (replace(rows[n % len(rows)], name=f"{rows[n % len(rows)].name}-{n:04}") for n in range(count))
    return FleetView(at, 1, 2.0, tuple(many), None)


def event(at: datetime, who: Who, service: str, revision: str, action: str, detail: str, id_: int) -> Event:
    release = f"{service}-{revision.removeprefix('r')}"
    return Event(at, who, service, release, revision, action, detail, (), id_)


def sample_events(at: datetime = NOW) -> tuple[Event, ...]:
    """Newest first."""
    told = (
        (1, AUTO, "checkout-api", "r1203", "look", "WATCH err +0.08pp, 41/60 min"),
        (33, AUTO, "cart", "r512", "wave", "prod 10% -> 25%"),
        (120, AUTO, "payments-gw", "r880", "rollback", "FAIL x2 err +1.10pp -> r877, 9 hosts, 48 s"),
        (121, AUTO, "payments-gw", "r880", "look", "FAIL err +1.10pp"),
        (379, Who("ana", 1001), "search-api", "r884", "pause", "load test lock search-eu (ticket LT-219)"),
        (567, Who("mira", 1000), "ledger", "r306", "denied", "promote: quota spent (12.4/4.38 min)"),
        (2_511, Who("mira", 1000), "checkout-api", "r1203", "promote", "staging -> canary 7%"),
        (3_921, AUTO, "profile", "r640", "settled", "prod 75% -> 100% done, 3 h 12 min"),
        (5_240, Who("ci", 990), "checkout-api", "r1203", "canary", "deployed 6/6 staging hosts"),
        (7_751, AUTO, "tax", "r185", "gate", "recorded traffic: 14 diffs of 9,120 -> hold"),
        (9_382, Who("kim", 1002), "pricing", "r447", "rollback", "to r446 (last stable), reason: wrong feature flag"),
    )
    return tuple(
        replace(
            event(at - timedelta(seconds=ago), who, service, revision, action, detail, 48_214 - index),
            evidence=(
                "evidence: err canary 1.52% vs prod 0.42%, 9,812 vs 131,440 req",
                "actions: 9 hosts re-pinned in 48 s, 0 errors",
                "hosts: fra1-07 fra1-22 fra1-31 ams2-03 ams2-19 iad1-04 iad1-40 iad1-51 sin1-12",
            )
            if action == "rollback"
            else (),
        )
        for index, (ago, who, service, revision, action, detail) in enumerate(told)
    )


def pane(key: str, title: str, unit: str, base: float, drift: float, **more: object) -> MetricPane:
    """Two hours of a metric: a day's wave, the canary `drift` (ratio) above production's middle."""
    points = 120
    middle = [base * (1 + 0.15 * math.sin(n / 19) + 0.03 * math.sin(n * 1.7)) for n in range(points)]
    made = MetricPane(
        key,
        title,
        unit,
        60.0,
        tuple(None if n < 40 else value * (1 + drift) for n, value in enumerate(middle)),
        tuple(value * 0.93 for value in middle),
        tuple(value * 1.07 for value in middle),
        bounds=tuple(bound(base, drift, n - 40) for n in range(points)),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def bound(base: float, drift: float, look: int) -> tuple[float, float, float] | None:
    """Of a difference that comes to `drift`, the narrower the longer it is looked at."""
    if look < 0:
        return None
    half = 0.6 * base / math.sqrt(look + 1)
    effect = base * drift + 0.3 * half * math.sin(look / 7)
    return effect - half, effect, effect + half


JUDGE = JudgeView(
    control="3 baseline hosts restarted beside it, 16 production hosts",
    calibration="calibrated: 0 of 400 placebo canaries, at most 0.7 %",
    calibrated=True,
    looks=80,
    evidence=0.43,
    alpha=0.01,
    alpha_spent=0.004,
)
COLD = replace(
    JUDGE,
    calibration="uncalibrated: nobody has tried these settings on this service",
    calibrated=False,
    looks=12,
    warmup="3 of 10 min",
    caveats=("4 control hosts: how hosts differ is hardly known",),
    alerts=("iad1-21 fails 12.1 % of its requests, the other 11 canary hosts 0.2 %", "fra1-07 restarts"),
)
"""Young, untried, and with two sick hosts."""


def sample_service(name: str = "checkout-api", at: datetime = NOW) -> ServiceView:
    line = next(each for each in sample_rows() if each.name == name)
    ok = Verdict.PASS
    panes = (
        pane(
            "errors", "error rate", "ratio", 0.0021, 0.3, verdict=Verdict.WATCH, difference="+0.08pp", limit="0.10",
            why="errors: canary 0.29 % of 9,812, production 0.21 % of 131,440, limit +0.10 pp",
            limit_at=0.001, evidence=0.43, alpha_spent=0.0021, window="the last 45 s",
        ),
        pane(
            "p99", "latency p99", "s", 0.188, 0.03, verdict=ok, difference="+3%", limit="10%",
            limit_at=0.0188, evidence=0.12, alpha_spent=0.0008, window="all 41 min",
        ),
        pane("rps", "throughput/host", "/s", 52.0, -0.01, verdict=ok, difference="-1%", limit="5%", limit_at=-2.6),
        pane("cpu", "cpu", "ratio", 0.47, 0.02, verdict=ok, difference="+2%", limit="15%", limit_at=0.07),
        pane("queue", "saturation queue", "", 3.3, 0.04, verdict=ok, difference="+4%", limit="20%", limit_at=0.66),
        pane("gc", "gc pause p95", "s", 0.0125, 0.0, verdict=ok, difference="0%", limit="20%", limit_at=0.0025),
    )  # fmt: skip
    gates = (
        Gate("unit+contract tests", Answer.PASS, "r1203  09:12"),
        Gate("recorded traffic", Answer.PASS, "r1203  0 diffs of 41k"),
        Gate("staging soak 30 min", Answer.PASS, "r1203  ok"),
        Gate("readiness checklist", Answer.PASS, "tier 1 14/14"),
        Gate("downtime quota", Answer.PASS, "1.71 of 4.38 min"),
        Gate("load-test lock", Answer.PASS, "none"),
        Gate(
            "traffic cycle", Answer.HOLD, "41/60 min", at - timedelta(minutes=41), at + timedelta(minutes=19),
            "by itself, once a full cycle is served",
        ),
        Gate("canary verdict", Answer.UNKNOWN, "WATCH, look 8 of 12"),
    )  # fmt: skip
    hosts = tuple(
        HostLine(
            f"{place}-{n:02}",
            place,
            Track.CANARY if n % 14 == 0 else Track.PRODUCTION,
            Mark.BAD if (place, n) == ("iad1", 21) else Mark.GOOD,
            "r1203" if n % 14 == 0 else "r1201",
            "no answer in 2 s" if (place, n) == ("iad1", 21) else "",
        )
        for place, size in (("fra1", 48), ("ams2", 43), ("iad1", 52), ("sin1", 28))
        for n in range(size)
    )
    timeline = tuple(each for each in sample_events(at) if each.service == name)
    return ServiceView(
        at,
        line,
        "r1201",
        "production, 159 hosts",
        panes,
        gates,
        hosts,
        timeline,
        timeline,
        ("10%", "25%", "100%"),
        0,
        2.0,
        JUDGE if line.verdict is not None else None,
    )


def sample_proposals() -> dict[tuple[Verb, str], Proposal]:
    """A promote that asks for the name, a rollback that asks for `y`, and a promote that may not be."""
    promote = Proposal(
        Verb.PROMOTE, "pricing", "pricing-450", 5, "Promote pricing r450 to production?",
        (
            ("from", "canary 5% (6 of 110 hosts, 4 datacenters)"),
            ("to", "production 10%, then 25 50 75 100, 15 min apart"),
            ("verdict", "PASS  6 of 6 metrics, 60/60 min, traffic cycle complete"),
            ("budget", "94% left, burn 0.6x;  quota used 0.9 of 4.38 min"),
            ("lock", "none;  last stable r448;  rollback takes about 50 s"),
        ),
        True, Asks.NAME,
    )  # fmt: skip
    rollback = Proposal(
        Verb.ROLLBACK, "checkout-api", "checkout-api-1203", 12, "Roll back checkout-api r1203 to r1201?",
        (
            ("scope", "12 canary hosts of 171 (fra1 4, ams2 3, iad1 3, sin1 2)"),
            ("why", "verdict WATCH: err +0.08pp of 0.10  (not yet FAIL)"),
            ("effect", "about 50 s; r1203 is marked bad, the lane goes back to staging"),
        ),
        True,
    )  # fmt: skip
    blocked = Proposal(
        Verb.PROMOTE, "ledger", "ledger-310", 2, "Promote ledger r310: not allowed",
        (
            ("why", "downtime quota spent: 12.4 of 4.38 min in the last month"),
            ("rule", "quota.block: ceil(12.4 / 4.38) = 3 months, until 2026-02-02"),
            ("lifts", "automatically on that day; or break-glass in a sev1 (B)"),
        ),
        False,
    )  # fmt: skip
    return {(each.verb, each.service): each for each in (promote, rollback, blocked)}
