"""A metric's pane while differences are shown: the canary less its control, with bounds, limit and evidence."""

from pipeline.judge.wording import READ_OFF, evidence, is_read_off
from pipeline.view import MetricPane
from tui.service_sheets import inked, pen
from tui.widgets.bounds import bounds_chart
from tui.widgets.chart import Axis, Series
from tui.widgets.pane import Look, Sheet
from tui.widgets.runs import Runs
from tui.words import bounds, difference, span, verdict

EDGES = 4
"""Cells of a frame's edge beside its text, inside the corners."""


def bounds_sheet(
    pane: MetricPane, line: Series, scale: Axis | None, size: tuple[int, int], look: Look, *, stale: bool
) -> Sheet:
    """Above the chart the evidence, below it the newest bounds; what there is no room for is left out.

    Of a quantile the chart is labelled as read off buckets, and below it stands what was counted first.
    """
    palette = look.palette
    rows = bounds_chart(line, *size, scale, pen(look), unit=pane.unit, limit=pane.limit_at)
    room = size[0] - EDGES
    word = verdict(pane.verdict) if pane.verdict is not None else "not judged"
    numbers = longest(_numbers(pane), room - len(word) - 2)
    foot: Runs = ((numbers, palette.plain), (f"  {word}" if numbers else word, palette.verdict(pane.verdict)))
    said = f"  evidence {evidence(pane.evidence, '')}" if pane.verdict is not None else ""
    covers = f"  last {span(pane.step_s * len(pane.canary))}" if pane.canary else ""
    heads: tuple[str, ...] = (f"{said}{covers}", said)
    if is_read_off(pane.difference):
        heads = (*(f"  {READ_OFF}{head}" for head in heads), f"  {READ_OFF}", "  buckets")
    beside = longest(heads, room - len(pane.title))
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
    if not limit and pane.limit:
        limit = f"limit {pane.limit}"
    if point is None:
        return (limit,)
    low, effect, high = point
    said = difference(effect, pane.unit)
    both = f"{said} {bounds(low, high, pane.unit, said)}" if (low, high) != (None, None) else f"{said} no bounds yet"
    if is_read_off(pane.difference):
        counted = f"{pane.difference}  limit {pane.limit}" if pane.limit else pane.difference
        return (f"{counted}  {READ_OFF} {both}", counted, pane.difference)
    return tuple("  ".join(filter(None, parts)) for parts in ((both, limit), (both,), (said, limit), (said,)))
