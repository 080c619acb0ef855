from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from tui.output import OnlyAscii

BLACK = Color(0, 0, 0)


@given(st.text(st.characters(exclude_categories=["C", "M"])))
def test_what_a_terminal_cannot_show_takes_as_many_cells_as_before(text: str) -> None:
    (shown,) = OnlyAscii().apply([Segment(text)], BLACK)
    assert shown.text.isascii()
    assert cell_len(shown.text) == sum(map(cell_len, text))


def test_letters_it_can_show_stay() -> None:
    assert OnlyAscii().apply([Segment("Gr\u00f6\u00dfe \u7532 7")], BLACK)[0].text == "Gr??e ?? 7"
