"""The bench runs: its programs are tried on very little; no figure is asserted."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.neighbours.need import need

ROOT = Path(__file__).resolve().parents[2]


def bench(part: str, *options: str) -> str:
    command = [sys.executable, "-m", f"tests.bench.{part}", *options]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_the_tick_is_measured_with_canaries_that_are_judged() -> None:
    assert "1 canaries judged" in bench("tick", "--services", "10", "--hosts", "6", "--ticks", "1")


def test_a_restart_is_measured_until_every_budget_is_known() -> None:
    assert "with them" in bench("books", "--services", "3", "--minutes", "4")


def test_commits_are_measured_beside_a_bare_append(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PITHEAD_BENCH_DIR", str(tmp_path))
    assert "fdatasync" in bench("commits", "--rounds", "2")
    assert list(tmp_path.iterdir()) == []


def test_the_small_figures_are_measured_beside_something_else() -> None:
    told = bench("small", "--rounds", "2")
    assert "prometheus_client" in told
    assert "python -c pass" in told


def test_the_room_is_measured_at_a_terminal_through_the_api_and_in_memory() -> None:
    some = ("--only", "pithead busy,screens calm")
    told = bench("terminal", "--runs", "1", "--idle", "1", "--repeats", "1", "--services", "60", *some)
    assert "through the API" in told
    assert "ended by itself" not in told
    assert "key to change" in told


def test_hosts_by_ssh_are_measured_first_and_again() -> None:
    need("sshd"), need("ssh")
    assert "4 of 4" in bench("ssh", "--hosts", "4", "--rounds", "1")


def test_queries_are_measured_against_a_real_prometheus() -> None:
    need("prometheus"), need("promtool")
    assert "in focus" in bench("queries", "--services", "4", "--hosts", "3", "--rounds", "1")


def test_a_part_that_is_not_there_is_refused_by_name() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench", "tock"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 2
    assert "no such part: tock: there are tick" in told.stderr
