"""The head of a service's page beside its lane: why there is no news, and which pane is chosen. Pure."""

from dataclasses import dataclass

from pipeline.view import ServiceView
from tui.service_lane import INDENT, legend
from tui.widgets.pane import Look, ends, folded
from tui.widgets.runs import Runs, length
from tui.words import harmless, span

TABS = ("metrics", "hosts", "gates", "timeline")
FEW_CHARTS = 4
"""Metrics that are shown at once where one pane is."""


@dataclass(frozen=True, slots=True)
class Tabs:
    chosen: str
    first_metric: int
    """The first one that is shown, from 0."""
    bounds: bool
    """Whether differences with their bounds are drawn, not values."""


def said_lines(said: str, age_s: float | None, width: int, look: Look, *, most: int) -> tuple[Runs, ...]:
    """Why there are no news, and how old what is shown is, if anything is; on at most `most` lines."""
    age = f", shown as of {span(age_s)} ago" if age_s is not None else ""
    runs: Runs = ((harmless(f" {said}{age}"), look.palette.warn),)
    return folded(runs, width, width, indent=INDENT, most=most, more=look.glyphs.more)


def tab_line(view: ServiceView | None, tabs: Tabs, width: int, look: Look) -> Runs:
    """` [1 Metrics] 2 Hosts  3 Gates  4 Timeline  m 1-4/6`, with what the chart's marks are at the right."""
    palette = look.palette
    left: Runs = ((" ", palette.plain),)
    for number, tab in enumerate(TABS, 1):
        text = f"{number} {tab.capitalize()}"
        left = (*left, (f"[{text}]", palette.key) if tab == tabs.chosen else (f" {text} ", palette.dim))
    if view is None or tabs.chosen != "metrics":
        # beside the charts what their marks are matters more
        return (*left, (" 5 Readiness ", palette.dim))
    if len(view.panes) > FEW_CHARTS:
        last = min(tabs.first_metric + FEW_CHARTS, len(view.panes))
        left = (*left, (f" m {tabs.first_metric + 1}-{last}/{len(view.panes)}", palette.dim))
    left = (*left, (f" b {'values' if tabs.bounds else 'bounds'}", palette.dim))
    drawn = legend(view, look, width - length(left) - 2, bounds=tabs.bounds)
    return ends(left, drawn, width, look.glyphs.more)
