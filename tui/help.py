"""`?`: the keys of the view in hand, why one is off, and by which id each is remapped."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from tui.keys import MOVES, Key
from tui.page import PageScreen
from tui.widgets.pane import Look, Sheet
from tui.widgets.runs import Runs
from tui.words import fit

Keys = Sequence[tuple[Key, str]]
"""Each with why it is off now, or ""."""
NAME, IDS = 9, 24
LEAVING = "q goes back; from the fleet it leaves, and rollouts go on"


def help_sheet(keys: Keys, width: int, look: Look, beside: str = "") -> Sheet:
    body = (*_keys(keys, width, look), (), *_moves(look), *_beside(beside, width, look))
    return Sheet((("keys of this view", look.palette.strong),), body, ((LEAVING, look.palette.dim),))


def _keys(keys: Keys, width: int, look: Look) -> Iterator[Runs]:
    colors = look.palette
    room = width - NAME - IDS - 1
    for key, off in keys:
        for number, part in enumerate(wrap(key.help, max(room, NAME))):
            yield (
                (fit("" if number else f" {key.shown}", NAME), colors.dim if off else colors.key),
                (fit(part, room) + " ", colors.dim if off else colors.plain),
                (fit("" if number else key.id, IDS), colors.dim),
            )
        if off:
            yield ((" " * NAME + f"off: {off}", colors.warn),)


def _moves(look: Look) -> Iterator[Runs]:
    for shown, does in MOVES:
        yield (fit(f" {shown}", 2 * NAME), look.palette.key), (does, look.palette.plain)


def _beside(verb: str, width: int, look: Look) -> Iterator[Runs]:
    """The verb on lines of its own, so that it can be copied."""
    if verb:
        yield ()
        yield ((" the same from another terminal:", look.palette.plain),)
        for part in wrap(verb, max(width - 3, NAME), break_on_hyphens=False):
            yield ((f"   {part}", look.palette.key),)


class HelpScreen(PageScreen):
    def __init__(self, keys: Keys, beside: str = "") -> None:
        super().__init__("help", lambda width, look: help_sheet(keys, width, look, beside))
