"""What stands in the panes of a service's page, as plain values: metrics, events.

Each function gives a `Sheet` for an inside of `width` cells; a `Pane` places it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich.style import Style

from pipeline.events import Event
from pipeline.view import MetricPane, ServiceView
from tui.widgets.chart import ASCII, BRAILLE, COLOURLESS, Axis, Ink, Pen, Row, Series, chart
from tui.widgets.pane import Look, Sheet
from tui.widgets.runs import Runs
from tui.words import fit, hms, span, verdict

DAY = timedelta(days=1)


def pen(look: Look) -> Pen:
    """Without a background of its own the band needs a mark."""
    if look.glyphs.box.horizontal == "-":
        return ASCII
    return BRAILLE if look.palette.band.bgcolor else COLOURLESS


def inked(rows: Sequence[Row], look: Look, *, stale: bool) -> tuple[Runs, ...]:
    """A chart's rows in the palette's styles."""
    palette = look.palette
    dots = palette.stale if stale else palette.strong
    inks: dict[Ink, Style] = {
        Ink.NOTHING: Style.null(),
        Ink.BAND: palette.band if palette.band.bgcolor else palette.dim,
        Ink.CANARY: dots,
        Ink.BOTH: dots + palette.band,
        Ink.LABEL: palette.dim,
        Ink.ZERO: palette.dim,
        Ink.ZERO_BAND: palette.dim + palette.band,
        Ink.LIMIT: palette.warn,
        Ink.LIMIT_BAND: palette.warn + palette.band,
    }
    return tuple(tuple((text, inks[ink]) for text, ink in row) for row in rows)


def metric_sheet(
    pane: MetricPane, line: Series, scale: Axis | None, size: tuple[int, int], look: Look, *, stale: bool
) -> Sheet:
    """A chart; its border says the difference, the limit and the verdict."""
    palette = look.palette
    body = inked(chart(line, *size, scale, pen(look), unit=pane.unit), look, stale=stale)
    parts = [pane.difference, f"limit {pane.limit}" if pane.limit else ""]
    foot: Runs = (("  ".join(filter(None, parts)), palette.plain),) if any(parts) else ()
    if pane.verdict is not None:
        foot = (*foot, ("  " if foot else "", palette.plain), (verdict(pane.verdict), palette.verdict(pane.verdict)))
    else:
        foot = (*foot, ("  not judged" if foot else "not judged", palette.dim))
    covers = f"last {span(pane.step_s * len(pane.canary))}" if pane.canary else ""
    return Sheet(((pane.title, palette.strong), (f"  {covers}" if covers else "", palette.dim)), body, foot)


def timeline_sheet(view: ServiceView, width: int, look: Look) -> Sheet:
    return Sheet(numbered("timeline", 4, look), _events(view.timeline, view.at, width, look), ())


def decision_sheet(view: ServiceView, width: int, look: Look) -> Sheet:
    title: Runs = (("log of decisions (why)", look.palette.strong),)
    return Sheet(title, _events(view.decisions, view.at, width, look), (("e explain", look.palette.dim),))


def _events(events: Sequence[Event], at: datetime, width: int, look: Look) -> tuple[Runs, ...]:
    palette = look.palette
    if not events:
        return (((" nothing yet", palette.dim),),)
    return tuple(
        (
            (f" {when(event.at, at)} ", palette.dim),
            (f"{fit(event.action, 8, look.glyphs.more)} ", palette.plain),
            (fit(_said(event), max(width - 20, 0), look.glyphs.more).rstrip(), palette.plain),
        )
        for event in events
    )


def _said(event: Event) -> str:
    return event.detail if event.who.name == "auto" else f"{event.detail} by {event.who.name}"


def when(moment: datetime, now: datetime) -> str:
    """Eight characters: the time if it is within a day of `now`, else the date; UTC."""
    if abs(now - moment) < DAY:
        return hms(moment)
    return moment.astimezone(UTC).strftime("%y-%m-%d")


def numbered(name: str, number: int, look: Look) -> Runs:
    """A pane's title, with the key that leads to it."""
    return ((name, look.palette.strong), (f"  {number}", look.palette.key))


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` characters, broken at blanks where there are some."""
    lines: list[str] = []
    rest = text
    while len(rest) > width:
        at = rest.rfind(" ", 1, width + 1)
        at = at if at > 0 else width
        lines.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*lines, rest]
