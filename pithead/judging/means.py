"""What the computations take from the machine; a test hands them others."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pithead.judging.charts import has_blocks
from pithead.judging.crowd import workers
from pithead.judging.progress import Progress


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Means:
    progress: Progress = field(default_factory=Progress)
    cores: int = field(default_factory=workers)
    blocks: bool = field(default_factory=has_blocks)
    """Whether charts may be drawn with block characters."""
    seconds: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = _utc_now
