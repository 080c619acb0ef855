"""Gates as lines: sign and word, name, why, since, until with a countdown, what lifts it. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from rich.style import Style

from pipeline.gates import Answer, Gate
from pipeline.view import ServiceView
from tui.budget_words import moment
from tui.budget_words import until as until_words
from tui.service_sheets import numbered, wrapped
from tui.theme import Palette
from tui.widgets.pane import Look, Sheet
from tui.widgets.runs import Run, Runs
from tui.words import fit, harmless, span

LONGEST_NAME = 20
LOUD = frozenset({"break-glass", "security-fix"})
"""Gates that are there only while a pass is in force."""
WORD = 8
"""Cells for "unknown "."""


def gate_sheet(view: ServiceView, width: int, look: Look, *, whole: bool, chosen: str = "") -> Sheet:
    """A gate a line, with how long it still holds; `whole` says all of those that do not pass, and so does `chosen`."""
    body = [line for block in gate_blocks(view, width, look, whole=whole, chosen=chosen) for line in block]
    if not body:
        body.append(((" no gates: nothing is on its way", look.palette.dim),))
    title = numbered("gates", 3, look)
    if view.gates and not view.row.release:
        title = (*title, ("  of a new release", look.palette.dim))
    return Sheet(title, tuple(body), ((counted(view.gates), look.palette.plain),))


def gate_blocks(view: ServiceView, width: int, look: Look, *, whole: bool, chosen: str = "") -> list[list[Runs]]:
    """The lines of each gate."""
    longest = max((len(gate.name) for gate in view.gates), default=0)
    named = min(longest, width // 2 - WORD if whole else LONGEST_NAME)
    blocks = []
    for gate in view.gates:
        if whole or gate.name == chosen:
            blocks.append(_whole(gate, view.at, width, max(named, 4), look, cursor=gate.name == chosen))
        else:
            blocks.append([_short(gate, view.at, width, named, look)])
    return blocks


def _short(gate: Gate, at: datetime, width: int, named: int, look: Look) -> Runs:
    palette, passes = look.palette, gate.answer is Answer.PASS
    head = f" {look.glyphs.answers[gate.answer]} {fit(gate.name, named, look.glyphs.more)} "
    left_s = (gate.until - at).total_seconds() if gate.until is not None else 0.0
    word = f"{gate.answer.value} {span(left_s)}" if left_s > 0 else gate.answer.value
    text = gate.why if passes else f"{word}: {gate.why}"
    if passes and gate.warns:
        text = f"! {gate.warns}"
    style = palette.warn if passes and gate.warns else palette.plain
    room = max(width - len(head), 0)
    return (head, _tone(gate, palette)), (fit(text, room, look.glyphs.more), style)


def _whole(gate: Gate, at: datetime, width: int, named: int, look: Look, *, cursor: bool) -> list[Runs]:
    palette = look.palette
    sign: Run = (look.glyphs.cursor if cursor else " ", palette.key)
    head = f"{look.glyphs.answers[gate.answer]} {gate.answer.value:<{WORD}}{fit(gate.name, named, look.glyphs.more)} "
    under = len(head) + 1
    if width - under < 24:
        # a narrow pane: below the head, not beside it
        under = 3
        lines: list[Runs] = [(sign, (head.rstrip(), _tone(gate, palette)))]
    else:
        lines = []
    room = max(width - under - 1, 10)
    texts = [harmless(gate.why) or "no reason given"]
    if gate.answer is not Answer.PASS or cursor:
        texts += [until(gate, at), f"since {moment(gate.since, at)}" if gate.since else ""]
        texts.append(f"lifts: {harmless(gate.lifts)}" if gate.lifts else "")
    body = [(line, palette.plain if n == 0 else palette.dim) for n, text in enumerate(texts) if text
            for line in wrapped(text, room)]  # fmt: skip
    body += [(line, palette.warn) for line in wrapped(f"! {harmless(gate.warns)}", room) if gate.warns]
    blank: Run = (" " * under, palette.plain)
    if not lines:
        first, *body = body
        lines = [(sign, (head, _tone(gate, palette)), first)]
    return [*lines, *((blank, line) for line in body)]


def _tone(gate: Gate, palette: Palette) -> Style:
    """Loud while a pass opens what would be closed."""
    return palette.alarm if gate.name in LOUD else palette.answers[gate.answer]


def closed_first(view: ServiceView) -> ServiceView:
    """For where not all gates are seen at once."""
    return replace(
        view, gates=tuple(sorted(view.gates, key=lambda gate: gate.answer is Answer.PASS and gate.name not in LOUD))
    )


def counted(gates: Iterable[Gate]) -> str:
    """As in "6 pass, 1 hold": every answer that there is, the closed ones never left out."""
    answers = [gate.answer for gate in gates]
    return ", ".join(f"{answers.count(answer)} {answer.value}" for answer in Answer if answer in answers) or "none"


def until(gate: Gate, at: datetime) -> str:
    return until_words(gate.until, at) if gate.until is not None else ""
