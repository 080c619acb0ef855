"""The wallboard's lines: who needs a person, what moves, the last day, the worst budgets. Pure.

What needs a person stands on every page; the rest takes turns where there is more of it than room.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.view import Deploy, FleetView, ServiceRow, State
from tui.budget_order import known
from tui.budget_words import deploy_tone, time_left
from tui.feed import Live
from tui.marks import banner as marked
from tui.service_lane import place
from tui.status import freshness, moving, needs_person
from tui.widgets.pane import Look, crop, ends, faded
from tui.widgets.runs import Runs
from tui.words import bar, clock, fit, hms, percent, span

TURN_S = 15
"""How long a page stands."""
FEWEST, WORST = 3, 10
"""Budgets in a block."""
HEAD, FOOT = 2, 3
"""Lines above and below what changes from page to page."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the board is drawn from."""

    live: Live
    now: datetime
    monotonic: float
    beat: int


def board(moment: Moment, width: int, height: int, look: Look) -> tuple[Runs, ...]:
    """At most `height` lines of at most `width` cells."""
    view = moment.live.view
    banner = _banner(moment, width, look)
    room = height - HEAD - FOOT - len(banner)
    if view is None:
        said = "" if banner else " asking the controller ..."
        pages: list[list[Runs]] = [[((said, look.palette.warn),)]]
    else:
        pages = _pages(view, width, max(room, 3), look)
    page = moment.beat // TURN_S % len(pages)
    body = pages[page][: max(room, 0)]
    if moment.live.lost:
        body = [faded(line, look.palette.dim) for line in body]
    rule: Runs = ((look.glyphs.double * width, look.palette.dim),)
    blank: list[Runs] = [()] * (max(room, 0) - len(body))
    lines = [_top(moment, page, len(pages), width, look), rule, *banner, *body, *blank, *_foot(view, width, look)]
    return tuple(crop(line, width, look.glyphs.more) for line in lines[:height])


def _top(moment: Moment, page: int, pages: int, width: int, look: Look) -> Runs:
    palette = look.palette
    turns = f"  {page + 1}/{pages} {TURN_S - moment.beat % TURN_S}s" if pages > 1 else ""
    left: Runs = ((" PITHEAD wallboard", palette.strong), (f" RO{turns}", palette.dim))
    right: Runs = (
        freshness(moment.live, moment.monotonic, palette),
        (f" {clock(moment.now)} ", palette.strong),
    )
    return ends(left, right, width)


def _banner(moment: Moment, width: int, look: Look) -> list[Runs]:
    """Large while the controller is lost, a line for each of its own troubles otherwise."""
    live, palette = moment.live, look.palette
    if live.lost:
        age = f" {span(moment.monotonic - live.got)}" if live.view else ""
        shown = f"showing {hms(live.view.at)} UTC" if live.view else "nothing to show yet"
        retry = f"retry in {max(int(live.retry_at - moment.monotonic), 0)} s"
        texts = ["", f"CONTROLLER LOST{age}", f"{shown}, {retry}; rollouts go on without this board", ""]
        return [((fit(f"   {text}", width, look.glyphs.more), palette.alarm),) for text in texts]
    if live.view is None:
        return []
    troubles = [((fit(f" ! {notice}", width, look.glyphs.more), palette.alarm),) for notice in live.view.notices[:3]]
    return [*marked(live.view.services, width, look), *troubles]


def _foot(view: FleetView | None, width: int, look: Look) -> list[Runs]:
    palette = look.palette
    day = "24 h: not known yet"
    if view is not None and view.day is not None:
        counts = view.day
        day = f"24 h: {counts.releases} releases, {counts.rolled_back} rolled back, {counts.refused} refused."
    worst = worst_budgets(view.services)[:1] if view else []
    if worst:
        its = worst[0].budget
        left = percent(its.left) if its.left_s is None else time_left(its.left_s)
        word = "" if its.deploy is Deploy.OK else f" {its.deploy.value}"
        said = f"{worst[0].name} {left}{word}"
        day += f" Worst budget: {said}" if len(day) + len(said) + 17 <= width else f" Worst: {said}"
    return [
        ((look.glyphs.box.horizontal * width, palette.dim),),
        ((f" {day}", palette.plain),),
        ((" A clock that stands still means a dead board; stale rows say how old.  q leaves", palette.dim),),
    ]


def worst_budgets(rows: Sequence[ServiceRow]) -> list[ServiceRow]:
    """Least left first; what is unknown is no budget to rank."""
    known = [(row.budget.left, row) for row in rows if row.budget.left is not None]
    return [row for _, row in sorted(known, key=lambda pair: pair[0])]


def _pages(view: FleetView, width: int, room: int, look: Look) -> list[list[Runs]]:
    rows = sorted(view.services, key=lambda row: row.attention)
    waiting = [row for row in rows if needs_person(row)]
    busy = [row for row in rows if moving(row)]
    tops = _parts([attention_line(row, width, look) for row in waiting], max(room // 2 - 2, 1))
    top_height = 2 + max(map(len, tops))
    left = max(room - top_height, 2)
    lower = _lower(view, [moving_line(row, width, look) for row in busy], width, left, look)
    pages = []
    for page in range(max(len(tops), len(lower))):
        style = look.palette.warn if waiting else look.palette.good
        said = f"{len(waiting)} of {len(rows)}" if waiting else f"none: {len(rows) - len(busy)} of {len(rows)} at rest"
        heading: Runs = ((" ATTENTION", style), (f"  {said}", look.palette.plain))
        rule: Runs = ((look.glyphs.box.horizontal * width, look.palette.dim),)
        pages.append([heading, *tops[page % len(tops)], rule, *lower[page % len(lower)]])
    return pages


def _parts(lines: Sequence[Runs], size: int) -> list[list[Runs]]:
    """`lines` in pages of `size`, one at least."""
    return [list(lines[at : at + size]) for at in range(0, len(lines), size)] or [[]]


def _lower(view: FleetView, moves: Sequence[Runs], width: int, room: int, look: Look) -> list[list[Runs]]:
    """The pages below the attention block: what moves, then the worst budgets, then every service's mark."""
    rule: Runs = ((look.glyphs.box.horizontal * width, look.palette.dim),)
    heading = _headed("MOVING", str(len(moves)), look)
    pages: list[list[Runs]] = [[heading, *part] for part in _parts(moves, max(room - 1, 1))]

    def put(block: Sequence[Runs], needs: int) -> int:
        """Begin a block where `needs` lines fit; returns how many there may be."""
        if room - len(pages[-1]) - 1 < needs:
            pages.append([*block])
        else:
            pages[-1] += [rule, *block]
        return max(room - len(pages[-1]), 1)

    worst = worst_budgets(view.services)[:WORST]
    if worst:
        fits = put((), 1 + min(len(worst), FEWEST)) - 1
        pages[-1].append(_headed("BUDGET", f"{worst[0].budget.window}, worst {len(worst[:fits])}", look))
        pages[-1] += [budget_line(row, width, look) for row in worst[:fits]]
    marks = mark_lines(view.services, width, look)
    while marks:
        fits = put((_headed("FLEET", "one mark a service", look),), 1 + min(len(marks), room - 1))
        pages[-1] += marks[:fits]
        marks = marks[fits:]
    return pages


def _headed(name: str, said: str, look: Look) -> Runs:
    return ((f" {name}", look.palette.strong), (f"  {said}", look.palette.dim))


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
    return progress.done_s / progress.of_s if progress is not None and progress.of_s > 0 else None


def budget_line(row: ServiceRow, width: int, look: Look) -> Runs:
    """Name, bar, ratio; then how long it lasts, and in a word whether a release may begin, where not."""
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
    tail = f" {time_left(its.left_s):>8} {word:<7}" if its.left_s is not None or word else ""
    name = f"   {fit(row.name, 16, look.glyphs.more)} "
    return (
        (name, palette.plain),
        (bar(left, max(min(width - len(name) - 8 - len(tail), 40), 4), look.glyphs), style),
        (f" {percent(left):>5}", palette.plain),
        *(((tail, style),) if tail else ()),
    )


def mark_lines(rows: Sequence[ServiceRow], width: int, look: Look) -> list[Runs]:
    """Every service as one mark, those that need a person first."""
    ordered = sorted(rows, key=lambda row: row.attention)
    across = max((width - 6) // 3, 1)
    return [
        (("   ", look.palette.plain), *((f"{look.glyphs.of(row)}  ", look.palette.of(row)) for row in part))
        for part in (ordered[at : at + across] for at in range(0, len(ordered), across))
    ]
