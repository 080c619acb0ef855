"""A controller killed in mid-write loses nothing that it was told is kept, and doubles nothing."""

import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from history_samples import Opener

from pipeline.view import HistoryQuery

WRITER = """
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from history_samples import event, intent, rollout
from adapters.history.sqlite import SqliteHistory
from pipeline.ports import Changes
from pipeline.slo.slices import Slice

history = SqliteHistory(Path(sys.argv[1]))
history.start()
run = sys.argv[2]
for n in range(10**6):
    one = intent(f"h{run}-{n}")
    kept = history.record(Changes(
        rollouts=(replace(rollout(), version=n),), events=(event(),), intents=(one,),
        slices=(Slice("pricing", datetime.fromisoformat(sys.argv[3]), 1, 0),),
    ))
    sys.stdout.write(f"{kept[0].id} {one.host}\\n")
    sys.stdout.flush()
"""


def test_kill_9_loses_nothing_acknowledged_and_doubles_nothing(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    here = Path(__file__).parent
    chance = random.Random(7)
    told: dict[int, str] = {}
    # Slices of long ago are forgotten.
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for run in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(run), today.isoformat()],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{here}:{here.parents[2]}"},
        )
        assert writer.stdout is not None
        for _ in range(chance.randrange(1, 120)):
            number, host = writer.stdout.readline().split()
            told[int(number)] = host
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout.read().splitlines(keepends=True):
            if line.endswith("\n"):
                number, host = line.split()
                told[int(number)] = host
        writer.stdout.close()
        writer.wait()

    history = opened(path)
    memory = history.start()

    kept = {one.host for one in memory.open}
    total = history.events(HistoryQuery()).total
    assert memory.token == 5
    assert set(told.values()) <= kept
    assert (
        len(kept) == len(memory.open) == total == history.slices("pricing", today, today + timedelta(days=1))[0].total
    )
    assert history.hours(today)[0].total == total
    assert len(told) <= total <= len(told) + 4
    assert history.verify().bad is None
