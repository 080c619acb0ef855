"""Charts as lines of text: blocks where the output can write them, ASCII elsewhere."""

import math
import sys
from collections.abc import Sequence
from itertools import pairwise

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII = " .:-=+*%#"


def has_blocks(encoding: str | None = None) -> bool:
    """Whether standard output, or `encoding`, can write `BLOCKS`."""
    try:
        BLOCKS.encode(encoding or getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def heights(values: Sequence[float | None], *, blocks: bool, top: float = 1.0) -> str:
    """One cell a value, as high as the value is of `top`; a value above 0 is never drawn as nothing, None is "?"."""
    glyphs = BLOCKS if blocks else ASCII
    last = len(glyphs) - 1
    cells = []
    for value in values:
        if value is None or math.isnan(value):
            cells.append("?")
        elif value <= 0:
            cells.append(glyphs[0])
        else:
            cells.append(glyphs[min(max(int(value / top * last), 1), last)])
    return "".join(cells)


def binned(values: Sequence[float], width: int) -> list[float]:
    """At most `width` values: of each stretch the largest."""
    if len(values) <= width:
        return list(values)
    edges = [round(at * len(values) / width) for at in range(width + 1)]
    return [max(values[first:end]) for first, end in pairwise(edges)]
