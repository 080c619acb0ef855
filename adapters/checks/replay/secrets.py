"""Credentials in recorded traffic: found, and taken out.

Headers that carry them are left out; values in queries, forms and JSON whose names say what they are, and texts
that look like keys and tokens, become `[scrubbed]`. What a form's parts (multipart) hold is known by its look only.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from adapters.checks.jsons import NOTHING, any_json, written
from adapters.checks.replay.lines import written_lines
from adapters.checks.replay.recording import Exchange, Headers, Recorded, Recording

SCRUBBED = "[scrubbed]"
MOST_NAMED = 20
HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "api-key",
        "apikey",
        "x-auth-token",
        "x-access-token",
        "x-csrf-token",
        "x-xsrf-token",
        "x-amz-security-token",
        "x-vault-token",
        "private-token",
    }
)
NAMES = frozenset(
    {
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "clientsecret",
        "token",
        "authtoken",
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "sessiontoken",
        "sessionid",
        "apikey",
        "accesskey",
        "secretkey",
        "privatekey",
        "signature",
        "xamzsignature",
        "xamzcredential",
        "xamzsecuritytoken",
    }
)
"""Without case, dashes, underscores and dots."""
_LOOKS = re.compile(
    r"\beyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]*"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,255}\b"
    r"|\bsk_live_[A-Za-z0-9]{16,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
)
_STEMS = (b"pass", b"pwd", b"secret", b"token", b"session", b"key", b"signature", b"amz")
_STARTS = (b"eyj", b"akia", b"asia", b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"sk_live_", b"xox", b"-----begin")
"""One of them is in every text that has a secret, and most texts have none."""
_TAKEN_OUT = re.compile(
    r"(?:(?:bearer|basic|token) )?"
    r"(?:[*._-]*|x+|\[?(?:scrubbed|redacted|removed|masked|hidden)\]?|%5bscrubbed%5d|<[^<>]{0,60}>)\Z",
    re.IGNORECASE,
)
_FORM = re.compile(r"[^\s=&]{1,200}=[^\s&]*(?:&[^\s=&]{1,200}=[^\s&]*)*\Z")
_DULL = re.compile(r"[-_.\[\]]")


def credentials(recording: Recording) -> tuple[str, ...]:
    """What looks live, as "line 3: header authorization", the first 20; values are never named."""
    found = list(recording.stray)
    for exchange in recording.exchanges:
        for place in _places(exchange):
            found.append(f"{exchange.where}: {place}")
            if len(found) == MOST_NAMED:
                return tuple(found)
    return tuple(found)


def scrubbed(recording: Recording) -> bytes:
    """The recording without its credentials, as JSON lines."""
    return written_lines(replace(recording, exchanges=tuple(clean(one) for one in recording.exchanges), stray=()))


def clean(exchange: Exchange) -> Exchange:
    """The exchange without its credentials."""
    came = exchange.answer
    return replace(
        exchange,
        path=_clean_path(exchange.path),
        headers=_clean_headers(exchange.headers),
        body=_clean_body(exchange.body),
        answer=came and Recorded(came.status, _clean_body(came.body), came.ms, _clean_headers(came.headers)),
    )


def _places(exchange: Exchange) -> Iterator[str]:
    for name, value in exchange.headers:
        if name in HEADERS and _live_header(name, value):
            yield f"header {name}"
        elif _LOOKS.search(value):
            yield f"a token in header {name}"
    if _clean_path(exchange.path) != exchange.path:
        yield "a secret in the query or path"
    if _clean_body(exchange.body) != exchange.body:
        yield "a secret in the body"
    came = exchange.answer
    if came is not None:
        if any(name == "set-cookie" and _live_header(name, value) for name, value in came.headers):
            yield "header set-cookie of the answer"
        if _clean_body(came.body) != came.body:
            yield "a secret in the answer"


def _live_header(name: str, value: str) -> bool:
    """A cookie lives if one of its values does; whatever else as a whole."""
    if _taken_out(value):
        return False
    if name not in ("cookie", "set-cookie"):
        return True
    values = [part.partition("=")[2] for part in value.split(";") if "=" in part]
    return not values or any(not _taken_out(one) for one in values)


def _taken_out(value: str) -> bool:
    return len(value) <= 200 and _TAKEN_OUT.match(value.strip()) is not None


def _clean_headers(headers: Headers) -> Headers:
    return tuple((name, _LOOKS.sub(SCRUBBED, value)) for name, value in headers if name not in HEADERS)


def _clean_path(path: str) -> str:
    base, mark, query = path.partition("?")
    mended = _clean_form(query, "%5Bscrubbed%5D") if mark else ""
    return f"{_LOOKS.sub('%5Bscrubbed%5D', base)}{mark}{mended}"


def _clean_form(text: str, instead: str) -> str:
    parts = []
    for part in text.split("&"):
        name, mark, value = part.partition("=")
        if mark and _is_secret(unquote_plus(name)) and not _taken_out(value):
            parts.append(f"{name}={instead}")
        else:
            parts.append(_LOOKS.sub(instead, part))
    return "&".join(parts)


def _clean_body(body: bytes | None) -> bytes | None:
    """The same bytes where there is nothing to take out."""
    if not body:
        return body
    lower = body.lower()
    named = any(stem in lower for stem in _STEMS)
    looks = any(start in lower for start in _STARTS)
    if not (named or looks):
        return body
    value = any_json(body)
    if value is NOTHING:
        return _clean_text(body)
    mended = written(value) if _scrub(value, looks=looks) else body
    return _LOOKS.sub(SCRUBBED, mended.decode("latin-1")).encode("latin-1") if looks else mended


def _clean_text(body: bytes) -> bytes:
    # Latin-1 gives every byte back as it was; all that is looked for is ASCII.
    text = body.decode("latin-1")
    mended = _clean_form(text, "%5Bscrubbed%5D") if _FORM.match(text) else _LOOKS.sub(SCRUBBED, text)
    return mended.encode("latin-1") if mended != text else body


def _scrub(value: Any, *, looks: bool) -> bool:
    """Take secrets out of JSON in place; whether there were any."""
    todo = [value]
    changed = False
    while todo:
        at = todo.pop()
        for key, inner in list(at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()):
            if isinstance(inner, dict | list):
                todo.append(inner)
            elif isinstance(inner, str):
                hidden = isinstance(key, str) and _is_secret(key) and not _taken_out(inner)
                mended = SCRUBBED if hidden else _LOOKS.sub(SCRUBBED, inner) if looks else inner
                if mended != inner:
                    changed = True
                    at[key] = mended
    return changed


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return _DULL.sub("", name.lower()) in NAMES
