"""What each way into the program may load, seen in a fresh interpreter's `sys.modules`."""

import json
import subprocess
import sys

CLIENTS = {"httpx", "aiohttp", "requests", "prometheus_api_client"}
NUMBERS = {"numpy", "pandas", "matplotlib", "dateparser"}
TOOLKIT = {"textual", "rich"}


def loaded(code: str) -> set[str]:
    """Top-level modules after `code` ran in an interpreter of its own."""
    tell = "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    program = f"import contextlib, importlib, json, pkgutil, sys\n{code}\n{tell}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def all_of(package: str) -> str:
    return (
        f"import {package}\n"
        f"for found in pkgutil.walk_packages({package}.__path__, '{package}.'):\n"
        f"    importlib.import_module(found.name)"
    )


def test_help_loads_no_toolkit_and_no_client() -> None:
    code = "import pithead.cli\nwith contextlib.suppress(SystemExit):\n    pithead.cli.main(['--help'])"
    assert not loaded(code) & (TOOLKIT | CLIENTS | NUMBERS)


def test_the_whole_pipeline_loads_no_toolkit_no_client_and_no_database() -> None:
    assert not loaded(all_of("pipeline")) & (TOOLKIT | CLIENTS | NUMBERS - {"numpy"} | {"sqlite3", "msgspec"})


def test_what_clients_know_of_the_pipeline_loads_no_numbers_library() -> None:
    assert not loaded("import pipeline.ports, pipeline.view, pipeline.judge.verdict, pipeline.judge.look") & NUMBERS


def test_the_room_loads_no_client_and_no_numbers_library() -> None:
    assert not loaded("import tui.app") & (CLIENTS | NUMBERS)


def test_no_adapter_loads_textual() -> None:
    assert "textual" not in loaded(all_of("adapters"))
