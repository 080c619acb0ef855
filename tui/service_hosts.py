"""The hosts of a service in its pane: a cell each by datacenter, and a line for those that are not well. Pure."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.cells import cell_len
from rich.style import Style

from pipeline.model import Track
from pipeline.view import HostLine, Mark, ServiceView
from tui.service_sheets import numbered, wrapped
from tui.widgets.pane import Look, Sheet, crop
from tui.widgets.runs import Runs, length
from tui.words import fit, harmless

CANARY, BASELINE, STAGING, PRODUCTION = "C", "B", "S", "."
_TRACKS = {Track.CANARY: CANARY, Track.BASELINE: BASELINE, Track.STAGING: STAGING, Track.PRODUCTION: PRODUCTION}
PLACE, WIDEST_PLACE = 7, 16
"""Cells of a datacenter's name, at least and at most."""
INDENT = 5
"""Of a reason below its host."""


def host_mark(host: HostLine, look: Look) -> tuple[str, Style]:
    """A host in one cell: what it is while it is well, else what is wrong with it."""
    if host.mark is Mark.GOOD:
        style = look.palette.move if host.track is not Track.PRODUCTION else look.palette.dim
        return _TRACKS[host.track], style
    return look.glyphs.marks[host.mark], look.palette.marks[host.mark]


def host_sheet(view: ServiceView, width: int, look: Look, *, whole: bool) -> Sheet:
    """Hosts by datacenter, a cell each; below, a line and the reason of those with trouble; `whole` lists all."""
    palette = look.palette
    marks = look.glyphs.marks
    title = numbered("hosts", 2, look)
    legends = (
        f"C canary  . prod  {marks[Mark.BAD]} down",
        f"{marks[Mark.UNKNOWN]} unknown",
        f"{marks[Mark.RUNNING]} deploying",
    )
    for legend in legends:
        if length(title) + len(legend) + 2 <= width - 4:
            title = (*title, (f"  {legend}", palette.dim))
    groups = datacenters(view.hosts)
    place = min(max(PLACE, *(cell_len(name) for name, _ in groups)), WIDEST_PLACE) if groups else PLACE
    body = [line for name, hosts in groups for line in _datacenter(name, place, hosts, width, look)]
    listed = [host for host in view.hosts if host.mark is not Mark.GOOD]
    if whole:
        listed += [host for host in view.hosts if host.mark is Mark.GOOD]
        body.append(())
    body += _listed(listed, width, look, whole=whole)
    if not view.hosts:
        body = [((" no hosts are known", palette.dim),)]
    return Sheet(title, tuple(body), ((tally(view.hosts), palette.plain),))


def datacenters(hosts: Iterable[HostLine]) -> list[tuple[str, list[HostLine]]]:
    """Production's hosts by datacenter, staging's last, each in their own order."""
    serving = sorted((host for host in hosts if host.track is not Track.STAGING), key=lambda host: host.datacenter)
    staging = [host for host in hosts if host.track is Track.STAGING]
    groups = [(name or "?", list(group)) for name, group in groupby(serving, key=lambda host: host.datacenter)]
    return [*groups, ("staging", staging)] if staging else groups


def _datacenter(name: str, place: int, hosts: Sequence[HostLine], width: int, look: Look) -> list[Runs]:
    canaries = sum(host.track is Track.CANARY for host in hosts)
    count = f"{canaries}c" if canaries else ""
    head = f" {fit(name, place, look.glyphs.more)} {len(hosts):>3} {count:<4}"
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


def _listed(hosts: Sequence[HostLine], width: int, look: Look, *, whole: bool) -> list[Runs]:
    """A line a host, its columns as wide as what is in them; a reason that does not fit beside stands below."""
    rows = [_columns(host, whole=whole) for host in hosts]
    widths = _shared([max(map(cell_len, column)) for column in zip(*rows, strict=True)], width - 4)
    return [line for host, row in zip(hosts, rows, strict=True) for line in _host(host, row, widths, width, look)]


def _columns(host: HostLine, *, whole: bool) -> tuple[str, ...]:
    """The map beside has the datacenter where room is scarce."""
    place = (host.datacenter,) if whole else ()
    return tuple(harmless(text) for text in (host.name, *place, host.track.value, host.revision or "?"))


def _shared(wanted: list[int], room: int) -> list[int]:
    """Each column as wide as it wants; where all together are too wide, the widest give way."""
    widths = list(wanted)
    while widths and sum(widths) + len(widths) - 1 > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    return widths


def _host(host: HostLine, row: Sequence[str], widths: Sequence[int], width: int, look: Look) -> list[Runs]:
    palette, more = look.palette, look.glyphs.more
    style = palette.marks[host.mark]
    said = " ".join(fit(text, cells, more) for text, cells in zip(row, widths, strict=True))
    line: Runs = ((f" {look.glyphs.marks[host.mark]} ", style), (said, palette.plain))
    detail = harmless(host.detail)
    if not detail:
        return [line]
    if length(line) + 1 + cell_len(detail) <= width:
        return [(*line, (f" {detail}", style))]
    below = wrapped(detail, max(width - INDENT - 1, 10))
    return [line, *(crop(((" " * INDENT, palette.plain), (text, style)), width, more) for text in below)]


def tally(hosts: Sequence[HostLine]) -> str:
    """As in "171 hosts, 12 canary, 1 down": staging's are not among them; what is unknown is said to be."""
    serving = [host for host in hosts if host.track is not Track.STAGING]
    parts = [f"{len(serving)} host{'' if len(serving) == 1 else 's'}"]
    counts = (
        (sum(host.track is Track.CANARY for host in serving), "canary"),
        (sum(host.track is Track.BASELINE for host in serving), "baseline"),
        (sum(host.mark is Mark.RUNNING for host in serving), "deploying"),
        (sum(host.mark is Mark.BAD for host in serving), "down"),
        (sum(host.mark in (Mark.UNKNOWN, Mark.NONE) for host in serving), "unknown"),
    )
    return ", ".join([*parts, *(f"{count} {word}" for count, word in counts if count)])
