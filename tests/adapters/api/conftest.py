from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_desk import SmallDesk, SteadyClock, fleet

from adapters.api.client import ApiRoom
from adapters.api.server import ApiServer


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
async def desk() -> SmallDesk:
    return SmallDesk(fleet("pricing", "search", "web"))


@pytest.fixture
async def server(desk: SmallDesk, run_dir: Path) -> AsyncIterator[ApiServer]:
    """Serving `desk`, with short silences and no pause between views."""
    api = ApiServer(desk, run_dir, clock=SteadyClock(), beat_s=0.05, gap_s=0.0)
    await api.start()
    yield api
    await api.stop()


@pytest.fixture
async def room(server: ApiServer, run_dir: Path) -> AsyncIterator[ApiRoom]:
    client = ApiRoom(run_dir / "pithead.sock", origin="ssh 10.2.0.7")
    yield client
    await client.close()


@pytest.fixture
async def viewer(server: ApiServer, run_dir: Path) -> AsyncIterator[ApiRoom]:
    client = ApiRoom(run_dir / "view.sock")
    yield client
    await client.close()
