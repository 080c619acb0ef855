"""Replays against real servers: what is sent where, how fast, and what comes of it."""

import asyncio
import json

import pytest

from adapters.checks.finding import Finding
from adapters.checks.replay import lint, run_replay
from adapters.checks.replay.plan import Refused, rate
from adapters.checks.runner import HostChecks
from pipeline.checks import Against, ReplayRule
from pipeline.staging import Dependency
from tests.adapters.checks.replay_support import ANSWERS, CART, LIST, Answering, ok, partial, service


async def test_answers_as_recorded_pass_and_every_staging_host_has_its_turn(tape, peers, play) -> None:
    hosts = [Answering(ANSWERS), Answering(ANSWERS)]
    cart = service(tuple([await peers.talking(host) for host in hosts]))
    found = await play(tape.check(tape.lines(CART, LIST, CART, LIST)), cart)
    assert found == Finding(True, "4 of 4 answers as recorded")
    assert [[heard.path for heard in host.heard] for host in hosts] == [["/cart/7"] * 2, ["/cart?full=1"] * 2]


async def test_a_har_file_is_replayed_like_json_lines(tape, peers, play) -> None:
    entries = [
        {
            "request": {"method": "GET", "url": f"https://shop.example{one['path']}"},
            "response": {"status": 200, "content": {"text": json.dumps(one["answer"])}},
        }
        for one in (CART, LIST)
    ]
    path = tape.folder / "shop.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}, indent=1))
    cart = service((await peers.talking(Answering(ANSWERS)),))
    assert await play(tape.check(str(path)), cart) == Finding(True, "2 of 2 answers as recorded")


async def test_the_first_that_differs_is_named_and_the_others_are_counted(tape, peers, play) -> None:
    changed = {"/cart/7": ok({"total": 12.5}), "/cart?full=1": ok([1, 2])}
    cart = service((await peers.talking(Answering(changed)),))
    recording = tape.lines(LIST, *[CART] * 3, LIST)
    said = "2 of 5 answers as recorded; first different: GET /cart/7: $.total 12.5, recorded 12.0 (2 more)"
    assert await play(tape.check(recording), cart) == Finding(False, said)
    assert await play(tape.check(recording, differing=0.5), cart) == Finding(False, said)
    assert await play(tape.check(recording, differing=0.6), cart) == Finding(True, said)
    assert (await play(tape.check(recording, ignore=("$.total",)), cart)).passed


async def test_statuses_are_compared_and_bodies_only_where_they_were_kept(tape, peers, play) -> None:
    cart = service((await peers.talking(Answering({"/a": ok({}), "/b": ok({}, 500)})),))
    recording = tape.lines({"path": "/a", "status": 200}, {"path": "/b", "status": 200}, {"path": "/c", "status": 404})
    said = "2 of 3 answers as recorded; first different: GET /b: 500, recorded 200; 3 by status alone"
    assert await play(tape.check(recording), cart) == Finding(False, said)


async def test_hosts_that_do_not_answer_differ_with_their_reason(tape, peers, play) -> None:
    cart = service((await peers.refusing(),))
    said = "0 of 1 answers as recorded; first different: GET /cart/7: stg-1: refused"
    assert await play(tape.check(tape.lines(CART)), cart) == Finding(False, said)
    assert not (await play(tape.check(tape.lines(CART), differing=1.0), cart)).passed


async def test_full_staging_is_sent_writes_with_their_bodies_and_nothing_of_the_recorded_hop(tape, peers, play) -> None:
    host = Answering({"/cart": ok({}, 201)})
    cart = service((await peers.talking(host),))
    headers = {
        "Accept": "text/html",
        "Content-Type": "text/x",
        "Host": "shop.example",
        "Connection": "keep-alive, X-Hop",
        "X-Hop": "1",
        "Content-Length": "99",
        "Accept-Encoding": "gzip",
        "X-Forwarded-For": "10.0.0.1",
        "User-Agent": "browser",
        "Authorization": "[redacted]",
        "X-HTTP-Method-Override": "DELETE",
    }
    posted = {"method": "POST", "path": "/cart", "headers": headers, "body": "hi", "status": 201}
    assert (await play(tape.check(tape.lines(posted)), cart)).passed
    (heard,) = host.heard
    assert (heard.method, heard.path, heard.body) == ("POST", "/cart", b"hi")
    assert heard.headers == {
        "host": cart.staging[0].address,
        "content-length": "2",
        "accept": "text/html",
        "content-type": "text/x",
        "user-agent": "browser",
    }


async def test_partial_staging_is_sent_reads_alone_marked_as_staging(tape, peers, play) -> None:
    host = Answering(ANSWERS)
    cart = service((await peers.talking(host),), rules=partial())
    writes = [
        {"method": "POST", "path": "/cart", "status": 200},
        {"path": "/cart/7?_method=DELETE", "status": 200},
        {"path": "/cart/7", "headers": {"X-HTTP-Method-Override": "PUT"}, "status": 200},
    ]
    read = CART | {"headers": {"x-environment": "production"}}
    found = await play(tape.check(tape.lines(*writes, read)), cart)
    assert found == Finding(True, "1 of 1 answers as recorded; 3 not sent as they may write")
    assert [(heard.method, heard.headers["x-environment"]) for heard in host.heard] == [("GET", "cart")]


async def test_requests_are_paced_at_the_rate_and_the_rate_is_capped_in_partial_staging(
    tape, peers, play, clock
) -> None:
    at: list[float] = []
    host = Answering(ANSWERS, before=lambda: at.append(clock.elapsed_s))
    address = await peers.talking(host)
    recording = tape.lines(*[CART] * 5)
    begun = clock.elapsed_s
    await play(tape.check(recording, rps=10.0), service((address,)))
    assert clock.elapsed_s - begun == pytest.approx(0.4)
    begun = clock.elapsed_s
    capped = service((address,), rules=partial(rate_share=0.01))
    found = await play(tape.check(recording, rps=10.0), capped, 200.0)
    assert clock.elapsed_s - begun == pytest.approx(2.0)
    assert found.detail == "5 of 5 answers as recorded; sent at 2/s, the most that partial staging may"
    assert len(at) == 10


def test_the_cap_is_a_share_of_productions_traffic() -> None:
    rule = ReplayRule("x", rps=10.0)
    capped = service(("h:1",), rules=partial(rate_share=0.01))
    assert rate(rule, capped, 1e6) == 10.0
    assert rate(rule, capped, 300.0) == pytest.approx(3.0)
    assert rate(rule, service(("h:1",)), 300.0) == 10.0
    with pytest.raises(Refused, match=r"0\.01 of production's traffic may be sent, and it has none now"):
        rate(rule, capped, 0.0)


async def test_as_many_are_sent_as_the_deadline_has_room_for(tape, peers, play) -> None:
    cart = service((await peers.talking(Answering(ANSWERS)),))
    found = await play(tape.check(tape.lines(*[CART] * 20), deadline_s=10.0, rps=1.0), cart)
    said = "9 of 9 answers as recorded; 11 not sent as 10 s at 1/s have no room for them"
    assert found == Finding(True, said)


async def test_the_first_of_the_recording_are_sent_if_so_many_are_asked_for(tape, peers, play) -> None:
    cart = service((await peers.talking(Answering(ANSWERS)),))
    assert (await play(tape.check(tape.lines(*[CART] * 20), most=3), cart)).detail == "3 of 3 answers as recorded"


async def test_a_replay_ends_at_its_deadline_and_fails(tape, peers, play) -> None:
    cart = service((await peers.answering(lambda _m, path, _b: ANSWERS[path] if path == "/cart/7" else None),))
    found = await play(tape.check(tape.lines(CART, LIST), deadline_s=0.3), cart)
    said = "not done in 0.3 s, 1 of 2 sent and answered; 1 of 1 answers as recorded"
    assert found == Finding(False, said)


async def test_slower_than_the_recording_by_more_than_allowed_fails(tape, peers, play, clock) -> None:
    def later() -> None:
        clock.elapsed_s += 0.1

    cart = service((await peers.talking(Answering(ANSWERS, before=later)),))
    recording = tape.lines(CART)
    found = await play(tape.check(recording, slower=0.2), cart)
    assert found == Finding(False, "1 of 1 answers as recorded; median 100 ms, recorded 80 ms, at most 96 ms")
    assert (await play(tape.check(recording, slower=0.26), cart)).passed
    untimed = tape.lines({"path": "/cart/7", "status": 200})
    found = await play(tape.check(untimed, slower=0.2), cart)
    assert not found.passed
    assert "slower is set, and the recording has no times to hold against" in found.detail


async def test_production_is_asked_the_same_at_the_same_time_and_reads_only(tape, peers, play) -> None:
    new, old = Answering(ANSWERS), Answering(ANSWERS | {"/cart/7": ok({"total": 11.0})})
    cart = service((await peers.talking(new),), (await peers.talking(old),), partial(methods=("GET", "POST")))
    recording = tape.lines({"method": "POST", "path": "/cart"}, {"path": "/cart/7"}, {"path": "/cart?full=1"})
    found = await play(tape.check(recording, against=Against.PRODUCTION), cart)
    said = "1 of 2 answers as production's; first different: GET /cart/7: $.total 12.0, production 11.0"
    assert found == Finding(False, f"{said}; 1 not sent as they may write")
    assert sorted(heard.path for heard in old.heard) == sorted(heard.path for heard in new.heard)
    assert all(heard.headers["x-environment"] == "cart" for heard in old.heard + new.heard)


async def test_in_full_staging_too_production_is_never_sent_a_write(tape, peers, play) -> None:
    old = Answering(ANSWERS)
    cart = service((await peers.talking(Answering(ANSWERS)),), (await peers.talking(old),))
    recording = tape.lines({"method": "DELETE", "path": "/cart/7"}, {"path": "/cart/7"})
    assert (await play(tape.check(recording, against=Against.PRODUCTION), cart)).passed
    assert [heard.method for heard in old.heard] == ["GET"]


async def test_a_production_host_that_does_not_answer_is_no_pass(tape, peers, play) -> None:
    cart = service((await peers.talking(Answering(ANSWERS)),), (await peers.refusing(),))
    found = await play(tape.check(tape.lines(CART), against=Against.PRODUCTION), cart)
    said = "0 of 1 answers as production's; 1 not compared: GET /cart/7: cart-1: refused"
    assert found == Finding(False, said)


REFUSED = [
    ([{"service": "search"}, CART], {}, None, "recorded from search, not from cart: record cart"),
    (
        [CART | {"headers": {"cookie": "sid=abc"}}],
        {},
        None,
        "holds credentials (line 1: header cookie): keep a scrubbed",
    ),
    (
        [{"method": "POST", "path": "/", "status": 200}],
        {},
        partial(),
        "every request of it may write, and only GET, HEAD",
    ),
    ([{"path": "/"}], {}, None, 'holds no answers: record them, or say against = "production"'),
    ([CART], {"against": Against.PRODUCTION}, None, "there is no production host to hold the answers against"),
    ([CART], {}, partial(header=""), "partial staging has no header that marks its requests"),
    ([CART], {}, partial(header="Host"), 'staging.header "Host" belongs to the connection'),
    ([{"path": "/", "status": 200}], {"slower": 0.2}, None, "slower is set, and the recording has no times"),
    ([CART], {"rps": 0.0}, None, "rps and most: expected more than 0"),
    ([CART], {"rps": float("nan")}, None, "rps and most: expected more than 0"),
    ([CART], {"ignore": ("now",)}, None, 'ignore: "now": expected a path as $.now'),
    ([CART | {"path": "ftp://x"}], {}, None, 'line 1: path "ftp://x": expected a path'),
]


@pytest.mark.parametrize(("lines", "fields", "rules", "why"), REFUSED, ids=[case[3][:20] for case in REFUSED])
async def test_what_may_not_be_replayed_is_refused_with_the_reason_and_nothing_is_sent(
    tape, peers, play, lines: list[dict[str, object]], fields: dict[str, object], rules, why: str
) -> None:
    host = Answering(ANSWERS)
    cart = service((await peers.talking(host),), rules=rules)
    check = tape.check(tape.lines(*lines), **fields)
    found = await play(check, cart)
    assert not found.passed
    assert found.detail.startswith(f"cart.jsonl: {why}")
    assert host.heard == []
    assert lint(check.replay, cart) == (found.detail,)


def test_a_recording_of_a_dependency_is_refused(tape) -> None:
    entry = {"request": {"method": "GET", "url": "https://search.example/"}, "response": {"status": 200}}
    path = tape.folder / "x.har"
    path.write_text(json.dumps({"log": {"entries": [entry]}}))
    rules = partial(dependencies=(Dependency("search", production="search.example:443"),))
    said = lint(ReplayRule(str(path)), service(("h:1",), rules=rules))
    assert said == ("x.har: recorded from search at search.example: record cart",)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://10.0.0.9:8080/", ("x.har: recorded from search at 10.0.0.9:8080: record cart",)),
        ("https://Search.example/", ("x.har: recorded from search at search.example: record cart",)),
        ("http://10.0.0.8:8080/", ()),
        ("http://cart.example:8080/", ()),
        ("http://stg.example/", ()),
    ],
)
def test_a_recording_made_at_another_services_host_is_refused_and_one_of_any_own_host_is_not(
    tape, url: str, said: tuple[str, ...]
) -> None:
    entry = {"request": {"method": "GET", "url": url}, "response": {"status": 200}}
    path = tape.folder / "x.har"
    path.write_text(json.dumps({"log": {"entries": [entry]}}))
    cart = service(("stg.example:80",), ("cart.example:8080",), partial())
    others = {
        "search": frozenset({"10.0.0.9:8080", "search.example:443", "stg.example:80"}),
        "cart": frozenset({"10.0.0.8:8080"}),
    }
    assert lint(ReplayRule(str(path)), cart, others) == said
    assert lint(ReplayRule(str(path)), cart) == ()


def test_lint_says_all_that_is_wrong_and_nothing_of_a_good_recording(tape) -> None:
    bad = tape.lines({"service": "search"}, {"method": "POST", "path": "/?token=abc"}, name="bad.jsonl")
    assert len(lint(ReplayRule(bad), service(("h:1",), rules=partial()))) == 3
    assert lint(ReplayRule(tape.lines({"service": "cart"}, CART)), service(("h:1",), rules=partial())) == ()
    assert lint(ReplayRule(str(tape.folder / "none")), service(("h:1",))) == ("none: No such file or directory",)


async def test_the_runner_replays_and_knows_what_production_serves(tape, peers, clock) -> None:
    checks = HostChecks(clock, {"cart": 0.0}.get)
    cart = service((await peers.talking(Answering(ANSWERS)),))
    result = await checks.run(tape.check(tape.lines(CART)), cart, "r2")
    assert (result.name, result.passed, result.detail) == ("traffic", True, "1 of 1 answers as recorded")
    capped = service((cart.staging[0].address,), rules=partial(rate_share=0.01))
    assert "it has none now" in (await checks.run(tape.check(tape.lines(CART)), capped, "r2")).detail
    await checks.close()


async def test_a_replay_that_is_given_up_leaves_no_request_behind(tape, peers, wire, clock) -> None:
    begun = asyncio.Event()
    hanging = await peers.answering(lambda *_: begun.set())
    before = asyncio.all_tasks()
    task = asyncio.create_task(run_replay(tape.check(tape.lines(CART)), service((hanging,)), wire, clock))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() - before <= peers.talks
