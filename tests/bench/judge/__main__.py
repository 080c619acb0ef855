"""Our judge beside those of others, on synthetic canaries, good and bad: `python -m tests.bench.judge`.

Nothing is asserted. Runs are seeded: the same command gives the same verdicts anywhere.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.rehearsal.fault import FAULTS
from pipeline.rehearsal.profile import PROFILES
from tests.bench.judge import files
from tests.bench.judge.report import report
from tests.bench.judge.trials import (
    ALL_FAULTS,
    ALL_PROFILES,
    CONTESTANTS,
    USUAL,
    Amount,
    Run,
    Settings,
    Task,
    all_done,
    merged,
    tasks,
)

QUICK = Amount(good=6, bad=3, rival_good=4, rival_bad=2)
QUICK_PROFILES = ("high", "low")
QUICK_FAULTS = ("none", "x5", "lat+25%", "blackhole")
USUAL_AMOUNT = Amount(good=100, bad=10, rival_good=30, rival_bad=5)
"""About a quarter of an hour on two cores; a bound of one per cent needs 370 good ones."""
TOLD_S = 10.0


def main() -> int:
    args = asked().parse_args()
    try:
        runs = [run for path in args.past for run in files.read(path)]
    except (OSError, ValueError) as exc:
        print(f"pithead: bench: judge: {exc}", file=sys.stderr)
        return 2
    if not args.past:
        settings = Settings(args.false_rollback, args.tolerance)
        work = tasks(args.judges, args.profiles, args.faults, amount(args), args.seed, settings)
        runs = made(work, args.jobs)
    runs = merged(runs)
    if args.json is not None:
        files.write(args.json, runs)
    report(runs)
    return 0


def asked() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.judge", description=__doc__)
    quick = "--quick" in sys.argv[1:]
    parser.add_argument("--quick", action="store_true", help="few runs of few scenarios, in about a minute")
    several(parser, "--judges", CONTESTANTS, USUAL)
    several(parser, "--profiles", ALL_PROFILES, QUICK_PROFILES if quick else tuple(PROFILES))
    several(parser, "--faults", ALL_FAULTS, QUICK_FAULTS if quick else tuple(FAULTS))
    parser.add_argument("--runs", type=int, metavar="N", help="canaries of each profile and fault (default: 10)")
    parser.add_argument("--good-runs", type=int, metavar="N", help="good ones of each profile (default: 100)")
    parser.add_argument("--rival-runs", type=int, metavar="N", help="as --runs, for the other judges (default: 5)")
    parser.add_argument("--rival-good-runs", type=int, metavar="N", help="likewise (default: 30)")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the others count up from it")
    parser.add_argument("--false-rollback", type=float, default=0.01, metavar="RATE", help="what our judge is set to")
    parser.add_argument("--tolerance", type=float, default=0.0, metavar="RATIO", help="of latencies (default: 0)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results")
    parser.add_argument(
        "--from", type=Path, nargs="+", default=[], dest="past", metavar="FILE", help="print kept results, run nothing"
    )
    return parser


def several(parser: argparse.ArgumentParser, flag: str, known: Mapping[str, object], usual: Sequence[str]) -> None:
    def names(text: str) -> tuple[str, ...]:
        wanted = tuple(known) if text == "all" else tuple(text.split(","))
        for name in wanted:
            if name not in known:
                raise argparse.ArgumentTypeError(f"no {name}: there are {', '.join(known)}, all")
        return wanted

    of = ", ".join(known).replace("%", "%%")
    parser.add_argument(flag, type=names, default=tuple(usual), metavar="A,B", help=f"of {of}; or all")


def amount(args: argparse.Namespace) -> Amount:
    usual = QUICK if args.quick else USUAL_AMOUNT
    wanted = (args.good_runs, args.runs, args.rival_good_runs, args.rival_runs)
    of = (usual.good, usual.bad, usual.rival_good, usual.rival_bad)
    return Amount(*(own if given is None else given for given, own in zip(wanted, of, strict=True)))


def made(work: Sequence[Task], jobs: int) -> list[Run]:
    """The runs, with a line on stderr now and then."""
    began = told = time.monotonic()
    total = sum(len(task.seeds) for task in work)
    runs: list[Run] = []
    for some in all_done(work, jobs):
        runs += some
        now = time.monotonic()
        if now - told >= TOLD_S:
            told = now
            left = (now - began) / len(runs) * (total - len(runs))
            print(f"judge: {len(runs):,} of {total:,} canaries, about {left / 60:.0f} min left", file=sys.stderr)
    return runs


if __name__ == "__main__":
    sys.exit(main())
