"""Which services the fleet shows, and in which order: filters, presets, sorting. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.view import Deploy, ServiceRow
from tui.status import moving, needs_person
from tui.words import verdict

INF = float("inf")

ORDERS: Mapping[str, Callable[[ServiceRow], Any]] = {
    "attention": lambda row: row.attention,
    "service": lambda row: row.name,
    "team": lambda row: (row.team, row.name),
    "tier": lambda row: row.tier,
    "state": lambda row: row.state,
    "budget": lambda row: INF if row.budget.left is None else row.budget.left,
    "p99": lambda row: INF if row.p99_s is None else -row.p99_s,
    "errors": lambda row: INF if row.error_ratio is None else -row.error_ratio,
    "wait": lambda row: INF if row.wait_s is None else row.wait_s,
}
"""Worst first; what is unknown comes last, never for best."""

PRESETS: Mapping[str, Callable[[ServiceRow], bool]] = {
    "all": lambda row: True,
    "moving": moving,
    "attention": lambda row: needs_person(row) or bool(row.incident or row.glass or row.security_fix),
}

FIELDS: Mapping[str, Callable[[ServiceRow], str]] = {
    "service": lambda row: row.name,
    "team": lambda row: row.team,
    "tier": lambda row: str(row.tier),
    "state": lambda row: row.state,
    "verdict": lambda row: verdict(row.verdict),
    "deploy": lambda row: "" if row.budget.deploy is Deploy.OK else row.budget.deploy.value,
    "incident": lambda row: (
        f"{row.incident} {'break-glass' if row.glass else ''} {'security fix' if row.security_fix else ''}"
    ),
    "rev": lambda row: f"{row.revision} {row.staging.revision} {row.canary.revision} {row.production.revision}",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What the operator wants to see."""

    filter: str = ""
    preset: str = "all"
    order: str = "attention"
    backwards: bool = False

    def of(self, rows: Sequence[ServiceRow]) -> list[ServiceRow]:
        """`rows` chosen and sorted; equal ones stay in the configuration's order."""
        wanted = PRESETS[self.preset]
        terms = self.filter.lower().split()
        chosen = [row for row in rows if wanted(row) and all(_hits(term, row) for term in terms)]
        chosen.sort(key=ORDERS[self.order])
        if self.backwards:
            chosen.reverse()
        return chosen


def next_order(order: str) -> str:
    names = list(ORDERS)
    return names[(names.index(order) + 1) % len(names)]


def _hits(term: str, row: ServiceRow) -> bool:
    """Whether one word of a filter takes `row`: `word`, `field:word`, either with `!` before it."""
    inverse = term.startswith("!")
    word = term.removeprefix("!")
    field, colon, value = word.partition(":")
    if colon and field in FIELDS:
        return (value in FIELDS[field](row).lower()) is not inverse
    said = " ".join(read(row) for read in FIELDS.values()).lower()
    return (word in said) is not inverse
