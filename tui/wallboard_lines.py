"""The wallboard's lines: what stands on every page, and between that the page whose turn it is. Pure."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.view import Deploy, FleetView
from tui.budget_words import time_left
from tui.feed import Live
from tui.marks import banner as marked
from tui.status import freshness
from tui.wallboard_pages import EVERY_S, Page, Turn, all_pages
from tui.wallboard_rows import worst_budgets
from tui.widgets.pane import Look, crop, ends, faded
from tui.widgets.runs import Runs
from tui.words import clock, fit, hms, percent, span

HEAD, FOOT = 2, 3
"""Lines above and below what changes from page to page."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the board is drawn from."""

    live: Live
    now: datetime
    monotonic: float
    turn: Turn
    """The page that stood there before."""
    every_s: float = EVERY_S


def board(moment: Moment, width: int, height: int, look: Look) -> tuple[tuple[Runs, ...], Turn]:
    """At most `height` lines of at most `width` cells, and the page that stands there now."""
    view = moment.live.view
    banner = _banner(moment, width, look)
    room = height - HEAD - FOOT - len(banner)
    if view is None:
        said = "" if banner else " asking the controller ..."
        pages = [Page(("", 0, 0), (((said, look.palette.warn),),))]
    else:
        pages = all_pages(view, width, max(room, 3), look)
    turn = moment.turn.after([page.key for page in pages], moment.monotonic, moment.every_s)
    body = pages[turn.index].lines[: max(room, 0)]
    if moment.live.lost:
        body = tuple(faded(line, look.palette.dim) for line in body)
    rule: Runs = ((look.glyphs.double * width, look.palette.dim),)
    blank: list[Runs] = [()] * (max(room, 0) - len(body))
    lines = [_top(moment, turn.index, len(pages), width, look), rule, *banner, *body, *blank, *_foot(view, width, look)]
    return tuple(crop(line, width, look.glyphs.more) for line in lines[:height]), turn


def _top(moment: Moment, page: int, pages: int, width: int, look: Look) -> Runs:
    palette = look.palette
    turns = f"  page {page + 1} of {pages}" if pages > 1 else ""
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
