"""A service's budget on one line, and what stands over the lines. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from rich.style import Style

from pipeline.view import Budget, Deploy, ServiceRow
from tui.budget_order import LEAST_COVERAGE, RANK, ahead, known, mark
from tui.budget_words import gone_in, lasted, stamp, time_left, times, tone, used_pct
from tui.burn_down import trend
from tui.theme import Palette
from tui.widgets.pane import Look, crop, ends
from tui.widgets.runs import Run, Runs, length
from tui.words import UNKNOWN, bar, fit, harmless, many, percent

PCT = 5


@dataclass(frozen=True, slots=True)
class Board:
    """What the lines have in common."""

    at: datetime
    """When the controller made the view."""
    window: str
    """Of most budgets ("30d"); a line with another one says so."""
    mixed: bool = False
    """There are several windows."""
    extras: frozenset[str] = frozenset()
    """Titles of further columns that there is something to show in."""

    @staticmethod
    def of(rows: Sequence[ServiceRow], at: datetime) -> "Board":
        windows = Counter(row.budget.window for row in rows)
        window = windows.most_common(1)[0][0] if windows else ""
        there = frozenset(title for title, has in _HAS.items() if any(map(has, rows)))
        return Board(at, window, len(windows) > 1, there)


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    width: int
    draw: Callable[[ServiceRow, int, Board, Look], Runs]
    right: bool = False
    grows: int = 0


def _text(row: ServiceRow, look: Look) -> Style:
    return look.palette.plain if known(row.budget) else look.palette.dim


def _name(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    del board
    style = look.palette.strong if known(row.budget) else look.palette.dim
    return ((fit(row.name, width - 1, look.glyphs.more) + " ", style),)


def _target(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    del board
    return ((fit(row.budget.target or UNKNOWN, width, look.glyphs.more), _text(row, look)),)


def _left(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    its = row.budget
    said = time_left(its.left_s)
    if its.window != board.window:
        said = f"{said}/{its.window}"
    return ((fit(said, width, look.glyphs.more, right=True), tone(its, look.palette)),)


def _used(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    del board
    its, style = row.budget, tone(row.budget, look.palette)
    cells = width - 3 - PCT
    inside = fit("no data", cells) if its.left is None else bar(max(1 - its.left, 0.0), cells, look.glyphs)
    return ((f" [{inside}]" + fit(used_pct(its.left), PCT, right=True), style),)


def _burn(pick: Callable[[Budget], float | None]) -> Callable[[ServiceRow, int, Board, Look], Runs]:
    def draw(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
        del board
        firing = row.budget.alarm and known(row.budget)
        style = look.palette.warn if firing else _text(row, look)
        return ((fit(times(pick(row.budget)), width, right=True), style),)

    return draw


def _gone(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    del board
    return ((" " + fit(gone_in(row.budget), width - 1), _text(row, look)),)


def _deploy(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    its, palette = row.budget, look.palette
    if row.glass:
        return ((fit("BREAK-GLASS", min(width, 11)), palette.alarm), (" " * max(width - 11, 0), palette.plain))
    word = its.deploy.value
    tail = ahead((its.deploy_until - board.at).total_seconds()) if its.deploy_until else ""
    room = width - len(word) - 1
    if its.deploy is not Deploy.OK and width > 20:
        tail = f"{tail} {its.deploy_why}".strip()
    elif not tail and its.deploy_why:
        named = _named(its.deploy_why)
        tail = named if len(named) <= room else ""
    said = f"{word} {fit(tail, max(room, 0), look.glyphs.more)}" if tail else word
    style = tone(its, palette) if its.deploy in (Deploy.OK, Deploy.WARN) else _closed(its, palette)
    return ((fit(said, width), style),)


def _named(why: str) -> str:
    """The gate's name, "payback" of "payback: ..."; of a budget what it is about, "burn" of "budget: burn: ..."."""
    gate, *parts = why.split(": ")
    return parts[0] if gate == "budget" and len(parts) > 1 and " " not in parts[0] else gate.split(" ")[0]


def _closed(its: Budget, palette: Palette) -> Style:
    """A closed door stands out also where little is known."""
    shown = {Deploy.BLOCKED: palette.block, Deploy.HOLD: palette.warn}
    return shown.get(its.deploy, palette.dim)


def _count(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    del board
    return ((" " + fit(row.budget.count or UNKNOWN, width - 1), look.palette.dim),)


def _month(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    del board
    its = row.budget
    if its.month_used_s is None or its.month_quota_s is None:
        return ((fit(UNKNOWN, width - 1, right=True) + " ", look.palette.dim),)
    over = its.month_used_s > its.month_quota_s
    said = f"{lasted(its.month_used_s)}/{lasted(its.month_quota_s)}"
    return ((fit(said, width - 1, right=True) + " ", look.palette.block if over else _text(row, look)),)


def _last(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    its = row.budget
    said = stamp(its.last_outage, board.at) if its.last_outage else "-"
    return ((" " + fit(said, width - 1), _text(row, look)),)


def _bad(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    del board
    its = row.budget
    said = UNKNOWN if its.bad is None or its.total is None else f"{many(its.bad)}/{many(its.total)}"
    return ((fit(said, width, look.glyphs.more, right=True), _text(row, look)),)


def _trend(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    del board
    return ((fit("  " + trend(row.budget.trend, look), width), look.palette.dim),)


def _ready(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    del board
    return (("  " + fit(row.readiness or UNKNOWN, width - 2, look.glyphs.more), _text(row, look)),)


def _lock(row: ServiceRow, width: int, board: Board, look: Look) -> Runs:
    del board
    style = look.palette.warn if row.lock else look.palette.dim
    return ((fit(harmless(row.lock) or "-", width - 1, look.glyphs.more) + " ", style),)


_HAS: Mapping[str, Callable[[ServiceRow], bool]] = MappingProxyType(
    {
        "MONTH QUOTA": lambda row: row.budget.month_used_s is not None,
        "LAST OUTAGE": lambda row: row.budget.last_outage is not None,
        "BY": lambda row: bool(row.budget.count),
        "BAD/ALL": lambda row: row.budget.total is not None,
        "TREND": lambda row: any(point is not None for point in row.budget.trend),
        "READY": lambda row: bool(row.readiness),
        "LOCK": lambda row: bool(row.lock),
    }
)
ALWAYS = (
    Column("SERVICE", 13, _name, grows=11),
    Column("TARGET", 7, _target),
    Column("LEFT", 8, _left, right=True),
    Column(" USED", 15, _used),
    Column("BURN 1h", 7, _burn(lambda its: its.burn_1h), right=True),
    Column("6h", 5, _burn(lambda its: its.burn_6h), right=True),
    Column(" GONE IN", 9, _gone),
    Column("DEPLOY", 13, _deploy, grows=200),
)
EXTRAS = (
    Column("MONTH QUOTA ", 15, _month, right=True),
    Column(" BY", 10, _count),
    Column(" LAST OUTAGE", 15, _last),
    Column("BAD/ALL", 12, _bad, right=True),
    Column("  TREND", 14, _trend),
    Column("  READY", 8, _ready),
    Column("LOCK", 23, _lock),
)
_MIXED = {"LEFT": 4, " USED": -4}
MARGIN = 3


@lru_cache(8)
def columns(width: int, extras: frozenset[str] = frozenset(), *, mixed: bool = False) -> tuple[Column, ...]:
    """What is always shown, then what there is room for and something to say in; the rest goes to names and reasons."""
    chosen = list(ALWAYS)
    if mixed:
        # a label for each time left, taken from the bar
        chosen = [replace(column, width=column.width + _MIXED.get(column.title, 0)) for column in chosen]
    spare = width - MARGIN - sum(column.width for column in ALWAYS)
    for extra in EXTRAS:
        if extra.title.strip() in extras and extra.width <= spare:
            chosen.insert(-1, extra)
            spare -= extra.width
    laid = []
    for column in chosen:
        more = max(min(column.grows, spare), 0)
        spare -= more
        laid.append(replace(column, width=column.width + more))
    return tuple(laid)


def head(width: int, board: Board, palette: Palette) -> Runs:
    text = " " * MARGIN
    for column in columns(width, board.extras, mixed=board.mixed):
        text += column.title.rjust(column.width) if column.right else fit(column.title, column.width)
    return ((text[:width].rstrip(), palette.dim),)


def draw(row: ServiceRow, width: int, selected: bool, board: Board, look: Look) -> Runs:
    palette, sign = look.palette, mark(row)
    style = (
        palette.dim if sign == "?" else palette.alarm if row.budget.alarm == "page" else _closed(row.budget, palette)
    )
    runs: list[Run] = [(look.glyphs.cursor if selected else " ", palette.key), (sign, style), (" ", palette.plain)]
    for column in columns(width, board.extras, mixed=board.mixed):
        runs += column.draw(row, column.width, board, look)
    return tuple(runs)


def header(rows: Sequence[ServiceRow], board: Board, month: str, width: int, look: Look) -> Runs:
    """` BUDGET rolling 30d | quota month UTC | src ok | coverage 99.2%      1 BLOCKED 1 HOLD`."""
    palette, between = look.palette, f" {look.glyphs.separator} "
    covered = [row.budget.coverage for row in rows if row.budget.coverage is not None]
    seen = sum(share >= LEAST_COVERAGE for share in covered)
    source = "src ok" if seen == len(rows) else f"src {seen}/{len(rows)} known"
    worst = "" if len(rows) == 1 else "worst "
    least = f"coverage: {worst}{percent(min(covered), 1)}" if covered else "coverage: ?"
    zone = month.rpartition(" ")[2]
    counted = Counter(row.budget.deploy for row in rows)
    said = " ".join(f"{counted[word]} {word.value}" for word in RANK if counted[word] and word is not Deploy.OK)
    parts = [f"BUDGET rolling {board.window or UNKNOWN}", f"quota month {zone}".strip(), source, least]
    if len(between.join(parts)) + len(said) + 3 > width >= len(between.join(parts)) + len(said) - 3:
        parts[1] = f"month {zone}".strip()
    left: Runs = ((f" {between.join(parts)}", palette.plain if seen == len(rows) else palette.warn),)
    if length(left) + len(said) + 2 > width:
        return crop(left, width, look.glyphs.more)
    closed = counted[Deploy.BLOCKED] + counted[Deploy.HOLD]
    return ends(left, ((said, palette.warn if closed else palette.dim),), width, look.glyphs.more)
