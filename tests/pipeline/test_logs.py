"""Whose logs are read, how they are told side by side, and that the controller's rounds do not wait for them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import Company

from pipeline.commands import Refused, Verb
from pipeline.controller.tailing import AT_ONCE, Tailing
from pipeline.logs import MOST_LINES, HostLog, began, chosen, merged, silent
from pipeline.model import Host, Pool, Track
from pipeline.observed import HostFault
from pipeline.text import PlainText, plain


def host(name: str, datacenter: str = "fra1") -> Host:
    return Host(name, "127.0.0.1:1", Pool.PRODUCTION, datacenter)


class Books:
    """`Logs` in memory; hosts without a log of their own wrote a few lines."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[PlainText, ...] | HostFault] = {}
        self.asked: list[tuple[list[str], int, float]] = []
        self.silent = asyncio.Event()
        self.silent.set()
        self.broken = False

    async def tail(
        self, hosts: Sequence[Host], lines: int, timeout_s: float
    ) -> Mapping[str, tuple[PlainText, ...] | HostFault]:
        self.asked.append(([each.name for each in hosts], lines, timeout_s))
        await self.silent.wait()
        if self.broken:
            raise RuntimeError("\x1b[2J")
        wrote = tuple(plain(f"line {n}") for n in range(500))
        return {each.name: self.kept.get(each.name, wrote) for each in hosts}


# whose


def test_the_canarys_and_the_others_logs_are_read_eight_of_each_and_every_datacenter_is_heard() -> None:
    hosts = [(host(f"c{n}", f"dc{n % 2}"), Track.CANARY) for n in range(10)]
    hosts += [(host(f"p{n}", "dc0" if n < 90 else "dc1"), Track.PRODUCTION) for n in range(100)]
    hosts += [(host("b0"), Track.BASELINE), (host("s0"), Track.STAGING)]
    found, left_out = chosen(hosts)
    assert [track for _, track in found].count(Track.CANARY) == 8
    assert [each.name for each, track in found if track is not Track.CANARY] == [
        "b0", "p0", "p90", "p1", "p91", "p2", "p92", "p3",
    ]  # fmt: skip
    assert left_out == 111 - 16


def test_no_hosts_are_no_page_and_no_fault() -> None:
    assert chosen([]) == ([], 0)
    assert merged([]) == ()
    assert silent([]) == ()


# side by side


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("2026-01-09T15:07:31+0100 fra1 x[1]: hi", datetime(2026, 1, 9, 14, 7, 31, tzinfo=UTC), "fra1 x[1]: hi"),
        ("2026-01-09 14:07:31,250 INFO hi", datetime(2026, 1, 9, 14, 7, 31, 250_000, UTC), "INFO hi"),
        ("[2026-01-09T14:07:31Z] hi", datetime(2026, 1, 9, 14, 7, 31, tzinfo=UTC), "hi"),
        ("2026-13-45T99:07:31Z hi", None, "2026-13-45T99:07:31Z hi"),
        ("0001-01-01T00:00:00+23:00 hi", None, "0001-01-01T00:00:00+23:00 hi"),
        ("  at main.py:3", None, "  at main.py:3"),
    ],
)
def test_the_time_that_a_line_begins_with_is_read_whatever_its_zone(text: str, at: datetime | None, said: str) -> None:
    assert began(text) == (at, said)


def test_lines_of_many_hosts_stand_in_the_order_of_their_times_and_a_trace_stays_with_its_line() -> None:
    first = HostLog("a", Track.CANARY, ("2026-01-09T14:00:01Z one", "  trace of one", "2026-01-09T14:00:05Z five"))
    second = HostLog("b", Track.PRODUCTION, ("2026-01-09T16:00:03+0200 three", "2026-01-09T14:00:04Z four"))
    bare = HostLog("c", Track.PRODUCTION, ("no time at all",))
    assert [line.text[-5:] for line in merged([first, second, bare])] == [
        "t all", "Z one", "f one", "three", " four", " five",
    ]  # fmt: skip


START = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.one_of(st.text(max_size=40), st.text("0123456789-:TZ+ [],.", max_size=40)))
def test_whatever_a_line_begins_with_its_end_is_kept(text: str) -> None:
    at, said = began(text)
    assert text.endswith(said)
    assert at is not None or said == text


moments = st.integers(0, 90_000).map(lambda seconds: (START + timedelta(seconds=seconds)).isoformat())
written = st.lists(st.one_of(st.text(max_size=8), moments.map(lambda at: f"{at} x")), max_size=8).map(tuple)


@given(st.lists(written, max_size=4))
def test_nothing_is_lost_and_each_hosts_lines_keep_their_order(logs: list[tuple[str, ...]]) -> None:
    told = merged([HostLog(f"h{n}", Track.CANARY, lines) for n, lines in enumerate(logs)])
    for n, lines in enumerate(logs):
        assert tuple(line.text for line in told if line.host == f"h{n}") == lines
    assert len(told) == sum(map(len, logs))


def test_hosts_that_are_silent_for_one_reason_are_told_together() -> None:
    off = [HostLog(name, Track.CANARY, (), "no log: set [service.web.logs]") for name in "abc"]
    other = HostLog("d", Track.PRODUCTION, (), "timed out")
    assert silent([*off, other, HostLog("e", Track.PRODUCTION, ("hi",)), HostLog("f", Track.PRODUCTION)]) == (
        "3 hosts: no log: set [service.web.logs]",
        "d: timed out",
        "f: its log is empty",
    )


# the controller


async def released() -> tuple[Company, Books]:
    company, books = Company(), Books()
    company.logs = books
    company.start()
    await company.ticks(3)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("canary-bake")
    return company, books


async def test_a_page_holds_the_canarys_lines_and_the_others_by_what_each_host_runs_now() -> None:
    company, books = await released()
    page = await company.controller.logs("checkout", 20)
    (canary,) = company.rollout.canaries
    assert (page.hosts[0].host, page.hosts[0].track) == (canary, Track.CANARY)
    assert [log.track for log in page.hosts[1:]] == [Track.PRODUCTION] * 8
    assert (page.left_out, page.at, page.service) == (1, company.world.clock.now(), "checkout")
    assert all(log.lines == tuple(f"line {n}" for n in range(480, 500)) for log in page.hosts)
    assert books.asked[0][1] == 20
    assert 0 < books.asked[0][2] < 5.0


async def test_one_host_is_read_alone_where_it_is_named_staging_too_and_an_unknown_one_is_refused() -> None:
    company, _ = await released()
    page = await company.controller.logs("checkout", 1, "stg-1")
    assert [(log.host, log.track, log.lines) for log in page.hosts] == [("stg-1", Track.STAGING, ("line 499",))]
    with pytest.raises(Refused, match="it has no host nosuch"):
        await company.controller.logs("checkout", 1, "nosuch")
    with pytest.raises(Refused, match="did you mean checkout"):
        await company.controller.logs("chekout", 1)


async def test_whatever_is_asked_for_a_page_is_bounded() -> None:
    company, books = await released()
    books.kept["stg-1"] = tuple(PlainText("x" * 900) for _ in range(900))
    (log,) = (await company.controller.logs("checkout", 10**9, "stg-1")).hosts
    assert (len(log.lines), len(log.lines[0])) == (MOST_LINES, 500)
    assert books.asked[-1][1] == MOST_LINES
    await company.controller.logs("checkout", -5, "stg-1")
    assert books.asked[-1][1] == 1


async def test_why_a_host_has_no_lines_is_on_the_page() -> None:
    company, books = await released()
    (canary,) = company.rollout.canaries
    books.kept[canary] = HostFault(0.0, "timed out: no login in 30 s")
    books.kept["fra1-00"] = ()
    whys = {log.host: log.why for log in (await company.controller.logs("checkout", 5)).hosts}
    assert whys[canary] == "timed out: no login in 30 s"
    assert whys["fra1-00"] == "its log is empty"
    books.broken = True
    assert (await company.controller.logs("checkout", 5, canary)).hosts[0].why == (
        "pithead itself failed: RuntimeError: \ufffd[2J"
    )


async def test_a_controller_without_logs_says_so() -> None:
    company = Company()
    await company.ticks(1)
    page = await company.controller.logs("checkout", 5)
    assert {log.why for log in page.hosts} == {"this controller reads no logs"}


async def test_ticks_go_on_while_hosts_are_silent_and_the_page_ends_at_its_deadline() -> None:
    company, books = await released()
    books.silent.clear()
    station = company.controller._stations["checkout"]
    page = asyncio.ensure_future(Tailing(books, company.world.clock, deadline_s=60.0).page(station, 5))
    await company.ticks(3)
    assert not page.done()
    hurried = await Tailing(books, company.world.clock, deadline_s=0.05).page(station, 5)
    assert {log.why for log in hurried.hosts} == {"no answer in 0.05 s"}
    books.silent.set()
    assert all(log.lines for log in (await page).hosts)


async def test_at_most_four_pages_are_read_at_once_and_who_gets_no_turn_is_told() -> None:
    company, books = await released()
    books.silent.clear()
    station = company.controller._stations["checkout"]
    slow, hasty = Tailing(books, company.world.clock), Tailing(books, company.world.clock, deadline_s=0.05)
    hasty._turns = slow._turns
    reading = [asyncio.ensure_future(slow.page(station, 5)) for _ in range(AT_ONCE + 1)]
    asked_before = len(books.asked)
    await asyncio.sleep(0)
    with pytest.raises(Refused, match="4 others read logs"):
        await hasty.page(station, 5)
    assert len(books.asked) - asked_before == AT_ONCE
    books.silent.set()
    assert len(await asyncio.gather(*reading)) == AT_ONCE + 1
