"""A link is opened once, over real connections: what it says counts, where it points on does not."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.scout.links import opened
from pipeline.readiness.seen import Answer


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, Answer.OPEN),
        (204, Answer.OPEN),
        (301, Answer.OPEN),
        (404, Answer.GONE),
        (410, Answer.GONE),
        (401, Answer.UNKNOWN),
        (403, Answer.UNKNOWN),
        (500, Answer.UNKNOWN),
        (503, Answer.UNKNOWN),
    ],
)
async def test_a_page_answers_for_itself(peers: Any, http_answer: Any, status: int, answer: Answer) -> None:
    address = await peers.answering(lambda *_: http_answer(status, ""))
    assert await opened(f"http://{address}/runbook", Path("/")) == (answer, f"HTTP {status}")


async def test_a_server_that_takes_no_head_is_asked_with_get(peers: Any, http_answer: Any) -> None:
    address = await peers.answering(lambda method, *_: http_answer(405 if method == "HEAD" else 200, ""))
    assert (await opened(f"http://{address}/runbook", Path("/")))[0] is Answer.OPEN
    assert [method for method, _ in peers.requests] == ["HEAD", "GET"]


async def test_no_redirect_is_followed(peers: Any, http_answer: Any) -> None:
    elsewhere = await peers.answering(lambda *_: http_answer(404, ""))
    moved = f"Location: http://{elsewhere}/secret\r\n"
    address = await peers.answering(lambda *_: http_answer(302, "", moved))
    assert (await opened(f"http://{address}/runbook", Path("/")))[0] is Answer.OPEN
    assert [path for _, path in peers.requests] == ["/runbook"]


async def test_no_body_is_read_however_long_it_is(peers: Any) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n" + b"x" * 100_000
    said = iter([b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n", endless])

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(next(said))
            await writer.drain()

    address = await peers.talking(talk)
    assert (await opened(f"http://{address}/runbook", Path("/"), 5.0))[0] is Answer.OPEN


async def test_a_silent_page_and_one_that_refuses_are_unknown(peers: Any) -> None:
    silent = await peers.answering(lambda *_: None)
    assert await opened(f"http://{silent}/", Path("/"), 0.2) == (Answer.UNKNOWN, "no answer in 0.2 s")
    refusing = await peers.refusing()
    answer, why = await opened(f"http://{refusing}/", Path("/"), 2.0)
    assert answer is Answer.UNKNOWN
    assert why.startswith("it cannot be reached: ")
    rubbish = await peers.saying(b"\x1b[2J no HTTP\r\n\r\n")
    answer, why = await opened(f"http://{rubbish}/", Path("/"), 2.0)
    assert answer is Answer.UNKNOWN
    assert "\x1b" not in why


async def test_a_file_is_looked_up_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "runbook.md").write_text("restart it")
    assert (await opened("runbook.md", tmp_path))[0] is Answer.OPEN
    assert (await opened(str(tmp_path / "runbook.md"), Path("/")))[0] is Answer.OPEN
    assert await opened("faq.md", tmp_path) == (Answer.GONE, f"no file {tmp_path}/faq.md")
    assert (await opened("runbook.md/more", tmp_path))[0] is Answer.GONE


@pytest.mark.parametrize("link", ["ftp://x/y", "file:///etc/passwd", "mailto:ana@x", "http:", "http://", "http://["])
async def test_other_schemes_are_not_opened(link: str) -> None:
    assert (await opened(link, Path("/")))[0] is Answer.UNKNOWN


@given(st.text(max_size=40))
async def test_no_text_breaks_it(link: str) -> None:
    if link.lower().startswith("http"):
        return
    answer, why = await opened(link, Path("/nowhere"))
    assert answer in Answer
    assert "\n" not in why
