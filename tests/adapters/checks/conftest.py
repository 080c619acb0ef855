"""Recordings and checks for one test."""

from pathlib import Path

import pytest

from tests.adapters.checks.replay_support import Tape


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    return Tape(tmp_path)
