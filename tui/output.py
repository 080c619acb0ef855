"""The last line of defence before the terminal: no control character leaves a screen.

Text is cleaned where it comes in (`pipeline.text`); this catches what a mistake lets through.
"""

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui.words import harmless


class NoControls(LineFilter):
    """Replaces control characters in what widgets draw, cell by cell, so that columns stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        if all(segment.control is not None or segment.text.isprintable() for segment in segments):
            return segments
        return [
            segment if segment.control is not None else Segment(harmless(segment.text), segment.style)
            for segment in segments
        ]


class NoColors(LineFilter):
    """Not one colour, whatever a widget asks for; bold, dim, strike and reverse stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        return [
            Segment(text, None if style is None else style.without_color, control) for text, style, control in segments
        ]


class OnlyAscii(LineFilter):
    """For a terminal that takes nothing else: a sign that it cannot show is as many "?" as it has cells."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        return [
            segment
            if segment.control is not None or segment.text.isascii()
            else Segment(_asked(segment), segment.style)
            for segment in segments
        ]


def _asked(segment: Segment) -> str:
    return "".join(char if char.isascii() else "?" * cell_len(char) for char in segment.text)
