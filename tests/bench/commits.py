"""Commits of the history beside a bare append to a file, turn by turn: `python -m tests.bench.commits`."""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.history.sqlite import SqliteHistory
from pipeline.events import AUTO, Event, Intent
from pipeline.lifecycle import Phase, Rollout
from pipeline.ports import Changes
from tests.bench.disk import filesystem, scratch
from tests.bench.tables import Spread, ms, number, show, times

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LOOK = Event(AT, AUTO, "checkout", "checkout-7", "r7", "look", "pass: 6 of 6 metrics inside limits", ("errors 0.2 %",))
RELEASE = Rollout("checkout-7", "checkout", "r7", "r6", Phase.CANARY_DEPLOY, AT, 3, "bench", AT, 1)
INTENT = Intent("checkout-7.canary.fra1-07.1", "checkout-7", "checkout", "fra1-07", "r7", AT)
BLOCK = b"\0" * 4096
TICK_EVENTS = 100


class Appended:
    """The least that a durable record can cost: 4 KiB at the end of a file, and fdatasync."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def commit(self) -> None:
        os.write(self._file, BLOCK)
        os.fdatasync(self._file)

    def close(self) -> None:
        os.close(self._file)


class Kept:
    """A history of its own; each commit is one intent and its line, or one tick's lines."""

    def __init__(self, path: Path, events: int = 1, synchronous: str = "") -> None:
        self._history = SqliteHistory(path)
        self._history.start()
        self._history.record(Changes(rollouts=(RELEASE,)))
        if synchronous:
            # Not to be had in the program, on purpose: what is decided must be on disk before anyone acts.
            self._history._opened().execute(f"PRAGMA synchronous = {synchronous}")
        self._events = (LOOK,) * events
        self._number = 0

    def commit(self) -> None:
        self._number += 1
        intent = replace(INTENT, operation=f"{INTENT.operation}.{self._number}")
        self._history.record(Changes(events=self._events, intents=(intent,)))

    def close(self) -> None:
        self._history.close()


def timed(act: Callable[[], None]) -> float:
    before = time.perf_counter()
    act()
    return time.perf_counter() - before


def measure(rounds: int, folder: Path) -> None:
    subjects = {
        "history, one intent and its line": Kept(folder / "full.db"),
        "the same with synchronous = NORMAL (not used)": Kept(folder / "normal.db", synchronous="NORMAL"),
        f"history, a tick's {TICK_EVENTS} lines": Kept(folder / "tick.db", TICK_EVENTS),
        "4 KiB appended, fdatasync": Appended(folder / "bare"),
    }
    spent: dict[str, list[float]] = {name: [] for name in subjects}
    for round_ in range(-10, rounds):
        for name, subject in subjects.items():
            seconds = timed(subject.commit)
            if round_ >= 0:
                spent[name].append(seconds)
    for subject in subjects.values():
        subject.close()
    spreads = {name: Spread(tuple(values)) for name, values in spent.items()}
    bare = spreads["4 KiB appended, fdatasync"]
    rows = [
        [name, number(1 / spread.median), ms(spread), times(spread.median, bare.median)]
        for name, spread in spreads.items()
    ]
    show(
        f"History: {rounds} commits of each, turn by turn, on {filesystem(folder) or 'an unknown file system'}",
        ("", "commits/s", "ms, median / p95", ": append"),
        rows,
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=300)
    args = asked.parse_args()
    with TemporaryDirectory(dir=scratch(), prefix="pithead-bench-") as folder:
        measure(args.rounds, Path(folder))


if __name__ == "__main__":
    main()
