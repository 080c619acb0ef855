"""A difference and its bounds over time as lines of text: blocks where the output can write them, ASCII elsewhere."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Bound = tuple[float | None, float | None, float | None]
"""(low, difference, high); None is unknown, of an end: unbounded."""

WIDTH, HEIGHT = 60, 8
"""Of a chart at most."""
LINE, FEWEST = 78, 20
"""Its lines with their labels have room in a terminal of 80, printed with an indent; though not below so many cells."""
HUGE = 1e300
_SCALES = {"ratio": (100.0, "pp"), "s": (1_000.0, " ms"), "bytes": (2.0**-20, " MiB")}


@dataclass(frozen=True, slots=True)
class _Marks:
    band: str
    line: str
    nought: str
    limit: str
    margin: str


_BLOCKS, _ASCII = _Marks("░", "█", "·", "─", "│"), _Marks(":", "*", ".", "-", "|")


def gap(value: float | None, unit: str) -> str:
    """Of two values of a metric in `unit` (`MetricRule.unit`), to two digits: "+0.31pp", "-12 ms", "-2.6/s"."""
    known = _finite(value)
    if known is None:
        return "?"
    scale, name = _SCALES.get(unit, (1.0, unit if unit.startswith("/") or not unit else f" {unit}"))
    known *= scale
    places = min(max(1 - math.floor(math.log10(abs(known))), 0), 9) if known else 0
    return f"{known:+.{places}f}{name}" if known else f"0{name}"


def chart(points: Sequence[Bound | None], limit: float | None, unit: str, *, blocks: bool) -> list[str]:
    """`HEIGHT` lines of a label and at most `WIDTH` cells, oldest at the left; none where no difference is known.

    Nought and the limit are always on it. The first bounds are wide, for want of data: what is beyond the newer half
    of the points is drawn at the edge.
    """
    clean = [_clean(point) for point in points]
    known = [at for at, (_, middle, _) in enumerate(clean) if middle is not None]
    if not known:
        return []
    limit = _finite(limit)
    shown = [0.0, *_known([limit]), *_known(value for point in clean[known[len(known) // 2] :] for value in point)]
    said = {0.0: "0"} | ({limit: f"limit {gap(limit, unit)}"} if limit is not None else {})
    canvas = _Canvas(min(shown), max(shown), said, unit)
    marks = _BLOCKS if blocks else _ASCII
    columns = [_share(clean, column, canvas.cells) for column in range(canvas.cells)]
    for column, share in enumerate(columns):
        canvas.fill(column, [end for point in share for end in canvas.ends(point)], marks.band)
    canvas.rule(0.0, marks.nought)
    if limit is not None:
        canvas.rule(limit, marks.limit)
    for column, share in enumerate(columns):
        canvas.fill(column, _known(middle for _, middle, _ in share), marks.line)
    return [
        f"{label} {marks.margin}{''.join(row)}".rstrip() for label, row in zip(canvas.labels, canvas.rows, strict=True)
    ]


class _Canvas:
    """Cells between two values, and labels of one width for its rows."""

    def __init__(self, low: float, high: float, said: Mapping[float, str], unit: str) -> None:
        self.low, self.high = (low, high) if low < high else (low - 1, high + 1)
        labels = {0: gap(self.high, unit), HEIGHT - 1: gap(self.low, unit)}
        labels |= {self.row(value): label for value, label in said.items()}
        width = max(map(len, labels.values()))
        self.labels = [f"{labels.get(y, ''):>{width}}" for y in range(HEIGHT)]
        self.cells = min(WIDTH, max(LINE - width - 2, FEWEST))
        self.rows = [[" "] * self.cells for _ in range(HEIGHT)]

    def row(self, value: float) -> int:
        place = (self.high - min(max(value, self.low), self.high)) / (self.high - self.low)
        return round(place * (HEIGHT - 1))

    def fill(self, column: int, values: Sequence[float], char: str) -> None:
        """From the least to the greatest of `values`."""
        rows = [self.row(value) for value in values]
        for y in range(min(rows, default=0), max(rows, default=-1) + 1):
            self.rows[y][column] = char

    def rule(self, value: float, char: str) -> None:
        self.rows[self.row(value)] = [char] * self.cells

    def ends(self, point: Bound) -> list[float]:
        """Of a point's bounds; an end that is not bounded is at the edge."""
        low, _, high = point
        if low is None and high is None:
            return []
        return [self.low if low is None else low, self.high if high is None else high]


def _share(points: Sequence[Bound], column: int, columns: int) -> Sequence[Bound]:
    """The points that a column stands for: where they are few, a point has many columns."""
    first = column * len(points) // columns
    return points[first : max((column + 1) * len(points) // columns, first + 1)]


def _clean(point: Bound | None) -> Bound:
    low, middle, high = point if point is not None else (None, None, None)
    return _finite(low), _finite(middle), _finite(high)


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) <= HUGE else None


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
