from dataclasses import replace
from typing import Any

import pytest

from pipeline.view import State
from tests.tui.fakes import FakeRoom
from tests.tui.pages import drawn, opened
from tests.tui.samples import sample_fleet, sample_service
from tui.glyphs import ASCII
from tui.service import ServiceScreen
from tui.service_head import said_lines
from tui.theme import Colors, palette
from tui.widgets.pane import Look, folded
from tui.widgets.runs import length

PLAIN = Look(ASCII, palette(Colors.NONE))


def text(runs: Any) -> str:
    return "".join(part for part, _ in runs)


WHY = "r999 was rolled back to r101: the deploy failed on web-1: r999 was not found in /srv/builds: see what was built"


@pytest.mark.parametrize(("size", "whole"), [((80, 24), True), ((80, 23), False)])
async def test_a_long_reason_takes_a_second_line_where_the_page_has_room(size: tuple[int, int], whole: bool) -> None:
    view = sample_service("checkout-api")
    locked = replace(view, row=replace(view.row, state=State.LOCK, why=WHY, verdict=None), judge=None)
    async with opened(ServiceScreen("checkout-api"), FakeRoom(sample_fleet(), {"checkout-api": locked}), size) as (
        app,
        _,
    ):
        second, third = drawn(app)[2:4]
        said = f"{second.partition('  ')[0].strip()} {third.strip()}"
        assert (said == f"LOCK {WHY}") is whole
        assert "budget" in second
        assert ("1 Metrics" in third) is not whole


@pytest.mark.parametrize("first", [0, 1, 5, 30, 400])
def test_what_is_folded_stays_in_its_lines_and_loses_nothing_where_it_fits(first: int) -> None:
    said = ((" LOCK", PLAIN.palette.fail), (f" {WHY} \u7532\u7532", PLAIN.palette.plain))
    for width in (1, 20, 200):
        lines = folded(said, first, width, indent=3, most=3, more="..")
        assert 1 <= len(lines) <= 3
        assert length(lines[0]) <= first
        assert all(length(line) <= width for line in lines)
    lines = folded(said, first, 200, indent=3, more="..")
    assert "".join(map(text, lines)).replace(" ", "") == text(said).replace(" ", "")
    assert text(folded(said, 30, 40, indent=3, more="..")[-1]).endswith("..")


def test_a_refusal_is_said_to_its_end() -> None:
    said = f"no news of checkout-api: {WHY}"
    lines = said_lines(said, 3.2, 80, PLAIN, most=3)
    assert " ".join(text(line).strip() for line in lines) == f"{said}, shown as of 3s ago"
    assert len(said_lines(said, None, 80, PLAIN, most=1)) == 1
