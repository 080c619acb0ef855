"""A metric's pane while differences are shown: the canary less its control, with bounds, limit and evidence."""

from pipeline.view import MetricPane
from tui.service_sheets import inked, pen
from tui.widgets.bounds import bounds_chart
from tui.widgets.chart import Axis, Series
from tui.widgets.pane import Look, Sheet
from tui.widgets.runs import Runs
from tui.words import bounds, difference, percent, span, verdict

EDGES = 4
"""Cells of a frame's edge beside its text, inside the corners."""


def bounds_sheet(
    pane: MetricPane, line: Series, scale: Axis | None, size: tuple[int, int], look: Look, *, stale: bool
) -> Sheet:
    """Above the chart the evidence, below it the newest bounds; what there is no room for is left out."""
    palette = look.palette
    rows = bounds_chart(line, *size, scale, pen(look), unit=pane.unit, limit=pane.limit_at)
    room = size[0] - EDGES
    word = verdict(pane.verdict) if pane.verdict is not None else "not judged"
    numbers = longest(_numbers(pane), room - len(word) - 2)
    foot: Runs = ((numbers, palette.plain), (f"  {word}" if numbers else word, palette.verdict(pane.verdict)))
    said = f"  evidence {percent(max(pane.evidence, 0.0))}" if pane.verdict is not None else ""
    covers = f"  last {span(pane.step_s * len(pane.canary))}" if pane.canary else ""
    beside = longest((f"{said}{covers}", said), room - len(pane.title))
    return Sheet(((pane.title, palette.strong), (beside, palette.dim)), inked(rows, look, stale=stale), foot)


def newest(pane: MetricPane) -> tuple[float | None, float, float | None] | None:
    """The last bounds that there are."""
    return next((point for point in reversed(pane.bounds) if point is not None), None)


def longest(texts: tuple[str, ...], room: int) -> str:
    """The first that fits, or ""."""
    return next((text for text in texts if len(text) <= room), "")


def _numbers(pane: MetricPane) -> tuple[str, ...]:
    """The longest first."""
    point = newest(pane)
    limit = f"limit {difference(pane.limit_at, pane.unit)}" if pane.limit_at is not None else ""
    if point is None:
        return (limit,)
    low, effect, high = point
    said = difference(effect, pane.unit)
    both = f"{said} {bounds(low, high, pane.unit, said)}"
    return tuple("  ".join(filter(None, parts)) for parts in ((both, limit), (both,), (said, limit), (said,)))
