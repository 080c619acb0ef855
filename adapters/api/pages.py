"""Many records on one page, in pieces: the controller must not stand still while a page is made."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from adapters.exact import to_json

R = TypeVar("R")
K = TypeVar("K")

LARGEST_PAGE = 4 * 2**20
"""Bytes at which a page is cut; one record alone may be longer."""
AT_ONCE = 8
"""Records read and spelt in one go: some 10 ms where they are of 100 hosts."""


async def page(name: str, read: Callable[[K, int], Sequence[R]], after: K, key: Callable[[R], K], limit: int) -> bytes:
    """`{NAME: [...], "more": ...}` of up to `limit` records after `after`.

    Args:
        read: `(after, limit)` to the records that follow, oldest first.
        key: of a record, what the next ones come after.
    """
    pieces: list[bytes] = []
    size, more = 0, True
    while more and len(pieces) < limit:
        asked = min(AT_ONCE, limit - len(pieces))
        some = read(after, asked)
        more = len(some) == asked
        for record in some:
            piece = to_json(record).encode()
            if pieces and size + len(piece) > LARGEST_PAGE:
                return _joined(name, pieces, more=True)
            pieces.append(piece)
            size += len(piece)
            after = key(record)
        await asyncio.sleep(0)
    return _joined(name, pieces, more=more)


def _joined(name: str, pieces: Sequence[bytes], *, more: bool) -> bytes:
    return b'{"%b":[%b],"more":%b}' % (name.encode(), b",".join(pieces), b"true" if more else b"false")
