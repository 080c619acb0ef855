"""A folder on a real disk: on one in memory a commit costs nothing, and says nothing."""

import os
from pathlib import Path


def scratch() -> str | None:
    """PITHEAD_BENCH_DIR, or /var/tmp, which is on disk nearly everywhere; None where there is neither."""
    named = os.environ.get("PITHEAD_BENCH_DIR", "/var/tmp")
    return named if Path(named).is_dir() else None


def filesystem(path: Path) -> str:
    """The type of the file system under `path`, as the kernel names it; "" if it does not say."""
    best, kind = "", ""
    try:
        mounts = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return ""
    for line in mounts:
        _, where, its, *_ = line.split()
        if len(where) > len(best) and Path(path).resolve().is_relative_to(where):
            best, kind = where, its
    return kind
