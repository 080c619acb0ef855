"""As much of an HTTP/1.1 server as a hundred small hosts in one process need, and no more.

Requests of a connection are answered in order; keep-alive unless the client says otherwise. Bodies
come with Content-Length or not at all.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

HEAD_LIMIT = 16 * 1024
BODY_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    body: bytes


Answer = Callable[[bytes], None]
Handler = Callable[[Request, Answer], None]
"""Takes a request and calls `Answer` with a whole reply (see `reply`), now, later or never."""

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


def reply(status: int, body: str | bytes, kind: str = TEXT) -> bytes:
    """A whole answer, as it goes over the wire."""
    raw = body.encode() if isinstance(body, str) else body
    phrase = HTTPStatus(status).phrase
    return b"HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        status,
        phrase.encode(),
        kind.encode(),
        len(raw),
        raw,
    )


class Connection(asyncio.Protocol):
    """One client's connection to one host."""

    def __init__(self, handler: Handler, connections: set["Connection"]) -> None:
        self._handler = handler
        self._all = connections
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._busy = False
        self._close = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._all.discard(self)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        """Start on the buffer's first request, if it is there whole."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > HEAD_LIMIT:
                self._refuse(431)
            return
        head = self._buffer[:end]
        try:
            method, path, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
            length = _length(head)
        except ValueError:
            self._refuse(400)
            return
        if length > BODY_LIMIT:
            self._refuse(413)
            return
        start = end + 4
        if len(self._buffer) < start + length:
            return
        body = self._buffer[start : start + length]
        self._buffer = self._buffer[start + length :]
        self._close = b"\nconnection: close" in head.lower()
        self._busy = True
        self._handler(Request(method, path, body), self._answer)

    def _answer(self, raw: bytes) -> None:
        self._busy = False
        if self._transport is None:
            return
        self._transport.write(raw)
        if self._close:
            self._transport.close()
        elif self._buffer:
            self._loop.call_soon(self._resume)  # not at once: a pipeline of thousands must not nest

    def _resume(self) -> None:
        if not self._busy and self._transport is not None:
            self._next()

    def _refuse(self, status: int) -> None:
        self._busy = self._close = True
        self._answer(reply(status, f"{status}\n"))


def _length(head: bytes) -> int:
    """Of the body; raises ValueError for a length that is none, or a body without one."""
    lower = head.lower()
    if b"\ntransfer-encoding:" in lower:
        raise ValueError("a body needs a length")
    at = lower.find(b"\ncontent-length:")
    if at < 0:
        return 0
    length = int(lower[at + 16 :].split(b"\r\n", 1)[0])
    if length < 0:
        raise ValueError("negative length")
    return length
