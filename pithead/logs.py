"""The controller's log: a JSON line an entry, on standard error, with nothing in it that moves a terminal."""

import json
import logging
import traceback
from datetime import UTC, datetime

from pipeline.text import plain

MOST_FRAMES = 30


class JsonLines(logging.Formatter):
    """`{"at", "level", "by", "said"}`, and `"trace"` (lines, without any variable's value) for an exception."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "by": plain(record.name),
            "said": plain(record.getMessage()),
        }
        if record.exc_info and record.exc_info[1] is not None:
            entry["trace"] = trace(record.exc_info[1])
        return json.dumps(entry, ensure_ascii=True)


def trace(error: BaseException) -> list[str]:
    """The error and where it was raised, as plain lines."""
    lines = [line for part in traceback.format_exception(error, limit=MOST_FRAMES) for line in part.splitlines()]
    return [plain(line) for line in lines]


def begin(level: int = logging.INFO) -> None:
    """Send every logger's entries to standard error as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    # It tells of every request that went well, and there is one every few seconds.
    logging.getLogger("httpx").setLevel(max(level, logging.WARNING))
