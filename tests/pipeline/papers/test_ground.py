"""Premises: neighbours of a service, production's health, and how often they are asked."""

from dataclasses import replace
from datetime import datetime

import pytest
from paper_desk import DAY, HOUR, NOON, rollout
from world import ManualClock, MemoryHistory, make_hosts, make_rules

from pipeline.alerts import Alert, Firing
from pipeline.controller.ground import ADMITTED_S, MOST_READS, READY_S, Ground
from pipeline.controller.ledger import Ledger
from pipeline.docket import LoadTest, Reservation
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.lifecycle import Phase
from pipeline.model import Fleet, Service
from pipeline.observed import HostFault
from pipeline.ports import Changes, HistoryError
from pipeline.readiness.past import Past, past
from pipeline.service.station import Station
from pipeline.service.unhealthy import unhealthy
from pipeline.slo.slices import Hour, Slice
from pipeline.staging import Dependency, StagingRules
from pipeline.text import plain


class Fleetling:
    """Four services that know each other, without a controller."""

    def __init__(self) -> None:
        staging = {
            "checkout": StagingRules(related=("pricing",), dependencies=(Dependency("search"), Dependency("s3"))),
            "search": StagingRules(dependencies=(Dependency("ads", hard=False),)),
        }
        services = {
            name: Service(
                name,
                make_hosts(4),
                "r1",
                rules=make_rules(staging=staging.get(name, StagingRules()), failing_alerts=frozenset({"critical"})),
            )
            for name in ("checkout", "pricing", "search", "ads")
        }
        self.clock, self.history = ManualClock(), MemoryHistory()
        fleet = Fleet(services, tick_s=1.0)
        self.ledger = Ledger(fleet, self.history, self.clock)
        _, self.stations = self.ledger.open()
        self.ground = Ground(fleet, self.history, self.clock)
        self.ground.stand(self.stations)

    def __getitem__(self, name: str) -> Station:
        return self.stations[name]


def test_who_shares_staging_is_told_both_ways_and_hard_dependencies_one_way() -> None:
    fleet = Fleetling()
    for name in ("checkout", "pricing", "search", "ads"):
        fleet[name].rollout = rollout(Phase.STAGING_DEPLOY, service=name)
    related = {name: fleet.ground.premises(fleet[name]) for name in fleet.stations}
    assert set(related["checkout"].related) == {"pricing", "search"}
    assert related["checkout"].sharing == {"pricing"}
    assert set(related["pricing"].related) == related["pricing"].sharing == {"checkout"}
    assert set(related["search"].related) == set()
    fleet["pricing"].rollout = rollout(Phase.SETTLED, service="pricing")
    assert set(fleet.ground.premises(fleet["checkout"]).related) == {"search"}


def test_what_is_decided_in_this_tick_counts_before_it_is_kept() -> None:
    fleet = Fleetling()
    fleet["checkout"].rollout = rollout(Phase.QUEUED)
    decided = {"checkout": rollout(Phase.STAGING_DEPLOY)}
    assert fleet.ground.premises(fleet["pricing"], decided).related["checkout"].phase is Phase.STAGING_DEPLOY


def test_reservations_of_what_shares_staging_are_at_hand_and_others_are_not() -> None:
    fleet = Fleetling()
    for n, name in enumerate(("checkout", "pricing", "search"), 1):
        fleet[name].file([Reservation(f"res-{n}", (name,), "ana", NOON, NOON, NOON + HOUR, "x")])
    found = fleet.ground.premises(fleet["checkout"]).docket.reservations
    assert {one.id for one in found} == {"res-1", "res-2"}


def test_production_is_unhealthy_by_more_hosts_than_may_be_out_of_reach() -> None:
    fleet = Fleetling()
    station = fleet["checkout"]
    assert unhealthy(station) == ""
    names = [host.name for host in station.service.production]
    station.telemetry.seen = {names[0]: HostFault(0.0, plain("refused"))}
    assert unhealthy(station) == ""
    station.telemetry.seen = {name: HostFault(0.0, plain("refused")) for name in names[:2]}
    assert "2 of 4 hosts answer" in unhealthy(station)


def test_a_failed_verdict_counts_while_what_it_is_about_serves_everybody() -> None:
    station = Fleetling()["checkout"]
    station.judgement = Judgement(Verdict.FAIL, "errors +3pp", ())
    for phase, wave, counts in (
        (Phase.CANARY_BAKE, 0, False),
        (Phase.ROLLING_BACK, 0, False),
        (Phase.ROLLING_BACK, 2, True),
        (Phase.SETTLING, 3, True),
        (Phase.SETTLED, 3, True),
        (Phase.ROLLED_BACK, 3, False),
    ):
        station.rollout = replace(rollout(phase), wave=wave)
        assert (unhealthy(station) == "r2 was judged FAIL: errors +3pp") is counts, phase


def test_a_grave_alert_about_production_counts_and_one_about_staging_does_not() -> None:
    station = Fleetling()["checkout"]
    told = plain("x")
    for severity, track, counts in (
        ("critical", "", True),
        ("Critical", "production", True),
        ("critical", "staging", False),
        ("critical", "canary", False),
        ("warning", "production", False),
    ):
        alert = Alert(told, told, told, plain(track), plain(severity), told, NOON, told)
        station.firing = Firing(True, (alert,), True)
        assert bool(unhealthy(station)) is counts, (severity, track)


def test_readiness_is_asked_once_a_minute_or_when_a_paper_changes() -> None:
    fleet = Fleetling()
    station = fleet["checkout"]
    first = fleet.ground.ready(station)
    fleet.clock.forward(READY_S - 1)
    assert fleet.ground.ready(station) is first
    station.file([LoadTest("load-1", "checkout", "r1", NOON, "auto", True, "fine", 900.0)])
    second = fleet.ground.ready(station)
    assert second is not first
    fleet.clock.forward(READY_S)
    assert fleet.ground.ready(station) is not second


def test_the_past_is_of_the_hourly_books_and_a_history_that_fails_gives_nothing_new() -> None:
    fleet = Fleetling()
    start = fleet.clock.now().replace(minute=0) - 2 * HOUR
    slices = (Slice("checkout", start, 7_200, 0), Slice("checkout", start + HOUR, 3_600, 0))
    fleet.history.record(Changes(slices=slices))
    assert fleet.ground._past("checkout", 0.0) == Past(120.0, 2 / 1_440)

    class Broken(MemoryHistory):
        def hours(self, since: object, service: str = "") -> tuple:  # type: ignore[type-arg]
            raise HistoryError("disk full")

    fleet.ground._history = Broken()
    assert fleet.ground._past("pricing", 0.0) == Past()
    assert fleet.ground._past("checkout", 10_000.0) == Past(120.0, 2 / 1_440)


def test_no_more_than_a_few_pasts_are_read_in_one_tick() -> None:
    fleet = Fleetling()
    fleet.ground.next_tick(())
    fleet.history.record(Changes(slices=(Slice("z", fleet.clock.now(), 60, 0),)))
    for n in range(MOST_READS):
        fleet.ground._past(f"s{n}", 0.0)
    assert fleet.ground._past("z", 0.0) == Past()
    fleet.ground.next_tick(())
    assert fleet.ground._past("z", 0.0) == Past(1.0, 1 / 1_440)


@pytest.mark.parametrize(
    ("since", "known_s", "coverage"),
    [
        (NOON - 30 * DAY, 3_600, 1.0),
        (NOON - 30 * DAY, 1_800, 0.5),
        (NOON - 2 * DAY, 3_600, 1.0),
        (NOON - 2 * DAY + HOUR / 2, 3_600, 1.0),
        (NOON - HOUR, 3_600, None),
        (None, 3_600, None),
    ],
)
def test_coverage_of_a_week_is_of_whole_hours_since_it_is_measured(
    since: datetime | None, known_s: int, coverage: float | None
) -> None:
    kept = [
        Hour("a", "availability", NOON - n * HOUR, 3_600, 0, known_s, 0, 0)
        for n in range(24 * 30)
        if since is not None and NOON - n * HOUR >= since
    ]
    assert past(kept, since, NOON + HOUR / 2).coverage_7d == coverage


def test_admission_is_asked_when_something_changed_and_every_few_seconds_spread_over_services() -> None:
    fleet = Fleetling()
    asked = dict.fromkeys(fleet.stations, 0)
    for _ in range(int(3 * ADMITTED_S)):
        for name, station in fleet.stations.items():
            before = station.admission
            fleet.ground.keep_up(station)
            asked[name] += station.admission is not before
        fleet.clock.forward(1.0)
    assert all(3 <= times <= 4 for times in asked.values()), asked
    station = fleet["checkout"]
    before = station.admission
    station.file([Reservation("res-1", ("checkout",), "ana", NOON - DAY, NOON - DAY, NOON + DAY, "demo")])
    fleet.ground.keep_up(station)
    assert station.admission is not before
    assert any(gate.name == "reservation" and gate.warns for gate in station.gates)
