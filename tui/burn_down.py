"""What was left of a budget over its window: a chart with the ideal line, outages and releases below it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.style import Style

from pipeline.events import Event
from pipeline.slo.report import Outage, SloReport
from tui.budget_words import stamp
from tui.service_sheets import inked, pen
from tui.widgets.chart import Axis, Ink, Points, Series, axis, plot, rows_down, runs_of, says
from tui.widgets.pane import Look, ends
from tui.widgets.runs import Run, Runs
from tui.words import UNKNOWN, fit, percent

POINTS = 64
"""As many as a chart of them fills from edge to edge."""
LEVELS = "_.-~"
"""A line of one row without braille, lowest first."""
SPARKS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
SIDE = 6
"""Cells of the scale beside the curve."""
LEGEND_FROM = 4
"""From more lines than these on there is one for the legend."""
LEGENDS = (
    "x down  o down, not charged  ^ release  v rollback  ... spent  band: spent evenly",
    "x down  o not charged  ^ release  v rollback  band: spent evenly",
    "x down o uncharged ^ release v rollback",
    "x o down ^ release v back",
)
BRIEF = " x/o down ^release v back"
"""Beside a line of one row."""
RELEASES = frozenset({"settled", "rollback"})


@dataclass(frozen=True, slots=True)
class BurnDown:
    """Of one objective, with what happened meanwhile."""

    slo: SloReport
    outages: tuple[Outage, ...]
    releases: tuple[Event, ...]
    at: datetime

    @property
    def start(self) -> datetime:
        return self.slo.burn_down[0][0] if self.slo.burn_down else self.slo.rolling.start

    @property
    def end(self) -> datetime:
        return max(self.slo.rolling.end, self.start + timedelta(seconds=1))


def even(down: BurnDown) -> Points:
    """What was left at `POINTS` moments, evenly apart; a gap stays a gap."""
    told = down.slo.burn_down
    if not told:
        return ()
    step = (down.end - down.start) / (POINTS - 1)
    points: list[float | None] = []
    at = 0
    for n in range(POINTS):
        while at + 1 < len(told) and told[at + 1][0] <= down.start + n * step:
            at += 1
        points.append(told[at][1])
    return tuple(points)


def lines_of(down: BurnDown) -> tuple[Series, Axis | None]:
    """The line, and as its band the ideal one: all that is left is spent evenly over the window."""
    points = even(down)
    ideal = tuple(1 - n / (POINTS - 1) for n in range(len(points)))
    series = Series(points, ideal, ideal)
    return series, axis(series) if any(point is not None for point in points) else None


def burn_down(down: BurnDown, width: int, height: int, look: Look) -> tuple[Runs, ...]:
    """`height` lines: the chart, a row of marks, the dates and, where there is room, what the marks mean."""
    dim = look.palette.dim
    side = SIDE if width > 2 * SIDE else 0
    beside: Run = (" " * side, look.palette.plain)
    room = width - side
    below: list[Runs] = [(beside, *happened(down, room, look))]
    first: Runs = ((stamp(down.start, down.at), dim),)
    below.append((beside, *ends(first, (("now", dim),), room, look.glyphs.more)))
    if height > LEGEND_FROM:
        below.append(((legend(width), dim),))
    return (*_drawn(down, room, max(height - len(below), 1), side, look), *below)


def legend(width: int) -> str:
    """Whole, in the longest wording that there is room for."""
    return next((said for said in LEGENDS if len(said) <= width), LEGENDS[-1][:width])


def _drawn(down: BurnDown, width: int, height: int, side: int, look: Look) -> tuple[Runs, ...]:
    """The curve with its scale beside it, and a dotted line where the budget is spent."""
    series, scale = lines_of(down)
    blank: Run = (" " * side, look.palette.plain)
    if scale is None:
        return tuple((blank, *line) for line in inked(says("no data", width, height), look, stale=False))
    to_row = rows_down(scale, height)
    labels = {to_row(value): percent(value) for value in (scale.low, scale.high, 0.0)}
    rows = plot(series, width, height, scale, pen(look))
    rows[to_row(0.0)] = _spent_line(*rows[to_row(0.0)], look)
    drawn = inked([runs_of(*row) for row in rows], look, stale=False)
    head: list[Run] = [(fit(labels.get(y, ""), max(side - 1, 0), right=True) + " " * min(side, 1), look.palette.dim)
                       for y in range(height)]  # fmt: skip
    return tuple((label, *line) for label, line in zip(head, drawn, strict=True))


def _spent_line(text: str, inks: list[Ink], look: Look) -> tuple[str, list[Ink]]:
    """The row of 0 % left, dotted behind the curve."""
    dot = "\u00b7" if pen(look).braille else "."
    kept = (Ink.CANARY, Ink.BOTH)
    chars = [char if ink in kept else dot for char, ink in zip(text, inks, strict=True)]
    return "".join(chars), [ink if ink in kept else Ink.ZERO_BAND if ink is Ink.BAND else Ink.ZERO for ink in inks]


def one_line(down: BurnDown, width: int, look: Look) -> tuple[Runs, Runs]:
    """` 30d left  100%|~~~~-____| -178% now`, and below it what happened."""
    palette = look.palette
    points = even(down)
    first = next((point for point in points if point is not None), None)
    window = down.slo.rolling.label.removeprefix("rolling ")
    key = BRIEF if width >= 3 * len(BRIEF) else ""
    name = f" {window} left"
    lead = f"{name}{percent(first):>{max(len(key) - len(name), 6)}}|"
    left = down.slo.rolling.left
    tail = f"| {percent(left)} now"
    room = max(width - len(lead) - len(tail), 1)
    drawn = "".join(_cells(down, room, look))
    above: Runs = ((lead, palette.dim), (drawn, palette.strong), (tail, palette.dim))
    named: Runs = ((key.ljust(len(lead) - 1) + "|", palette.dim),)
    return above, (*named, *happened(down, room, look), ("|", palette.dim))


def _cells(down: BurnDown, width: int, look: Look) -> list[str]:
    series, scale = lines_of(down)
    if scale is None:
        return [fit("no data", width)]
    if pen(look).braille:
        return [text for text, _ in plot(Series(series.canary, (), ()), width, 1, scale, pen(look))]
    room = scale.high - scale.low
    cells = []
    for x in range(width):
        value = series.canary[x * len(series.canary) // width]
        level = 0 if value is None else int((value - scale.low) / room * len(LEVELS))
        cells.append(" " if value is None else LEVELS[min(level, len(LEVELS) - 1)])
    return cells


def trend(points: Sequence[float | None], look: Look) -> str:
    """What was left, a cell a point, from nothing to all of it; blank where it is not known."""
    levels = SPARKS if pen(look).braille else LEVELS
    return "".join(
        " " if left is None else levels[min(int(min(max(left, 0.0), 1.0) * len(levels)), len(levels) - 1)]
        for left in points
    )


def happened(down: BurnDown, width: int, look: Look) -> Runs:
    """Marks under the chart: `x` down (`o` not charged), `^` a release, `v` a rollback."""
    palette = look.palette
    cells: list[tuple[str, Style]] = [(" ", palette.plain)] * width
    for event in down.releases:
        x = _column(event.at, down, width)
        if x is not None and cells[x][0] != "v":
            cells[x] = ("^", palette.move) if event.action == "settled" else ("v", palette.warn)
    for outage in down.outages:
        ends_at = down.end if outage.open else outage.end
        if ends_at <= down.start or outage.start > down.end:
            continue
        first, last = (_column(max(min(at, down.end), down.start), down, width) for at in (outage.start, ends_at))
        for x in range(first or 0, (last or 0) + 1):
            if cells[x][0] != "x":
                cells[x] = ("o", palette.dim) if outage.excluded else ("x", palette.fail)
    return tuple(cells)


def _column(at: datetime, down: BurnDown, width: int) -> int | None:
    share = (at - down.start) / (down.end - down.start)
    return min(int(share * width), width - 1) if 0 <= share <= 1 else None


def only_releases(events: Sequence[Event]) -> tuple[Event, ...]:
    """Those that settled or went back, newest first."""
    return tuple(event for event in events if event.action in RELEASES)


def scale_note(slo: SloReport) -> str:
    """What the line is of: "availability 99.95 % by slices, rolling 30d"."""
    return f"{slo.name} {slo.target or UNKNOWN} % by {slo.count}, {slo.rolling.label}"
