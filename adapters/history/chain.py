"""The audit trail's hash chain: each row's hash is over the row and the hash before it.

It finds a row that was edited, moved or taken out. A tail cut off clean leaves a shorter, sound chain:
to find that, compare the head with one noted elsewhere.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Verified:
    rows: int
    """Sound ones, from the first on."""
    head: str
    """Hash of the newest sound row."""
    bad: int | None = None
    """Id of the first row that is not as it was written; None if all are."""
    why: str = ""


def link(before: str, row: tuple[int | str | None, ...]) -> str:
    """Hash of `row` (`rows.event_row`) after a row whose hash is `before`."""
    return hashlib.sha256(before.encode() + b"\n" + msgspec.json.encode(row)).hexdigest()


def walk(rows: Iterable[tuple[Any, ...]]) -> Verified:
    """Check rows of `EVENT_COLUMNS` and hash, in order of id, from the first."""
    sound, head = 0, GENESIS
    for *columns, kept in rows:
        if columns[0] != sound + 1:
            return Verified(sound, head, sound + 1, f"row {sound + 1} is missing: the next one is {columns[0]}")
        hashed = link(head, tuple(columns))
        if hashed != kept:
            return Verified(sound, head, sound + 1, f"row {sound + 1} is not as it was written")
        sound, head = sound + 1, hashed
    return Verified(sound, head)
