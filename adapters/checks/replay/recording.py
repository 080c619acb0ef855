"""Recorded traffic: requests and the answers that they got, checked and bounded whatever file they come from."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.text import plain

FILE_LIMIT = 64 * 1024 * 1024
ENTRIES_LIMIT = 100_000
BODY_LIMIT = 4 * 1024 * 1024
PATH_LIMIT = 8 * 1024
HEADERS_LIMIT = 100
HEAD_LIMIT = 12 * 1024
"""Characters of a request's headers together."""
KEPT_OF_ANSWERS = ("content-type", "set-cookie")
LONGEST_MS = 86_400_000.0
SERVICE_HEADER = "x-pithead-service"
"""A request that carries it says which service it was recorded from."""

_METHOD = re.compile(r"[A-Z]{1,20}\Z")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_PATH = re.compile(r"/[!-~]*\Z")

Headers = tuple[tuple[str, str], ...]
"""(name in lower case, value), in the order of the recording."""


class RecordingError(Exception):
    """A recording that cannot be read or used; its text says where and why."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer as it was recorded."""

    status: int
    body: bytes | None = None
    """None where it was not kept; then the status alone is compared."""
    ms: float | None = None
    headers: Headers = ()

    @property
    def kind(self) -> str:
        return of(self.headers, "content-type")


@dataclass(frozen=True, slots=True)
class Exchange:
    where: str
    """"entry 3" of a HAR file, "line 3"."""
    method: str
    path: str
    """With its query; never with a host."""
    headers: Headers = ()
    body: bytes | None = None
    answer: Recorded | None = None

    def __str__(self) -> str:
        return f"{self.method} {plain(self.path, 80)}"


@dataclass(frozen=True, slots=True)
class Recording:
    exchanges: tuple[Exchange, ...]
    service: str = ""
    """What it says it was recorded from; "" where it says nothing."""
    host: str = ""
    """`host` or `host:port` that was asked, where it is known."""
    recorded: str = ""
    """When, in the recorder's own words."""
    stray: tuple[str, ...] = ()
    """Credentials in the file that are no part of a request or an answer."""


def of(headers: Headers, name: str) -> str:
    """The last value of the header; "" without one."""
    return next((value for key, value in reversed(headers) if key == name), "")


def request(where: str, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes | None) -> Exchange:
    """A request that can be sent as one; raises `RecordingError` for what would be two, or has no end."""
    if not _METHOD.match(method):
        raise RecordingError(f'{where}: method "{plain(method, 40)}": expected capital letters, as GET')
    if len(path) > PATH_LIMIT:
        raise RecordingError(f"{where}: a path of more than {PATH_LIMIT // 1024} kB")
    if path.startswith("//") or not _PATH.match(path):
        raise RecordingError(
            f'{where}: path "{plain(path, 60)}": expected a path on the service\'s host, as /cart/7?full=1, '
            "without blanks and characters that a URL has not"
        )
    if "#" in path:
        path = path.partition("#")[0]
    _bounded(where, body)
    return Exchange(where, method, path, checked(where, headers), body)


def answer(
    where: str, status: int | None, body: bytes | None, ms: float | None, headers: Iterable[tuple[str, str]] = ()
) -> Recorded | None:
    """None where no answer came: an aborted request."""
    if status is None or status == 0:
        return None
    if not 100 <= status <= 599:
        raise RecordingError(f"{where}: status {plain(str(status), 20)}: expected 100 to 599")
    if status < 200:
        return None
    _bounded(where, body)
    if ms is not None and not (math.isfinite(ms) and 0 < ms <= LONGEST_MS):
        ms = None
    # These are never sent: a recorder may have folded several into one with line ends.
    kept = tuple((name.lower(), value) for name, value in headers if name.lower() in KEPT_OF_ANSWERS)
    return Recorded(status, body, ms, kept)


def checked(where: str, headers: Iterable[tuple[str, str]]) -> Headers:
    """Without HTTP/2's own (":authority"); raises `RecordingError` for what is no header of HTTP."""
    kept: list[tuple[str, str]] = []
    room = HEAD_LIMIT
    for name, value in headers:
        if name.startswith(":"):
            continue
        if not _NAME.match(name):
            raise RecordingError(f'{where}: header "{plain(name, 40)}": not the name of a header')
        if not _VALUE.match(value):
            raise RecordingError(f"{where}: header {plain(name, 40)}: a value with a line end or a control character")
        room -= len(name) + len(value)
        if len(kept) == HEADERS_LIMIT or room < 0:
            raise RecordingError(f"{where}: more than {HEADERS_LIMIT} headers or {HEAD_LIMIT // 1024} kB of them")
        kept.append((name.lower(), value.strip()))
    return tuple(kept)


def named(recording: Recording) -> Recording:
    """`recording` with the service that its requests name; raises `RecordingError` where they disagree."""
    service = recording.service
    for exchange in recording.exchanges:
        said = of(exchange.headers, SERVICE_HEADER)
        if said and service and said != service:
            raise RecordingError(
                f'{exchange.where}: recorded from "{plain(said, 60)}", the others from "{plain(service, 60)}"'
            )
        service = service or said
    return Recording(recording.exchanges, service, recording.host, recording.recorded, recording.stray)


def _bounded(where: str, body: bytes | None) -> None:
    if body is not None and len(body) > BODY_LIMIT:
        raise RecordingError(f"{where}: a body of more than {BODY_LIMIT // 1024 // 1024} MiB")
