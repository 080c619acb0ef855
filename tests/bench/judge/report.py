"""The tables of a run: how often good releases are rolled back, how soon bad ones, at what cost."""

import statistics
from collections.abc import Callable, Sequence

from pipeline.rehearsal.binomial import bound
from tests.bench.judge.trials import ALL_FAULTS, ALL_PROFILES, CONTESTANTS, Run
from tests.bench.tables import number, show

Cell = Callable[[Sequence[Run]], str]


def report(runs: Sequence[Run]) -> None:
    judges = [name for name in CONTESTANTS if any(run.judge == name for run in runs)]
    profiles = [name for name in ALL_PROFILES if any(run.profile == name for run in runs)]
    good = [run for run in runs if ALL_FAULTS[run.fault].good]
    bad = [run for run in runs if not ALL_FAULTS[run.fault].good]
    if good:
        rows = [
            [name, *(of(good, judge=judge, profile=name, cell=rolled_back) for judge in judges)]
            for name in profiles
            if any(run.profile == name for run in good)
        ]
        show(
            "Good releases rolled back over a whole canary, a look at every tick",
            ("profile", *judges),
            rows,
            ("of how many; in brackets the upper end of the exact 95 % interval (Clopper-Pearson)",),
        )
        reasons(good)
    for name in profiles:
        here = [run for run in bad if run.profile == name]
        if here:
            size = ALL_PROFILES[name]
            about = f"{name}: {size.hosts} hosts, {size.canaries} canaries, {size.looks} looks of {size.tick_s:g} s"
            by_fault(f"{about}: looks until a bad release is rolled back, median / p90", here, judges, delays)
            by_fault(f"{name}: requests (errors) that the bad build served by then", here, judges, served)
    show(
        "CPU of the judge, ms a look",
        ("profile", *judges),
        [[name, *(of(runs, judge=judge, profile=name, cell=cost) for judge in judges)] for name in profiles],
        ("median of the runs' means; without the traffic's making",),
    )
    print("\nLooks: over the releases that were found, with their share where it is less than all.")
    print("Requests and errors: expected ones, medians over all releases; one never found serves to its canary's end.")
    print("A judge that rolls back good releases finds bad ones by chance too: read delays beside the first table.")


def by_fault(title: str, runs: Sequence[Run], judges: Sequence[str], cell: Cell) -> None:
    faults = [name for name in ALL_FAULTS if any(run.fault == name for run in runs)]
    rows = [[fault, *(of(runs, judge=judge, fault=fault, cell=cell) for judge in judges)] for fault in faults]
    show(title, ("fault", *judges), rows)


def of(runs: Sequence[Run], *, judge: str, cell: Cell, profile: str = "", fault: str = "") -> str:
    mine = [run for run in runs if run.judge == judge and profile in ("", run.profile) and fault in ("", run.fault)]
    return cell(mine) if mine else "-"


def rolled_back(runs: Sequence[Run]) -> str:
    false = sum(run.failed_at is not None for run in runs)
    return f"{false}/{len(runs)} ({100 * bound(false, len(runs)):.1f} %)"


def delays(runs: Sequence[Run]) -> str:
    found = sorted(run.delay for run in runs if run.delay is not None)
    if not found:
        return "never"
    share = "" if len(found) == len(runs) else f" ({100 * len(found) / len(runs):.0f} %)"
    return f"{statistics.median(found):.0f} / {p90(found)}{share}"


def p90(ordered: Sequence[int]) -> int:
    """Nearest rank."""
    return ordered[min(-(-9 * len(ordered) // 10), len(ordered)) - 1]


def served(runs: Sequence[Run]) -> str:
    requests = statistics.median(run.requests for run in runs)
    return f"{number(requests)} ({number(statistics.median(run.added_errors for run in runs))})"


def cost(runs: Sequence[Run]) -> str:
    timed = [run.ms_a_look for run in runs if run.ms_a_look]
    return f"{statistics.median(timed):.2f}" if timed else "-"


def reasons(good: Sequence[Run]) -> None:
    """What our judge said of each good release that it rolled back."""
    for run in good:
        if run.failed_at is not None and not CONTESTANTS[run.judge].rival:
            print(f"  {run.judge}, {run.profile}, seed {run.seed}, look {run.failed_at}: {run.why}")
