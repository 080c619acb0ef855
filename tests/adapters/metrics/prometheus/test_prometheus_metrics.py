"""When the server is asked for what, and what becomes of answers that disagree, with a server of the test."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.metrics.prometheus.client import PrometheusClient
from adapters.metrics.prometheus.metrics import CHUNK, PrometheusMetrics
from adapters.metrics.prometheus.queries import Labels
from adapters.metrics.prometheus.settings import ServerSettings
from adapters.metrics.prometheus.timing import ServerTime
from adapters.metrics.source import SignalKind, SignalSource
from pipeline.model import Host, Pool
from pipeline.observed import HostFault
from pipeline.signals import Histogram, Reading
from tests.adapters.metrics.prometheus.answering import NOW_S, Script, vector

LONG_S = 15.0
REQUESTS = SignalSource("requests", SignalKind.COUNTER, "x_total")
LATENCY = SignalSource("latency", SignalKind.HISTOGRAM, "took")
SCRAPED_WELL, SCRAPED = "!= bool 0", "timestamp("
Answers = dict[str, list[Any]]


def host(name: str) -> Host:
    return Host(name, f"{name}:80", Pool.PRODUCTION, "fra1")


def of(name: str, value: float | str, **labels: str) -> tuple[dict[str, str], float | str]:
    return {"instance": f"{name}:80", **labels}, value


def answers(names: Sequence[str], requests: float | str = 5, ago_s: float = 2.5) -> Answers:
    """All hosts scraped `ago_s` before the server's now."""
    times = [of(name, NOW_S - ago_s, job="app") for name in names]
    return {SCRAPED_WELL: times, SCRAPED: times, "x_total": [of(name, requests) for name in names]}


class Rig:
    def __init__(self, script: Script, metrics: PrometheusMetrics, clock: Any) -> None:
        self.script, self.metrics, self.clock = script, metrics, clock

    async def look(self, *names: str) -> dict[str, Reading | HostFault]:
        return dict(await self.metrics.readings([host(name) for name in names], LONG_S))


@pytest.fixture
async def rig(peers, http_answer, clock) -> AsyncIterator[Callable[..., Any]]:
    made: list[tuple[PrometheusMetrics, PrometheusClient]] = []

    async def make(told: Answers, *signals: SignalSource, status: Callable[[], int] = lambda: 200, **more: Any) -> Rig:
        script = Script(told)

        def reply(method: str, path: str, body: bytes) -> bytes:
            text = script(method, path, body)
            return http_answer(status(), text if status() == 200 else "no")

        client = PrometheusClient(ServerSettings(f"http://{await peers.answering(reply)}"), clock)
        metrics = PrometheusMetrics(client, signals or (REQUESTS,), Labels(), clock, **more)
        made.append((metrics, client))
        return Rig(script, metrics, clock)

    yield make
    for metrics, client in made:
        await metrics.close()
        await client.close()


async def test_a_reading_is_as_old_as_its_scrape_and_all_is_asked_of_one_instant(rig) -> None:
    here = await rig(answers(["a"]))
    reading = (await here.look("a"))["a"]
    assert isinstance(reading, Reading)
    assert here.clock.monotonic() - reading.at_s == pytest.approx(2.5)
    assert [asked.get("time") for asked in here.script.asked] == [None, f"{NOW_S:.3f}", f"{NOW_S:.3f}"]


async def test_spans_are_the_server_s_however_long_its_answers_take(rig) -> None:
    here = await rig(answers(["a"]), every_s=15.0)
    first = (await here.look("a"))["a"]
    here.clock.elapsed_s += 15.2
    here.script.at_s += 15.0
    here.script.answers |= answers(["a"], 9, ago_s=2.5 - 15.0)
    second = (await here.look("a"))["a"]
    assert second.at_s - first.at_s == pytest.approx(15.0, abs=0.21)
    assert second.counters == {"requests": 9.0}


async def test_the_number_of_queries_is_the_same_for_a_large_fleet(rig) -> None:
    names = [f"h{n}" for n in range(2 * CHUNK)]
    here = await rig({**answers(names), "took_bucket": []}, REQUESTS, LATENCY)
    seen = await here.look(*names)
    assert all(isinstance(reading, Reading) for reading in seen.values())
    assert len(here.script.asked) == 4
    assert "=~" not in "".join(asked["query"] for asked in here.script.asked)


async def test_a_small_fleet_is_asked_for_by_name(rig) -> None:
    here = await rig(answers(["a", "b.c"]))
    await here.look("a", "b.c")
    assert all('instance=~"a:80|b\\\\.c:80"' in asked["query"] for asked in here.script.asked)


async def test_between_two_refreshes_only_hosts_in_focus_are_asked_for(rig) -> None:
    here = await rig(answers(["a", "b"]), every_s=15.0)
    first = await here.look("a", "b")
    here.clock.elapsed_s += 5.0
    assert (await here.look("a", "b"))["b"] is first["b"]
    assert len(here.script.asked) == 3
    here.metrics.focus(["b", "unknown"])
    here.script.answers |= answers(["a", "b"], 8, ago_s=1.0)
    second = await here.look("a", "b")
    assert (second["a"], second["b"].counters) == (first["a"], {"requests": 8.0})
    assert all('instance=~"b:80"' in asked["query"] for asked in here.script.asked[3:])
    assert len(here.script.asked) == 6


async def test_many_hosts_in_focus_are_asked_for_in_chunks(rig) -> None:
    names = [f"h{n}" for n in range(CHUNK + 1)]
    here = await rig(answers(names))
    await here.look(*names)
    here.metrics.focus(names)
    here.clock.elapsed_s += 5.0
    before = len(here.script.asked)
    await here.look(*names)
    assert len(here.script.asked) - before == 6


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({SCRAPED: [of("a", NOW_S - 61)]}, 'last scraped 61 s ago where instance="a:80", the limit is 60 s'),
        ({SCRAPED: [of("a", "NaN")]}, 'last scraped nan s ago where instance="a:80", the limit is 60 s'),
        ({SCRAPED_WELL: [of("a", 0)]}, 'up is 0 where instance="a:80": down, or it cannot be scraped'),
        ({SCRAPED_WELL: [of("a", NOW_S)]}, 'a scrape came in while instance="a:80" was asked for'),
        ({SCRAPED_WELL: []}, 'a scrape came in while instance="a:80" was asked for'),
        ({SCRAPED: []}, 'no scrape target with instance="a:80" in the last minutes'),
        ({SCRAPED: [of("other", NOW_S)]}, 'no scrape target with instance="a:80" in the last minutes'),
        (
            {SCRAPED: [of("a", NOW_S - 2.5, replica="1"), of("a", NOW_S - 9, replica="2")]},
            '2 scrape targets with instance="a:80": replica is "1" and "2": name one of them among the labels',
        ),
        (
            {"x_total": [of("a", 5), of("a", 6)]},
            'several series of requests where instance="a:80": the server gave them twice',
        ),
        ({"x_total": [of("a", "NaN")]}, 'no usable number of requests where instance="a:80"'),
        ({"x_total": [of("a", "-1")]}, 'no usable number of requests where instance="a:80"'),
        ({"x_total": [of("a", "1_0")]}, 'no usable number of requests where instance="a:80"'),
        ({"x_total": [({}, 5)]}, 'none of the wanted metrics where instance="a:80"'),
    ],
)
async def test_a_host_whose_data_are_not_good_is_a_fault_and_the_others_are_not(rig, change: Answers, why: str) -> None:
    told = answers(["a", "b"])
    for key, rows in change.items():
        told[key] = [*rows, *(row for row in told[key] if row[0]["instance"] == "b:80")]
    here = await rig(told)
    seen = await here.look("a", "b")
    assert isinstance(seen["b"], Reading) or SCRAPED in change
    assert isinstance(seen["a"], HostFault)
    assert seen["a"].why == why


async def test_a_scrape_in_mid_question_leaves_the_last_reading(rig) -> None:
    here = await rig(answers(["a"]), every_s=15.0)
    first = await here.look("a")
    here.metrics.focus(["a"])
    here.script.answers |= {SCRAPED: [of("a", NOW_S - 1)], "x_total": [of("a", 50)]}
    assert (await here.look("a"))["a"] is first["a"]


@pytest.mark.parametrize(
    ("buckets", "histogram"),
    [
        ({"0.1": 1, "+Inf": 2}, Histogram((0.1, math.inf), (1.0, 2.0))),
        ({"+Inf": 2, "0.1": 1}, Histogram((0.1, math.inf), (1.0, 2.0))),
        ({"0.1": 1}, None),
        ({"0.1": 3, "+Inf": 2}, None),
        ({"fast": 1, "+Inf": 2}, None),
        ({"0.1": "NaN", "+Inf": 2}, None),
        ({"0.1": -1, "+Inf": 2}, None),
    ],
)
async def test_buckets_become_a_histogram_or_none(rig, buckets: dict[str, float], histogram: Histogram | None) -> None:
    rows = [of("a", count, le=edge) for edge, count in buckets.items()]
    here = await rig({"took_bucket": rows, **answers(["a"])}, REQUESTS, LATENCY)
    assert (await here.look("a"))["a"].histograms == ({} if histogram is None else {"latency": histogram})


async def test_two_histograms_of_one_host_are_a_fault(rig) -> None:
    rows = [of("a", 1, le="1"), of("a", 2, le="1.0"), of("a", 2, le="+Inf")]
    here = await rig({"took_bucket": rows, **answers(["a"])}, REQUESTS, LATENCY)
    assert "two buckets end at 1" in (await here.look("a"))["a"].why


async def test_a_failing_server_is_asked_again_after_doubling_waits_and_its_fault_is_told_with_its_age(rig) -> None:
    state = {"status": 503}
    here = await rig(answers(["a"]), status=lambda: state["status"])
    first = (await here.look("a"))["a"]
    assert first.why.endswith(": HTTP 503: no")
    waits = []
    for _ in range(7):
        asked, wait = len(here.script.asked), 0
        while len(here.script.asked) == asked:
            here.clock.elapsed_s += 0.5
            wait += 0.5
            fault = (await here.look("a"))["a"]
            assert isinstance(fault, HostFault)
            if len(here.script.asked) == asked and wait >= 1:
                assert fault.why.endswith(f"no ({wait:.0f} s ago)")
        waits.append(wait)
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    state["status"] = 200
    here.clock.elapsed_s += 30
    assert isinstance((await here.look("a"))["a"], Reading)


async def test_a_failure_in_mid_refresh_is_a_fault_of_every_host_even_of_one_that_was_known(rig) -> None:
    state = {"status": 200}
    here = await rig(answers(["a", "b"]), status=lambda: state["status"], every_s=15.0)
    await here.look("a", "b")
    state["status"] = 401
    here.clock.elapsed_s += 15
    seen = await here.look("a", "b")
    [why] = {fault.why for fault in seen.values()}
    assert why.endswith(": HTTP 401: the server wants other credentials")


async def test_a_partial_answer_is_no_data_of_any_host(peers, http_answer, clock) -> None:
    told = json.dumps(vector([of("a", NOW_S)], warnings=["b: gone"]))
    client = PrometheusClient(
        ServerSettings(f"http://{await peers.answering(lambda *_: http_answer(200, told))}"), clock
    )
    metrics = PrometheusMetrics(client, (REQUESTS,), Labels(), clock)
    seen = await metrics.readings([host("a"), host("b")], LONG_S)
    assert all("partial answer: b: gone" in fault.why for fault in seen.values())
    await metrics.close()
    await client.close()


async def test_a_refresh_that_takes_longer_than_a_call_goes_on_beside_it(peers, http_answer, clock) -> None:
    script = Script(answers(["a"]))
    hanging: list[bool] = [True]

    def reply(method: str, path: str, body: bytes) -> bytes | None:
        return None if hanging[0] else http_answer(200, script(method, path, body))

    client = PrometheusClient(ServerSettings(f"http://{await peers.answering(reply)}", read_s=0.3), clock)
    metrics = PrometheusMetrics(client, (REQUESTS,), Labels(), clock)
    seen = await metrics.readings([host("a")], 0.05)
    assert seen["a"].why.endswith(" in 0.05 s")
    seen = await metrics.readings([host("a")], LONG_S)
    assert seen["a"].why.endswith("timeout: nothing heard for 0.3 s")
    hanging[0] = False
    clock.elapsed_s += 1
    assert isinstance((await metrics.readings([host("a")], LONG_S))["a"], Reading)
    await metrics.close()
    await client.close()


async def test_hosts_that_are_known_do_not_wait_for_a_slow_refresh_and_hosts_in_focus_are_fresh(
    peers, http_answer, clock
) -> None:
    script = Script(answers(["a", "b"]))
    hanging: list[bool] = [False]

    def reply(method: str, path: str, body: bytes) -> bytes | None:
        return None if hanging[0] and b"b%3A80" in body else http_answer(200, script(method, path, body))

    client = PrometheusClient(ServerSettings(f"http://{await peers.answering(reply)}", read_s=LONG_S), clock)
    metrics = PrometheusMetrics(client, (REQUESTS,), Labels(), clock)
    metrics.focus(["a"])
    first = await metrics.readings([host("a"), host("b")], LONG_S)
    hanging[0] = True
    clock.elapsed_s += 15
    script.at_s += 15
    script.answers |= answers(["a", "b"], 7, ago_s=-13.0)
    async with asyncio.timeout(LONG_S):
        assert await metrics.readings([host("a"), host("b")], 10 * LONG_S) == first
        second = await metrics.readings([host("a"), host("b")], 10 * LONG_S)
    assert (second["a"].counters, second["b"]) == ({"requests": 7.0}, first["b"])
    await metrics.close()
    await client.close()


async def test_a_refresh_that_never_ends_is_given_up(peers, clock) -> None:
    address = await peers.answering(lambda *_: None)
    client = PrometheusClient(ServerSettings(f"http://{address}", read_s=LONG_S), clock)
    metrics = PrometheusMetrics(client, (REQUESTS,), Labels(), clock, refresh_s=0.2)
    fault = (await metrics.readings([host("a")], LONG_S))["a"]
    assert fault.why.partition(": timeout: ")[2].startswith("too slow, ")
    await metrics.close()
    await client.close()


async def test_a_reading_that_is_not_renewed_grows_too_old(rig) -> None:
    here = await rig(answers(["a"]), every_s=100.0, stale_s=60.0)
    assert isinstance((await here.look("a"))["a"], Reading)
    here.clock.elapsed_s += 58
    assert (await here.look("a"))["a"].why == "last scrape that is known is 60 s old, the limit is 60 s"


async def test_without_signals_a_host_has_no_data(rig, peers, clock) -> None:
    client = PrometheusClient(ServerSettings(f"http://{await peers.refusing()}"), clock)
    metrics = PrometheusMetrics(client, (), Labels(), clock)
    assert isinstance((await metrics.readings([host("a")], LONG_S))["a"], HostFault)
    assert await metrics.readings([], LONG_S) == {}
    await metrics.close()
    await client.close()


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5), st.floats(-100, 100)), min_size=1, max_size=20))
def test_the_server_s_time_is_translated_to_within_the_newest_question(seen: list[tuple[float, float, float]]) -> None:
    time = ServerTime()
    for number, (before_s, after_s, jump_s) in enumerate(seen):
        now_s, at_s = 1_000.0 + 15 * number, NOW_S + 15 * number + jump_s
        time.seen(now_s - before_s, now_s + after_s, at_s)
        assert now_s - before_s - 1e-6 <= time.monotonic(at_s) <= now_s + after_s + 1e-6


def test_a_steady_server_s_scrapes_are_as_far_apart_as_it_says() -> None:
    time = ServerTime()
    time.seen(100.0, 101.0, NOW_S)
    first = time.monotonic(NOW_S)
    time.seen(114.5, 117.0, NOW_S + 15)
    assert time.monotonic(NOW_S + 15) - first == pytest.approx(15.0)
    with pytest.raises(ValueError, match="not known yet"):
        ServerTime().monotonic(1.0)
