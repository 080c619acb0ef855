"""How the bench prints what it measured."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Spread:
    """Some measurements of one thing, in one unit."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        return sorted(self.values)[min(round(0.95 * len(self.values)), len(self.values) - 1)]


def number(value: float) -> str:
    """Three digits that matter."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.3g}"


def ms(spread: Spread) -> str:
    return f"{number(1000 * spread.median)} / {number(1000 * spread.p95)}"


def times(mine: float, other: float) -> str:
    return f"{number(mine / other)} x" if other > 0 else "-"


def show(title: str, head: Row, rows: Sequence[Row], notes: Sequence[str] = ()) -> None:
    """The first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    print(f"\n{title}")
    for at, row in enumerate((head, *rows)):
        first, *rest = map(str.rjust, row, widths)
        cells = [first.strip().ljust(widths[0]), *rest]
        print("  " + "  ".join(cells).rstrip())
        if at == 0:
            print("  " + "-" * (sum(widths) + 2 * (len(widths) - 1)))
    for note in notes:
        print(f"  {note}")
