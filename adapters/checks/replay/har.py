"""HAR 1.2, as browsers and proxies save it: `log.entries`, of which the request and the answer are read.

Beside the standard's fields `log._pithead.service` may say which service it was recorded from. All entries
must have asked one host: the first one's.
"""

import base64
import binascii
import re
from itertools import islice
from urllib.parse import urlencode, urlsplit

import msgspec

from adapters.checks.jsons import NotJson, decoded
from adapters.checks.replay.recording import ENTRIES_LIMIT, Exchange, Recording, RecordingError, answer, request
from pipeline.text import plain

DEEPEST = 500
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_BYTE = re.compile(r"\(byte ([0-9]+)\)")
_PLACE = re.compile(r"\$\.log\.entries\[([0-9]+)\]\.?")


class _Pair(msgspec.Struct):
    name: str
    value: str | None = None


class _PostData(msgspec.Struct):
    mimeType: str = ""  # noqa: N815  (the standard's name)
    text: str | None = None
    encoding: str = ""
    params: list[_Pair] | None = None


class _Request(msgspec.Struct):
    method: str
    url: str
    headers: list[_Pair] = []
    cookies: list[_Pair] = []
    postData: _PostData | None = None  # noqa: N815


class _Content(msgspec.Struct):
    text: str | None = None
    encoding: str = ""


class _Response(msgspec.Struct):
    status: int = 0
    headers: list[_Pair] = []
    cookies: list[_Pair] = []
    content: _Content | None = None


class _Entry(msgspec.Struct):
    request: _Request
    response: _Response | None = None
    time: float | None = None


class _Ours(msgspec.Struct):
    service: str = ""
    recorded: str = ""


class _Log(msgspec.Struct):
    entries: list[_Entry]
    ours: _Ours | None = msgspec.field(name="_pithead", default=None)


class _Har(msgspec.Struct):
    log: _Log


def har(raw: bytes, most: int | None = None) -> Recording:
    """The first `most` entries; raises `RecordingError` with the entry's number."""
    if raw.count(b'"request"') > ENTRIES_LIMIT:
        raise RecordingError(f"more than {ENTRIES_LIMIT:,} entries")
    try:
        log = decoded(raw, _Har).log
    except NotJson as error:
        number = _entry_of(raw, str(error))
        why = plain(_PLACE.sub("$.", str(error)), 120)
        raise RecordingError(f"{f'entry {number}' if number else 'not a HAR file'}: {why}") from None
    exchanges: list[Exchange] = []
    origin = ""
    stray: tuple[str, ...] = ()
    for number, entry in enumerate(islice(log.entries, most), 1):
        where = f"entry {number}"
        asked, path, has_password = _taken_apart(where, entry.request.url)
        origin = origin or asked
        if asked != origin:
            raise RecordingError(
                f"{where}: asks {plain(asked, 60)}, the first entry {plain(origin, 60)}: "
                "keep the entries of one host (docs/replay.md)"
            )
        if has_password and not stray:
            stray = (f"{where}: a password in the URL",)
        exchanges.append(_exchange(where, path, entry))
    ours = log.ours or _Ours()
    host = origin.partition("://")[2]
    return Recording(tuple(exchanges), plain(ours.service, 100), host, plain(ours.recorded, 60), stray)


def _exchange(where: str, path: str, read: _Entry) -> Exchange:
    asked = read.request
    headers = _with_cookies(asked.headers, "cookie", asked.cookies)
    sent = request(where, asked.method, path, headers, _posted(where, asked))
    came = read.response
    if came is None:
        return sent
    body = None
    if came.content is not None and came.content.text is not None:
        body = _bytes(where, came.content.text, came.content.encoding)
    got = answer(where, came.status, body, read.time, _with_cookies(came.headers, "set-cookie", came.cookies))
    return Exchange(where, sent.method, sent.path, sent.headers, sent.body, got)


def _taken_apart(where: str, url: str) -> tuple[str, str, bool]:
    """(scheme and host, path with its query, whether a password stands before the host)."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise RecordingError(f'{where}: "{plain(url, 60)}": not a URL') from None
    if parts.scheme not in ("http", "https") or not host:
        raise RecordingError(f'{where}: "{plain(url, 60)}": expected a URL of http or https')
    # urlsplit drops line ends without a word; the path is taken from the URL as it stands.
    rest = url.partition("://")[2]
    cut = min((at for at in (rest.find(sign) for sign in "/?#") if at >= 0), default=len(rest))
    path = rest[cut:] if rest[cut:].startswith("/") else f"/{rest[cut:]}"
    usual = {"http": 80, "https": 443}[parts.scheme]
    origin = f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, usual) else "")
    return origin, path, parts.password is not None


def _with_cookies(headers: list[_Pair], name: str, cookies: list[_Pair]) -> list[tuple[str, str]]:
    """The headers; cookies that the recorder kept apart are one more."""
    kept = [(pair.name, pair.value or "") for pair in headers]
    if cookies and not any(key.lower() == name for key, _ in kept):
        kept.append((name, "; ".join(f"{cookie.name}={cookie.value or ''}" for cookie in cookies)))
    return kept


def _posted(where: str, asked: _Request) -> bytes | None:
    data = asked.postData
    if data is None:
        return None
    if data.text is not None:
        return _bytes(where, data.text, data.encoding)
    fields = [(pair.name, pair.value or "") for pair in data.params or []]
    return urlencode(fields).encode() if fields else None


def _bytes(where: str, text: str, encoding: str) -> bytes:
    if encoding.lower() != "base64":
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RecordingError(f"{where}: a body that says base64 and is not") from None


def _entry_of(raw: bytes, error: str) -> int | None:
    """Number of the entry in which reading stopped: as the error says, at its byte, or where it is too deep."""
    if place := _PLACE.search(error):
        return int(place[1]) + 1
    found = _BYTE.search(error)
    stop = int(found[1]) if found else len(raw)
    depth = number = 0
    inside = False
    last = b""
    for token in _TOKEN.finditer(raw):
        if token.start() >= stop or depth > DEEPEST:
            break
        sign = token[0]
        if sign in (b"{", b"["):
            inside = inside or (depth == 2 and sign == b"[" and last == b'"entries"')
            number += inside and depth == 3
            depth += 1
        elif sign in (b"}", b"]"):
            depth -= 1
            if inside and depth == 2:
                return None
        else:
            last = sign
    return number if inside and number else None
