"""The benchmark runs, its results can be kept and merged; no figure is asserted."""

import subprocess
import sys
from pathlib import Path

from tests.bench.judge.report import delays, p90, rolled_back
from tests.bench.judge.trials import Amount, Run, Settings, done, merged, tasks

ROOT = Path(__file__).resolve().parents[3]


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.bench.judge", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def run(seed: int, delay: int | None = None, failed_at: int | None = None) -> Run:
    return Run("pithead", "high", "x5", seed, failed_at, delay, 10.0, 1.0, 480, 1.0, "")


def test_results_are_kept_and_print_the_same_again(tmp_path: Path) -> None:
    kept = tmp_path / "some.json"
    some = ("--judges", "flagger,kayenta", "--profiles", "low", "--faults", "none,x5", "--jobs", "2")
    first = bench(*some, "--rival-good-runs", "2", "--rival-runs", "1", "--json", str(kept))
    assert first.returncode == 0, first.stderr
    assert "Good releases rolled back over a whole canary" in first.stdout
    assert "low: 20 hosts, 2 canaries, 360 looks of 60 s" in first.stdout
    again = bench("--from", str(kept), str(kept))
    assert again.stdout == first.stdout


def test_a_file_of_something_else_and_an_unknown_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"a": 1}')
    told = bench("--from", str(tmp_path / "other.json"))
    assert told.returncode == 2
    assert "no results of this benchmark" in told.stderr
    assert "no x6: there are none, x1.2" in bench("--faults", "x6").stderr


def test_our_judge_is_given_more_canaries_than_its_rivals() -> None:
    planned = tasks(("pithead", "argo"), ("high",), ("none", "x5"), Amount(9, 5, 4, 1), 11, Settings())
    runs: dict[tuple[str, str], list[int]] = {}
    for task in planned:
        runs.setdefault((task.judge, task.fault), []).extend(task.seeds)
    assert runs["pithead", "none"] == list(range(11, 20))
    amounts = {key: len(seeds) for key, seeds in runs.items()}
    assert amounts == {("pithead", "none"): 9, ("pithead", "x5"): 5, ("argo", "none"): 4, ("argo", "x5"): 1}


def test_a_task_gives_the_same_runs_again_but_for_the_time_they_took() -> None:
    task = tasks(("ratio",), ("low",), ("x5",), Amount(1, 1, 1, 2), 3, Settings())[0]
    first, again = ([each.row()[:9] for each in done(task)] for _ in range(2))
    assert first == again


def test_runs_that_were_made_twice_count_once() -> None:
    assert merged([run(1), run(2), run(1, delay=3)]) == [run(1, delay=3), run(2)]


def test_shares_and_bounds_are_of_all_runs_and_delays_of_those_found() -> None:
    found = [run(seed, delay=seed, failed_at=seed) for seed in range(1, 11)]
    assert p90(list(range(1, 11))) == 9
    assert delays(found) == "6 / 9"
    assert delays([*found, *(run(seed) for seed in range(11, 21))]) == "6 / 9 (50 %)"
    assert delays([run(1)]) == "never"
    assert rolled_back([run(seed) for seed in range(150)]) == "0/150 (2.4 %)"
