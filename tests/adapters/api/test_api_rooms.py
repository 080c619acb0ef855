"""The front end's side: views pushed, commands posted, a lost line told."""

import asyncio
import os
import pwd
import re
import socket
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from api_desk import EVENT, NOW, SmallDesk, SteadyClock, changed, fleet, row

from adapters.api.client import ApiRoom, seat
from adapters.api.server import ApiServer
from pipeline.commands import Command, Receipt, Refused, Stretch, Verb
from pipeline.ports import ControllerLost
from pipeline.view import HistoryPage, HistoryQuery


async def test_the_fleet_comes_whole_and_then_by_changes_that_keep_other_rows(desk: SmallDesk, room: ApiRoom) -> None:
    async with aclosing(room.fleet()) as views:
        first = await anext(views)
        assert first == desk.view
        desk.put(changed(desk.view, row("search", "3 hosts down")))
        second = await anext(views)
    assert second == desk.view
    assert second.services[1].why == "3 hosts down"
    assert second.services[0] is first.services[0]
    assert second.services[2] is first.services[2]


async def test_services_that_come_go_and_change_places_are_followed(desk: SmallDesk, room: ApiRoom) -> None:
    async with aclosing(room.fleet()) as views:
        first = await anext(views)
        pricing, search, web = desk.view.services
        for services in ((web, pricing, row("billing")), (row("billing"),), (), (search, web)):
            desk.put(replace(changed(desk.view), services=services, last=None, notices=(), day=None))
            assert await anext(views) == desk.view
    assert first.services[0].name == "pricing"


async def test_a_silent_fleet_is_kept_alive_by_beats(desk: SmallDesk, server: ApiServer, run_dir: Path) -> None:
    patient = ApiRoom(run_dir / "pithead.sock", silent_s=0.5)
    async with aclosing(patient.fleet()) as views:
        await anext(views)
        waiting = asyncio.ensure_future(anext(views))
        done, _ = await asyncio.wait({waiting}, timeout=0.8)
        assert not done
        desk.put(changed(desk.view))
        assert (await waiting).sequence == 2
    await patient.close()


async def test_a_silent_line_is_lost(tmp_path: Path) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(mute, tmp_path / "mute.sock"):
        room = ApiRoom(tmp_path / "mute.sock", silent_s=0.05)
        with pytest.raises(ControllerLost, match=r"has said nothing for 0\.05 s"):
            await anext(room.fleet())
        await room.close()


async def test_a_controller_that_stops_or_never_was_is_lost(server: ApiServer, room: ApiRoom) -> None:
    views = room.fleet()
    await anext(views)
    await server.stop()
    with pytest.raises(ControllerLost, match=r"hung up|broke"):
        await anext(views)
    for lost in (anext(room.fleet()), room.send(Command(Verb.PAUSE, "web", "q1")), room.history(HistoryQuery())):
        with pytest.raises(ControllerLost, match="no controller answers"):
            await lost


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"5\r\n{}\n{}\r\n", "not understood"),
        (b'1f\r\n{"kind":"fleet","fleet":{"at":1}\r\n', "broke"),
        (b'10\r\n{"kind":"beat"}\n\r\n5\r\n\xff\xfe\n{]\r\n', "not understood"),
        (b"2\r\n\n\n\r\n", "not understood"),
        (b"zz\r\n", "broke"),
        (b"", "broke"),
    ],
)
async def test_a_line_cut_or_garbled_in_mid_stream_is_lost(tmp_path: Path, said: bytes, why: str) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + said)
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(speak, tmp_path / "odd.sock"):
        room = ApiRoom(tmp_path / "odd.sock", silent_s=5)
        with pytest.raises(ControllerLost, match=why):
            await anext(room.fleet())
        await room.close()


async def test_a_page_is_pushed_whole_and_ends_when_its_service_goes(desk: SmallDesk, room: ApiRoom) -> None:
    async with aclosing(room.service("search")) as pages:
        assert await anext(pages) == desk.service("search")
        desk.put(changed(desk.view, row("search", "3 hosts down")))
        assert (await anext(pages)).row.why == "3 hosts down"
        desk.put(replace(changed(desk.view), services=()))
        with pytest.raises(Refused, match="no such service"):
            await anext(pages)


@pytest.mark.parametrize("name", ["nosuch", "a/b", "..", "", "%2e", "x" * 3000, "[/]\x1b[2J"])
async def test_an_unknown_or_hostile_service_is_refused(room: ApiRoom, name: str) -> None:
    with pytest.raises((Refused, ControllerLost)) as caught:
        await anext(room.service(name))
    assert str(caught.value).isprintable()
    with pytest.raises((Refused, ControllerLost)):
        await room.propose(Verb.PROMOTE, name)


async def test_a_slow_reader_gets_the_newest_and_no_queue(desk: SmallDesk, server: ApiServer, run_dir: Path) -> None:
    loop = asyncio.get_running_loop()
    desk.put(fleet(*(f"s{number}" for number in range(400)), sequence=2))
    with socket.socket(socket.AF_UNIX) as line:
        line.setblocking(False)
        await loop.sock_connect(line, str(run_dir / "pithead.sock"))
        await loop.sock_sendall(line, b"GET /v1/fleet/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        # One whole view is about what the kernel holds for a reader who takes nothing.
        for sequence in range(3, 203):
            desk.put(changed(desk.view, *(row(one.name, f"as of {sequence}") for one in desk.view.services)))
            for _ in range(5):
                await asyncio.sleep(0)
        said = b""
        while b'"sequence":202,' not in said:
            said += await loop.sock_recv(line, 2**20)
    seen = [int(number) for number in re.findall(rb'"sequence":(\d+)', said)]
    assert seen == sorted(seen)
    assert len(seen) < 10


async def test_a_command_is_recorded_with_the_kernels_word_for_who(desk: SmallDesk, room: ApiRoom) -> None:
    command = Command(Verb.PROMOTE, "pricing", "q1", release="pricing-7", version=3, reason="looks well")
    assert await room.send(command) == Receipt("pricing", "pricing-7", "paused")
    taken, who = desk.taken[0]
    assert taken == command
    assert (who.uid, who.name) == (os.getuid(), pwd.getpwuid(os.getuid()).pw_name)
    assert who.origin == "ssh 10.2.0.7"


async def test_a_refusal_comes_in_its_own_words(room: ApiRoom) -> None:
    with pytest.raises(Refused) as moved:
        await room.send(Command(Verb.PROMOTE, "pricing", "q1", version=2))
    assert (moved.value.what, moved.value.why, moved.value.mend) == (
        "promote pricing",
        "it has moved on",
        "look again",
    )
    with pytest.raises(Refused, match="it is not paused"):
        await room.propose(Verb.RESUME, "pricing")


async def test_a_correction_is_proposed_with_what_it_is_about(desk: SmallDesk, room: ApiRoom) -> None:
    about = Stretch("bad", NOW - timedelta(minutes=12), NOW)
    assert await room.propose(Verb.CORRECT, "web", about) == desk.propose(Verb.CORRECT, "web", about)
    assert (await room.propose(Verb.CORRECT, "web", about)).rows[0][0] == "bad"


async def test_a_proposal_and_history_come_as_they_are(desk: SmallDesk, room: ApiRoom) -> None:
    assert await room.propose(Verb.PROMOTE, "web") == desk.propose(Verb.PROMOTE, "web")
    query = HistoryQuery("web", "50% & a+b=c", NOW, 17, 20)
    assert await room.history(query) == HistoryPage((EVENT,), 41)
    assert desk.asked == [query]
    desk.broken = True
    with pytest.raises(ControllerLost, match="the disk is full"):
        await room.history(HistoryQuery())


async def test_history_of_a_name_that_was_never_there_is_refused_and_of_a_service_that_left_is_told(
    desk: SmallDesk, room: ApiRoom
) -> None:
    desk.unheard = {"nosuch", "web"}
    with pytest.raises(Refused, match="history nosuch: no such service, now or ever: pithead status"):
        await room.history(HistoryQuery("nosuch"))
    assert await room.history(HistoryQuery("left")) == HistoryPage((EVENT,), 41)
    assert await room.history(HistoryQuery("web")) == HistoryPage((), 0)


async def test_the_viewers_socket_refuses_commands_and_says_so_beforehand(
    desk: SmallDesk, room: ApiRoom, viewer: ApiRoom
) -> None:
    assert viewer.read_only
    assert (await anext(viewer.fleet())) == desk.view
    with pytest.raises(Refused, match="read-only"):
        await viewer.send(Command(Verb.PAUSE, "web", "q1"))
    assert viewer.read_only
    await room.health()
    assert not room.read_only


async def test_a_read_only_server_refuses_on_both_sockets(desk: SmallDesk, run_dir: Path) -> None:
    api = ApiServer(desk, run_dir, read_only=True, clock=SteadyClock())
    await api.start()
    room = ApiRoom(run_dir / "pithead.sock")
    with pytest.raises(Refused, match="read-only"):
        await room.send(Command(Verb.PAUSE, "web", "q1"))
    assert room.read_only
    await room.close()
    await api.stop()


async def test_health_tells_process_and_token(room: ApiRoom) -> None:
    health = await room.health()
    assert (health.pid, health.token, health.uptime_s) == (os.getpid(), 7, 0.0)


def test_the_seat_is_where_ssh_came_from() -> None:
    assert seat({"SSH_CONNECTION": "10.2.0.7 50022 10.0.0.1 22"}) == "ssh 10.2.0.7"
    assert seat({}) == ""
