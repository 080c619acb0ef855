"""Values as text: pure, and of a known width.

`harmless` `fit` `span` `percent` `bar` `budget` `metric` `difference` `bounds` `many` `clock` `hms` `stage` `verdict`.
None is unknown: "?".
"""

import re
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from math import floor, isfinite, log10

from rich.cells import cell_len, set_cell_size

from pipeline.judge.verdict import Verdict
from pipeline.view import Budget, Mark, StageCell
from tui.glyphs import Glyphs

UNKNOWN = "?"
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
_SIZES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"))


_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def harmless(text: str) -> str:
    """`text` without control and format characters (C0, C1, bidirectional, invisible): each is one U+FFFD."""
    return text if text.isprintable() else _UNSAFE.sub("\ufffd", text)


def fit(text: str, width: int, more: str = "..", *, right: bool = False) -> str:
    """`text` in exactly `width` cells: padded, or cut with `more` at its end."""
    text = harmless(text)
    if text.isascii():
        size = len(text)
        if size > width:
            return (text[: max(width - len(more), 0)] + more)[:width]
        return text.rjust(width) if right else text.ljust(width)
    size = cell_len(text)
    if size > width:
        return set_cell_size(set_cell_size(text, max(width - cell_len(more), 0)) + more, width)
    return " " * (width - size) + text if right else text + " " * (width - size)


def span(seconds: float | None) -> str:
    """At most 4 characters up to 999 days: "93s", "19m", "30h", "71d"; rounded down."""
    if seconds is None or not isfinite(seconds):
        return UNKNOWN
    seconds = max(seconds, 0.0)
    if seconds < 100:
        return f"{int(seconds)}s"
    if seconds < 100 * MINUTE:
        return f"{int(seconds // MINUTE)}m"
    if seconds < 48 * HOUR:
        return f"{int(seconds // HOUR)}h"
    return f"{int(seconds // DAY)}d"


def percent(ratio: float | None, places: int = 0) -> str:
    """0.6199 is "61%": cut, never rounded up; of a negative ratio the lower one is shown."""
    if ratio is None or not isfinite(ratio):
        return UNKNOWN
    # repr's digits are what was meant: 0.29 * 100 is 28.999... in binary
    exact = Decimal(repr(ratio)) * 100
    return f"{exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_FLOOR)}%"


def bar(ratio: float | None, width: int, glyphs: Glyphs) -> str:
    """So much of `width` cells as `ratio` surely is; whatever is above nothing shows at least a trace."""
    if ratio is None or not isfinite(ratio):
        return glyphs.unknown * width
    steps = 2 if glyphs.half else 1
    filled = floor(min(max(ratio, 0.0), 1.0) * width * steps + 1e-9)
    if ratio > 0:
        filled = max(filled, 1)
    whole, rest = divmod(filled, steps)
    return (glyphs.full * whole + (glyphs.half if rest else "")).ljust(width, glyphs.empty)


def budget(value: Budget, width: int, glyphs: Glyphs) -> str:
    """`####..  61%` in `width` cells, with a blank before the number; unknown is `??????   ?`."""
    text = percent(value.left)
    tail = max(5, len(text) + 1)
    return bar(value.left, max(width - tail, 0), glyphs) + text.rjust(tail)


def metric(value: float | None, unit: str, digits: int | None = None) -> str:
    """A value as a person reads it: "0.21%", "188ms", "56 MiB", "60.9/s".

    Args:
        value: in the metric's own unit (`MetricRule.unit`).
        unit: "ratio", "s", "bytes", "/s", "cores" or "".
        digits: significant digits, as on the axis of a chart; None is the short form of a table.
    """
    if value is None or not isfinite(value):
        return UNKNOWN
    if unit == "ratio":
        return f"{_number(value * 100, digits, 2)}%"
    if unit == "s":
        if abs(value) >= 10:
            return f"{_number(value, digits, 1)}s"
        return f"{_number(value * 1_000, digits, 0)}ms"
    if unit == "bytes":
        size, name = next((step for step in _SIZES if abs(value) >= step[0]), _SIZES[-1])
        return f"{_number(value / size, digits, 0)} {name}"
    if unit == "cores":
        return f"{_number(value, digits, 2)} cores"
    return f"{_number(value, digits, 2 if abs(value) < 10 else 1)}{unit}"


def difference(value: float | None, unit: str, digits: int = 2) -> str:
    """Of two values of a metric, with its sign: "+0.31pp", "-12ms", "+3.0 MiB"; to `digits` significant digits."""
    if value is None or not isfinite(value):
        return UNKNOWN
    sign = "+" if value > 0 else ""
    # The sum turns -0.0 into 0.0.
    if unit == "ratio":
        return f"{sign}{_number(value * 100 + 0.0, digits, 2)}pp"
    return sign + metric(value + 0.0, unit, digits)


def bounds(low: float | None, high: float | None, unit: str, beside: str = "") -> str:
    """Of a difference: "[+0.12pp, +0.55pp]", without the unit where all have the one of `beside`."""
    texts = [difference(value, unit) for value in (low, high)]
    name = beside.lstrip("+-.0123456789")
    if name and all(text.lstrip("+-.0123456789") == name for text in texts):
        texts = [text.removesuffix(name) for text in texts]
    return f"[{', '.join(texts)}]"


def _number(value: float, digits: int | None, places: int) -> str:
    if digits is not None:
        magnitude = floor(log10(abs(value))) if value else 0
        places = min(max(digits - 1 - magnitude, 0), 9)
    elif abs(value) >= 100:
        places = 0
    return f"{value:.{places}f}"


def many(count: int) -> str:
    """At most 5 characters: "9999", "785k", "1.2M"; rounded down."""
    for size, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= 10_000 and count >= size:
            tenths = count * 10 // size
            return f"{tenths // 10}{name}" if tenths >= 100 else f"{tenths / 10:.1f}{name}"
    return str(count)


def hms(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%H:%M:%S")


def clock(at: datetime) -> str:
    return f"{hms(at)} UTC"


def verdict(value: Verdict | None) -> str:
    """In at most six letters; "-" where nothing is judged."""
    if value is None:
        return "-"
    return "NODATA" if value is Verdict.NO_DATA else value.name


def stage(cell: StageCell, glyphs: Glyphs, *, counts: bool = False, marked: bool = False) -> str:
    """A stage's column: "r1203 7%", with `counts` "r1203 7% 12/171", with `marked` "r1204 +"; "-" if empty."""
    if not cell.revision:
        return "-"
    parts = [cell.revision]
    if cell.mark is Mark.UNKNOWN:
        return f"{cell.revision} {glyphs.unknown}"
    if cell.share is not None:
        parts.append(percent(cell.share))
    if counts and cell.of:
        parts.append(f"{cell.done}/{cell.of}")
    elif marked:
        parts.append(glyphs.marks[cell.mark])
    return " ".join(parts)
