"""What each state, verdict and mark looks like, for terminals of every kind.

`palette(colors)` gives Rich styles for text; `THEME` is the toolkit's share (backgrounds, toasts). Colour only
repeats what a word or a mark already says, so that `Colors.NONE` loses nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rich.style import Style
from textual.theme import Theme

from pipeline.gates import Answer
from pipeline.judge.verdict import Verdict
from pipeline.view import Mark, ServiceRow, State


class Colors(StrEnum):
    """What the terminal can show; values are the toolkit's names."""

    TRUE = "truecolor"
    MANY = "256"
    FEW = "standard"
    """The user's own 16."""
    NONE = "none"


class Tone(StrEnum):
    REST = "rest"
    MOVE = "move"
    GOOD = "good"
    WARN = "warn"
    FAIL = "fail"
    BLOCK = "block"
    DIM = "dim"


_TONES: Mapping[Tone, tuple[str, int, str | None]] = {
    Tone.REST: ("#c8c8c8", 251, None),
    Tone.MOVE: ("#56b4e9", 74, "cyan"),
    Tone.GOOD: ("#009e73", 36, "green"),
    Tone.WARN: ("#e69f00", 178, "yellow"),
    Tone.FAIL: ("#d55e00", 166, "red"),
    Tone.BLOCK: ("#cc79a7", 175, "magenta"),
    Tone.DIM: ("#8a8a8a", 245, None),
}
"""Truecolor, 256, 16: a set that colour-blind eyes keep apart; the 16 by hand, since nearest colours would merge."""

_STATES: Mapping[State, tuple[Tone, bool]] = {
    State.STEADY: (Tone.REST, False),
    State.QUEUED: (Tone.REST, False),
    State.BLOCK: (Tone.BLOCK, True),
    State.STAGE: (Tone.MOVE, False),
    State.GATES: (Tone.MOVE, False),
    State.CANARY: (Tone.MOVE, False),
    State.BAKE: (Tone.MOVE, True),
    State.WAIT: (Tone.WARN, True),
    State.ROLL: (Tone.MOVE, True),
    State.SETTLE: (Tone.MOVE, False),
    State.PAUSED: (Tone.WARN, False),
    State.HOLD: (Tone.WARN, True),
    State.BACK: (Tone.FAIL, True),
    State.LOCK: (Tone.WARN, False),
    State.STALE: (Tone.DIM, False),
}


@dataclass(frozen=True, slots=True)
class Palette:
    plain: Style
    dim: Style
    strong: Style
    good: Style
    move: Style
    warn: Style
    fail: Style
    alarm: Style
    """A failing verdict, a banner: reversed, so that it stands out without colour too."""
    block: Style
    stale: Style
    """Values that are not fresh."""
    key: Style
    """The name of a key, before what it does."""
    cursor: Style
    """Laid over the selected row."""
    band: Style
    """Production's p10 to p90 behind a canary, in a chart."""
    states: Mapping[State, Style]
    verdicts: Mapping[Verdict, Style]
    marks: Mapping[Mark, Style]
    answers: Mapping[Answer, Style]

    def of(self, row: ServiceRow) -> Style:
        """Of a service's mark and state word."""
        return self.warn + Style(bold=True) if row.watched else self.states[row.state]

    def verdict(self, verdict: Verdict | None) -> Style:
        return self.dim if verdict is None else self.verdicts[verdict]


def palette(colors: Colors) -> Palette:
    def tone(name: Tone, *, bold: bool | None = None, reverse: bool | None = None) -> Style:
        true, many, few = _TONES[name]
        color = {Colors.TRUE: true, Colors.MANY: f"color({many})", Colors.FEW: few, Colors.NONE: None}[colors]
        faint = True if name is Tone.DIM and color is None else None
        return Style(color=color, bold=bold, dim=faint, reverse=reverse)

    background = {Colors.TRUE: "#2a2f36", Colors.MANY: "color(236)"}.get(colors)
    band = {Colors.TRUE: "#263238", Colors.MANY: "color(237)"}.get(colors)
    alarm = tone(Tone.FAIL, bold=True, reverse=True)
    stale = tone(Tone.DIM) + Style(strike=True)
    return Palette(
        plain=tone(Tone.REST),
        dim=tone(Tone.DIM),
        strong=tone(Tone.REST, bold=True),
        good=tone(Tone.GOOD),
        move=tone(Tone.MOVE),
        warn=tone(Tone.WARN),
        fail=tone(Tone.FAIL, bold=True),
        alarm=alarm,
        block=tone(Tone.BLOCK, bold=True),
        stale=stale,
        key=tone(Tone.MOVE, bold=True) if colors is not Colors.NONE else Style(bold=True),
        cursor=Style(bgcolor=background, bold=True) if background else Style(bold=True),
        band=Style(bgcolor=band) if band else Style(),
        states={state: tone(name, bold=bold or None) for state, (name, bold) in _STATES.items()},
        verdicts={
            Verdict.PASS: tone(Tone.GOOD),
            Verdict.WATCH: tone(Tone.WARN, bold=True),
            Verdict.FAIL: alarm,
            Verdict.NO_DATA: tone(Tone.DIM),
        },
        marks={
            Mark.NONE: tone(Tone.DIM),
            Mark.RUNNING: tone(Tone.MOVE),
            Mark.GOOD: tone(Tone.GOOD),
            Mark.BAD: tone(Tone.FAIL, bold=True),
            Mark.UNKNOWN: tone(Tone.DIM),
        },
        answers={
            Answer.PASS: tone(Tone.GOOD),
            Answer.HOLD: tone(Tone.WARN),
            Answer.FAIL: tone(Tone.FAIL, bold=True),
            Answer.UNKNOWN: tone(Tone.DIM),
        },
    )


THEME = Theme(
    name="pithead",
    primary="#56b4e9",
    secondary="#cc79a7",
    accent="#56b4e9",
    success="#009e73",
    warning="#e69f00",
    error="#d55e00",
    foreground="#c8c8c8",
    background="#121212",
    surface="#1c1c1c",
    panel="#242424",
    dark=True,
)
PLAIN_THEME = "ansi-dark"
"""Of the toolkit: the terminal's own colours and background, for 16 colours and none."""
