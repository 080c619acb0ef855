"""Many names in one: "cart-[1-4]", "db[01-12]", "10.0.[1,3].[5-7]:80"."""

import re
from collections.abc import Iterator
from itertools import product

MOST = 10_000
"""Names that one pattern may give."""
_RANGE = re.compile(r"\[([0-9, \-]*)\]")
_PIECE = re.compile(r"\s*([0-9]{1,9})(?:\s*-\s*([0-9]{1,9}))?\s*")


def expanded(pattern: str) -> tuple[str, ...]:
    """Every name that `pattern` stands for, in order; several ranges multiply, the last one counts fastest.

    A first number with a leading zero sets the width: "[08-11]" is 08, 09, 10, 11. Raises `ValueError`
    with what is wrong.
    """
    texts: list[str] = []
    choices: list[list[str]] = []
    at = 0
    for found in _RANGE.finditer(pattern):
        texts.append(pattern[at : found.start()])
        choices.append(list(_numbers(found[1])))
        at = found.end()
    names = 1
    for choice in choices:
        names *= len(choice)
        if names > MOST:
            raise ValueError(_too_many())
    tail = pattern[at:]
    return tuple(
        "".join(part for pair in zip(texts, numbers, strict=True) for part in pair) + tail
        for numbers in product(*choices)
    )


def _numbers(inside: str) -> Iterator[str]:
    given = 0
    for piece in inside.split(","):
        found = _PIECE.fullmatch(piece)
        if found is None:
            raise ValueError(f"a range such as [1-4], [01-12] or [1,3,5-7], not [{inside}]")
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            raise ValueError(f"a range that goes up, not [{inside}]")
        given += last - first + 1
        if given > MOST:
            raise ValueError(_too_many())
        width = len(found[1]) if found[1].startswith("0") else 0
        for number in range(first, last + 1):
            yield f"{number:0{width}d}" if width else str(number)


def _too_many() -> str:
    return f"at most {MOST:,} names in one pattern"
