"""Writing the history that matches a query to a file of JSON lines."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.ports import ControlRoom
from pipeline.view import HistoryQuery
from tui.history_lines import as_json

PAGE = 1_000


class ExportError(Exception):
    """Nothing was left behind; says what, why, and what to do."""


async def export(room: ControlRoom, query: HistoryQuery, folder: Path, now: datetime) -> tuple[Path, int]:
    """All events that match, oldest last, in a new file that only its owner can read.

    Returns the file and how many events are in it. Raises `ExportError`, `ControllerLost`; a file that
    could not be finished is removed.
    """
    path = folder / f"pithead-history-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.jsonl"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as exc:
        raise ExportError(f"{path}: {exc.strerror}: start pithead in a folder that you may write to") from exc
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            count = 0
            page = await room.history(replace(query, limit=PAGE))
            while page.events:
                file.writelines(f"{as_json(event)}\n" for event in page.events)
                count += len(page.events)
                page = await room.history(replace(query, limit=PAGE, before_id=page.events[-1].id))
    except OSError as exc:
        path.unlink(missing_ok=True)
        raise ExportError(f"{path}: {exc.strerror}: make room and try again") from exc
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path, count
