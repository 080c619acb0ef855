import asyncio
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip

from pipeline.commands import Refused
from pipeline.ports import ControllerLost
from tests.tui.fakes import FrozenClock
from tui.crash import keep_trace, last_words
from tui.feed import Fresh, Gone, Lost, follow
from tui.narrow import Terminal
from tui.output import NoControls
from tui.widgets.runs import spans

BOLD, PLAIN = Style(bold=True), Style()
RUNS = st.lists(st.tuples(st.text("ab\u7532 ", max_size=5), st.sampled_from([BOLD, PLAIN])), max_size=5).map(tuple)


def cells(runs: Any) -> list[tuple[str, Style]]:
    """A line as a terminal keeps it: the second cell of a wide character is part of the first."""
    kept: list[tuple[str, Style]] = []
    for text, style in runs:
        for char in text:
            kept += [(char, style), (f"{char}2", style)] if char == "\u7532" else [(char, style)]
    return kept + [(" ", PLAIN)] * (60 - len(kept))


@given(RUNS, RUNS)
def test_sending_only_the_changed_spans_gives_the_new_line(old: Any, new: Any) -> None:
    shown, wanted = cells(old), cells(new)
    for x, width in spans(old, new):
        shown[x : x + width] = wanted[x : x + width]
    assert [char.strip() or " " for char, _ in shown] == [char.strip() or " " for char, _ in wanted]


def test_equal_lines_have_nothing_to_send() -> None:
    line = (("checkout", BOLD), (" 19m", PLAIN))
    assert spans(line, line) == []
    assert spans(line, (("checkout", BOLD), (" 18m", PLAIN))) == [(10, 1)]


def test_a_partial_update_sends_no_cell_left_of_what_changed() -> None:
    strip = Strip([Segment("0123456789", PLAIN)])
    update = ChopsUpdate([{0: strip}], [(0, 6, 8)], [[10]])
    narrowed: Any = Terminal().narrowed(update)
    assert narrowed.render_segments(Console(color_system=None)) == "\x1b[1;7H67"


def test_a_page_is_sent_once_and_again_only_where_it_changed_or_was_forgotten() -> None:
    terminal, console = Terminal(), Console(color_system=None)

    def send(*lines: str) -> str:
        strips: Any = [[Strip([Segment(line, PLAIN)])] for line in lines]
        narrowed: Any = terminal.narrowed(LayoutUpdate(strips, Region(0, 0, 3, len(lines))))
        return str(narrowed.render_segments(console))

    assert send("abc", "def") == "\x1b[1;1Habc\x1b[2;1Hdef"
    assert send("abc", "xyz") == "\x1b[2;1Hxyz"
    part = ChopsUpdate([{0: Strip([Segment("aXc", PLAIN)])}], [(0, 1, 2)], [[3]])
    narrowed: Any = terminal.narrowed(part)
    assert narrowed.render_segments(console) == "\x1b[1;2HX"
    assert send("abc", "xyz") == "\x1b[1;1Habc"
    terminal.forget()
    assert send("abc", "xyz") == "\x1b[1;1Habc\x1b[2;1Hxyz"


@given(st.text())
def test_no_control_or_format_character_passes_the_filter(text: str) -> None:
    (segment,) = NoControls().apply([Segment(text, PLAIN)], Color(0, 0, 0))
    assert len(segment.text) == len(text)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066\u200b" for char in segment.text)


async def test_a_broken_line_is_tried_again_with_growing_patience() -> None:
    clock, posted, tries = FrozenClock(), asyncio.Queue[Any](), 0

    async def source() -> AsyncIterator[int]:
        nonlocal tries
        tries += 1
        if tries == 4:
            yield 7
        raise ControllerLost(f"try {tries}")

    following = asyncio.ensure_future(follow(source, posted.put_nowait, clock))
    waits = []
    for _ in range(3):
        lost = await posted.get()
        waits.append(lost.retry_at - clock.monotonic())
        await asyncio.sleep(0)
        clock.advance(waits[-1])
    fresh, lost = await posted.get(), await posted.get()
    following.cancel()
    assert waits == [1.0, 2.0, 4.0]
    assert isinstance(fresh, Fresh)
    assert (fresh.view, lost.why, lost.retry_at - clock.monotonic()) == (7, "try 4", 1.0)


async def test_an_operator_can_end_the_wait_for_the_next_try() -> None:
    clock, posted, hurry = FrozenClock(), asyncio.Queue[Any](), asyncio.Event()

    async def source() -> AsyncIterator[int]:
        raise ControllerLost("gone")
        yield 0

    following = asyncio.ensure_future(follow(source, posted.put_nowait, clock, hurry))
    await posted.get()
    await asyncio.sleep(0)
    hurry.set()
    assert isinstance(await posted.get(), Lost)
    following.cancel()


async def test_a_service_that_does_not_exist_ends_its_feed() -> None:
    async def source() -> AsyncIterator[int]:
        raise Refused("cart", "no such service", "see the fleet")
        yield 0

    posted: list[Any] = []
    await follow(source, posted.append, FrozenClock())
    assert [type(each) for each in posted] == [Gone]


def test_of_many_views_that_wait_the_newest_is_enough() -> None:
    assert Fresh(1, 0.0).can_replace(Fresh(2, 0.0))
    assert Lost("x", 0.0).can_replace(Fresh(2, 0.0))
    assert not Fresh(1, 0.0).can_replace(Lost("x", 0.0))


def test_a_crash_keeps_its_trace_for_the_owner_only_and_no_values(tmp_path: Any) -> None:
    def fail(token: str) -> None:
        raise ValueError("bad \x1b]0;x\x07" + str(len(token)))

    try:
        fail("s3cret")
    except ValueError as exc:
        path = keep_trace(exc, tmp_path)
        words = last_words(exc, path)
    assert path is not None
    kept = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "s3cret" not in kept.replace('fail("s3cret")', "")
    assert "\x1b" not in kept
    assert words.startswith("pithead: the room closed: ValueError: the trace is in ")


def test_a_trace_that_cannot_be_written_is_said_to_be_missing(tmp_path: Any) -> None:
    assert keep_trace(ValueError("x"), tmp_path / "none") is None
    assert "could not be written" in last_words(ValueError("x"), None)
