"""One answer held against another: the status, then the body, as JSON where both are."""

import re
from dataclasses import dataclass
from typing import Any

from adapters.checks.jsons import NOTHING, any_json, written
from adapters.checks.replay.looks import SCRUBBED
from adapters.checks.replay.paths import Ignored, Key, States
from pipeline.text import plain

SHOWN = 40
"""Characters of a value."""
_CHARSET = re.compile(r"charset=[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_CHARSETS = ("utf-8", "iso-8859-1", "windows-1252", "us-ascii", "utf-16", "shift_jis", "gb18030")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes | None
    """None is not compared."""
    kind: str = ""
    """Content type."""


def difference(got: Answer, held: Answer, word: str, ignored: Ignored, *, scrubbed: bool = False) -> str | None:
    """The first difference in words, bounded and safe to show; None where there is none.

    Args:
        got: of the staging host.
        held: what it is held against.
        word: what that is: "recorded", "production".
        ignored: parts of JSON that may differ.
        scrubbed: whether `held` went through a file in which secrets were replaced: those match anything.
    """
    if got.status != held.status:
        return f"{got.status}, {word} {held.status}"
    if got.body is None or held.body is None or got.body == held.body:
        return None
    before = any_json(held.body)
    if before is NOTHING or isinstance(before, str | int | float):
        return _of_texts(_text(got), _text(held), word, scrubbed=scrubbed)
    now = any_json(got.body)
    if now is NOTHING:
        return f"not JSON: {_shown(_text(got))}, {word} JSON"
    return _of_values(now, before, word, ignored, scrubbed=scrubbed)


def same_text(got: str, held: str, *, scrubbed: bool) -> bool:
    if got == held:
        return True
    first, *rest = held.split(SCRUBBED) if scrubbed else [held]
    if not rest or len(got) < len(held) - len(rest) * len(SCRUBBED):
        return False
    *middle, last = rest
    end = len(got) - len(last)
    if not got.startswith(first) or not got.endswith(last):
        return False
    at = len(first)
    for part in middle:
        found = got.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return at <= end


def _of_values(got: Any, held: Any, word: str, ignored: Ignored, *, scrubbed: bool) -> str | None:
    """In the order of what it is held against; by a stack of our own, however deep it goes."""
    todo: list[tuple[str, Any, Any, States]] = [("$", got, held, ignored.root())]
    while todo:
        path, now, before, states = todo.pop()
        if ignored.left_out(states):
            continue
        if isinstance(now, dict) and isinstance(before, dict):
            keys = [*before, *(key for key in now if key not in before)]
            inner = [(_below(path, key), now.get(key, NOTHING), before.get(key, NOTHING), key) for key in keys]
        elif isinstance(now, list) and isinstance(before, list):
            length = min(len(now), len(before))
            if len(now) != len(before) and not all(
                ignored.left_out(ignored.below(states, index)) for index in range(length, max(len(now), len(before)))
            ):
                return f"{_shown_path(path)} {len(now):,} items, {word} {len(before):,}"
            inner = [(f"{path}[{index}]", now[index], before[index], index) for index in range(length)]
        elif not _same(now, before, scrubbed=scrubbed):
            return f"{_shown_path(path)} {_value(now)}, {word} {_value(before)}"
        else:
            continue
        todo += [(at, one, other, ignored.below(states, key)) for at, one, other, key in reversed(inner)]
    return None


def _same(now: Any, before: Any, *, scrubbed: bool) -> bool:
    if now is NOTHING or before is NOTHING:
        return False
    if scrubbed and before == SCRUBBED:
        return True
    if isinstance(now, str) and isinstance(before, str):
        return same_text(now, before, scrubbed=scrubbed)
    # In Python True is 1, in JSON it is not.
    return isinstance(now, bool) is isinstance(before, bool) and bool(now == before)


def _of_texts(got: str, held: str, word: str, *, scrubbed: bool) -> str | None:
    if same_text(got, held, scrubbed=scrubbed):
        return None
    at = _parting(got, held)
    start = max(0, at - 10)
    place = f" at character {at + 1:,}" if at >= 10 else ""
    return f"text{place} {_shown(got[start:])}, {word} {_shown(held[start:])}"


def _parting(one: str, other: str) -> int:
    """How many characters they begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _text(answer: Answer) -> str:
    raw = answer.body or b""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        named = _CHARSET.search(answer.kind)
        charset = named[1].lower() if named and named[1].lower() in _CHARSETS else "iso-8859-1"
        return raw.decode(charset, "replace")


def _below(path: str, key: Key) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if _PLAIN_KEY.match(key) else f"{path}['{plain(key, SHOWN)}']"


def _shown_path(path: str) -> str:
    return path if len(path) <= 80 else f"$...{path[-76:]}"


def _value(value: Any) -> str:
    if value is NOTHING:
        return "missing"
    if isinstance(value, dict):
        return f"an object of {len(value):,}"
    if isinstance(value, list):
        return f"{len(value):,} items"
    return plain(written(value), SHOWN)


def _shown(text: str) -> str:
    return f'"{plain(text, SHOWN)}"' if text else "nothing"
