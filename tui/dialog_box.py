"""The picture of a proposal: `box` lays a `Face` out in 76 columns. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from textwrap import wrap

from rich.cells import cell_len
from rich.style import Style

from pipeline.commands import Verb
from pipeline.view import Asks
from tui.glyphs import Glyphs
from tui.theme import Palette
from tui.widgets.runs import Run, Runs, length
from tui.words import fit, harmless

WIDTH = 76
LABEL = 10
NAME_CELLS, REASON_CELLS = 44, 46


class Step(StrEnum):
    LOADING = "loading"
    ASKING = "asking"
    SENDING = "sending"
    UNSURE = "unsure"
    """Sent, and no answer came."""
    CLOSED = "closed"
    """Nothing can be confirmed: not allowed, refused, or done."""


_DOES = {Verb.PROMOTE: "Promote", Verb.ROLLBACK: "Roll back", Verb.CANCEL: "Cancel the release"}


@dataclass(frozen=True, slots=True)
class Face:
    """All that a dialog shows."""

    verb: Verb
    service: str
    step: Step = Step.LOADING
    title: str = ""
    rows: Sequence[tuple[str, str]] = ()
    asks: Asks = Asks.YES
    typed: str = ""
    """The service's name where that is asked for, else the reason."""
    focus: str = "cancel"
    """name, reason, cancel, confirm."""
    answer: Sequence[tuple[str, str]] = ()
    """What the controller said to it."""

    @property
    def does(self) -> str:
        return _DOES.get(self.verb, self.verb.capitalize())

    @property
    def ready(self) -> bool:
        """Whether the confirmation that is asked for has been given."""
        return self.asks is not Asks.NAME or self.typed == self.service

    def moved(self, by: int) -> "Face":
        """The focus one further."""
        ring = ("name", "cancel", "confirm") if self.asks is Asks.NAME else ("cancel", "reason", "confirm")
        return replace(self, focus=ring[(ring.index(self.focus) + by) % len(ring)])


def box(face: Face, glyphs: Glyphs, palette: Palette, height: int) -> tuple[Runs, ...]:
    """At most `height` lines; of a longer proposal the end is cut, and that is said."""
    heading = palette.warn if face.step in (Step.ASKING, Step.SENDING) else palette.strong
    title = harmless(face.title or f"{face.does} {face.service}?")
    top = glyphs.box.top(fit(title, min(cell_len(title), WIDTH - 6), glyphs.more), WIDTH)
    body = [*_table(face.rows, palette.plain, palette, glyphs), *_state(face, palette, glyphs)]
    room = max(height - 4, 1)
    if len(body) > room:
        body = [*body[: room - 1], ((" more than fits here: make the terminal taller", palette.warn),)]
    return (
        ((top, heading),),
        *(_line(runs, glyphs, palette) for runs in (*body, (), _buttons(face, palette))),
        ((glyphs.box.bottom(_foot(face), WIDTH), palette.dim),),
    )


def narrow(face: Face, width: int, glyphs: Glyphs, palette: Palette) -> tuple[Runs, ...]:
    """In place of the box where it does not fit."""
    said = (
        face.title or f"{face.does} {face.service}?",
        f"too narrow to be read: {width} columns, {WIDTH} needed",
        "q closes",
    )
    return tuple(((fit(f" {text}", width, glyphs.more), palette.warn),) for text in map(harmless, said))


def _line(runs: Runs, glyphs: Glyphs, palette: Palette) -> Runs:
    edge: Run = (glyphs.box.vertical, palette.dim)
    return (edge, *runs, (" " * max(WIDTH - 2 - length(runs), 0), palette.plain), edge)


def _table(rows: Sequence[tuple[str, str]], style: Style, palette: Palette, glyphs: Glyphs) -> Iterator[Runs]:
    width = WIDTH - 4 - LABEL
    for label, text in rows:
        for number, part in enumerate(wrap(harmless(text), width, break_on_hyphens=False) or [""]):
            shown = "" if number else label
            yield (fit(f" {shown}", LABEL, glyphs.more) + " ", palette.dim), (fit(part, width, glyphs.more), style)


def _state(face: Face, palette: Palette, glyphs: Glyphs) -> Iterator[Runs]:
    """What is asked, or answered, below the proposal."""
    if face.step is Step.LOADING:
        yield ((" asking the controller ...", palette.dim),)
    elif face.step is Step.SENDING:
        yield ()
        yield ((" sent; waiting for the controller's answer ...", palette.move),)
    elif face.step is Step.ASKING and face.asks is Asks.NAME:
        here = "_" if face.focus == "name" else " "
        yield ()
        yield (
            (" Type the service's name:  ", palette.plain),
            (face.typed[-NAME_CELLS:] + here, palette.good if face.ready else palette.strong),
        )
    elif face.step is Step.ASKING:
        here = "_" if face.focus == "reason" else " "
        typed = (face.typed + here)[-REASON_CELLS:]
        style = palette.strong if face.focus == "reason" else palette.plain
        yield (fit(" reason", LABEL) + " ", palette.dim), (f"[ {fit(typed, REASON_CELLS)} ]", style)
    if face.answer:
        style = palette.good if face.answer[0][0] == "taken" else palette.fail
        yield ()
        yield from _table(face.answer, style, palette, glyphs)


def _buttons(face: Face, palette: Palette) -> Runs:
    def button(text: str, name: str) -> Run:
        return text, palette.strong + Style(reverse=True) if face.focus == name else palette.strong

    if face.step is Step.UNSURE:
        return (
            (" ", palette.plain),
            ("[ Close ]", palette.strong),
            ("   ", palette.plain),
            ("y", palette.key),
            (" ask again: the same request is never carried out twice", palette.plain),
        )
    if face.step is not Step.ASKING:
        label = "[ Close ]" if face.step is Step.CLOSED else "[ Cancel ]"
        return (" ", palette.plain), (label, palette.strong + Style(reverse=True))
    cancel = button("[ Cancel ]", "cancel")
    if face.asks is Asks.YES:
        return (
            (" ", palette.plain),
            cancel,
            ("   ", palette.plain),
            ("y", palette.dim if face.focus == "reason" else palette.key),
            button(f" {face.does}", "confirm"),
        )
    if face.ready:
        return (" ", palette.plain), cancel, ("   ", palette.plain), button(f"[ {face.does} ]", "confirm")
    off = f"   {face.does} (off until the name matches)"
    return (" ", palette.plain), cancel, (off, palette.dim)


def _foot(face: Face) -> str:
    if face.step is not Step.ASKING:
        return "Esc closes" if face.step in (Step.LOADING, Step.SENDING) else "q closes"
    if face.asks is Asks.NAME:
        return "Esc cancels   pasted text is ignored   keys wait 0.4 s"
    return "Esc cancels   Tab, then y" if face.focus == "reason" else "q cancels   Tab to the reason"
