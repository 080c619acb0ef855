"""What hosts use and who calls, minute by minute, into the history; a fault or a restart loses little of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from world import METRICS, ManualClock, MemoryHistory, make_hosts, make_rules

from pipeline.controller.ground import Ground
from pipeline.controller.ledger import Ledger
from pipeline.controller.usage import KEEP_S, Usage, build_of
from pipeline.docket import Attestation, CiResult
from pipeline.model import Fleet, MetricKind, MetricRule, Service
from pipeline.ports import HistoryError
from pipeline.readiness.callers import MOST_STRANGERS, Caller
from pipeline.readiness.report import RowState
from pipeline.readiness.rules import ReadinessRules
from pipeline.readiness.seen import Seen
from pipeline.readiness.use import Resource, Use, step
from pipeline.readiness.use_meter import UseMeter
from pipeline.service.station import Station
from pipeline.signals import Sample

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CPU = MetricRule("cpu", "CPU", MetricKind.GAUGE, of="cpu_seconds", unit="cores")
STATED = ReadinessRules(cpu_limit=2.0, memory_limit_bytes=1e9, clients=("web",), client_label="client")


def checkout(stated: ReadinessRules = STATED) -> Service:
    rules = make_rules(readiness=stated)
    rules = replace(rules, judge=replace(rules.judge, metrics=(*METRICS, CPU)))
    return Service("checkout", make_hosts(4), "r1", rules=rules, business_critical=True)


def sample(cores: float, memory: float = 4e8) -> Sample:
    return Sample(10.0, {"cpu_seconds": 10 * cores}, {"memory": memory})


def names(service: Service) -> list[str]:
    return [host.name for host in service.production]


def test_each_host_counts_once_a_minute_and_the_minute_counts_when_it_is_over() -> None:
    its = checkout()
    meter, hosts = UseMeter(its), names(its)
    for second in (0, 5, 10):
        meter.observe(NOON + timedelta(seconds=second), hosts, {host: sample(1.0) for host in hosts})
    assert meter.pending() == ()
    meter.observe(NOON + MINUTE, hosts, {})
    found = {one.resource: one for one in meter.pending()}
    assert found[Resource.CPU].counts == {step(1.0): 4}
    assert found[Resource.MEMORY].counts == {step(4e8): 4}
    assert (found[Resource.CPU].minutes, found[Resource.CPU].day) == (1, NOON.replace(hour=0))
    meter.kept()
    assert meter.pending() == ()


def test_hosts_whose_scrapes_come_at_other_ticks_make_up_a_minute_together() -> None:
    its = checkout()
    meter, hosts = UseMeter(its), names(its)
    for second, host in enumerate(hosts[:2]):
        meter.observe(NOON + timedelta(seconds=second), hosts, {host: sample(0.5)})
    meter.observe(NOON + MINUTE, hosts, {hosts[0]: sample(0.5)})
    meter.observe(NOON + 2 * MINUTE, hosts, {})
    (cpu,) = [one for one in meter.pending() if one.resource is Resource.CPU]
    # In the second minute one of four told, which is not most of them.
    assert (cpu.minutes, cpu.counts) == (1, {step(0.5): 2})


def test_a_service_that_states_no_limit_is_not_metered() -> None:
    its = checkout(ReadinessRules(memory_limit_bytes=1e9))
    meter, hosts = UseMeter(its), names(its)
    for minute in (0, 1):
        meter.observe(NOON + minute * MINUTE, hosts, {host: sample(1.0) for host in hosts})
    assert [one.resource for one in meter.pending()] == [Resource.MEMORY]


class Eyes:
    """A scout that has seen what it is told."""

    def __init__(self) -> None:
        self.callers: dict[str, datetime] = {}
        self.broken = False

    def seen(self, service: Service, revision: str) -> Seen:
        if self.broken:
            raise RuntimeError("no eyes")
        return Seen(callers=dict(self.callers))


class House:
    def __init__(self) -> None:
        self.clock, self.history, self.eyes = ManualClock(), MemoryHistory(), Eyes()
        fleet = Fleet({"checkout": checkout()}, tick_s=1.0)
        _, self.stations = Ledger(fleet, self.history, self.clock).open()
        self.usage = Usage(self.history, self.clock, self.eyes)
        self.ground = Ground(fleet, self.history, self.clock, self.usage)
        self.ground.stand(self.stations)

    @property
    def station(self) -> Station:
        return self.stations["checkout"]

    def minute(self, cores: float = 1.0) -> None:
        hosts = names(self.station.service)
        self.station.telemetry.samples = {host: sample(cores) for host in hosts}
        self.usage.observe(self.station)
        self.clock.forward(60.0)

    def row(self, item: str) -> tuple[RowState, str]:
        found = next(row for row in self.ground.ready(self.station).rows if row.id == item)
        return found.state, found.why


def test_what_was_used_is_kept_every_few_minutes_and_whole_at_the_end() -> None:
    house = House()
    for _ in range(int(2 * KEEP_S / 60)):
        house.minute()
        house.usage.keep(house.stations)
    kept = sum(one.minutes for one in house.history.kept_uses if one.resource is Resource.CPU)
    assert 0 < kept < 10
    house.minute()
    house.usage.keep(house.stations, whole=True)
    assert sum(one.minutes for one in house.history.kept_uses if one.resource is Resource.CPU) == 10


def test_what_the_history_refuses_is_kept_with_the_next_that_it_takes() -> None:
    house = House()
    for _ in range(3):
        house.minute()
    house.history.broken = "disk full"
    try:
        house.usage.keep(house.stations, whole=True)
    except HistoryError:
        house.history.broken = ""
    assert house.history.kept_uses == []
    house.usage.keep(house.stations, whole=True)
    assert {one.minutes for one in house.history.kept_uses} == {2}


def test_a_row_of_30_days_is_read_from_what_is_kept() -> None:
    house = House()
    day = house.clock.now().replace(hour=0, minute=0, second=0)
    for resource, amount in ((Resource.CPU, 1.0), (Resource.MEMORY, 5e8)):
        house.history.kept_uses += [
            Use("checkout", resource, day - timedelta(days=n), 1_440, {step(amount): 100}) for n in range(25)
        ]
    state, why = house.row("PRF-2")
    assert state is RowState.PASS
    assert why.startswith("p95 of 30 days: cpu ")


def test_callers_are_kept_once_and_strangers_hold() -> None:
    house = House()
    at = house.clock.now()
    house.eyes.callers = {"web": at, "bot": at}
    house.usage.keep(house.stations, whole=True)
    house.usage.keep(house.stations, whole=True)
    assert house.history.kept_callers == [Caller("checkout", "web", at), Caller("checkout", "bot", at)]
    assert house.row("REL-1")[0] is RowState.FAIL


def test_callers_beyond_those_that_one_look_keeps_are_kept_with_the_next_and_then_no_more() -> None:
    house = House()
    at = house.clock.now()
    house.eyes.callers = {f"bot-{number:02}": at for number in range(MOST_STRANGERS + 5)}
    for _ in range(4):
        house.usage.keep(house.stations, whole=True)
    assert [one.name for one in house.history.kept_callers] == sorted(house.eyes.callers)
    house.eyes.callers["bot-00"] = at + MINUTE
    house.usage.keep(house.stations, whole=True)
    assert house.history.kept_callers[-1] == Caller("checkout", "bot-00", at + MINUTE)
    assert len(house.history.kept_callers) == MOST_STRANGERS + 6


def test_a_scout_that_breaks_has_seen_nothing() -> None:
    house = House()
    house.eyes.broken = True
    assert house.row("REL-3")[0] is not RowState.PASS
    house.usage.keep(house.stations, whole=True)


def test_a_new_build_is_asked_about_at_once() -> None:
    house = House()
    first = house.ground.ready(house.station)
    assert first.build == build_of(house.station) == "r1"
    suites = tuple((suite, True) for suite in STATED.suites)
    house.station.file([CiResult("ci-1", "checkout", "r2", NOON, "ci", "4f2a91c", suites)])
    assert house.ground.ready(house.station).build == "r2"
    assert house.row("STB-2")[0] is RowState.PASS
    house.station.file([Attestation("att-1", "checkout", "STB-2", "ana", NOON + MINUTE, "x", revision="r3")])
    assert house.ground.ready(house.station).build == "r3"
