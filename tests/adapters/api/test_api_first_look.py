"""The first look: real rows before any library is loaded."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from api_desk import SmallDesk, fleet

from adapters.api import first_look
from adapters.api.server import ApiServer
from pipeline.ports import ControllerLost


async def test_it_is_the_fleet_as_it_is(desk: SmallDesk, server: ApiServer, run_dir: Path) -> None:
    desk.put(fleet(*(f"s{number}" for number in range(1_000)), sequence=2))
    asked = first_look.ask(run_dir / "view.sock")
    assert await asyncio.to_thread(asked.fleet, 5.0) == desk.view


async def test_what_is_not_there_is_lost(server: ApiServer, run_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ControllerLost, match="no controller answers"):
        first_look.ask(tmp_path / "nosuch.sock")
    asked = first_look.ask(run_dir / "view.sock", "/v1/nosuch")
    with pytest.raises(ControllerLost, match="not the answer"):
        await asyncio.to_thread(asked.result, 5.0)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "not the answer"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 500\r\n\r\n{", "cut off"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", "not understood"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe", "not understood"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not the answer"),
        (None, "timed out"),
    ],
)
async def test_a_garbled_cut_or_missing_answer_is_lost(tmp_path: Path, said: bytes | None, why: str) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if said is not None:
            writer.write(said)
        else:
            await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(speak, tmp_path / "odd.sock"):
        asked = first_look.ask(tmp_path / "odd.sock")
        with pytest.raises(ControllerLost, match=why):
            await asyncio.to_thread(asked.fleet, 0.05 if said is None else 5.0)


def test_asking_loads_no_http_library() -> None:
    loaded = (
        "import sys, adapters.api.first_look; print({'httpx','aiohttp','msgspec','asyncio','ssl'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
