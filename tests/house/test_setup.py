"""`make` sets up once, and says in a line what it lacks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-C", str(checkout), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=clean)


def python(folder: Path, script: str) -> str:
    """The path of a python3 that is the shell script `script`."""
    path = folder / "python-of-the-test"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_no_python_is_said_and_nothing_is_made(checkout: Path) -> None:
    told = make(checkout, "setup", "PYTHON=python-that-is-not-there")
    assert told.returncode != 0
    assert "pithead: no python-that-is-not-there on PATH" in told.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_without_ensurepip_is_told_what_to_install(checkout: Path) -> None:
    lacking = python(checkout, f'case "$*" in *ensurepip*) exit 1;; *) exec {sys.executable} "$@";; esac')
    told = make(checkout, "setup", f"PYTHON={lacking}")
    assert told.returncode != 0
    assert "apt install python3-venv" in told.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_that_is_too_old_is_refused_with_its_version(checkout: Path) -> None:
    old = python(checkout, 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    told = make(checkout, "setup", f"PYTHON={old}")
    assert told.returncode != 0
    assert "Python 3.9.2 is too old: 3.11 or newer" in told.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("changed", [None, "requirements.lock", "pyproject.toml"])
def test_the_environment_is_made_again_only_when_the_lock_or_the_project_changes(
    checkout: Path, changed: str | None
) -> None:
    (checkout / ".venv").mkdir()
    for age, name in enumerate(("requirements.lock", "pyproject.toml", ".venv/locked.stamp", ".venv/ready.stamp")):
        (checkout / name).touch()
        os.utime(checkout / name, (1_000 + age, 1_000 + age))
    if changed:
        os.utime(checkout / changed, (2_000, 2_000))
    planned = make(checkout, "-n", "test").stdout
    assert ("pip install" in planned) == (changed is not None)
    assert ("-m venv" in planned) == (changed == "requirements.lock")
    assert "-m pytest" in planned


def test_every_target_that_help_names_exists(checkout: Path) -> None:
    told = make(checkout, "help")
    assert told.returncode == 0
    named = [line.split()[1] for line in told.stdout.splitlines() if line.startswith("make ")]
    assert {"demo", "test", "check", "bench", "lock", "clean"} <= set(named)
    for target in named:
        assert make(checkout, "-n", target).returncode == 0
