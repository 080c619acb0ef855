"""The control room at a terminal, beside other programs, turn by turn: `python -m tests.bench.terminal`.

A thin hand on termbench: names the programs, runs it, and lays its figures out.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.room import READY
from tests.bench.tables import number, show

TERMBENCH = Path(__file__).with_name("termbench")
ANCHORS = TERMBENCH / "anchors"
CONFIG = Path(__file__).resolve().parents[2] / "config.toml"
LONGEST_S = 3_000.0
FIGURES = (
    ("start.first_paint_net_ms", "first paint, ms net"),
    ("start.cpu_ms", "CPU of the start, ms"),
    ("start.bytes", "bytes of the start"),
    ("key.change_ms", "key to change, ms"),
    ("key.change_net_ms", "key to change, ms net"),
    ("key.bytes", "bytes a key"),
    ("idle.bytes_per_min", "bytes a minute, untouched"),
    ("idle.cpu_pct", "CPU %, untouched"),
    ("idle.wakeups_per_min", "wake-ups a minute"),
    ("idle.rss_mib", "RSS MiB"),
    ("idle.pss_mib", "PSS MiB"),
    ("quit.exit_ms", "quit, ms"),
)


@dataclass(frozen=True, slots=True)
class Program:
    label: str
    command: list[str]
    ready: str
    keys: str = "down,up"
    quit: str = "q"

    def toml(self) -> str:
        # What JSON writes for these is also TOML.
        fields = {
            "label": self.label,
            "command": self.command,
            "ready": self.ready,
            "keys": self.keys,
            "quit": self.quit,
        }
        return "\n".join(["[[subject]]", *(f"{name} = {json.dumps(value)}" for name, value in fields.items())])


BUSY = ["--changes", "100", "--every", "1"]


def programs(services: int, desks: Path) -> list[Program]:
    """Ratios are to the first, the smallest Textual program; the room's own screens apart from the way to them."""
    python = sys.executable
    pithead = [str(Path(python).with_name("pithead")), "--config", str(CONFIG), "--run-dir"]
    room = [python, "-m", "tests.bench.room", "--services", str(services)]
    return [
        Program("textual_min", [python, str(ANCHORS / "textual_min.py")], "READY", keys="x"),
        Program("pithead calm", [*pithead, str(desks / "calm")], READY),
        Program("pithead busy", [*pithead, str(desks / "busy")], READY),
        Program("screens calm", room, READY),
        Program("screens busy", [*room, *BUSY], READY),
        Program("table_100", [python, str(ANCHORS / "textual_table.py")], "service-0001"),
        Program("htop", ["htop"], "Load average"),
    ]


@contextmanager
def desk(run_dir: Path, services: int, options: list[str]) -> Iterator[None]:
    """The API with a company behind it, in a process of its own, until the block ends."""
    command = [sys.executable, "-m", "tests.bench.desk", str(run_dir), "--services", str(services), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        try:
            if served.stdout is None or served.stdout.readline() != "serving\n":
                raise SystemExit(f"{' '.join(command)}: does not serve: see above")
            yield
        finally:
            served.terminate()


def run(found: list[Program], args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    spec, result = folder / "programs.toml", folder / "result.json"
    spec.write_text("\n\n".join(program.toml() for program in found) + "\n")
    command = [sys.executable, str(TERMBENCH / "termbench.py"), "--spec", str(spec), "--json", str(result)]
    command += ["--runs", str(args.runs), "--idle", str(args.idle), "--repeats", str(args.repeats), "--size", args.size]
    command += [] if sys.stderr.isatty() else ["--quiet"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=LONGEST_S, check=False)
    if not result.exists():
        raise SystemExit(f"termbench: no result: {told.stdout.strip() or 'see above'}")
    measured: dict[str, Any] = json.loads(result.read_text())
    return measured


def lay_out(measured: dict[str, Any], args: argparse.Namespace, services: int) -> None:
    subjects = measured["subjects"]
    base = subjects[0]
    rows = []
    for figure, said in FIGURES:
        cells = [said]
        for subject in subjects:
            here, there = subject["figures"].get(figure), base["figures"].get(figure)
            if not here:
                cells.append("-")
                continue
            known = subject is not base and there and there["median"]
            ratio = f" ({here['median'] / there['median']:.2f} x)" if known else ""
            cells.append(number(here["median"]) + ratio)
        rows.append(cells)
    notes = [f"Medians of {args.runs} starts, {args.idle:g} s untouched each; in brackets against {base['label']}."]
    notes += [f"{subject['label']}: {note}" for subject in subjects for note in subject["notes"]]
    notes.append(
        f"Load {measured['noise']['load_1m']}, CPU pressure {measured['noise']['cpu_pressure_pct']} % of the time."
    )
    title = (
        f"Control room with {services:,} services at {args.size}; pithead: through the API; screens: in memory; "
        "calm: a view each 5 s; busy: 100 services change each second"
    )
    show(title, ("", *(subject["label"] for subject in subjects)), rows, notes)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--services", type=int, default=1_000)
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--idle", type=float, default=15.0, help="seconds untouched")
    asked.add_argument("--repeats", type=int, default=10, help="times through the keys")
    asked.add_argument("--size", default="120x40")
    asked.add_argument("--only", default="", help="labels, between commas")
    args = asked.parse_args()
    only = {label for label in args.only.split(",") if label}
    os.environ.pop("NO_COLOR", None)
    with TemporaryDirectory(prefix="pithead-bench-") as name:
        folder = Path(name)
        wanted = [program for program in programs(args.services, folder) if not only or program.label in only]
        found = [program for program in wanted if shutil.which(program.command[0])]
        with desk(folder / "calm", args.services, []), desk(folder / "busy", args.services, BUSY):
            measured = run(found, args, folder)
    lay_out(measured, args, args.services)


if __name__ == "__main__":
    main()
