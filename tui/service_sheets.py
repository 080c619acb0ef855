"""What stands in the panes of a service's page, as plain values: metrics, gates, hosts, events.

Each function gives a `Sheet` for an inside of `width` cells; a `Pane` places it.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

from rich.style import Style

from pipeline.events import Event
from pipeline.gates import Answer, Gate
from pipeline.model import Track
from pipeline.view import HostLine, Mark, MetricPane, ServiceView
from tui.widgets.chart import ASCII, BRAILLE, COLOURLESS, Axis, Ink, Pen, Row, Series, chart
from tui.widgets.pane import Look, Sheet
from tui.widgets.runs import Runs, length
from tui.words import fit, hms, span, verdict

CANARY, BASELINE, STAGING, PRODUCTION = "C", "B", "S", "."
_TRACKS = {Track.CANARY: CANARY, Track.BASELINE: BASELINE, Track.STAGING: STAGING, Track.PRODUCTION: PRODUCTION}
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


def gate_sheet(view: ServiceView, width: int, look: Look, *, whole: bool) -> Sheet:
    """A gate a line: mark, name, why, until; `whole` says everything of those that are closed, wrapped."""
    palette = look.palette
    name_width = min(max((len(gate.name) for gate in view.gates), default=0), width // 2 if whole else 20)
    body: list[Runs] = []
    for gate in view.gates:
        style = palette.answers[gate.answer]
        head = f" {look.glyphs.answers[gate.answer]} {fit(gate.name, name_width, look.glyphs.more)} "
        room = width - len(head)
        said = until(gate, view.at)
        if not whole:
            text = f"{said}: {gate.why}" if said and gate.answer is not Answer.PASS else gate.why
            body.append(((head, style), (fit(text, max(room, 0), look.glyphs.more), palette.plain)))
            continue
        texts = [gate.why or "no reason given"]
        if gate.answer is not Answer.PASS:
            texts += [said, f"since {when(gate.since, view.at)}" if gate.since else ""]
            texts.append(f"lifts: {gate.lifts}" if gate.lifts else "")
        lines = [line for text in texts if text for line in wrapped(text, max(room - 1, 10))]
        body.append(((head, style), (lines[0], palette.plain)))
        body += [((" " * len(head), palette.plain), (line, palette.dim)) for line in lines[1:]]
    if not body:
        body.append(((" no gates: nothing is on its way", palette.dim),))
    return Sheet(_numbered("gates", 3, look), tuple(body), ((counted(view.gates), palette.plain),))


def counted(gates: Iterable[Gate]) -> str:
    """As in "6 pass, 1 hold": every answer that there is, the closed ones never left out."""
    answers = [gate.answer for gate in gates]
    return ", ".join(f"{answers.count(answer)} {answer.value}" for answer in Answer if answer in answers) or "none"


def until(gate: Gate, at: datetime) -> str:
    return f"until {when(gate.until, at)}" if gate.until is not None else ""


def host_mark(host: HostLine, look: Look) -> tuple[str, Style]:
    """A host in one cell: what it is while it is well, else what is wrong with it."""
    if host.mark is Mark.GOOD:
        style = look.palette.move if host.track is not Track.PRODUCTION else look.palette.dim
        return _TRACKS[host.track], style
    return look.glyphs.marks[host.mark], look.palette.marks[host.mark]


def host_sheet(view: ServiceView, width: int, look: Look, *, whole: bool) -> Sheet:
    """Hosts by datacenter, a cell each; `whole` adds a line for each, those with trouble first."""
    palette = look.palette
    marks = look.glyphs.marks
    title = _numbered("hosts", 2, look)
    legends = (
        f"C canary  . prod  {marks[Mark.BAD]} down",
        f"{marks[Mark.UNKNOWN]} unknown",
        f"{marks[Mark.RUNNING]} deploying",
    )
    for legend in legends:
        if length(title) + len(legend) + 2 <= width - 4:
            title = (*title, (f"  {legend}", palette.dim))
    body = [line for name, hosts in datacenters(view.hosts) for line in _datacenter(name, hosts, width, look)]
    if whole:
        trouble = [host for host in view.hosts if host.mark is not Mark.GOOD]
        well = [host for host in view.hosts if host.mark is Mark.GOOD]
        body.append(())
        body += [_host(host, look) for host in (*trouble, *well)]
    if not view.hosts:
        body = [((" no hosts are known", palette.dim),)]
    return Sheet(title, tuple(body), ((tally(view.hosts), palette.plain),))


def datacenters(hosts: Iterable[HostLine]) -> list[tuple[str, list[HostLine]]]:
    """Production's hosts by datacenter, staging's last, each in their own order."""
    serving = sorted((host for host in hosts if host.track is not Track.STAGING), key=lambda host: host.datacenter)
    staging = [host for host in hosts if host.track is Track.STAGING]
    groups = [(name or "?", list(group)) for name, group in groupby(serving, key=lambda host: host.datacenter)]
    return [*groups, ("staging", staging)] if staging else groups


def _datacenter(name: str, hosts: Sequence[HostLine], width: int, look: Look) -> list[Runs]:
    canaries = sum(host.track is Track.CANARY for host in hosts)
    count = f"{canaries}c" if canaries else ""
    head = f" {fit(name, 7, look.glyphs.more)} {len(hosts):>3} {count:<4}"
    room = max(width - len(head) - 1, 8)
    cells = [host_mark(host, look) for host in hosts]
    return [
        (((head if not at else " " * len(head)), look.palette.plain), *_joined(cells[at : at + room]))
        for at in range(0, len(cells), room)
    ]


def _joined(cells: Sequence[tuple[str, Style]]) -> Runs:
    return tuple(
        ("".join(text for text, _ in group), style)
        for style, group in ((style, list(group)) for style, group in groupby(cells, key=lambda cell: cell[1]))
    )


def _host(host: HostLine, look: Look) -> Runs:
    palette = look.palette
    style = palette.marks[host.mark]
    where = f"{fit(host.name, 20, look.glyphs.more)} {fit(host.datacenter, 8, look.glyphs.more)} "
    runs = f"{fit(host.track.value, 10)} {fit(host.revision or '?', 14, look.glyphs.more)} "
    return ((f" {look.glyphs.marks[host.mark]} ", style), (where + runs, palette.plain), (host.detail, style))


def tally(hosts: Sequence[HostLine]) -> str:
    """As in "171 hosts, 12 canary, 1 down": staging's are not among them; what is unknown is said to be."""
    serving = [host for host in hosts if host.track is not Track.STAGING]
    parts = [f"{len(serving)} hosts"]
    counts = (
        (sum(host.track is Track.CANARY for host in serving), "canary"),
        (sum(host.track is Track.BASELINE for host in serving), "baseline"),
        (sum(host.mark is Mark.RUNNING for host in serving), "deploying"),
        (sum(host.mark is Mark.BAD for host in serving), "down"),
        (sum(host.mark in (Mark.UNKNOWN, Mark.NONE) for host in serving), "unknown"),
    )
    return ", ".join([*parts, *(f"{count} {word}" for count, word in counts if count)])


def timeline_sheet(view: ServiceView, width: int, look: Look) -> Sheet:
    return Sheet(_numbered("timeline", 4, look), _events(view.timeline, view.at, width, look), ())


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


def _numbered(name: str, number: int, look: Look) -> Runs:
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
