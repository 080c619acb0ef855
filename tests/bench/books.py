"""Error budgets of a fleet, through a restart and on a calm day: `python -m tests.bench.books`.

The history is the real one, on disk, with its rows in the order in which they came. A tick's allowance is held
against CPU time, so that other programs on this machine do not count.
"""

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.history.opening import open_database
from adapters.history.sqlite import SqliteHistory
from pipeline.controller.books import BALANCED_S
from pipeline.controller.ledger import Ledger
from pipeline.model import Fleet
from pipeline.signals import Histogram, Reading
from pipeline.slo.rules import Kind, Objective
from tests.bench.company import EDGES, SHAPE, START, TICK_S, Clock, company
from tests.bench.disk import scratch
from tests.bench.tables import number, show
from tests.bench.tick import resident_mib

DAYS, HOURS = 31, 8
"""Kept of each objective: hourly sums of the first, slices of the second."""
MINUTE = 12
"""Ticks."""
QUICK = Objective("quick", Kind.LATENCY, Decimal("0.95"), of="latency", over_s=0.3)


class OwnCore(Clock):
    """Time that the bench moves on, and within a tick goes by as its CPU time does."""

    def monotonic(self) -> float:
        return super().monotonic() + time.process_time()


class Bench:
    """A controller's books without its hosts."""

    def __init__(self, fleet: Fleet, path: Path, passed_s: float = 0.0) -> None:
        self.clock = OwnCore()
        self.clock.passed_s = passed_s
        self.history = SqliteHistory(path, self.clock)
        self.ledger = Ledger(fleet, self.history, self.clock)
        _, self.stations = self.ledger.open()
        self._observe()

    def _observe(self) -> None:
        at_s = 1_000.0 + self.clock.passed_s
        served = 200.0 * self.clock.passed_s
        latency = {"latency": Histogram(EDGES, tuple(served * part for part in SHAPE))}
        for station in self.stations.values():
            hosts = {
                host.name: Reading(at_s, {"requests": served, "errors": served // 5_000}, {}, latency)
                for host in station.service.production
            }
            station.telemetry.observe(at_s, {}, hosts)

    def tick(self) -> float:
        """CPU seconds that the budgets took of it."""
        self.clock.passed_s += TICK_S
        self._observe()
        before = time.process_time()
        self.ledger.count(1_000.0 + self.clock.passed_s)
        return time.process_time() - before

    def bite(self) -> float:
        """Likewise, of some work between two ticks."""
        before = time.process_time()
        self.ledger.books.catch_up()
        return time.process_time() - before

    @property
    def unknown(self) -> int:
        return sum(station.report is None for station in self.stations.values())


def fill(path: Path, services: int) -> None:
    """A month of a fleet without a bad minute; in a process of its own, whose memory is not the bench's."""
    end = int(START.timestamp())
    db = open_database(path)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -400000")
    of = (
        "WITH RECURSIVE fleet(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM fleet WHERE n + 1 < :services), "
        "times(at) AS (SELECT :first UNION ALL SELECT at + :step FROM times WHERE at + :step < :end), "
        "slos(slo) AS (VALUES ('availability'), ('quick')) "
    )
    cross = "FROM times CROSS JOIN fleet CROSS JOIN slos"
    name = "printf('service-%04d', n), slo, at"
    db.execute("BEGIN")
    db.execute(
        f"{of} INSERT INTO budget_hours SELECT {name}, 90000 + 7 * n + at % 997, 20 + n % 7, 3600, 0, 0 {cross}",
        {"services": services, "first": end - DAYS * 86_400, "step": 3_600, "end": end},
    )
    db.execute(
        f"{of} INSERT INTO budget_slices SELECT {name}, 60, 1500 + at % 17, n % 2, 0, 0 {cross}",
        {"services": services, "first": end - HOURS * 3_600, "step": 60, "end": end},
    )
    db.execute("COMMIT")
    db.close()


@contextmanager
def restarted(fleet: Fleet, path: Path, passed_s: float) -> Iterator[Bench]:
    bench = Bench(fleet, path, passed_s)
    try:
        yield bench
    finally:
        bench.history.close()


def known(bench: Bench) -> list[str]:
    """Ticks, and half of the time between them, until every budget is."""
    at_s, ticks, bites = 0.0, [0.0], [0.0]
    while bench.unknown:
        ticks.append(bench.tick())
        at_s, rest_s = TICK_S * (len(ticks) - 2) + ticks[-1], TICK_S - ticks[-1]
        while bench.unknown and rest_s > 0:
            bites.append(bench.bite())
            at_s, rest_s = at_s + 2 * bites[-1], rest_s - 2 * bites[-1]
    return [number(spent) for spent in (at_s, sum(ticks) + sum(bites), 1_000 * max(ticks), 1_000 * max(bites))]


def measure(services: int, minutes: int, folder: Path) -> None:
    path = folder / "history.db"
    path.touch()
    subprocess.run([sys.executable, "-m", __spec__.name, "--fill", str(path), "--services", str(services)], check=True)
    bare = company(services, 2)
    rules = replace(next(iter(bare.services.values())).rules, slos=(QUICK,))
    fleet = replace(bare, services={name: replace(one, rules=rules) for name, one in bare.services.items()})
    head = ("a restart", "s to all known", "CPU s", "longest tick, ms", "longest bite, ms")
    with restarted(fleet, path, 0.0) as bench:
        empty_mib = resident_mib()
        rows = [["without balances: a month is summed up", *known(bench)]]
        gc.collect()
        held_mib = resident_mib() - empty_mib
        calm = [bench.tick() for _ in range(MINUTE * minutes)]
        gc.collect()
        later_mib = resident_mib() - empty_mib
        passed_s = bench.clock.passed_s
    with restarted(fleet, path, passed_s + 30.0) as bench:
        rows.append(["with them", *known(bench)])
    notes = ["To all known: on one core, half of which is free between two ticks."]
    show(f"Error budgets of {services:,} services with two objectives", head, rows, notes)
    kib = [number(1_024 * mib / services) for mib in (held_mib, later_mib)]
    show(
        "Nothing under way",
        ("", "CPU s a minute", "longest tick, ms", "kB a service", f"after {minutes} minutes"),
        [["books", number(sum(calm) / minutes), number(1_000 * max(calm)), *kib]],
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--services", type=int, default=1_000)
    asked.add_argument("--minutes", type=int, default=ceil(BALANCED_S / 60) + 2, help="of a calm day, in its own time")
    asked.add_argument("--fill", type=Path, help=argparse.SUPPRESS)
    args = asked.parse_args()
    if args.fill is not None:
        fill(args.fill, args.services)
        return
    with TemporaryDirectory(dir=scratch(), prefix="pithead-bench-") as folder:
        measure(args.services, args.minutes, Path(folder))


if __name__ == "__main__":
    main()
