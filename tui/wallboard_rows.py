"""The wallboard's rows: a service that needs a person, one that moves, a budget, the whole fleet. Pure."""

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len

from pipeline.view import Deploy, ServiceRow, State
from tui.budget_order import known
from tui.budget_words import deploy_tone, time_left
from tui.service_lane import place
from tui.widgets.pane import Look
from tui.widgets.runs import Runs
from tui.words import bar, fit, harmless, percent, span

SHORT, LONG = 15, 40
"""Cells of a name among all services, where the longest is no longer, and at most."""
BESIDE = 11
"""What else a service takes there."""


def worst_budgets(rows: Sequence[ServiceRow]) -> list[ServiceRow]:
    """Least left first; what is unknown is no budget to rank."""
    known = [(row.budget.left, row) for row in rows if row.budget.left is not None]
    return [row for _, row in sorted(known, key=lambda pair: pair[0])]


def attention_line(row: ServiceRow, width: int, look: Look) -> Runs:
    """`   x BACK    payments-gw      why`; what is stale says how old it is."""
    palette = look.palette
    head = f"   {look.glyphs.of(row)} {row.state.value:<7} {fit(row.name, 16, look.glyphs.more)} "
    why = f"{span(row.age_s)} old: {row.why}" if row.state is State.STALE else row.why
    why = f"{row.incident}: {why}" if row.incident else why
    return ((head, palette.of(row)), (fit(why, max(width - len(head), 0), look.glyphs.more).rstrip(), palette.plain))


def moving_line(row: ServiceRow, width: int, look: Look) -> Runs:
    """`   % cart   r512   staging ==> canary ==> prod [###...] 25%  T-11m`."""
    palette, style = look.palette, look.palette.of(row)
    cells = 24 if width >= 110 else 12
    here = place(row)
    name = fit(row.name, 28 if width >= 110 else 14, look.glyphs.more)
    runs: Runs = (
        (f"   {look.glyphs.of(row)} {name} ", style),
        (f"{fit(row.revision, 6, look.glyphs.more)} ", palette.dim),
    )
    for index, stage in enumerate(("staging", "canary", "prod")):
        if index:
            arrow = look.glyphs.done if here is not None and here >= index else look.glyphs.ahead
            runs = (*runs, (f" {arrow} ", palette.dim))
        runs = (*runs, (stage, palette.plain))
        if index == here:
            runs = (*runs, (f" [{bar(_ratio(row), cells, look.glyphs)}]", style))
    if row.production.share is not None and here == 2:
        runs = (*runs, (f" {percent(row.production.share)}", palette.plain))
    return (*runs, (f"  T-{span(row.wait_s)}", palette.plain)) if row.wait_s is not None else runs


def _ratio(row: ServiceRow) -> float | None:
    if place(row) == 2 and row.production.share is not None:
        return row.production.share
    progress = row.progress
    return progress.done / progress.of if progress is not None and progress.of > 0 else None


def budget_line(row: ServiceRow, width: int, look: Look, *, labelled: bool = False) -> Runs:
    """Name, bar, ratio; then how long it lasts, and in a word whether a release may begin, where not.

    `labelled`: with the window that it is of, as the title names none.
    """
    its, palette = row.budget, look.palette
    left = its.left
    style = (
        palette.dim if left is None else palette.fail if left <= 0 else palette.warn if left < 0.25 else palette.good
    )
    if its.coverage is not None and not known(its):
        style = palette.dim
    elif its.deploy in (Deploy.BLOCKED, Deploy.HOLD):
        style = deploy_tone(its.deploy, palette)
    word = "" if its.deploy is Deploy.OK else its.deploy.value
    of = f" of {its.window:<4}" if labelled else ""
    tail = f" {time_left(its.left_s):>8} {word:<7}" if its.left_s is not None or word else ""
    name = f"   {fit(row.name, 16, look.glyphs.more)} "
    cells = max(min(width - len(name) - 8 - len(of) - len(tail), 24), 4)
    return (
        (name, palette.plain),
        (f"{bar(left, cells, look.glyphs)} {percent(left):>5}{of}{tail}", style),
    )


def fleet_lines(rows: Sequence[ServiceRow], width: int, look: Look) -> list[Runs]:
    """Every service with its state, by name: each keeps its place while states change."""
    ordered = sorted(rows, key=lambda row: row.name)
    longest = max((cell_len(harmless(row.name)) for row in ordered), default=0)
    across = max((width - 2) // (min(max(longest, SHORT), LONG) + BESIDE), 1)
    name = max((width - 2) // across - BESIDE, 1)
    return [_beside(ordered[at : at + across], name, look) for at in range(0, len(ordered), across)]


def _beside(rows: Sequence[ServiceRow], name: int, look: Look) -> Runs:
    """Neighbours in one style are one run: a page that turns is sent anew every few seconds."""
    cells = [
        (f" {look.glyphs.of(row)} {fit(row.name, name, look.glyphs.more)} {row.state.value:<6} ", look.palette.of(row))
        for row in rows
    ]
    alike = groupby(cells, key=lambda cell: cell[1])
    return (("  ", look.palette.plain), *(("".join(text for text, _ in same), style) for style, same in alike))
