"""Sends the cells that are to be repainted, and not all that is left of them on their line.

The toolkit's own partial update begins each line at the widget's left edge (a crop that is still to be done there),
so that a clock at the right end of a line would send the whole line every second.
"""

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate


class NarrowUpdate(ChopsUpdate):
    """`ChopsUpdate`, cropped at both ends."""

    @classmethod
    def of(cls, update: ChopsUpdate) -> "NarrowUpdate":
        return cls(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        sent: list[str] = []
        for y, left, right in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= right or end <= left:
                    continue
                start, stop = max(x, left), min(end, right)
                part = strip if (start, stop) == (x, end) else strip.crop(start - x, stop - x)
                sent += (Control.move_to(start, y).segment.text, part.render(console))
        return "".join(sent)
