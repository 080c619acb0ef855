"""Credentials in recorded traffic: found, and taken out.

Headers that carry them are left out; values in queries, paths, forms and JSON whose names say what they are, and
texts that look like keys, tokens, passwords in URLs and card numbers, become `[scrubbed]`. What a form's parts
(multipart) hold is known by its look only.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

from adapters.checks.jsons import NOTHING, any_json, written
from adapters.checks.replay.lines import written_lines
from adapters.checks.replay.looks import (
    CARD_BYTES,
    QUOTED,
    SCRUBBED,
    STARTS,
    TOKENS,
    card_under,
    is_card,
    masked,
    names_live,
    passwords_masked,
    taken_out,
)
from adapters.checks.replay.names import STEMS, is_secret_header
from adapters.checks.replay.recording import Exchange, Headers, Recorded, Recording

MOST_NAMED = 20
NESTED = 3
"""So often a value may be percent-encoded, or be a URL or JSON inside another."""
_FORM = re.compile(r"[^\s=&]{1,200}=[^\s&]*(?:&[^\s=&]{1,200}=[^\s&]*)*\Z")
_PARAMETER = re.compile(r";([^=;/?]{1,100})=([^;/?]*)")


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
        if is_secret_header(name) and _live_header(name, value):
            yield f"header {name}"
        elif _clean_value(name, value) != value:
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
    if taken_out(value):
        return False
    if name not in ("cookie", "set-cookie"):
        return True
    values = [part.partition("=")[2] for part in value.split(";") if "=" in part]
    return not values or any(not taken_out(one) for one in values)


def _clean_headers(headers: Headers) -> Headers:
    return tuple((name, _clean_value(name, value)) for name, value in headers if not is_secret_header(name))


def _clean_value(name: str, value: str) -> str:
    """Of a header that may be kept."""
    if is_secret_header(name):
        return value
    # A digest or a trace has long numbers of its own.
    mended = masked(value, cards=False)
    return SCRUBBED if "%" in mended and _hides(unquote_plus(mended)) else mended


def _clean_path(path: str) -> str:
    base, mark, query = path.partition("?")
    base = _PARAMETER.sub(
        lambda found: f";{found[1]}={QUOTED}" if names_live(unquote_plus(found[1]), found[2]) else found[0],
        masked(base, QUOTED),
    )
    if "%" in base:
        base = "/".join(QUOTED if "%" in part and _hides(unquote_plus(part)) else part for part in base.split("/"))
    return f"{base}{mark}{_clean_form(query)}"


def _clean_form(text: str) -> str:
    parts = []
    for part in text.split("&"):
        name, mark, value = part.partition("=")
        if mark and (names_live(unquote_plus(name), unquote_plus(value)) or _hides(value)):
            parts.append(f"{name}={QUOTED}")
        else:
            parts.append(masked(part, QUOTED))
    return "&".join(parts)


def _hides(value: str, depth: int = NESTED) -> bool:
    """Whether a secret stands in `value`, or in what it says once it is decoded."""
    inner = any_json(value.encode()) if value[:1] in ("{", "[") else NOTHING
    if inner is not NOTHING and _scrub([inner]):
        return True
    if masked(f"?{value}") != f"?{value}":
        return True
    decoded = unquote_plus(value)
    return depth > 0 and decoded != value and _hides(decoded, depth - 1)


def _clean_body(body: bytes | None) -> bytes | None:
    """The same bytes where there is nothing to take out."""
    if not body:
        return body
    lower = body.lower()
    looks = any(start in lower for start in STARTS) or (b"://" in lower and b"@" in lower)
    if not (looks or any(stem in lower for stem in STEMS) or CARD_BYTES.search(body) is not None):
        return body
    value = any_json(body)
    if value is NOTHING:
        return _clean_text(body)
    box = [value]
    mended = written(box[0]) if _scrub(box) else body
    if not looks:
        return mended
    # Once more over all of it, for the names in it.
    text = mended.decode("latin-1")
    return passwords_masked(TOKENS.sub(SCRUBBED, text)).encode("latin-1")


def _clean_text(body: bytes) -> bytes:
    # Latin-1 gives every byte back as it was; all that is looked for is ASCII.
    text = body.decode("latin-1")
    mended = _clean_form(text) if _FORM.match(text) else masked(text)
    return mended.encode("latin-1") if mended != text else body


def _scrub(value: Any) -> bool:
    """Take secrets out of JSON in place, of what is in a list or an object; whether there were any."""
    todo = [value]
    changed = False
    while todo:
        at = todo.pop()
        for key, inner in list(at.items() if isinstance(at, dict) else enumerate(at) if isinstance(at, list) else ()):
            if isinstance(inner, dict | list):
                todo.append(inner)
                continue
            mended = _scrubbed_value(key if isinstance(key, str) else "", inner)
            if mended is not inner:
                changed = True
                at[key] = mended
    return changed


def _scrubbed_value(name: str, value: Any) -> Any:
    """`value` itself where there is nothing to take out."""
    if isinstance(value, str):
        if names_live(name, value):
            return SCRUBBED
        mended = masked(value)
        if mended == value:
            mended = SCRUBBED if value[:1] in ("{", "[") and _hides(value) else value
        return mended if mended != value else value
    if isinstance(value, int) and not isinstance(value, bool):
        digits = str(value)
        if card_under(name, digits) or is_card(digits):
            return SCRUBBED
    return value
