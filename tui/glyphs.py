"""Every mark on a screen, in two sets: `UNICODE` and `ASCII`. All of them are one cell wide.

Chosen once, when the room starts; a screen never writes a mark of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from rich.cells import cell_len, set_cell_size

from pipeline.gates import Answer
from pipeline.judge.verdict import Verdict
from pipeline.view import Mark, ServiceRow, State

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Box:
    """Lines of a frame, and of arrows between stages."""

    horizontal: str
    vertical: str
    top_left: str
    top_right: str
    bottom_left: str
    bottom_right: str

    def top(self, title: str, width: int) -> str:
        """`+- title ------+`, exactly `width` cells."""
        return self._edge(self.top_left, title, self.top_right, width)

    def bottom(self, foot: str, width: int) -> str:
        return self._edge(self.bottom_left, foot, self.bottom_right, width)

    def _edge(self, left: str, text: str, right: str, width: int) -> str:
        inner = f"{self.horizontal} {text} " if text else ""
        if cell_len(inner) > width - 2:
            inner = set_cell_size(inner, width - 2)
        return left + inner + self.horizontal * (width - 2 - cell_len(inner)) + right


@dataclass(frozen=True, slots=True)
class Glyphs:
    states: Mapping[State, str]
    watched: str
    """In place of the state's mark while the verdict is WATCH."""
    marks: Mapping[Mark, str]
    """Stages, checks, hosts."""
    verdicts: Mapping[Verdict, str]
    answers: Mapping[Answer, str]
    cursor: str
    full: str
    half: str
    """Half a cell of a bar; "" where there is none."""
    empty: str
    unknown: str
    box: Box
    done: str
    """The arrow out of a stage that is passed."""
    ahead: str
    """The arrow into a stage that is not reached."""
    to: str
    more: str
    """After text that was cut."""
    separator: str
    double: str
    """A heavy rule across the page."""

    def of(self, row: ServiceRow) -> str:
        """The one mark of a service."""
        return self.watched if row.watched else self.states[row.state]


_WORDS = {
    State.STEADY: ("·", "."),
    State.QUEUED: ("·", "."),
    State.BLOCK: ("■", "#"),
    State.STAGE: ("◐", "~"),
    State.GATES: ("◐", "~"),
    State.CANARY: ("◐", "~"),
    State.BAKE: ("▶", "%"),
    State.WAIT: ("◆", "*"),
    State.ROLL: ("▶", "%"),
    State.SETTLE: ("▶", "%"),
    State.PAUSED: ("‖", "="),
    State.HOLD: ("▲", "!"),
    State.BACK: ("↩", "x"),
    State.LOCK: ("‖", "="),
    State.STALE: ("?", "?"),
}
_MARKS = {
    Mark.NONE: ("-", "-"),
    Mark.RUNNING: ("◐", "~"),
    Mark.GOOD: ("✓", "+"),
    Mark.BAD: ("✗", "x"),
    Mark.UNKNOWN: ("?", "?"),
}
_VERDICTS = {
    Verdict.PASS: ("✓", "+"),
    Verdict.WATCH: ("▲", "!"),
    Verdict.FAIL: ("✗", "x"),
    Verdict.NO_DATA: ("?", "?"),
}
_ANSWERS = {
    Answer.PASS: ("✓", "+"),
    Answer.HOLD: ("◐", "~"),
    Answer.FAIL: ("✗", "x"),
    Answer.UNKNOWN: ("?", "?"),
}


def _column(table: Mapping[K, tuple[str, str]], which: int) -> Mapping[K, str]:
    return MappingProxyType({key: pair[which] for key, pair in table.items()})


UNICODE = Glyphs(
    states=_column(_WORDS, 0),
    watched="▲",
    marks=_column(_MARKS, 0),
    verdicts=_column(_VERDICTS, 0),
    answers=_column(_ANSWERS, 0),
    cursor="▌",
    full="━",
    half="╸",
    empty="·",
    unknown="?",
    box=Box("─", "│", "┌", "┐", "└", "┘"),
    done="══▶",
    ahead="──▷",
    to="→",
    more="…",
    separator="│",
    double="═",
)
ASCII = Glyphs(
    states=_column(_WORDS, 1),
    watched="!",
    marks=_column(_MARKS, 1),
    verdicts=_column(_VERDICTS, 1),
    answers=_column(_ANSWERS, 1),
    cursor=">",
    full="#",
    half="",
    empty=".",
    unknown="?",
    box=Box("-", "|", "+", "+", "+", "+"),
    done="==>",
    ahead="-->",
    to="->",
    more="..",
    separator="|",
    double="=",
)
