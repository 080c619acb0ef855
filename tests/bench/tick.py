"""CPU of a controller's tick on a fleet in memory: `python -m tests.bench.tick`.

The hosts' answers are made before the tick, so that only the controller and its history are measured; the
history is the real one, on disk.
"""

import argparse
import asyncio
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from adapters.history.sqlite import SqliteHistory
from pipeline.commands import Command, Verb
from pipeline.controller.loop import Controller
from pipeline.events import Who
from pipeline.judge.sequential import SequentialJudge
from pipeline.view import State
from pithead.compose import spare_the_collector
from tests.bench.company import TICK_S, Clock, Hosts, company
from tests.bench.disk import scratch
from tests.bench.tables import Spread, ms, number, show, times

BUDGET_S = 0.1 * TICK_S
"""A tenth of one core."""
MOST_TICKS_TO_CANARY = 30


class Bench:
    def __init__(self, services: int, hosts: int, folder: Path) -> None:
        self.clock = Clock()
        self.fleet = company(services, hosts)
        self.hosts = Hosts(self.fleet, self.clock)
        self.history = SqliteHistory(folder / "history.db", self.clock)
        self.controller = Controller(
            self.fleet,
            hosts=self.hosts,
            metrics=self.hosts,
            checks=self.hosts,
            history=self.history,
            clock=self.clock,
            judge=SequentialJudge(),
            rng=Random(1),
        )

    async def ticks(self, number: int) -> Spread:
        """CPU seconds of each tick, of all threads."""
        spent = []
        for _ in range(number):
            self.hosts.serve(TICK_S)
            before = time.process_time()
            await self.controller.tick()
            spent.append(time.process_time() - before)
            await asyncio.sleep(0)
        return Spread(tuple(spent))

    async def to_canary(self, releases: int) -> int:
        """Submit a release to the first `releases` services, and go on until they bake; how many do."""
        for name in list(self.fleet.services)[:releases]:
            self.controller.command(Command(Verb.SUBMIT, name, f"bench-{name}", "r2"), Who("bench"), read_only=False)
        for _ in range(MOST_TICKS_TO_CANARY):
            await self.ticks(1)
            baking = sum(row.state is State.BAKE for row in self.controller.fleet().services)
            if baking == releases:
                break
        return baking


def resident_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def decoded(bench: Bench, rounds: int) -> Spread:
    """CPU seconds to write and read the hosts' own answers as JSON once: the least that any controller pays."""
    answers = [asdict(state) for state in bench.hosts.states_now.values()]
    spent = []
    for _ in range(rounds):
        before = time.process_time()
        json.loads(json.dumps(answers, default=list))
        spent.append(time.process_time() - before)
    return Spread(tuple(spent))


async def measure(services: int, hosts: int, ticks: int, folder: Path) -> None:
    bench = Bench(services, hosts, folder)
    bench.controller.begin()
    try:
        first = await bench.ticks(1)
        await bench.ticks(3)
        spare_the_collector()
        calm, calm_mib = await bench.ticks(ticks), resident_mib()
        baking = await bench.to_canary(services // 10)
        busy, busy_mib = await bench.ticks(ticks), resident_mib()
        anchor = decoded(bench, 5)
    finally:
        bench.history.close()
    rows = [
        [what, ms(spread), number(mib) if mib else "-", times(spread.median, anchor.median), budget(spread)]
        for what, spread, mib in (
            ("the first tick", first, 0.0),
            ("nothing under way", calm, calm_mib),
            (f"{baking} canaries judged", busy, busy_mib),
            ("json of the hosts' answers, there and back", anchor, 0.0),
        )
    ]
    show(
        f"Controller's tick: {services:,} services x {hosts} hosts, in-memory ports, history on disk",
        ("", "CPU ms, median / p95", "RSS MiB", ": json", "of a core"),
        rows,
        [f"Limit: 10 % of a core at a tick of {TICK_S:g} s, {1000 * BUDGET_S:.0f} ms. Reading metrics pages is apart."],
    )


def budget(spread: Spread) -> str:
    return f"{100 * spread.median / TICK_S:.1f} %"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--services", type=int, default=1_000)
    asked.add_argument("--hosts", type=int, default=20)
    asked.add_argument("--ticks", type=int, default=12)
    args = asked.parse_args()
    with TemporaryDirectory(dir=scratch(), prefix="pithead-bench-") as folder:
        asyncio.run(measure(args.services, args.hosts, args.ticks, Path(folder)))


if __name__ == "__main__":
    main()
