"""The script does as written, and its outcomes are what a watcher of the fleet sees."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from adapters.demo.outcomes import End, until_settled
from adapters.demo.plan import PAUSES, RECALLS, RELEASES, WORDS, Pause, Recall, Release, Word
from adapters.demo.script import run_script
from pipeline.commands import Command, Receipt, Refused, Stretch, Verb
from pipeline.events import Event, Who
from pipeline.gates import Answer, Gate
from pipeline.ports import ControllerLost
from pipeline.readiness.catalogue import ITEMS
from pipeline.view import (
    Budget,
    FleetView,
    HistoryPage,
    HistoryQuery,
    Proposal,
    ServiceRow,
    ServiceView,
    StageCell,
    State,
)
from tests.adapters.demo.demo_support import until

ANA = Who("ana", 1000)
NOW = datetime(2026, 1, 5, tzinfo=UTC)
CHECKOUT = Release(4.0, "checkout", "r1204", "")
CART = Release(10.0, "cart", "r512", "")


@dataclass
class Timetable:
    """Time that passes when nobody has anything else to do; sleepers wake in order."""

    elapsed_s: float = 0.0
    sleepers: list[tuple[float, asyncio.Event]] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        sleeper = (self.elapsed_s + seconds, woken)
        self.sleepers.append(sleeper)
        try:
            await woken.wait()
        finally:
            if sleeper in self.sleepers:
                self.sleepers.remove(sleeper)

    async def pass_on(self) -> None:
        """Wakes whoever is next, for ever."""
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            if self.sleepers:
                self.sleepers.sort(key=lambda sleeper: sleeper[0])
                at, woken = self.sleepers.pop(0)
                self.elapsed_s = max(self.elapsed_s, at)
                woken.set()


def row(name: str, state: State = State.STEADY, revision: str = "", production: str = "r1") -> ServiceRow:
    cell = StageCell()
    return ServiceRow(
        name,
        "shop",
        1,
        state,
        None,
        f"why {state}",
        cell,
        cell,
        StageCell(production),
        Budget(1.0, "30d"),
        None,
        None,
        None,
        None,
        0,
        release=f"{name}-1" if revision else "",
        revision=revision,
    )


class Room:
    """A control room in memory: shows what it is told to show, keeps what it is told."""

    read_only = False

    def __init__(self, clock: Timetable, rows: Mapping[str, ServiceRow] | None = None) -> None:
        self.clock = clock
        self.rows = dict(rows or {})
        self.sent: list[tuple[float, Command]] = []
        self.refuse: dict[str, int] = {}
        """How often commands to a service are refused."""
        self.lose = 0
        """How many calls find no controller."""
        self.gates: dict[str, tuple[Gate, ...]] = {}
        self.events: list[Event] = []
        self.sequence = 0
        self.changed = asyncio.Event()
        self.watching = 0

    def show(self, *rows: ServiceRow) -> None:
        self.rows.update({row.name: row for row in rows})
        self.changed.set()
        self.changed = asyncio.Event()

    async def fleet(self) -> AsyncIterator[FleetView]:
        self._perhaps_lost()
        self.watching += 1
        try:
            while True:
                self.sequence += 1
                changed = self.changed
                yield FleetView(self.clock.now(), self.sequence, 1.0, tuple(self.rows.values()))
                await changed.wait()
        finally:
            self.watching -= 1

    async def service(self, name: str) -> AsyncIterator[ServiceView]:
        """As it is shown; a page that stays open is sent again at each change."""
        while True:
            changed = self.changed
            gates = self.gates.get(name, (Gate("check traffic", Answer.UNKNOWN, "has not ended yet"),))
            yield ServiceView(self.clock.now(), self.rows[name], "r1", "", (), gates, (), (), ())
            await changed.wait()

    async def history(self, query: HistoryQuery) -> HistoryPage:
        found = [event for event in self.events if event.service == query.service and query.text in event.detail]
        return HistoryPage(tuple(found[: query.limit]), len(found))

    async def propose(self, verb: Verb, service: str, about: Stretch | None = None) -> Proposal:
        raise Refused(str(verb), "not in this room", "use another")

    async def send(self, command: Command) -> Receipt:
        self._perhaps_lost()
        self.sent.append((self.clock.elapsed_s, command))
        if self.refuse.get(command.service, 0):
            self.refuse[command.service] -= 1
            what = f"{command.verb} {command.service} {command.revision}".strip()
            self.events.insert(0, Event(self.clock.now(), ANA, command.service, "", "", "denied", f"{what}: not now"))
            raise Refused(what, "not now", "later")
        if command.verb is Verb.SUBMIT:
            self.show(row(command.service, State.QUEUED, command.revision))
        return Receipt(command.service, f"{command.service}-1", "taken")

    def _perhaps_lost(self) -> None:
        if self.lose:
            self.lose -= 1
            raise ControllerLost


@pytest.fixture
async def timetable() -> AsyncIterator[Timetable]:
    clock = Timetable()
    passing = asyncio.create_task(clock.pass_on())
    yield clock
    passing.cancel()
    await asyncio.wait((passing,))


def test_the_script_shows_every_kind_of_end_and_all_is_submitted_within_40_s() -> None:
    assert max(release.at_s for release in RELEASES) < 40
    assert len({release.service for release in RELEASES}) == len(RELEASES)
    submitted = {(release.service, release.revision) for release in RELEASES}
    assert {(one.service, one.revision) for one in (*PAUSES, *RECALLS)} <= submitted


def test_people_vouch_for_rows_that_there_are_each_once_and_leave_three_that_only_they_could() -> None:
    rows = [word.row for word in WORDS]
    assert len(set(rows)) == len(rows)
    assert {item.id for item in ITEMS.values() if item.measured is None} - set(rows) == {"FLT-3", "CAT-2", "DOC-2"}
    assert set(rows) <= ITEMS.keys()


async def test_releases_are_submitted_at_their_times_each_with_a_request_of_its_own(timetable) -> None:
    room = Room(timetable)
    assert await run_script(room, timetable, pauses=(), recalls=(), words=()) == ()
    assert [(at, command.service, command.revision) for at, command in room.sent] == [
        (release.at_s, release.service, release.revision) for release in RELEASES
    ]
    assert len({command.request for _, command in room.sent}) == len(RELEASES)


async def test_a_refused_release_is_told_and_the_others_go_on(timetable) -> None:
    room = Room(timetable)
    room.refuse["checkout"] = 1
    said = await run_script(room, timetable, [CHECKOUT, CART], (), (), ())
    assert said == ("submit checkout r1204: not now: later",)
    assert [command.service for _, command in room.sent] == ["checkout", "cart"]


async def test_a_lost_controller_is_asked_again_with_the_same_request(timetable) -> None:
    room = Room(timetable)
    room.lose = 3
    await run_script(room, timetable, [CHECKOUT], (), (), ())
    assert [command.service for _, command in room.sent] == ["checkout"]
    assert room.sent[0][0] == pytest.approx(7.0)


async def test_a_pause_waits_for_its_state_and_insists(timetable) -> None:
    room = Room(timetable, {"cart": row("cart")})
    pause = Pause("cart", "r512", frozenset({State.BAKE}), "campaign")
    room.refuse["cart"] = 2
    script = asyncio.create_task(run_script(room, timetable, (), [pause], (), ()))
    await until(lambda: room.watching > 0)
    room.show(row("cart", State.BAKE, "r511"))
    room.show(row("cart", State.STAGE, "r512"))
    await asyncio.sleep(0)
    assert not room.sent
    room.show(row("cart", State.BAKE, "r512"))
    await script
    assert [command.verb for _, command in room.sent] == [Verb.PAUSE] * 3
    assert (room.sent[-1][1].release, room.sent[-1][1].reason) == ("cart-1", "campaign")
    assert room.watching == 0


@pytest.mark.parametrize(
    ("state", "end"),
    [
        (State.WAIT, End.WAITING),
        (State.PAUSED, End.PAUSED),
    ],
)
async def test_a_release_that_stands_still_has_an_end(timetable, state: State, end: End) -> None:
    room = Room(timetable, {"checkout": row("checkout", State.QUEUED, "r1204")})
    watching = asyncio.create_task(until_settled(room, timetable, [CHECKOUT]))
    await until(lambda: room.watching > 0)
    room.show(row("checkout", state, "r1204"))
    (outcome,) = await watching
    assert (outcome.end, outcome.state, outcome.release, outcome.why) == (end, state, "checkout-1", f"why {state}")
    assert room.watching == 0


async def test_a_locked_service_whose_release_has_ended_was_rolled_back(timetable) -> None:
    room = Room(timetable, {"checkout": row("checkout", State.BACK, "r1204"), "cart": row("cart", State.LOCK)})
    watching = asyncio.create_task(until_settled(room, timetable, [CHECKOUT, CART], limit_s=20.0))
    await until(lambda: room.watching > 0)
    room.show(row("checkout", State.LOCK))
    ours, never_ours = await watching
    assert (ours.end, ours.release) == (End.ROLLED_BACK, "checkout-1")
    assert never_ours.end is End.UNFINISHED


async def test_a_steady_service_on_the_new_revision_is_settled_and_on_another_gone(timetable) -> None:
    moving = {"checkout": row("checkout", State.ROLL, "r1204"), "cart": row("cart", State.ROLL, "r512")}
    room = Room(timetable, moving)
    watching = asyncio.create_task(until_settled(room, timetable, [CHECKOUT, CART]))
    await until(lambda: room.watching > 0)
    room.show(row("checkout", production="r1204"))
    for _ in range(5):
        await asyncio.sleep(0)
    room.show(row("cart", production="r511"))
    settled, gone = await watching
    assert (settled.end, settled.release) == (End.SETTLED, "checkout-1")
    assert gone.end is End.GONE


async def test_checks_that_failed_hold_and_checks_that_run_do_not(timetable) -> None:
    room = Room(timetable, {"cart": row("cart", State.GATES, "r512")})
    (running,) = await until_settled(room, timetable, [CART], limit_s=2.0)
    assert running.end is End.UNFINISHED
    room.gates["cart"] = (Gate("check traffic", Answer.FAIL, "17 of 29 answers as recorded"),)
    (held,) = await until_settled(room, timetable, [CART])
    assert held.end is End.HELD


async def test_what_never_came_is_unfinished_when_time_is_up(timetable) -> None:
    room = Room(timetable, {"cart": row("cart"), "checkout": replace(row("checkout"), state=State.STALE)})
    outcomes = await until_settled(room, timetable, [CHECKOUT, CART], limit_s=30.0)
    assert [outcome.end for outcome in outcomes] == [End.UNFINISHED] * 2
    assert outcomes[0].after_s == pytest.approx(30.0)


async def test_a_watch_outlives_a_lost_controller(timetable) -> None:
    room = Room(timetable, {"cart": row("cart", State.WAIT, "r512")})
    room.lose = 2
    (outcome,) = await until_settled(room, timetable, [CART])
    assert outcome.end is End.WAITING


async def test_a_recall_waits_for_its_gate_and_rolls_back_the_release_that_it_saw(timetable) -> None:
    room = Room(timetable, {"stock": row("stock", State.GATES, "r62")})
    recall = Recall("stock", "r62", "load-test", "too slow")
    script = asyncio.create_task(run_script(room, timetable, (), (), [recall], ()))
    for gates in ((Gate("load-test", Answer.PASS, ""),), (Gate("check load", Answer.FAIL, "p99 600 ms"),)):
        room.gates["stock"] = gates
        room.show()
        for _ in range(5):
            await asyncio.sleep(0)
    assert not room.sent
    room.gates["stock"] = (Gate("load-test", Answer.HOLD, "lock-1: p99 600 ms"),)
    room.show()
    await script
    ((_, command),) = room.sent
    assert (command.verb, command.release, command.reason) == (Verb.ROLLBACK, "stock-1", "too slow")


async def test_words_are_laid_down_one_after_the_other_and_a_refused_one_is_told(timetable) -> None:
    room = Room(timetable)
    words = [Word("orders", "CAT-3", "restored", "https://wiki.example/1"), Word("orders", "REL-4", "new", off_days=30)]
    assert await run_script(room, timetable, (), (), (), words) == ()
    (_, vouched), (at_s, off) = room.sent
    assert (vouched.verb, vouched.subject, vouched.reason) == (Verb.ATTEST, "CAT-3", "restored")
    assert (vouched.evidence, vouched.end) == ("https://wiki.example/1", None)
    assert (off.verb, off.subject, off.end) == (Verb.WAIVE, "REL-4", NOW + timedelta(seconds=at_s, days=30))
    room.refuse["orders"] = 1
    assert await run_script(room, timetable, (), (), (), words) == ("attest orders: not now: later",)


@pytest.mark.parametrize("answer", Answer)
async def test_a_block_is_an_end_where_it_is_known_and_none_where_it_will_be(timetable, answer: Answer) -> None:
    room = Room(timetable, {"checkout": row("checkout", State.BLOCK, "r1204")})
    room.gates["checkout"] = (Gate("readiness", answer, "4 rows of 26 missing"),)
    (outcome,) = await until_settled(room, timetable, [CHECKOUT], limit_s=2.0)
    assert outcome.end is (End.HELD if answer in {Answer.HOLD, Answer.FAIL} else End.UNFINISHED)


async def test_a_release_that_was_refused_is_found_in_the_history_and_a_later_one_counts_again(timetable) -> None:
    room = Room(timetable, {"checkout": row("checkout")})
    room.refuse["checkout"] = 1
    watching = asyncio.create_task(until_settled(room, timetable, [CHECKOUT, CART], limit_s=60.0))
    await run_script(room, timetable, [CHECKOUT], (), (), ())
    room.show()
    await until(lambda: room.watching > 0)
    for _ in range(5):
        await asyncio.sleep(0)
    room.show(row("cart", State.WAIT, "r512"))
    refused, _ = await watching
    assert (refused.end, refused.release, refused.why) == (End.REFUSED, "", "not now")


CYCLE = "40 s of 40 s, peak seen, {} of {} requests; still missing: ..."


@pytest.mark.parametrize(
    ("why", "also", "end"),
    [
        (CYCLE.format("176", "100,000"), Answer.PASS, End.CYCLE),
        (CYCLE.format("0.4", "1.0 M"), Answer.PASS, End.CYCLE),
        (CYCLE.format("90", "120"), Answer.PASS, End.UNFINISHED),
        (CYCLE.format("176", "100,000").replace("peak seen", "peak not seen"), Answer.PASS, End.UNFINISHED),
        (CYCLE.format("176", "100,000"), Answer.UNKNOWN, End.UNFINISHED),
    ],
)
async def test_a_good_canary_far_from_a_full_cycle_is_an_end(timetable, why: str, also: Answer, end: End) -> None:
    room = Room(timetable, {"checkout": replace(row("checkout", State.BAKE, "r1204"), wait_s=0.0)})
    room.gates["checkout"] = (
        Gate("verdict", also, "PASS"),
        Gate("traffic-cycle", Answer.HOLD, why),
        Gate("promote", Answer.HOLD, ""),
    )
    (outcome,) = await until_settled(room, timetable, [CHECKOUT], limit_s=2.0)
    assert outcome.end is end
    assert outcome.why == (f"traffic-cycle: {why}" if end is End.CYCLE else "why BAKE")
