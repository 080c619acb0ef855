"""A service on one line, at 80 and at 120 columns: `Columns.of(width)` lays out, `draw` and `head` fill. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from rich.cells import cell_len
from rich.style import Style

from pipeline.view import Deploy, ServiceRow, StageCell, State
from tui.budget_words import deploy_tone
from tui.marks import letter, shown_state
from tui.status import WIDE
from tui.theme import Palette
from tui.widgets.pane import Look
from tui.widgets.runs import Run, Runs
from tui.words import budget, fit, metric, span, stage, verdict


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    width: int
    """With the blank that follows it."""
    draw: Callable[[ServiceRow, int, Look], Run]
    right: bool = False
    grows: int = 0
    """Cells that it may have more where the terminal is wider than drawn for."""


def _stage(
    pick: Callable[[ServiceRow], StageCell], *, counts: bool, marked: bool
) -> Callable[[ServiceRow, int, Look], Run]:
    def draw(row: ServiceRow, width: int, look: Look) -> Run:
        cell = pick(row)
        text = stage(cell, look.glyphs, counts=counts, marked=marked)
        style = look.palette.dim if not cell.revision else _value(row, look)
        if cell_len(text) > width - 1 and cell.share is not None:
            # the share says what the counts say
            text = stage(cell, look.glyphs)
        tail = text.removeprefix(cell.revision)
        room = width - 1 - cell_len(tail)
        if tail and 0 < room < cell_len(cell.revision):
            text = fit(cell.revision, room, look.glyphs.more) + tail
        return fit(text, width - 1, look.glyphs.more) + " ", style

    return draw


def _value(row: ServiceRow, look: Look) -> Style:
    return look.palette.stale if row.state is State.STALE else look.palette.plain


def _name(row: ServiceRow, width: int, look: Look) -> Run:
    """With a letter behind it while it is marked (`tui.marks`)."""
    style = look.palette.strong if row.release else look.palette.plain
    flag = letter(row)
    if not flag:
        return fit(row.name, width - 1, look.glyphs.more) + " ", style
    said = f"{fit(row.name, width - 3, look.glyphs.more)} {flag} "
    return said, look.palette.alarm if row.glass or row.security_fix else look.palette.fail


def _team(row: ServiceRow, width: int, look: Look) -> Run:
    return fit(row.team, width - 1, look.glyphs.more) + " ", look.palette.dim


def _tier(row: ServiceRow, width: int, look: Look) -> Run:
    return fit(str(row.tier), width), look.palette.dim


def _state(row: ServiceRow, width: int, look: Look) -> Run:
    return fit(row.state, width), look.palette.of(row)


def _verdict(row: ServiceRow, width: int, look: Look) -> Run:
    """With a `!` behind it while alerts fire about the service, whatever the judge says."""
    text = fit(verdict(row.verdict), width - 2) + ("! " if row.alerts else "  ")
    return text, look.palette.warn if row.alerts and row.verdict is None else look.palette.verdict(row.verdict)


def _budget(row: ServiceRow, width: int, look: Look) -> Run:
    left = row.budget.left
    colors = look.palette
    style = colors.dim if left is None else colors.block if left <= 0 else colors.warn if left < 0.25 else colors.plain
    if row.budget.deploy in (Deploy.BLOCKED, Deploy.HOLD):
        style = deploy_tone(row.budget.deploy, colors)
    return budget(row.budget, width, look.glyphs), style


def _p99(row: ServiceRow, width: int, look: Look) -> Run:
    return fit(metric(row.p99_s, "s"), width, look.glyphs.more, right=True), _value(row, look)


def _errors(row: ServiceRow, width: int, look: Look) -> Run:
    return fit(metric(row.error_ratio, "ratio"), width, look.glyphs.more, right=True), _value(row, look)


def _wait(row: ServiceRow, width: int, look: Look) -> Run:
    seconds = row.age_s if row.wait_s is None else row.wait_s
    style = look.palette.plain if row.wait_s is not None else look.palette.dim
    return fit(span(seconds), width, right=True), style


NARROW = (
    Column("SERVICE", 14, _name, grows=16),
    Column("STAGING", 9, _stage(lambda row: row.staging, counts=False, marked=True), grows=6),
    Column("CANARY", 10, _stage(lambda row: row.canary, counts=False, marked=False), grows=6),
    Column("PROD", 10, _stage(lambda row: row.production, counts=False, marked=False), grows=6),
    Column("STATE", 7, _state),
    Column("VERDICT", 8, _verdict),
    Column("BUDGET", 11, _budget),
    Column("T-", 5, _wait, right=True),
)
BROAD = (
    Column("SERVICE", 16, _name, grows=16),
    Column("TEAM", 6, _team),
    Column("TIER", 5, _tier),
    Column("STAGING", 10, _stage(lambda row: row.staging, counts=True, marked=True), grows=10),
    Column("CANARY", 16, _stage(lambda row: row.canary, counts=True, marked=False), grows=10),
    Column("PROD", 10, _stage(lambda row: row.production, counts=False, marked=False), grows=10),
    Column("STATE", 7, _state),
    Column("VERDICT", 8, _verdict),
    Column("BUDGET", 14, _budget),
    Column("P99", 7, _p99, right=True),
    Column("ERR", 7, _errors, right=True),
    Column("T-", 6, _wait, right=True),
)
MARGIN = 3
"""The cursor, the mark, a blank."""


@lru_cache(8)
def columns(width: int) -> tuple[Column, ...]:
    """What is shown at this width, with what is spare given to names and revisions."""
    wide = width >= WIDE
    spare = width - (WIDE if wide else 80)
    laid = []
    for column in BROAD if wide else NARROW:
        more = max(min(column.grows, spare), 0)
        spare -= more
        laid.append(replace(column, width=column.width + more))
    return tuple(laid)


def head(width: int, window: str, palette: Palette) -> Runs:
    """The line of titles; `window` is all error budgets' ("30d"), or ""."""
    text = " " * MARGIN
    for column in columns(width):
        title = f"BUDGET {window}" if column.title == "BUDGET" else column.title
        text += title.rjust(column.width) if column.right else fit(title, column.width)
    return ((text, palette.dim),)


def _sign(row: ServiceRow, look: Look) -> Run:
    state = shown_state(row)
    if state is row.state:
        return look.glyphs.of(row) + " ", look.palette.of(row)
    return look.glyphs.states[state] + " ", look.palette.states[state]


def draw(row: ServiceRow, width: int, selected: bool, look: Look) -> Runs:
    cursor = look.glyphs.cursor if selected else " "
    runs: list[Run] = [(cursor, look.palette.key), _sign(row, look)]
    runs += [column.draw(row, column.width, look) for column in columns(width)]
    return tuple(runs)
