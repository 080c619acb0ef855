"""Recordings and checks for one test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.checks.finding import Finding
from adapters.checks.replay import run_replay
from adapters.wire import Wire
from pipeline.checks import CheckRule
from pipeline.model import Service
from tests.adapters.checks.replay_support import Tape


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    return Tape(tmp_path)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    it = Wire()
    yield it
    await it.close()


@pytest.fixture
def play(wire, clock):
    async def played(check: CheckRule, of: Service, production_rps: float | None = None) -> Finding:
        return await run_replay(check, of, wire, clock, production_rps)

    return played
