"""`?`: beside the keys, how a verb reaches the same controller."""

from tui.glyphs import ASCII
from tui.help import help_sheet
from tui.theme import Colors, palette
from tui.widgets.pane import Look

PLAIN = Look(ASCII, palette(Colors.NONE))
VERB = "pithead --run-dir /tmp/pithead-demo-x1/run status"


def test_the_help_page_says_how_a_verb_reaches_the_same_controller() -> None:
    body = ["".join(text for text, _ in runs) for runs in help_sheet((), 78, PLAIN, VERB).body]
    assert body[-2:] == [" the same from another terminal:", f"   {VERB}"]


def test_a_room_that_any_verb_reaches_says_nothing_of_it() -> None:
    body = ["".join(text for text, _ in runs) for runs in help_sheet((), 78, PLAIN).body]
    assert not any("terminal" in line for line in body)
