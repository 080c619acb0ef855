"""The hosts' small HTTP server: pipelines, pieces, and rubbish."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.demo.serve import BODY_LIMIT, HEAD_LIMIT, Answer, Connection, Request, reply
from tests.adapters.demo.demo_support import until


class Wires(asyncio.Transport):
    """The other end of a connection, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.said += data

    def close(self) -> None:
        self.closed = True


def echo(request: Request, answer: Answer) -> None:
    answer(reply(200, f"{request.method} {request.path} {request.body!r};"))


async def fed(*pieces: bytes) -> Wires:
    connection, wires = Connection(echo, set()), Wires()
    connection.connection_made(wires)
    for piece in pieces:
        if not wires.closed:
            connection.data_received(piece)
    for _ in range(10):
        await asyncio.sleep(0)
    return wires


PIPELINE = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\nPUT /b HTTP/1.1\r\ncontent-length: 3\r\n\r\nxyzGET /c HTTP/1.1\r\n\r\n"


@given(st.lists(st.integers(0, len(PIPELINE)), max_size=6))
def test_a_pipeline_in_any_pieces_is_answered_whole_and_in_order(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(PIPELINE)]
    pieces = [PIPELINE[start:end] for start, end in pairwise(edges)]
    wires = asyncio.run(fed(*pieces))
    at = [wires.said.find(said) for said in (b"GET /a b'';", b"PUT /b b'xyz';", b"GET /c b'';")]
    assert -1 not in at
    assert at == sorted(at)
    assert wires.said.count(b"HTTP/1.1 200 OK") == 3


@given(st.binary(max_size=300))
def test_any_bytes_are_answered_refused_or_waited_for(raw: bytes) -> None:
    asyncio.run(fed(raw, b"\r\n\r\n"))


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: -4\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"PUT / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT + 1), b"413"),
        (b"x" * (HEAD_LIMIT + 1), b"431"),
    ],
)
async def test_what_cannot_be_served_is_refused_and_the_connection_closed(raw: bytes, status: bytes) -> None:
    wires = await fed(raw)
    assert wires.said.startswith(b"HTTP/1.1 " + status)
    assert wires.closed


async def test_a_client_that_says_close_is_closed_after_its_answer() -> None:
    wires = await fed(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert wires.said.startswith(b"HTTP/1.1 200")
    assert wires.closed


async def test_a_pipeline_of_thousands_does_not_nest() -> None:
    connection, wires = Connection(echo, set()), Wires()
    connection.connection_made(wires)
    connection.data_received(b"GET / HTTP/1.1\r\n\r\n" * 3_000)
    await until(lambda: wires.said.count(b"HTTP/1.1 200") == 3_000)
