"""`pithead logs`: lines of the canary and of production in one stream, and why others have none."""

import asyncio
import io
import json
from argparse import Namespace

import pytest

from pipeline.commands import Refused
from pipeline.logs import HostLog, LogPage
from pipeline.model import Track
from pithead.exits import Exit, Failure
from pithead.out import Out
from pithead.parser import parser
from pithead.verbs import logs
from tests.tui.fakes import NOW, FakeRoom
from tests.tui.samples import sample_fleet

PAGE = LogPage(
    "cart",
    NOW,
    (
        HostLog("fra1-01", Track.CANARY, ("2026-01-09T14:00:02Z two", "2026-01-09T14:00:03Z three")),
        HostLog("fra1-02", Track.PRODUCTION, ("2026-01-09T14:00:01Z one \x1b]0;x\x07",)),
        HostLog("fra1-03", Track.PRODUCTION, (), "timed out"),
    ),
    4,
)


def typed(*words: str) -> Namespace:
    return parser().parse_args(["logs", *words])


def told(page: LogPage, *words: str) -> tuple[int, list[str], list[str], FakeRoom]:
    said, wrong, room = io.StringIO(), io.StringIO(), FakeRoom(sample_fleet())
    room.logged["cart"] = page
    code = asyncio.run(logs.run(typed("cart", *words), room, Out(said, wrong)))
    return code, said.getvalue().splitlines(), wrong.getvalue().splitlines(), room


def test_lines_are_told_by_track_and_host_in_the_order_of_their_times() -> None:
    code, lines, notes, room = told(PAGE)
    assert code == Exit.DONE
    assert lines == [
        "production fra1-02 | 2026-01-09T14:00:01Z one \ufffd]0;x\ufffd",
        "canary fra1-01 | 2026-01-09T14:00:02Z two",
        "canary fra1-01 | 2026-01-09T14:00:03Z three",
    ]
    assert notes == ["no lines of fra1-03: timed out", "4 more hosts were not read: --host NAME reads any of them"]
    assert room.asked_logs == [("cart", 20, "")]


def test_lines_and_host_are_handed_on_and_json_is_the_page_itself() -> None:
    code, lines, notes, room = told(PAGE, "--lines", "5", "--host", "fra1-02", "--json")
    page = json.loads("".join(lines))
    assert (code, notes) == (Exit.DONE, [])
    assert [host["track"] for host in page["hosts"]] == ["canary", "production", "production"]
    assert page["left_out"] == 4
    assert room.asked_logs == [("cart", 5, "fra1-02")]


def test_where_no_host_has_a_line_the_end_is_unknown() -> None:
    code, lines, notes, _ = told(LogPage("cart", NOW, (HostLog("a", Track.CANARY, (), "set [service.cart.logs]"),)))
    assert (code, lines) == (Exit.UNKNOWN, [])
    assert notes == ["no lines of a: set [service.cart.logs]"]


@pytest.mark.parametrize("words", [("--lines", "0"), ("--lines", "201"), ("--lines", "x"), ("--host", "../x")])
def test_what_is_no_number_and_no_name_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(Failure):
        told(PAGE, *words)


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(Refused):
        asyncio.run(logs.run(typed("nosuch"), FakeRoom(sample_fleet()), Out()))
