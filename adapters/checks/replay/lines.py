"""JSON lines: one request a line, with the answer that it got.

A line is an object of these fields, and no others:

    method    "GET" if it is left out
    path      with its query: "/cart/7?full=1"
    headers   {"accept": "application/json"}
    body      of the request: text, or JSON as it is; body64 for bytes in base64
    status    of the answer; a line without one cannot be compared with the recording
    answer    its body: text, or JSON as it is; answer64 for bytes; left out: the status alone is compared
    ms        how long the answer took

The first line may say where all of it comes from: {"service": "cart", "recorded": "2026-01-05"}.
"""

import base64
import binascii
from io import BytesIO

import msgspec

from adapters.checks.jsons import NotJson, decoded, written
from adapters.checks.replay.recording import (
    ENTRIES_LIMIT,
    Exchange,
    Recording,
    RecordingError,
    answer,
    request,
)
from pipeline.text import plain

_NONE = msgspec.Raw(b"null")


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    service: str
    recorded: str = ""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    method: str = "GET"
    headers: dict[str, str] = {}
    body: msgspec.Raw = _NONE
    body64: str | None = None
    status: int | None = None
    answer: msgspec.Raw = _NONE
    answer64: str | None = None
    ms: float | None = None


def lines(raw: bytes, most: int | None = None) -> Recording:
    """The first `most` requests; raises `RecordingError` with the line's number."""
    exchanges: list[Exchange] = []
    header = _Header("")
    begun = False
    for number, line in enumerate(BytesIO(raw), 1):
        text = line.strip()
        if not text:
            continue
        where = f"line {number}"
        if not begun and (found := _header(text)) is not None:
            header = found
        elif most is not None and len(exchanges) == most:
            break
        elif len(exchanges) == ENTRIES_LIMIT:
            raise RecordingError(f"{where}: more than {ENTRIES_LIMIT:,} requests")
        else:
            exchanges.append(_exchange(where, text))
        begun = True
    return Recording(tuple(exchanges), plain(header.service, 100), recorded=plain(header.recorded, 60))


def written_lines(recording: Recording) -> bytes:
    """`recording` as JSON lines that `lines` reads back."""
    said: list[dict[str, object]] = []
    if recording.service:
        said.append({"service": recording.service, "recorded": recording.recorded})
    for exchange in recording.exchanges:
        line: dict[str, object] = {"method": exchange.method, "path": exchange.path}
        if exchange.headers:
            line["headers"] = _folded(exchange)
        line |= _told("body", exchange.body)
        if exchange.answer is not None:
            line |= {"status": exchange.answer.status, **_told("answer", exchange.answer.body)}
            line |= {"ms": exchange.answer.ms} if exchange.answer.ms is not None else {}
        said.append(line)
    return b"".join(written(line) + b"\n" for line in said)


def _folded(exchange: Exchange) -> dict[str, str]:
    """Headers by name; a repeated one is one with commas, which means the same."""
    kept: dict[str, str] = {}
    for name, value in exchange.headers:
        kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return kept


def _told(field: str, body: bytes | None) -> dict[str, object]:
    if body is None:
        return {}
    try:
        return {field: body.decode()}
    except UnicodeDecodeError:
        return {f"{field}64": base64.b64encode(body).decode()}


def _header(text: bytes) -> _Header | None:
    try:
        return decoded(text, _Header)
    except NotJson:
        return None


def _exchange(where: str, text: bytes) -> Exchange:
    try:
        line = decoded(text, _Line)
        body = _bytes(where, line.body, line.body64)
        came = answer(where, line.status, _bytes(where, line.answer, line.answer64), line.ms)
    except NotJson as error:
        raise RecordingError(f"{where}: {plain(str(error), 120)}") from None
    sent = request(where, line.method, line.path, line.headers.items(), body)
    return Exchange(where, sent.method, sent.path, sent.headers, sent.body, came)


def _bytes(where: str, value: msgspec.Raw, coded: str | None) -> bytes | None:
    """Text as it is, JSON as it is written; raises `NotJson` and `RecordingError`."""
    if coded is not None:
        try:
            return base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            raise RecordingError(f"{where}: a body that should be base64 and is not") from None
    raw = bytes(value)
    if raw == b"null":
        return None
    return decoded(raw, str).encode() if raw.startswith(b'"') else raw
