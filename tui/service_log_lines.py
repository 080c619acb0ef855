"""Hosts' logs as lines: a column's sheet, and the summary above both. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.logs import HostLog, LogLine, LogPage, merged, silent
from pipeline.model import Track
from tui.service_hosts import BASELINE, CANARY, PRODUCTION, STAGING
from tui.service_sheets import wrapped
from tui.widgets.pane import Look, Sheet, ends
from tui.widgets.runs import Runs
from tui.words import fit, hms, span

MARKS = {Track.CANARY: CANARY, Track.BASELINE: BASELINE, Track.STAGING: STAGING, Track.PRODUCTION: PRODUCTION}
SAME_ROWS = 3
"""So many equal rows are the same place of a log."""
NAME = 14
"""Cells for a host's name."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One column's logs, as they are looked at."""

    logs: tuple[HostLog, ...] = ()
    text: str = ""
    """Only lines that say this, their host or their track; "" is all."""
    wrap: bool = False
    waiting: str = ""
    """In place of lines while nobody has answered yet."""


def columns(page: LogPage) -> tuple[tuple[HostLog, ...], tuple[HostLog, ...]]:
    """(the canary's, the others')."""
    canary = tuple(log for log in page.hosts if log.track is Track.CANARY)
    return canary, tuple(log for log in page.hosts if log.track is not Track.CANARY)


def matching(lines: Sequence[LogLine], text: str) -> tuple[LogLine, ...]:
    wanted = text.lower()
    if not wanted:
        return tuple(lines)
    return tuple(line for line in lines if wanted in f"{line.track.value} {line.host} {line.text}".lower())


def log_sheet(name: str, shown: Shown, width: int, look: Look) -> Sheet:
    """All lines of a column, oldest first, each under its host; below them why other hosts have none."""
    palette = look.palette
    all_lines = merged(shown.logs)
    lines = matching(all_lines, shown.text)
    names = min(max((len(log.host) for log in shown.logs), default=0), NAME)
    body = [drawn for line in lines for drawn in _line(line, names, width, look, wrap=shown.wrap)]
    if all_lines and not lines:
        body.append(((f' none of {len(all_lines)} lines says "{shown.text}"; Esc shows all', palette.dim),))
    for why in silent(shown.logs):
        body += [((f" {part}", palette.warn),) for part in wrapped(why, max(width - 2, 10))]
    if not shown.logs:
        body.append(((f" {shown.waiting or f'no {name} host is there'}", palette.dim),))
    told = sum(bool(log.lines) for log in shown.logs)
    tracks = dict.fromkeys(log.track for log in shown.logs)
    title: Runs = ((name, palette.strong),)
    if len(tracks) > 1:
        title = (*title, *((f"  {MARKS[track]} {track.value}", palette.dim) for track in tracks))
    foot = f"{len(lines)} line{'' if len(lines) == 1 else 's'}, {told} of {len(shown.logs)} hosts" if shown.logs else ""
    return Sheet(title, tuple(body), ((foot, palette.dim),) if foot else ())


def _line(line: LogLine, names: int, width: int, look: Look, *, wrap: bool) -> list[Runs]:
    palette, more = look.palette, look.glyphs.more
    style = palette.move if line.track is Track.CANARY else palette.dim
    label = f"{MARKS[line.track]} {fit(line.host, names, more)} "
    when = f"{hms(line.at)} " if line.at is not None else ""
    # The journal says the host again, which the label has said.
    said = line.said.removeprefix(f"{line.host} ")
    room = max(width - len(label) - len(when), 8)
    parts = wrapped(said, room) if wrap else [said if len(said) <= room else fit(said, room, more)]
    first: Runs = ((label, style), (when, palette.dim), (parts[0], palette.plain))
    return [first, *(((" " * (len(label) + len(when)) + part, palette.plain),) for part in parts[1:])]


def kept_top(old: Sequence[Runs], new: Sequence[Runs], top: int) -> int:
    """Where in `new` the rows are that stood at `top` in `old`: older ones drop out as newer ones come."""
    rows = tuple(old[top : top + SAME_ROWS])
    if not rows:
        return top
    found = [at for at in range(len(new)) if tuple(new[at : at + len(rows)]) == rows]
    return min(found, key=lambda at: abs(at - top), default=top)


def summary(page: LogPage | None, text: str, said: str, age_s: float, width: int, look: Look) -> Runs:
    """` 3 canary, 8 other hosts  11 more not read  filter: none        read 2s ago`; `said` is what went wrong."""
    palette = look.palette
    if page is None:
        return ((fit(f" {said}", width, look.glyphs.more), palette.warn),)
    canary, others = columns(page)
    parts = [f"{len(canary)} canary, {len(others)} other hosts"]
    if page.left_out:
        parts.append(f"{page.left_out} more not read")
    parts.append(f"filter: {text or 'none'}")
    left: Runs = ((" " + "  ".join(parts), palette.plain),)
    if said:
        left = ((f" {said}", palette.warn),)
    return ends(left, ((f"read {span(age_s)} ago ", palette.warn if said else palette.dim),), width, look.glyphs.more)
