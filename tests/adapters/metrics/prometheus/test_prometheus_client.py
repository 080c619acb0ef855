"""Questions to servers that answer badly, slowly, too much or not at all."""

import asyncio
import base64
import gzip
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from adapters.metrics.prometheus.answers import BODY_LIMIT, Kind, MetricsUnavailable, Series
from adapters.metrics.prometheus.client import WORKERS, PrometheusClient
from adapters.metrics.prometheus.settings import ServerSettings
from adapters.secret import Secret
from pithead.clock import SystemClock
from tests.adapters.metrics.prometheus.answering import NOW_S, vector

LONG_S = 15.0
ONE = json.dumps(vector([({"instance": "a"}, 1)]))
Client = Callable[..., PrometheusClient]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    made: list[PrometheusClient] = []

    def make(address: str, **more: object) -> PrometheusClient:
        one = PrometheusClient(ServerSettings(f"http://{address}/prefix/", **more), SystemClock())  # type: ignore[arg-type]
        made.append(one)
        return one

    yield make
    for one in made:
        await one.close()


async def refused(question: Awaitable[object]) -> tuple[Kind, str]:
    with pytest.raises(MetricsUnavailable) as caught:
        await question
    return caught.value.kind, caught.value.why


async def test_a_query_goes_as_a_form_below_the_path_of_the_server(peers, http_answer, client) -> None:
    asked: list[tuple[str, str, bytes]] = []

    def reply(method: str, path: str, body: bytes) -> bytes:
        asked.append((method, path, body))
        return http_answer(200, ONE)

    here = client(await peers.answering(reply), params={"dedup": "true"})
    assert await here.instant("up" * 5_000, 12.5, LONG_S) == (Series({"instance": "a"}, (NOW_S, "1")),)
    await here.range("up", 1.5, 61.5, 60, LONG_S)
    assert [line[:2] for line in asked] == [("POST", "/prefix/api/v1/query"), ("POST", "/prefix/api/v1/query_range")]
    assert asked[0][2].startswith(b"dedup=true&query=upup")
    assert asked[0][2].endswith(b"&time=12.500")
    assert b"start=1.500&end=61.500&step=60" in asked[1][2]


@pytest.mark.parametrize(
    ("status", "body", "kind", "why"),
    [
        (200, "<html>Log in</html>", Kind.NOT_PROMETHEUS, "not Prometheus' JSON: <html>Log in</html>"),
        (200, "", Kind.NOT_PROMETHEUS, "not Prometheus' JSON: an empty body"),
        (200, '{"status":"success","data":[1]}', Kind.NOT_PROMETHEUS, "not Prometheus' JSON: "),
        (200, "[" * 100_000, Kind.NOT_PROMETHEUS, "not Prometheus' JSON: "),
        (200, '{"status":"success","data":{"result":[{"metric":{},"value":[1,NaN]}]}}', Kind.NOT_PROMETHEUS, "not"),
        (200, '{"status":"success","data":{"result":[{"metric":{},"value":[1e999,"1"]}]}}', Kind.NOT_PROMETHEUS, "not"),
        (200, '{"status":"error","error":"no \\u001b[2J"}', Kind.QUERY, "no \ufffd[2J"),
        (
            200,
            '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}',
            Kind.QUERY,
            "the query gives a scalar: one series a host is wanted",
        ),
        (
            200,
            '{"status":"success","data":{"result":[{"metric":{},"histogram":[1,{}]}]}}',
            Kind.QUERY,
            "series without plain numbers",
        ),
        (200, json.dumps(vector((), warnings=["store b is gone"])), Kind.PARTIAL, "partial answer: store b is gone"),
        (200, json.dumps(vector((), isPartial=True)), Kind.PARTIAL, "partial answer: the server says so"),
        (400, '{"status":"error","error":"parse error: x"}', Kind.QUERY, "query refused: parse error: x"),
        (422, '{"status":"error","error":"unknown function"}', Kind.QUERY, "query refused: unknown function"),
        (401, "", Kind.AUTH, "HTTP 401: the server wants other credentials"),
        (403, "", Kind.AUTH, "HTTP 403: the server wants other credentials"),
        (404, "", Kind.NOT_PROMETHEUS, "is that the right path?"),
        (429, "slower", Kind.OVERLOADED, "HTTP 429: slower"),
        (503, '{"status":"error","error":"timed out"}', Kind.OVERLOADED, "HTTP 503: timed out"),
    ],
)
async def test_what_is_no_answer_is_told_by_kind_in_a_line(
    peers, http_answer, client, status: int, body: str, kind: Kind, why: str
) -> None:
    here = client(await peers.answering(lambda *_: http_answer(status, body)))
    found, said = await refused(here.instant("up", None, LONG_S))
    assert (found, why in said) == (kind, True), said


async def test_a_redirect_is_refused_and_not_followed(peers, http_answer, client) -> None:
    other = await peers.answering(lambda *_: http_answer(200, ONE))
    here = client(await peers.answering(lambda *_: http_answer(302, "", f"Location: http://{other}/\r\n")))
    kind, why = await refused(here.instant("up", None, LONG_S))
    assert (kind, why) == (Kind.NOT_PROMETHEUS, f"HTTP 302 to http://{other}/: name the server's own address")
    assert len(peers.requests) == 1


async def test_nobody_there_and_no_such_name_are_refusals(peers, client) -> None:
    assert await refused(client(await peers.refusing()).instant("up", None, LONG_S)) == (
        Kind.REFUSED,
        "connection refused",
    )
    assert (await refused(client("no-such-host.invalid:1").instant("up", None, LONG_S)))[0] is Kind.REFUSED


async def test_a_server_that_hangs_up_in_mid_answer_is_not_asked_twice(peers, client) -> None:
    here = client(await peers.saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
    kind, why = await refused(here.instant("up", None, LONG_S))
    assert (kind, why.startswith("connection lost")) == (Kind.REFUSED, True)
    assert peers.connections == 1


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
async def test_a_byte_now_and_then_ends_at_the_deadline_and_frees_the_worker(peers, client, head: bytes) -> None:
    gone = asyncio.Event()

    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        try:
            while head:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)
            await reader.read()
            await reader.read()
        finally:
            gone.set()

    here = client(await peers.talking(dribble))
    began = time.monotonic()
    questions = [refused(here.instant("up", None, 0.3)) for _ in range(WORKERS)]
    assert await asyncio.gather(*questions) == [(Kind.TIMEOUT, "no answer in 0.3 s")] * WORKERS
    assert time.monotonic() - began < LONG_S / 3
    async with asyncio.timeout(LONG_S):
        await gone.wait()
        assert await here.apart(lambda: "free") == "free"


async def test_a_silent_server_is_given_up_after_the_longest_silence(peers, client) -> None:
    here = client(await peers.answering(lambda *_: None), read_s=0.2)
    assert await refused(here.instant("up", None, LONG_S)) == (Kind.TIMEOUT, "nothing heard for 0.2 s")


async def test_an_answer_that_unpacks_to_too_much_is_dropped_while_it_is_read(peers, http_answer, client) -> None:
    bomb = gzip.compress(b"0" * (2 * BODY_LIMIT))
    assert len(bomb) < 200_000
    here = client(await peers.answering(lambda *_: http_answer(200, bomb, "Content-Encoding: gzip\r\n")))
    await refused(here.instant("up", None, LONG_S))
    tracemalloc.start()
    kind, why = await refused(here.instant("up", None, LONG_S))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (kind, why) == (Kind.TOO_LARGE, "an answer of more than 32 MiB: ask for less")
    assert peak < 1.5 * BODY_LIMIT


async def test_a_packed_answer_is_read(peers, http_answer, client) -> None:
    packed = gzip.compress(ONE.encode())
    here = client(await peers.answering(lambda *_: http_answer(200, packed, "Content-Encoding: gzip\r\n")))
    assert len(await here.instant("up", None, LONG_S)) == 1


async def test_remarks_are_kept_and_are_no_fault(peers, http_answer, client) -> None:
    told = json.dumps(vector((), infos=["metric might not be a counter"]))
    here = client(await peers.answering(lambda *_: http_answer(200, told)))
    assert await here.instant("up", None, LONG_S) == ()
    assert here.infos == ("metric might not be a counter",)


async def test_connections_are_kept_and_cookies_are_not(peers, client, http_answer) -> None:
    here = client(await peers.answering(lambda *_: http_answer(200, ONE, "Set-Cookie: a=b\r\n")))
    for _ in range(3):
        await here.instant("up", None, LONG_S)
    assert peers.connections == 1


async def test_a_token_is_read_anew_from_its_file_and_is_in_no_text(peers, client, tmp_path: Path) -> None:
    seen: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen.extend(line for line in head.split("\r\n") if line.startswith(("Authorization", "X-Scope")))
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(ONE)}\r\nConnection: close\r\n\r\n{ONE}".encode())
        await writer.drain()
        writer.close()

    token = tmp_path / "token"
    token.write_text("s3cret-1\n")
    address = await peers.talking(talk)
    here = client(address, bearer=Secret(file=token), headers={"X-Scope-OrgID": "tenant-s3cret"})
    await here.instant("up", None, LONG_S)
    token.write_text("s3cret-2\n")
    await here.instant("up", None, LONG_S)
    assert [line for line in seen if line.startswith("A")] == [
        "Authorization: Bearer s3cret-1",
        "Authorization: Bearer s3cret-2",
    ]
    assert "X-Scope-OrgID: tenant-s3cret" in seen
    assert "s3cret" not in repr(here._settings)


async def test_basic_authentication_takes_its_password_from_the_environment(
    peers, http_answer, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(http_answer(200, ONE, "Connection: close\r\n"))
        await writer.drain()
        writer.close()

    monkeypatch.setenv("METRICS_PASSWORD", "pa55")
    here = client(await peers.talking(talk), user="ann", password=Secret(env="METRICS_PASSWORD"))
    await here.instant("up", None, LONG_S)
    assert f"Authorization: Basic {base64.b64encode(b'ann:pa55').decode()}" in seen[0]


@pytest.mark.parametrize("content", ["", "two\nlines", "not plain \u00e9"])
async def test_a_secret_that_cannot_be_sent_is_told_by_its_place(client, tmp_path: Path, content: str) -> None:
    place = tmp_path / "token"
    place.write_text(content)
    kind, why = await refused(client("127.0.0.1:1", bearer=Secret(file=place)).instant("up", None, LONG_S))
    assert kind is Kind.AUTH
    assert why.startswith(str(place))
    assert content.strip() == "" or content not in why


async def test_a_proxy_of_the_environment_is_not_used(peers, http_answer, client, monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://{await peers.refusing()}")
    here = client(await peers.answering(lambda *_: http_answer(200, ONE)))
    assert len(await here.instant("up", None, LONG_S)) == 1


async def test_after_close_nothing_is_asked(client) -> None:
    here = client("127.0.0.1:1")
    await here.close()
    assert (await refused(here.instant("up", None, LONG_S)))[0] is Kind.REFUSED


@pytest.mark.parametrize("url", ["metrics:9090", "ftp://a", "http://", "http://u:p@h", "http://h/?a=b", "http://h#x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected|password"):
        ServerSettings(url)


def test_loading_the_package_loads_no_http_library() -> None:
    program = (
        "import sys, adapters.metrics.prometheus.metrics, adapters.metrics.prometheus.backfill\n"
        "import adapters.metrics.prometheus.rules, adapters.metrics.prometheus.targets\n"
        "print(sorted({'requests', 'urllib3', 'prometheus_api_client', 'dateparser'} & sys.modules.keys()))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.strip() == "[]"
