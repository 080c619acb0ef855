"""What can be read off the files: sizes of modules, and that nothing names the machine it was made on."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ("pipeline", "adapters", "tui", "pithead")
BUILD = ("Makefile", ".ci/run", "pyproject.toml", "requirements.lock", ".gitignore")
LONGEST = 400

MACHINE = re.compile(r"(?<![\w.:/-])/(?:root|work|Users)/\w")
INDEX = re.compile(r"https?://|--(?:extra-)?index-url\b|--find-links\b|--trusted-host\b")


@pytest.mark.parametrize("package", HOUSE)
def test_no_module_is_longer_than_a_reader_takes_in(package: str) -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in (ROOT / package).rglob("*.py")}
    assert {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > LONGEST} == {}


def tracked() -> list[Path]:
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    if told.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in told.stdout.split("\0") if name]


def test_no_tracked_file_names_a_path_of_the_machine_it_was_made_on() -> None:
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in tracked() if path.is_file()}
    assert [str(path.relative_to(ROOT)) for path, text in texts.items() if MACHINE.search(text)] == []


@pytest.mark.parametrize("name", BUILD)
def test_what_installs_the_project_names_no_package_index(name: str) -> None:
    assert INDEX.findall((ROOT / name).read_text()) == []


def test_the_lock_pins_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(line) for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]]
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    missing = [str(wish) for wish in asked if not wish.specifier.contains(pins.get(canonicalize_name(wish.name), "0"))]
    assert missing == [], "make lock renews requirements.lock"
