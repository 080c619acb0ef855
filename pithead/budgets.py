"""Error budgets on lines of 80 columns: the fleet worst first; the time left stands before everything else."""

import math
from collections.abc import Iterator
from datetime import datetime
from typing import TypeGuard

from pipeline.view import Budget, Deploy, FleetView, ServiceRow
from pithead.spans import left, per_cent
from tui.budget_order import ahead, mark, worst_first

WIDTH = 80
BESIDE = 58
"""Columns of all but the name and the bar."""
BAR = 12
LONGEST_NAME = 18


def table(view: FleetView) -> Iterator[str]:
    rows = worst_first(view.services)
    windows = sorted({row.budget.window for row in rows})
    known = [row.budget.coverage for row in rows if row.budget.coverage is not None]
    coverage = f"coverage: worst {math.floor(1000 * min(known)) / 10:g}%" if known else "coverage: ?"
    yield f" BUDGET rolling {', '.join(windows) or '?'} | {coverage} | {view.at:%Y-%m-%d %H:%M:%S}Z"
    width = min(max((len(row.name) for row in rows), default=8), LONGEST_NAME)
    cells = max(min(WIDTH - BESIDE - width, BAR), 0)
    used = "USED".ljust(cells + 6)
    yield f"  {'SERVICE':{width}} {'TARGET':6}{'LEFT':>8} {used}{'BURN 1h':>7}{'6h':>5} {'GONE IN':7} DEPLOY"
    for row in rows:
        yield _row(row, view.at, width, cells)


def _row(row: ServiceRow, now: datetime, width: int, cells: int) -> str:
    its = row.budget
    name = row.name if len(row.name) <= width else f"{row.name[: width - 1]}~"
    used = f"[{bar(its.left, cells)}]{_spent(its.left):>4} "
    burns = f"{burn(its.burn_1h):>6}{burn(its.burn_6h):>5}"
    text = f"{mark(row)} {name:{width}} {its.target or '?':6}{left(its.left_s):>8} {used}{burns} {gone_in(its):7} "
    return text + _deploy(its, now, WIDTH - len(text))


def _deploy(of: Budget, now: datetime, room: int) -> str:
    """With as much of until when, or for which gate, as there is room for: of "check smoke" at least "check"."""
    more = _more(of, now)
    for said in (more, more.partition(" ")[0]):
        deploy = f"{of.deploy.value} {said}".rstrip()
        if len(deploy) <= room:
            return deploy
    cut = f"{of.deploy.value} {more}"[: room - 1]
    return f"{cut}~" if len(cut) > len(of.deploy.value) + 1 else of.deploy.value


def bar(of: float | None, cells: int) -> str:
    """What is spent, a part of a cell as a whole one; unknown never reads as none spent."""
    if not _is_known(of):
        return "?" * cells
    spent = min(max(math.ceil(cells * (1 - of)), 0), cells)
    return "#" * spent + " " * (cells - spent)


def _is_known(of: float | None) -> TypeGuard[float]:
    return of is not None and math.isfinite(of)


def _spent(of: float | None) -> str:
    if not _is_known(of):
        return "-"
    spent = 100 - math.floor(100 * of)
    return f"{spent}%" if spent <= 999 else "999+"


def burn(of: float | None) -> str:
    """How many times too fast; "-" without traffic."""
    if not _is_known(of):
        return "-"
    return f"{of:.1f}" if of < 999 else "999+"


def gone_in(of: Budget) -> str:
    if of.left is not None and of.left <= 0:
        return "spent"
    return "-" if of.gone_in_s is None else left(of.gone_in_s)


def _more(of: Budget, now: datetime) -> str:
    """Until when or for which gate: "90d", "budget"."""
    if of.deploy is Deploy.OK:
        return ""
    if of.deploy_until is not None:
        return ahead((of.deploy_until - now).total_seconds())
    gate, colon, _ = of.deploy_why.partition(":")
    return gate if colon else ""


def line(of: Budget) -> str:
    """As in "budget rolling 30d: -7m41s left (-178 %), burn 1h 14.9, 6h 6.3, gone in 6h00m"."""
    burns = f"burn 1h {burn(of.burn_1h)}, 6h {burn(of.burn_6h)}"
    return f"budget rolling {of.window}: {left(of.left_s)} left ({per_cent(of.left)}), {burns}, {_gone(of)}"


def _gone(of: Budget) -> str:
    word = gone_in(of)
    return word if word == "spent" else f"gone in {word}"
