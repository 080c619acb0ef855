"""`pithead metrics rules`: what it writes is what the server takes."""

import subprocess
from pathlib import Path

import pytest

from pithead.cli import main
from pithead.exits import Exit
from tests.neighbours.need import need

REFERENCE = Path(__file__).parents[2] / "docs" / "fleet.toml"


def test_the_rules_of_a_configuration_pass_promtools_check_and_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    promtool = need("promtool")
    config = tmp_path / "fleet.toml"
    config.write_text(REFERENCE.read_text())
    config.chmod(0o600)
    assert main(["metrics", "rules", "--config", str(config), "--to", str(tmp_path)]) == Exit.DONE
    capsys.readouterr()
    for verb, name in (("check", "pithead.rules.yml"), ("test", "pithead.rules.test.yml")):
        done = subprocess.run(
            [promtool, verb, "rules", name], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_without_a_folder_the_rules_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "fleet.toml"
    config.write_text(REFERENCE.read_text())
    config.chmod(0o600)
    assert main(["metrics", "rules", "--config", str(config)]) == Exit.DONE
    assert 'record: "pithead:requests:sum"' in capsys.readouterr().out


def test_a_configuration_without_a_metrics_server_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    config = Path(__file__).parents[2] / "config.toml"
    assert main(["metrics", "rules", "--config", str(config)]) == Exit.USAGE
    assert "there is no [prometheus]" in capsys.readouterr().err
