"""JSON of records and reports, read laxly: infinities travel in them as strings."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_DECODERS: dict[type, "msgspec.json.Decoder[Any]"] = {}


def laxly(kind: type[T]) -> Callable[[bytes], T]:
    """What reads a `kind`; raises what msgspec raises for anything else."""

    def read(raw: bytes) -> T:
        # Made when first needed: few clients read any of these, and all of them start in a hurry.
        if kind not in _DECODERS:
            _DECODERS[kind] = msgspec.json.Decoder(kind, strict=False)
        found: T = _DECODERS[kind].decode(raw)
        return found

    return read
