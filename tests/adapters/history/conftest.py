from collections.abc import Iterator
from pathlib import Path

import pytest
from history_samples import Opener

from adapters.history.reserve import Reserve
from adapters.history.sqlite import SqliteHistory


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opener]:
    """Makes histories, by default in the test's own folder; all are closed at the end."""
    made: list[SqliteHistory] = []

    def make(path: Path = tmp_path / "state" / "history.db", **how: object) -> SqliteHistory:
        how.setdefault("reserve", Reserve(Path(f"{path}.reserve"), 64 * 1024))
        made.append(SqliteHistory(path, **how))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for history in made:
        history.close()
