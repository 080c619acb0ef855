"""What any program on the machine may throw at the sockets."""

import asyncio
import json
from pathlib import Path

import pytest
from api_desk import SmallDesk, fleet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import http
from adapters.api import inbound
from adapters.api.client import ApiRoom
from adapters.api.server import ApiServer
from pipeline.commands import Command, Refused, Verb
from pipeline.text import is_identifier

GOOD = {"verb": "pause", "service": "web", "request": "q1"}


async def answer(
    run_dir: Path, method: str, path: str, socket: str = "pithead.sock", **how: object
) -> tuple[int, dict[str, str]]:
    async with http.client("http://pithead", uds=str(run_dir / socket)) as client:
        reply = await client.request(method, path, **how)  # type: ignore[arg-type]
        return reply.status_code, reply.json()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"[" * 10_000,
        json.dumps({**GOOD, "verb": "explode"}).encode(),
        json.dumps({**GOOD, "version": "3"}).encode(),
        json.dumps({**GOOD, "version": 10**30}).encode(),
        json.dumps({**GOOD, "service": "--force"}).encode(),
        json.dumps({**GOOD, "service": "a/../b"}).encode(),
        json.dumps({**GOOD, "revision": "r1; rm -rf /"}).encode(),
        json.dumps({**GOOD, "release": "\x1b]0;x\x07"}).encode(),
        json.dumps({**GOOD, "request": ""}).encode(),
        json.dumps({**GOOD, "request": "q" * 101}).encode(),
        json.dumps({**GOOD, "service": None}).encode(),
    ],
)
async def test_a_body_that_is_no_command_is_refused_in_three_parts(
    server: ApiServer, desk: SmallDesk, run_dir: Path, body: bytes
) -> None:
    status, said = await answer(run_dir, "POST", "/v1/commands", content=body)
    assert status == 400
    assert set(said) == {"what", "why", "mend"}
    assert all(text and text.isprintable() for text in said.values())
    assert desk.taken == []


@given(
    st.binary(max_size=60) | st.dictionaries(st.text(max_size=8), st.text(max_size=8)).map(json.dumps).map(str.encode)
)
def test_whatever_is_taken_for_a_command_has_names_that_are_names(body: bytes) -> None:
    try:
        command = inbound.command(body)
    except inbound.Bad as bad:
        assert bad.status == 400
    else:
        assert is_identifier(command.service)


async def test_a_reason_is_cleaned_before_it_is_recorded(desk: SmallDesk, room: ApiRoom) -> None:
    await room.send(Command(Verb.PAUSE, "web", "q1", reason="line\nbreak \x1b[31m [/] \u202e"))
    reason = desk.taken[0][0].reason
    assert reason == "line break \ufffd[31m [/] \ufffd"


async def test_a_reason_longer_than_what_is_kept_is_refused_with_the_limit(desk: SmallDesk, room: ApiRoom) -> None:
    with pytest.raises(Refused, match="reason has 501 characters: use at most 500"):
        await room.send(Command(Verb.LOCK, "web", "q1", reason="x" * 501))
    await room.send(Command(Verb.LOCK, "web", "q1", reason="x" * 500))
    assert [len(command.reason) for command, _ in desk.taken] == [500]


async def test_the_way_back_is_taken_with_a_longer_reason_cut(desk: SmallDesk, room: ApiRoom) -> None:
    await room.send(Command(Verb.ROLLBACK, "web", "q1", reason="x" * 501))
    assert [len(command.reason) for command, _ in desk.taken] == [500]


async def test_an_origin_is_cleaned_and_never_decides_who(server: ApiServer, desk: SmallDesk, run_dir: Path) -> None:
    headers = {"Pithead-Origin": "x" * 300, "X-User": "root2"}
    status, _ = await answer(run_dir, "POST", "/v1/commands", content=json.dumps(GOOD), headers=headers)
    assert status == 200
    assert len(desk.taken[0][1].origin) == 100


async def test_a_body_too_large_is_not_read(server: ApiServer, desk: SmallDesk, run_dir: Path) -> None:
    status, said = await answer(run_dir, "POST", "/v1/commands", content=b" " * 100_000)
    assert status == 413
    assert "Too Large" in said["why"]
    assert desk.taken == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nosuch", 404),
        ("GET", "/v1/services/nosuch", 404),
        ("GET", "/v1/services/%2e%2e%2fetc", 404),
        ("GET", "/v1/services/nosuch/stream", 404),
        ("GET", "/v1/proposals/explode/web", 404),
        ("GET", "/v1/proposals/promote/nosuch", 404),
        ("GET", "/v1/proposals/resume/web", 409),
        ("GET", "/v1/proposals/correct/web?kind=bad&start=2026-01-09T09:00Z", 400),
        ("GET", "/v1/proposals/correct/web?kind=bad&start=2026-01-09T09:00&end=2026-01-09T10:00Z", 400),
        ("GET", "/v1/proposals/correct/web?since=now", 400),
        ("POST", "/v1/fleet", 405),
        ("GET", "/v1/commands", 405),
        ("GET", "/v1/history?limit=0", 400),
        ("GET", "/v1/history?limit=1001", 400),
        ("GET", "/v1/history?limit=1e3", 400),
        ("GET", "/v1/history?before=-1", 400),
        ("GET", "/v1/history?before=" + "9" * 5000, 400),
        ("GET", "/v1/history?since=2026-03-01T12:00:00", 400),
        ("GET", "/v1/history?since=yesterday", 400),
        ("GET", "/v1/history?sort=up", 400),
    ],
)
async def test_what_there_is_not_is_said_in_three_parts(
    server: ApiServer, run_dir: Path, method: str, path: str, status: int
) -> None:
    found, said = await answer(run_dir, method, path)
    assert (found, set(said)) == (status, {"what", "why", "mend"})
    assert all(text.isprintable() for text in said.values())


async def test_an_unknown_service_in_a_command_is_404_and_a_race_lost_409(server: ApiServer, run_dir: Path) -> None:
    unknown = json.dumps({**GOOD, "service": "nosuch"})
    assert (await answer(run_dir, "POST", "/v1/commands", content=unknown))[0] == 404
    late = json.dumps({**GOOD, "verb": "promote", "version": 2})
    assert (await answer(run_dir, "POST", "/v1/commands", content=late))[0] == 409


async def test_a_broken_history_is_503_with_its_reason(server: ApiServer, desk: SmallDesk, run_dir: Path) -> None:
    desk.broken = True
    status, said = await answer(run_dir, "GET", "/v1/history")
    assert status == 503
    assert "the disk is full" in said["why"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80))
async def test_bytes_that_are_no_http_harm_nobody(noise: bytes) -> None:
    """One server for each example: what is thrown at it must not outlive the line."""
    import tempfile

    from api_desk import SteadyClock

    with tempfile.TemporaryDirectory() as folder:
        api = ApiServer(SmallDesk(fleet("web")), Path(folder), clock=SteadyClock())
        await api.start()
        reader, writer = await asyncio.open_unix_connection(f"{folder}/pithead.sock")
        writer.write(noise)
        writer.write_eof()
        await reader.read()
        writer.close()
        room = ApiRoom(Path(folder) / "pithead.sock")
        assert (await room.health()).token == 7
        await room.close()
        await api.stop()
