"""Durations as people write them: "40s", "10m", "1h30m"."""

import re
from collections.abc import Mapping
from decimal import Decimal

UNITS: Mapping[str, Decimal] = {
    "w": Decimal(604_800),
    "d": Decimal(86_400),
    "h": Decimal(3_600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|[wdhms])")


def seconds(text: str) -> float:
    """`text` in seconds: numbers with units w, d, h, m, s, ms, the largest first, each once.

    Raises `ValueError`.
    """
    total = Decimal(0)
    at = 0
    left = list(UNITS)
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or part[2] not in left:
            break
        total += Decimal(part[1]) * UNITS[part[2]]
        left = left[left.index(part[2]) + 1 :]
        at = part.end()
    if not text or at < len(text):
        raise ValueError(text)
    return float(total)


def written(total_s: float) -> str:
    """`total_s` as `seconds` reads it."""
    left = Decimal(repr(total_s))
    text = ""
    for unit, size in UNITS.items():
        count, left = (left / size, Decimal(0)) if unit == "ms" else divmod(left, size)
        if count:
            text += f"{count:f}{unit}"
    return text or "0s"
