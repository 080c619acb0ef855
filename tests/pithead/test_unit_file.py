"""The systemd unit that the command prints."""

from pathlib import Path

import pytest

from pithead.cli import main


def test_the_unit_names_the_configuration_that_was_meant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "my 100% config.toml"
    config.write_text("")
    assert main(["controller", "--print-unit", "--config", str(config)]) == 0
    start = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("ExecStart="))
    assert f'--config "{tmp_path}/my 100%% config.toml" controller' in start
