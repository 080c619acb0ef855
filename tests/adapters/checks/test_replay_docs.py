"""The examples of docs/replay.md do what they say."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from adapters.checks.replay import parsed, parsed_path

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "replay.md").read_text()


def blocks(language: str) -> list[str]:
    every = re.findall(r"^```(\w*)\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)
    return [text for named, text in every if named == language]


def test_the_example_makes_a_recording_of_an_access_log() -> None:
    log = '10.0.0.1 - - [05/Jan/2026:09:00:00 +0000] "GET /cart/7?full=1 HTTP/1.1" 200 51 "-" "curl/8" 0.080\nnoise\n'
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0]], input=log, capture_output=True, text=True, timeout=30, check=True
    )
    recording = parsed(done.stdout.encode())
    (exchange,) = recording.exchanges
    assert (recording.service, exchange.method, exchange.path) == ("cart", "GET", "/cart/7?full=1")
    assert exchange.answer is not None
    assert (exchange.answer.status, exchange.answer.ms) == (200, 80.0)


def test_the_lines_that_are_shown_are_a_recording() -> None:
    shown = next(block for block in blocks("") if block.startswith('{"service"'))
    assert [json.loads(line) for line in shown.splitlines()][1]["answer"] == {"total": 12.0}
    assert parsed(shown.encode()).service == "cart"


def test_the_configuration_that_is_shown_is_toml_with_paths_that_are_ones() -> None:
    for block in blocks("toml"):
        for check in tomllib.loads(block)["service"]["cart"]["checks"].values():
            for path in check.get("ignore", ()):
                assert parsed_path(path)
