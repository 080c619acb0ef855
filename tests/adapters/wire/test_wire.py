"""The HTTP client for many hosts, against peers that behave, and that do not."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.wire import Wire, WireError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
NEVER_S = 30.0


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    it = Wire(body_limit=100_000)
    yield it
    await it.close()


async def why(wire: Wire, address: str, timeout_s: float = NEVER_S, path: str = "/") -> WireError:
    with pytest.raises(WireError) as caught:
        await wire.request(address, "GET", path, timeout_s=timeout_s)
    return caught.value


async def test_a_connection_is_kept_between_requests(wire: Wire, peers) -> None:
    address = await peers.answering(lambda *_: OK)
    for _ in range(3):
        answer = await wire.request(address, "GET", "/state", timeout_s=NEVER_S)
        assert (answer.status, answer.body) == (200, b"hi")
    assert peers.connections == 1
    assert peers.requests == [("GET", "/state")] * 3


async def test_two_requests_at_once_have_two_connections_and_both_are_kept(wire: Wire, peers) -> None:
    address = await peers.answering(lambda *_: OK)
    for _ in range(3):
        await asyncio.gather(*(wire.request(address, "GET", "/", timeout_s=NEVER_S) for _ in range(2)))
    assert peers.connections == 2


async def test_headers_are_sent_and_take_the_place_of_our_own(wire: Wire, peers) -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await writer.drain()

    address = await peers.talking(talk)
    headers = [("user-agent", "x"), ("content-type", "text/plain"), ("x-a", "1"), ("x-a", "2")]
    await wire.request(address, "POST", "/", timeout_s=NEVER_S, body=b"hi", headers=headers)
    lines = [b"POST / HTTP/1.1", f"Host: {address}".encode(), b"Content-Length: 2"]
    lines += [f"{name}: {value}".encode() for name, value in headers]
    assert heard == [b"\r\n".join((*lines, b"", b""))]


@pytest.mark.parametrize(
    ("method", "header"),
    [
        ("GET", ("a", "1\r\nb: 2")),
        ("GET", ("a\r\nb", "1")),
        ("GET", ("", "1")),
        ("GET", ("a", "\x00")),
        ("GET", ("a", "\u4e00")),
        ("GET", ("Host", "other")),
        ("GET", ("content-length", "9")),
        ("GET", ("Transfer-Encoding", "chunked")),
        ("GET / HTTP/1.1\r\nX:", ("a", "1")),
    ],
)
async def test_what_would_be_another_request_is_never_sent(
    wire: Wire, peers, method: str, header: tuple[str, str]
) -> None:
    address = await peers.answering(lambda *_: OK)
    with pytest.raises(WireError) as caught:
        await wire.request(address, method, "/", timeout_s=NEVER_S, headers=[header])
    assert not caught.value.reached
    assert peers.requests == []


async def test_a_body_is_sent_with_its_length(wire: Wire, peers) -> None:
    heard: list[bytes] = []

    def reply(_method: str, _path: str, body: bytes) -> bytes:
        heard.append(body)
        return OK

    address = await peers.answering(reply)
    await wire.request(address, "PUT", "/", timeout_s=NEVER_S, body=b'{"a": 1}')
    assert heard == [b'{"a": 1}']


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n",
            b"abcde",
        ),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK, b"hi"),
        (b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx", b"x"),
        (b"HTTP/1.1 200\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\nx", b"x"),
    ],
)
async def test_every_legal_framing_is_read(wire: Wire, peers, raw: bytes, body: bytes) -> None:
    address = await peers.saying(raw)
    assert (await wire.request(address, "GET", "/", timeout_s=NEVER_S)).body == body


async def test_redirects_are_answers_like_any_other(wire: Wire, peers) -> None:
    address = await peers.saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    assert (await wire.request(address, "GET", "/", timeout_s=NEVER_S)).status == 302


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", 'malformed answer: not HTTP: "SSH-2.0-OpenSSH_9.6"'),
        (b"\x1b[2J\x1b]0;own\x07\r\n", 'malformed answer: not HTTP: "\ufffd[2J\ufffd]0;own\ufffd"'),
        (b"HTTP/2 200\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "101 though no other protocol was asked for"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20, "no end of 1xx answers"),
        (b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", 'not a header: "no colon here"'),
        (b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi", "not a header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 'length "-1"'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n", 'length "1_0"'),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi", "two lengths"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi", "two lengths"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 'transfer encoding "gzip"'),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", "compressed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 'chunk size "xyz"'),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", "a chunk longer than it says"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", "a body of more than 0.09"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "a body of more than 0.09"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000, "a body of more than 0.09"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5_000, "a head of more than 16 kB"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n", "a line of more than 64 kB"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", "closed the connection in mid-answer"),
        (b"HTTP/1.1 200 OK\r\nContent-", "closed the connection in mid-answer"),
        (b"", "closed the connection without an answer"),
    ],
)
async def test_what_is_no_proper_answer_is_an_error_in_plain_words(wire: Wire, peers, raw: bytes, reason: str) -> None:
    error = await why(wire, await peers.saying(raw))
    assert reason in error.why
    assert error.reached


async def test_nobody_there_is_refused_and_was_not_reached(wire: Wire, peers) -> None:
    error = await why(wire, await peers.refusing())
    assert (error.why, error.reached) == ("refused", False)


async def test_a_host_that_hangs_is_no_answer_when_the_deadline_is_over(wire: Wire, peers) -> None:
    error = await why(wire, await peers.answering(lambda *_: None), timeout_s=0.05)
    assert (error.why, error.reached) == ("no answer in 0.05 s", True)


async def test_a_byte_now_and_then_does_not_prolong_the_deadline(wire: Wire, peers) -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"H")
            await writer.drain()
            await asyncio.sleep(0.005)

    assert (await why(wire, await peers.talking(drip), timeout_s=0.1)).why == "no answer in 0.1 s"


async def test_a_kept_connection_that_the_host_closed_is_replaced(wire: Wire, peers) -> None:
    closed = asyncio.Event()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        # The second request is read before the door is shut on it.
        await reader.readuntil(b"\r\n\r\n")
        closed.set()

    address = await peers.talking(once)
    await wire.request(address, "GET", "/", timeout_s=NEVER_S)
    assert (await wire.request(address, "GET", "/", timeout_s=NEVER_S)).body == b"hi"
    assert closed.is_set()
    assert peers.connections == 2


async def test_a_post_is_not_repeated(wire: Wire, peers) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")

    address = await peers.talking(once)
    await wire.request(address, "GET", "/", timeout_s=NEVER_S)
    with pytest.raises(WireError, match="closed the connection without an answer"):
        await wire.request(address, "POST", "/", timeout_s=NEVER_S)
    assert peers.connections == 1


async def test_what_comes_beyond_an_answer_is_never_the_next_answer(wire: Wire, peers) -> None:
    address = await peers.answering(lambda *_: OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    for _ in range(3):
        assert (await wire.request(address, "GET", "/", timeout_s=NEVER_S)).body == b"hi"
    assert peers.connections == 3


@pytest.mark.parametrize("raw", [OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), OK.replace(b"1.1", b"1.0")])
async def test_a_connection_that_the_host_will_not_keep_is_not_used_again(wire: Wire, peers, raw: bytes) -> None:
    address = await peers.answering(lambda *_: raw)
    for _ in range(2):
        await wire.request(address, "GET", "/", timeout_s=NEVER_S)
    assert peers.connections == 2


@pytest.mark.parametrize("path", ["", "state", "/a b", "/a\r\nX: y", "/\u00e4"])
async def test_a_path_that_would_be_another_request_is_refused(wire: Wire, path: str) -> None:
    error = await why(wire, "127.0.0.1:1", path=path)
    assert "not a path" in error.why
    assert not error.reached


@pytest.mark.parametrize("address", ["", "here", "here:", ":80", "h:port", "h:99999", "..:1"])
async def test_an_address_that_is_none_is_said_to_be_none(wire: Wire, address: str) -> None:
    assert not (await why(wire, address)).reached


async def test_a_closed_wire_keeps_nothing(peers) -> None:
    wire = Wire()
    address = await peers.answering(lambda *_: OK)
    await wire.request(address, "GET", "/", timeout_s=NEVER_S)
    await wire.close()
    await wire.request(address, "GET", "/", timeout_s=NEVER_S)
    await wire.close()
    assert peers.connections == 2
