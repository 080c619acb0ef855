"""Results in files, so that a table can be printed of several runs."""

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from tests.bench.judge.trials import ALL_FAULTS, ALL_PROFILES, CONTESTANTS, Run

COLUMNS = [field.name for field in fields(Run)]


def write(path: Path, runs: Sequence[Run]) -> None:
    rows = ",\n".join(json.dumps(run.row()) for run in runs)
    path.write_text(f'{{"columns": {json.dumps(COLUMNS)}, "rows": [\n{rows}\n]}}\n')


def read(path: Path) -> list[Run]:
    """Raises `ValueError` where the file holds something else; `OSError`."""
    told = json.loads(path.read_text())
    if not isinstance(told, dict) or told.get("columns") != COLUMNS:
        raise ValueError(f"{path}: no results of this benchmark, or of another version of it: run it again")
    runs = [Run(*row) for row in told["rows"]]
    known = all(run.judge in CONTESTANTS and run.profile in ALL_PROFILES and run.fault in ALL_FAULTS for run in runs)
    if not known:
        raise ValueError(f"{path}: results of a judge, profile or fault that is no more: run it again")
    return runs
