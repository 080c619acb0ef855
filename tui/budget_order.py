"""Whose budget needs a look first, and the sign before it: the same for the screens and for `pithead budget`.

Pure, and without the toolkit: a verb loads it too.
"""

from collections.abc import Iterable
from math import isfinite

from pipeline.view import Budget, Deploy, ServiceRow

LEAST_COVERAGE = 0.95
"""Below it, nothing is called good."""
RULES = frozenset({"budget", "payback", "coverage", "hotfix", "freeze", "lock", "load-test", "isolation", "readiness"})
"""Gates that close also for a release on its way because something is wrong, not because it is not time yet."""
RANK = {Deploy.BLOCKED: 0, Deploy.HOLD: 1, Deploy.UNKNOWN: 2, Deploy.WARN: 3, Deploy.OK: 4}
DAY, HOUR, MINUTE = 86_400, 3_600, 60


def worst_first(rows: Iterable[ServiceRow]) -> list[ServiceRow]:
    """Blocked, held, not known, warned; of those that are alike, the one with the least left."""

    def place(row: ServiceRow) -> tuple[int, bool, float, str]:
        its = row.budget
        rank = RANK[its.deploy] if is_closed(row) or its.deploy is not Deploy.HOLD else RANK[Deploy.OK]
        if not known(its) and not is_closed(row):
            rank = RANK[Deploy.UNKNOWN]
        left = its.left if its.left is not None and isfinite(its.left) else None
        return rank, left is None, left or 0.0, row.name

    return sorted(rows, key=place)


def one_window(rows: Iterable[ServiceRow]) -> str:
    """The window of all budgets ("30d"); "" where they differ: a title with one would be wrong of others."""
    windows = {row.budget.window for row in rows} - {""}
    return windows.pop() if len(windows) == 1 else ""


def known(budget: Budget) -> bool:
    """Whether enough is known for its numbers to be believed."""
    told = budget.left is not None and isfinite(budget.left)
    return told and budget.coverage is not None and budget.coverage >= LEAST_COVERAGE


def is_spent(budget: Budget) -> bool:
    return budget.left is not None and budget.left <= 0


def gate_of(budget: Budget) -> str:
    """The gate that is named, "payback" of "payback: 720 s of ..."."""
    return budget.deploy_why.partition(": ")[0]


def is_closed(row: ServiceRow) -> bool:
    """Whether its rules hold it; a release on its way that waits for its time, or for a person, is no trouble."""
    its = row.budget
    ordinary = bool(row.release) and gate_of(its) not in RULES
    return its.deploy is Deploy.BLOCKED or (its.deploy is Deploy.HOLD and not ordinary)


def mark(row: ServiceRow) -> str:
    """`!` needs a person, `?` is not known; said in letters so that no colour is needed."""
    its = row.budget
    if is_closed(row) or its.alarm or is_spent(its):
        return "!"
    return " " if known(its) and its.deploy is not Deploy.UNKNOWN else "?"


def ahead(seconds: float) -> str:
    """Until a block ends, at most 5 characters up to 9999 days: "93s", "19m", "30h", "1252d"; rounded down."""
    size = int(max(seconds, 0.0))
    if size < 100:
        return f"{size}s"
    if size < 100 * MINUTE:
        return f"{size // MINUTE}m"
    return f"{size // HOUR}h" if size < 48 * HOUR else f"{size // DAY}d"
