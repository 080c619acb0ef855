"""`make bench`: every measurement in turn, each in a process of its own. Nothing is asserted, nothing written."""

import argparse
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

PARTS = {
    "tick": ["--ticks", "4"],
    "books": ["--services", "50"],
    "commits": ["--rounds", "60"],
    "small": ["--rounds", "20"],
    "ssh": ["--hosts", "20", "--rounds", "1"],
    "queries": ["--services", "100", "--rounds", "2"],
    "judge": ["--quick"],
    "terminal": ["--runs", "1", "--idle", "5", "--repeats", "4"],
}
"""Each with what makes it quick."""
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    asked = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    asked.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(PARTS)}")
    asked.add_argument("--quick", action="store_true", help="coarse, in about a minute")
    args = asked.parse_args()
    unknown = sorted(set(args.parts) - set(PARTS))
    if unknown:
        asked.error(f"no such part: {', '.join(unknown)}: there are {', '.join(PARTS)}")
    machine = f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.2f}"
    print(f"{machine}, {time.strftime('%Y-%m-%d %H:%M')}")
    failed = []
    for part in args.parts or PARTS:
        options = PARTS[part] if args.quick else []
        sys.stdout.flush()
        if subprocess.run([sys.executable, "-m", f"tests.bench.{part}", *options], cwd=ROOT, check=False).returncode:
            failed.append(part)
    if failed:
        print(f"pithead: bench: {', '.join(failed)} could not be measured: see above", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
