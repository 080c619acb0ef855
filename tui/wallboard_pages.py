"""The wallboard's pages, and whose turn it is. Pure.

What goes wrong stands at the top of every page; the rest that needs a person, what moves, the worst budgets and all
services take turns where there is more of them than room.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.view import FleetView
from tui.budget_order import one_window
from tui.status import alarming, moving, needs_person
from tui.wallboard_rows import attention_line, budget_line, fleet_lines, moving_line, worst_budgets
from tui.widgets.pane import Look, row
from tui.widgets.runs import Runs

EVERY_S = 10.0
"""How long a page stands."""
JITTER_S = 0.5
"""The beat may be so much early."""
FEWEST, WORST = 3, 20
"""Lines with which a block begins below another one; budgets that are shown."""
TURNING = 8
"""Lines for what takes turns; where so many are left, what is above them stays where it is."""
ABREAST = 110
"""From this width on two budgets stand side by side."""

Key = tuple[str, int, int]
"""Which page it is, whatever comes and goes before it: its first block, which part of that, and which round."""


@dataclass(frozen=True, slots=True)
class Page:
    key: Key
    lines: tuple[Runs, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page stands there, and since when (monotonic seconds; None before the first)."""

    key: Key = ("", 0, 0)
    index: int = 0
    since: float | None = None

    def after(self, keys: Sequence[Key], now: float, every_s: float) -> "Turn":
        """The next page once this one has stood for `every_s`; until then the same one, wherever it is now."""
        if self.since is None:
            return Turn(keys[0], 0, now)
        # a page that is gone leaves its place to the one that is there now
        at = keys.index(self.key) if self.key in keys else min(self.index, len(keys) - 1)
        if now - self.since < every_s - JITTER_S:
            return Turn(keys[at], at, self.since)
        at = (at + 1) % len(keys)
        return Turn(keys[at], at, now)


@dataclass(frozen=True, slots=True)
class Block:
    name: str
    said: str
    lines: Sequence[Runs]
    each: int = 1
    """Services on a line."""
    count: int = 0
    """Of all its services."""


def all_pages(view: FleetView, width: int, room: int, look: Look) -> list[Page]:
    """Pages of at most `room` lines."""
    rows = sorted(view.services, key=lambda each: each.attention)
    waiting = list(filter(needs_person, rows))
    busy = list(filter(moving, rows))
    urgent = list(filter(alarming, waiting))
    size = max(room // 2 - 2, 1)
    # all of them where they fit; else room for the others to take turns in
    fixed = urgent[: size if len(waiting) <= size else max(size * 2 // 3, 1)]
    turning = [attention_line(each, width, look) for each in waiting if each not in fixed]
    above = [attention_line(each, width, look) for each in fixed]
    tops = _parts(turning, max(size - len(fixed), 1))
    rule: Runs = ((look.glyphs.box.horizontal * width, look.palette.dim),)
    blocks = _blocks(view, [moving_line(each, width, look) for each in busy], width, look)
    lower = _lower(blocks, max(room - 2 - len(above) - max(map(len, tops)), 2), rule, look)
    style = look.palette.warn if waiting else look.palette.good
    said = f"{len(waiting)} of {len(rows)}" if waiting else f"none: {len(rows) - len(busy)} of {len(rows)} at rest"
    pages = []
    for number in range(max(len(tops), len(lower))):
        turn, at = divmod(number, len(lower))
        name, part, lines = lower[at]
        top = (*above, *tops[number % len(tops)])
        here = f", {len(top)} of them here" if len(top) < len(waiting) else ""
        heading: Runs = ((" ATTENTION", style), (f"  {said}{here}", look.palette.plain))
        pages.append(Page((name, part, turn), (heading, *top, rule, *lines)))
    return pages


def _parts(lines: Sequence[Runs], size: int) -> list[Sequence[Runs]]:
    """`lines` in pages of `size`, one at least."""
    return [lines[at : at + size] for at in range(0, len(lines), size)] or [[]]


def _blocks(view: FleetView, moves: Sequence[Runs], width: int, look: Look) -> list[Block]:
    blocks = [Block("MOVING", str(len(moves)), moves, 1, len(moves))]
    worst = worst_budgets(view.services)[:WORST]
    if worst:
        window = one_window(worst)
        said = f"{window}{', ' if window else ''}worst {len(worst)}"
        each = 2 if width >= ABREAST else 1
        drawn = [budget_line(its, width // each, look, labelled=not window) for its in worst]
        lines = [_abreast(drawn[at : at + each], width // each) for at in range(0, len(drawn), each)]
        blocks.append(Block("BUDGET", said, lines, each, len(worst)))
    fleet = fleet_lines(view.services, width, look)
    if fleet:
        count = len(view.services)
        said = f"{count} service{'' if count == 1 else 's'}"
        blocks.append(Block("FLEET", said, fleet, -(-count // len(fleet)), count))
    return blocks


def _abreast(cells: Sequence[Runs], width: int) -> Runs:
    return tuple(run for cell in cells for run in row(cell, width))


def _lower(blocks: Sequence[Block], room: int, rule: Runs, look: Look) -> list[tuple[str, int, list[Runs]]]:
    """What is below the attention: as many blocks as can stay, then those that take turns."""
    stays: list[Runs] = []
    rest = list(blocks)
    while len(rest) > 1 and room - len(stays) - len(rest[0].lines) - 2 >= TURNING:
        block = rest.pop(0)
        stays += [_headed(block.name, block.said, look), *block.lines, rule]
    return [(name, part, [*stays, *lines]) for name, part, lines in _flow(rest, room - len(stays), rule, look)]


def _flow(blocks: Sequence[Block], room: int, rule: Runs, look: Look) -> list[tuple[str, int, list[Runs]]]:
    """Block after block; one that does not fit goes on overleaf, below its name again."""
    pages: list[tuple[str, int, list[Runs]]] = []
    for block in blocks:
        at = part = 0
        while at < len(block.lines) or not part:
            free = room - len(pages[-1][2]) - 2 if pages and not part else -1
            if free >= min(len(block.lines), FEWEST):
                pages[-1][2].append(rule)
            else:
                pages.append((block.name, part, []))
                free = max(room - 1, 1)
            taken = block.lines[at : at + free]
            said = block.said
            if len(taken) < len(block.lines):
                said += f": {at * block.each + 1}-{min((at + len(taken)) * block.each, block.count)}"
            pages[-1][2].extend((_headed(block.name, said, look), *taken))
            at, part = at + len(taken), part + 1
    return pages


def _headed(name: str, said: str, look: Look) -> Runs:
    return ((f" {name}", look.palette.strong), (f"  {said}", look.palette.dim))
