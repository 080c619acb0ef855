"""What the command makes of the configuration: `check`, where things are, and what is read of it in a hurry."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.config import Settings, demo_config_path, load
from pipeline.model import Fleet
from pithead.cli import main
from pithead.exits import Exit
from pithead.peek import cut, peek
from pithead.places import places
from tests.pithead.reaching_support import write

HERE = Settings(Path("config.toml"), Fleet(), ())


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(demo_config_path().read_text())
    path.chmod(0o600)
    shutil.copytree(demo_config_path().parent / "recordings", tmp_path / "recordings")
    return path


def test_check_tells_what_it_read(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(config)]) == Exit.DONE
    said = capsys.readouterr().out
    assert said.startswith(f"{config}: no errors\n")
    assert "  services: 12\n" in said
    assert "  looked at every 1 s\n" in said
    assert main(["check", "--json", "--config", str(config)]) == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["errors"], told["services"]) == (True, [], 12)


def test_check_tells_every_error_at_once(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().replace("tier = 1", "tier = 9").replace('tick = "1s"', "tick = 0"))
    assert main(["check", str(config)]) == Exit.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) > 3
    assert all(line.startswith(f"pithead: {config}:") for line in lines)
    assert main(["check", "--json", str(config)]) == Exit.USAGE
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert {error["key"] for error in told["errors"]} >= {"controller.tick", "service.checkout.tier"}


@pytest.mark.parametrize(("tick", "said"), [("500ms", "0.5 s"), ("2s", "2 s")])
def test_check_says_how_often_hosts_are_looked_at(
    tick: str, said: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(config.read_text().replace('tick = "1s"', f'tick = "{tick}"'))
    main(["check", str(config)])
    assert f"  looked at every {said}\n" in capsys.readouterr().out


FOUND = """[discovery.targets]
file = "/hosts.json"
[service.cart]
revision = "r1"
"""
CONFIGURED = """[service.checkout]
revision = "r1"
hosts = [
  { name = "s-1", address = "127.0.0.1:1", pool = "staging", datacenter = "fra1" },
  { name = "p-[1-2]", address = "127.0.0.2:[1-2]", datacenter = "fra1" },
]
"""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            "",
            (
                "production hosts: found by targets (discovery)",
                "staging hosts: found by targets (discovery)",
                "datacenters: found by targets (discovery)",
            ),
        ),
        (
            CONFIGURED,
            (
                "production hosts: 2; those of cart are found by targets (discovery)",
                "staging hosts: 1",
                "datacenters: fra1 3",
            ),
        ),
    ],
)
def test_check_says_of_hosts_that_discovery_finds_that_it_does(
    more: str, said: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, FOUND + more)
    assert main(["check", str(path)]) == Exit.DONE
    assert "".join(f"  {line}\n" for line in said) in capsys.readouterr().out
    main(["check", "--json", str(path)])
    assert json.loads(capsys.readouterr().out)["production_hosts"] == (2 if more else 0)


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "nowhere.toml")]) == Exit.USAGE
    assert "nowhere.toml: cannot be read: No such file" in capsys.readouterr().err


def test_in_a_hurry_the_same_is_read_as_at_leisure(config: Path) -> None:
    text = config.read_text().replace("\n[controller]\n", '\n[controller]\nrun_dir = "/run/here"\nread_only = true\n')
    config.write_text(text + '\n[ui]\ntimezone = "Europe/Berlin"\n' if "\n[ui]\n" not in text else text)
    whole, (some, wrong) = load(config), peek(config)
    assert wrong == ""
    for field in ("path", "state_dir", "run_dir", "start_controller", "read_only", "group", "ui"):
        assert getattr(some, field) == getattr(whole, field), field
    assert some.run_dir == Path("/run/here")


@given(st.text(alphabet="[]controleui.=\"'\n #{}", max_size=200))
def test_cutting_keeps_every_line_in_its_place(text: str) -> None:
    kept = cut(text).split("\n")
    lines = text.split("\n")
    assert len(kept) == len(lines)
    assert all(line in ("", whole) for line, whole in zip(kept, lines, strict=True))


@pytest.mark.parametrize("text", ["[controller]\nrun_dir = 7", "[controller]\nrun_dir", "[controller]\n\x00"])
def test_what_cannot_be_used_leaves_the_defaults_and_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    settings, wrong = peek(path)
    assert settings.run_dir is None
    assert wrong.startswith(f"{path}:")


def test_history_and_sockets_lie_in_the_xdg_folders() -> None:
    env = {"XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/r"}
    found = places(HERE, environ=env)
    assert (found.history, found.socket(read_only=False)) == (
        Path("/s/pithead/history.db"),
        Path("/r/pithead/pithead.sock"),
    )
    assert places(HERE, environ={"XDG_STATE_HOME": "s"}).state == Path.home() / ".local/state/pithead"


def test_a_history_placed_by_hand_has_its_sockets_beside_it() -> None:
    env = {"XDG_RUNTIME_DIR": "/r"}
    settings = Settings(Path("config.toml"), Fleet(), (), state_dir=Path("/a"))
    assert places(settings, environ=env).run == Path("/a/run")
    assert places(HERE, state=Path("/b"), environ=env).run == Path("/b/run")


def test_the_command_line_goes_before_the_configuration() -> None:
    settings = Settings(Path("config.toml"), Fleet(), (), state_dir=Path("/a"), run_dir=Path("/c"))
    found = places(settings, Path("/d"), Path("/e"), {})
    assert (found.run, found.state) == (Path("/d"), Path("/e"))
