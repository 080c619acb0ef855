"""Logs over the API: the page, its bounds, and what is refused."""

import asyncio

import pytest
from api_desk import NOW, SmallDesk

from adapters.api.client import ApiRoom
from adapters.api.server import ApiServer
from pipeline.commands import Refused
from pipeline.logs import HostLog, LogPage
from pipeline.model import Track
from pipeline.ports import ControllerLost
from pipeline.text import plain

PAGE = LogPage(
    "web",
    NOW,
    (
        HostLog("fra1-01", Track.CANARY, (plain("one \x1b[2J"), plain('{"two": "[/]"}'))),
        HostLog("fra1-02", Track.PRODUCTION, (), "timed out"),
    ),
    7,
)


async def test_a_page_of_logs_comes_as_it_was_read_and_a_viewer_may_read_it_too(
    desk: SmallDesk, room: ApiRoom, viewer: ApiRoom
) -> None:
    desk.logged = [PAGE]
    assert await room.logs("web", 50) == PAGE
    assert await viewer.logs("web", 1, "fra1-02") == PAGE
    assert desk.asked_logs == [("web", 50, ""), ("web", 1, "fra1-02")]


async def test_an_unknown_service_and_a_desk_that_is_busy_are_refused(desk: SmallDesk, room: ApiRoom) -> None:
    with pytest.raises(Refused, match="no such service"):
        await room.logs("nosuch", 5)
    with pytest.raises(Refused, match="4 others read logs: ask again in a moment"):
        await room.logs("web", 5)


@pytest.mark.parametrize("asked", [{"lines": 0}, {"lines": 201}, {"lines": -1}, {"host": "../x"}, {"host": "-x"}])
async def test_what_no_page_could_be_is_refused_before_the_desk_hears_of_it(
    desk: SmallDesk, room: ApiRoom, asked: dict[str, object]
) -> None:
    desk.logged = [PAGE]
    with pytest.raises(Refused, match="logs: "):
        await room.logs("web", **{"lines": 5, **asked})  # type: ignore[arg-type]
    assert desk.asked_logs == []


async def test_the_room_waits_for_hosts_longer_than_for_other_answers(
    desk: SmallDesk, server: ApiServer, run_dir, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = ApiRoom(run_dir / "pithead.sock", answer_s=0.1)
    answered = asyncio.Event()

    async def late(service: str, lines: int, host: str = "") -> LogPage:
        await asyncio.wait_for(asyncio.shield(answered.wait()), 5)
        return PAGE

    monkeypatch.setattr(desk, "logs", late)
    asyncio.get_running_loop().call_later(0.3, answered.set)
    assert await hurried.logs("web", 5) == PAGE
    await server.stop()
    with pytest.raises(ControllerLost):
        await hurried.logs("web", 5)
    await hurried.close()
