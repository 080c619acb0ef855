"""Polling many hosts over HTTP/1.1: one kept connection a host, plain asyncio, and hard limits.

A host may be slow, dead or hostile: every request has one deadline from the first packet to the last
byte, heads and bodies have caps, redirects and compression are not followed. Whatever goes wrong is
a `WireError` with a reason in plain words.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adapters.wire.head import Head, MalformedAnswer, chunk_size, header, parse_head, parse_status
from pipeline.text import PlainText, plain

HEAD_LIMIT = 16 * 1024
BUFFER = 64 * 1024
BODY_LIMIT = 4 * 1024 * 1024
INTERIM_LIMIT = 5
"""Answers 1xx before the real one."""
KEPT = 2
"""Idle connections a host: one for its state, one for its metrics."""
_REPEATABLE = frozenset({"GET", "HEAD", "PUT"})
OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect"}
    | {"accept-encoding", "proxy-connection"}
)
"""Headers that are never given: they belong to the connection, or ask for what is not read here."""
_METHOD = re.compile(r"[A-Z]{1,20}\Z")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")


class WireError(Exception):
    """No usable answer; `why` is one plain line."""

    def __init__(self, why: str, *, reached: bool) -> None:
        self.why: PlainText = plain(why)
        self.reached = reached
        """False: the request surely never left, as no connection came about."""
        super().__init__(self.why)


@dataclass(frozen=True, slots=True)
class WireAnswer:
    status: int
    headers: Mapping[str, str]
    """By name in lower case; of a repeated header the last."""
    body: bytes


class _Stale(Exception):
    """A kept connection turned out to be closed before any answer came."""


class _Counting(asyncio.StreamReaderProtocol):
    """Knows how much came in, so that bytes beyond an answer are noticed."""

    received = 0

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        super().data_received(data)


@dataclass(slots=True)
class _Connection:
    protocol: _Counting
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    consumed: int = 0

    @property
    def clean(self) -> bool:
        """Open, and nothing came that was not asked for."""
        return (
            self.protocol.received == self.consumed
            and not self.reader.at_eof()
            and self.reader.exception() is None
            and not self.writer.is_closing()
        )

    async def line(self, limit: int) -> bytes:
        try:
            got = await self.reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            raise MalformedAnswer(f"a line of more than {BUFFER // 1024} kB") from None
        if len(got) > limit:
            raise MalformedAnswer(f"a head of more than {HEAD_LIMIT // 1024} kB")
        self.consumed += len(got)
        return got

    async def exactly(self, size: int) -> bytes:
        got = await self.reader.readexactly(size)
        self.consumed += size
        return got

    def drop(self) -> None:
        self.writer.transport.abort()


@dataclass(slots=True)
class Wire:
    """Connections to many hosts, each kept between requests. One event loop; `close` it at the end."""

    body_limit: int = BODY_LIMIT
    _idle: dict[str, list[_Connection]] = field(default_factory=dict, init=False)
    _closed: bool = field(default=False, init=False)

    async def request(
        self,
        address: str,
        method: str,
        path: str,
        *,
        timeout_s: float,
        body: bytes | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> WireAnswer:
        """Ask the host at `address` (`host:port`) once, whole within `timeout_s`; raises `WireError`.

        A kept connection that the host has closed meanwhile is replaced by a new one, if the method
        may be repeated. `headers` take the place of our own of the same name; those that say where the
        request ends or whom it is for are ours alone.
        """
        reached = False
        try:
            async with asyncio.timeout(timeout_s):
                asked = _asked(address, method, path, body, headers)
                kept = self._kept(address)
                if kept is not None:
                    reached = True
                    try:
                        return await self._over(address, kept, asked, method)
                    except _Stale:
                        if method not in _REPEATABLE:
                            raise
                fresh = await _connected(address)
                reached = True
                return await self._over(address, fresh, asked, method)
        except TimeoutError as error:
            # The system's own time-out on connecting is the same class as ours.
            raise WireError(f"no answer in {timeout_s:g} s", reached=reached) from error
        except ConnectionRefusedError as error:
            raise WireError("refused", reached=reached) from error
        except MalformedAnswer as error:
            raise WireError(f"malformed answer: {error}", reached=True) from error
        except _Stale as error:
            raise WireError("closed the connection without an answer", reached=True) from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WireError("closed the connection in mid-answer", reached=reached) from error
        except OSError as error:
            raise WireError(error.strerror or str(error), reached=reached) from error

    async def close(self) -> None:
        """Close every kept connection; a request that is under way closes its own when it ends."""
        self._closed = True
        connections = [one for kept in self._idle.values() for one in kept]
        self._idle.clear()
        for connection in connections:
            connection.drop()
        await asyncio.gather(*(one.writer.wait_closed() for one in connections), return_exceptions=True)
        # Connections that were dropped a moment ago give up their sockets in the loop's next turn.
        await asyncio.sleep(0)

    def _kept(self, address: str) -> _Connection | None:
        idle = self._idle.get(address, [])
        while idle:
            connection = idle.pop()
            if connection.clean:
                return connection
            connection.drop()
        return None

    async def _over(self, address: str, connection: _Connection, asked: bytes, method: str) -> WireAnswer:
        keep = False
        try:
            begun = connection.consumed
            try:
                connection.writer.write(asked)
                await connection.writer.drain()
                status = await connection.line(HEAD_LIMIT)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                if connection.protocol.received == begun:
                    raise _Stale from error
                raise
            answer, keep = await self._read(connection, status, method)
            return answer
        finally:
            idle = self._idle.setdefault(address, [])
            if keep and connection.clean and len(idle) < KEPT and not self._closed:
                idle.append(connection)
            else:
                connection.drop()

    async def _read(self, connection: _Connection, status: bytes, method: str) -> tuple[WireAnswer, bool]:
        for _ in range(INTERIM_LIMIT):
            head = await _head(connection, status)
            if head.status >= 200:
                break
            status = await connection.line(HEAD_LIMIT)
        else:
            raise MalformedAnswer("no end of 1xx answers")
        body = b"" if head.bodiless or method == "HEAD" else await self._body(connection, head)
        return WireAnswer(head.status, head.headers, body), head.keep

    async def _body(self, connection: _Connection, head: Head) -> bytes:
        if head.chunked:
            return await self._chunks(connection)
        if head.length is None:
            return await self._until_closed(connection)
        if head.length > self.body_limit:
            raise self._too_long()
        return await connection.exactly(head.length)

    async def _chunks(self, connection: _Connection) -> bytes:
        parts: list[bytes] = []
        room = self.body_limit
        while size := chunk_size(await connection.line(HEAD_LIMIT)):
            room -= size
            if room < 0:
                raise self._too_long()
            parts.append(await connection.exactly(size))
            if (await connection.line(HEAD_LIMIT)).strip(b"\r\n"):
                raise MalformedAnswer("a chunk longer than it says")
        left = HEAD_LIMIT
        while (trailer := await connection.line(left)).strip(b"\r\n"):
            left -= len(trailer)
        return b"".join(parts)

    async def _until_closed(self, connection: _Connection) -> bytes:
        parts: list[bytes] = []
        room = self.body_limit
        while part := await connection.reader.read(64 * 1024):
            room -= len(part)
            if room < 0:
                raise self._too_long()
            parts.append(part)
        return b"".join(parts)

    def _too_long(self) -> MalformedAnswer:
        return MalformedAnswer(f"a body of more than {self.body_limit / 1024 / 1024:g} MiB")


async def _head(connection: _Connection, status: bytes) -> Head:
    code, one_dot_one = parse_status(status)
    left = HEAD_LIMIT - len(status)
    headers: list[tuple[str, str]] = []
    while line := (await connection.line(left)).rstrip(b"\r\n"):
        left -= len(line) + 1
        headers.append(header(line))
    return parse_head(code, one_dot_one=one_dot_one, headers=headers)


async def _connected(address: str) -> _Connection:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise WireError(f"{address}: expected host:port", reached=False)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=BUFFER)
    protocol = _Counting(reader)
    try:
        transport, _ = await loop.create_connection(lambda: protocol, host.strip("[]"), int(port))
    except UnicodeError as error:
        raise WireError(f"{address}: not a host's name", reached=False) from error
    return _Connection(protocol, reader, asyncio.StreamWriter(transport, protocol, reader, loop))


def _asked(address: str, method: str, path: str, body: bytes | None, headers: Sequence[tuple[str, str]]) -> bytes:
    """The request's bytes; blanks or control characters out of place would make two requests of it."""
    if not path.startswith("/") or not path.isascii() or any(char <= " " or char == "\x7f" for char in path):
        raise WireError(f"{path!r}: not a path", reached=False)
    if not _METHOD.match(method):
        raise WireError(f"{method!r}: not a method", reached=False)
    for name, value in headers:
        if not _NAME.match(name) or not _VALUE.match(value) or name.lower() in OURS:
            raise WireError(f"{name!r}: not a header to send", reached=False)
    given = {name.lower() for name, _ in headers}
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address}"]
    if "user-agent" not in given:
        lines.append("User-Agent: pithead")
    if body is not None:
        lines += [] if "content-type" in given else ["Content-Type: application/json"]
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + (body or b"")
