"""The import contracts of pyproject.toml, tried on a house of a few lines: each must bite."""

import re
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).with_name("lint-imports")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
FLOORS = next(contract["layers"] for contract in CONTRACTS if contract.get("containers") == ["pipeline"])
KEPT = {
    "pipeline/rules.py": "",
    **{f"pipeline/{floor}/rules.py": "import pipeline.rules\n" for floor in FLOORS},
    "adapters/hosts.py": "import httpx\nimport pipeline.rules\n",
    "tui/app.py": "import textual\nimport pipeline.rules\n",
    "pithead/cli.py": "import adapters.hosts\nimport tui.app\nimport pipeline.rules\n",
}
PURE = next(contract for contract in CONTRACTS if contract.get("source_modules") == ["pipeline"])
FORBIDDEN = [
    ("tui/app.py", "adapters.hosts"),
    ("adapters/hosts.py", "tui.app"),
    ("adapters/hosts.py", "pithead.cli"),
    ("tui/app.py", "pithead.cli"),
    ("pipeline/rules.py", "adapters.hosts"),
    ("pipeline/rules.py", "tui.app"),
    ("adapters/hosts.py", "textual.app"),
    ("adapters/hosts.py", "rich"),
    *((f"pipeline/{below}/rules.py", f"pipeline.{above}.rules") for above, below in pairwise(FLOORS)),
    *(("pipeline/rules.py", module) for module in PURE["forbidden_modules"]),
]


def lint(house: Path, files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "pyproject.toml", house)
    for name, text in files.items():
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        for folder in Path(name).parents[:-1]:
            (house / folder / "__init__.py").touch()
        (house / name).write_text(text)
    return subprocess.run([LINT, "--no-cache"], cwd=house, capture_output=True, text=True, timeout=60, check=False)


def test_a_house_that_keeps_the_arrows_passes(tmp_path: Path) -> None:
    told = lint(tmp_path, KEPT)
    assert told.returncode == 0, told.stdout
    assert f"{len(CONTRACTS)} kept, 0 broken" in told.stdout


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says, on one line, of a house that makes every forbidden import, each in its own module."""
    files = dict(KEPT)
    for number, (name, module) in enumerate(FORBIDDEN):
        files[name.replace(".py", f"{number}.py")] = f"import {module}\n"
    told = lint(tmp_path_factory.mktemp("house"), files)
    assert told.returncode != 0
    return " ".join(told.stdout.split())


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["type"])
def test_every_contract_is_broken_by_what_it_forbids(contract: dict[str, str], broken: str) -> None:
    assert f"{contract['name']} BROKEN" in broken


@pytest.mark.parametrize("number", range(len(FORBIDDEN)), ids=[f"{name}->{module}" for name, module in FORBIDDEN])
def test_a_forbidden_import_is_named(number: int, broken: str) -> None:
    name, module = FORBIDDEN[number]
    importer = name.replace("/", ".").replace(".py", str(number))
    target = module if module.split(".")[0] in ("adapters", "tui", "pithead", "pipeline") else module.split(".")[0]
    assert re.search(rf"{re.escape(importer)} -> {re.escape(target)}\b", broken)
