"""What is typed: options, exit codes, and errors in one plain line."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import plain
from pithead.cli import main
from pithead.exits import Exit, Failure
from pithead.parser import ACTS, count, parser, seconds

HOSTILE = "\x1b]52;c;aGk=\x07\x9b31m\u202e\n[@click=quit]x[/]"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration and no controller of whoever runs the tests is found."""
    for name in ("PITHEAD_CONFIG", "PITHEAD_RUN_DIR", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)


def pithead(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **more}
    command = [sys.executable, "-m", "pithead", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def is_harmless(text: str) -> bool:
    return all(plain(line, 10_000) == line for line in text.splitlines())


@pytest.mark.parametrize("words", [["--config", "a", "status"], ["status", "--config", "a"]])
def test_common_options_are_taken_before_and_after_the_verb(words: list[str]) -> None:
    args = parser().parse_args(words)
    assert (args.verb, args.config, args.read_only, args.json) == ("status", "a", False, False)


def test_without_a_verb_it_is_the_room() -> None:
    args = parser().parse_args(["--ascii", "--color", "never", "--read-only"])
    assert (args.verb, args.ascii, args.color, args.read_only) == ("room", True, "never", True)


@pytest.mark.parametrize("verb", sorted(ACTS))
def test_every_act_takes_a_reason_and_the_release_that_is_meant(verb: str) -> None:
    args = parser().parse_args([verb, "cart", "--reason", "why", "--release", "cart-1"])
    assert (args.service, args.reason, args.release) == ("cart", "why", "cart-1")


@pytest.mark.parametrize(
    "words",
    [
        [HOSTILE],
        ["status", HOSTILE],
        ["status", "a", HOSTILE],
        [f"--{HOSTILE}"],
        ["--color", HOSTILE],
        ["history", "--limit", HOSTILE],
        ["submit", "cart", HOSTILE],
        ["submit", "--wait", "--timeout", HOSTILE, "cart", "r1"],
        ["--config", HOSTILE, "controller"],
        ["--config", HOSTILE, "check"],
        ["--run-dir", HOSTILE, "status"],
    ],
)
def test_what_was_typed_wrong_is_told_in_plain_text(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(words)
    said = capsys.readouterr()
    assert code in (Exit.USAGE, Exit.UNKNOWN)
    assert said.err.startswith("pithead: ")
    assert is_harmless(said.err + said.out), said.err


@given(st.text(max_size=60))
def test_numbers_and_times_are_read_or_refused(text: str) -> None:
    for read in (count, seconds):
        try:
            assert read(text) > 0
        except argparse.ArgumentTypeError as error:
            assert is_harmless(str(error))


@pytest.mark.parametrize(("text", "expected"), [("90", 90), ("90s", 90), ("4m", 240), ("2h", 7200), ("1d", 86400)])
def test_times_are_seconds(text: str, expected: float) -> None:
    assert seconds(text) == expected


def test_without_a_controller_verbs_say_so_and_end_with_3(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["status", "--run-dir", str(tmp_path)]) == Exit.UNKNOWN
    said = capsys.readouterr()
    assert said.err == f"pithead: controller: no controller answers in {tmp_path}: start one: pithead controller\n"
    assert said.out == ""


def test_without_a_controller_the_command_that_starts_one_names_the_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "my web.toml"
    config.write_text(f'[controller]\nrun_dir = "{tmp_path}/run"\n')
    assert main(["status", "--config", str(config)]) == Exit.UNKNOWN
    assert capsys.readouterr().err.endswith(f"start one: pithead --config '{config}' controller\n")


def test_without_a_configuration_it_says_where_it_looked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == Exit.USAGE
    assert "/etc/pithead/config.toml" in capsys.readouterr().err


def test_a_broken_configuration_keeps_no_verb_from_its_controller(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "broken.toml"
    config.write_text(f'[controller]\nrun_dir = "{tmp_path}/run"\n[service.cart\nrevision = = 7\n')
    assert main(["--config", str(config), "rollback", "cart", "--yes"]) == Exit.UNKNOWN
    assert f"no controller answers in {tmp_path}/run" in capsys.readouterr().err


def test_a_wrong_place_of_the_controller_is_told_with_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('# a remark\n\n[controller]\nrun_dir = 7\n[organisation]\nwaves = [\n["100%"]\n]\n')
    assert main(["--config", str(config), "status"]) == Exit.UNKNOWN
    assert "config.toml:4: controller.run_dir" in capsys.readouterr().err


def test_an_unknown_verb_is_usage() -> None:
    with pytest.raises(Failure) as told:
        parser().parse_args(["deploy"])
    assert told.value.code == Exit.USAGE


def test_help_and_version_go_to_standard_output() -> None:
    helped = pithead("--help")
    assert helped.returncode == 0
    assert {"demo", "wallboard", "controller", "check", "status", "submit", "history", *ACTS} <= set(
        helped.stdout.split()
    )
    assert pithead("--version").stdout.startswith("pithead 0")


def test_a_wallboards_pages_stand_for_seconds_that_a_person_can_follow() -> None:
    assert parser().parse_args(["wallboard"]).page_seconds is None
    assert parser().parse_args(["wallboard", "--page-seconds", "30"]).page_seconds == 30.0
    for wrong in ("0", "1", "-3", "3601", "ten"):
        with pytest.raises(Failure, match="--page-seconds"):
            parser().parse_args(["wallboard", "--page-seconds", wrong])


def test_the_room_needs_a_terminal() -> None:
    told = pithead()
    assert (told.returncode, told.stdout) == (Exit.USAGE, "")
    assert told.stderr == "pithead: pithead: this is no terminal: pithead status prints the same\n"


@pytest.mark.parametrize("words", [["demo", "--run-dir", "X"], ["--run-dir", "X", "demo", "--headless"]])
def test_the_demo_refuses_a_run_dir_and_starts_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == Exit.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("pithead: demo --run-dir: the demo keeps its sockets in a folder of its own")
    assert "leave it out" in said.err
    assert len(said.err.splitlines()) == 1


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    shell = f"{sys.executable} -m pithead --help | true; exit ${{PIPESTATUS[0]}}"
    told = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, timeout=60, check=False)
    assert told.stderr == ""
    assert told.returncode in (0, Exit.BROKEN_PIPE)


def test_the_unit_file_starts_this_very_program() -> None:
    told = pithead("controller", "--print-unit")
    assert told.returncode == 0
    assert f"ExecStart={sys.executable} -m pithead controller --detached" in told.stdout.splitlines()


@pytest.mark.parametrize(
    "words",
    [
        ["submit", "cart", "r1", "--reason", "\udcff"],
        ["rollback", "cart", "--reason", "caf\udce9"],
        ["history", "--text", "\udcff"],
        ["status", "\udcff"],
        ["reserve", "cart", "--also", "\udcff", "--for", "1h", "--reason", "x"],
        ["attest", "cart", "CAT-2", "--reason", "x", "--evidence", "\udcff"],
        ["judge", "replay", "cart-1", "--set", "\udcff=1"],
    ],
)
def test_bytes_that_are_no_utf8_are_usage_and_no_fault(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == Exit.USAGE
    said = capsys.readouterr().err
    assert "is not UTF-8" in said
    assert len(said.splitlines()) == 1
    assert is_harmless(said)


def test_a_folder_whose_name_is_no_utf8_is_still_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--run-dir", "caf\udce9", "status"]) == Exit.UNKNOWN
    assert is_harmless(capsys.readouterr().err)


def test_a_reason_longer_than_what_is_kept_is_refused_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["lock", "cart", "--reason", "x" * 501]) == Exit.USAGE
    assert "it has 501 characters, 500 are kept" in capsys.readouterr().err


def test_the_way_back_waits_for_no_shorter_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--run-dir", str(tmp_path), "rollback", "cart", "--yes", "--reason", "x" * 501]
    assert main(asked) == Exit.UNKNOWN
    assert "no controller answers" in capsys.readouterr().err


def test_the_demos_help_offers_no_run_dir_and_the_others_do() -> None:
    assert "--run-dir" not in pithead("demo", "--help").stdout
    assert "--run-dir" in pithead("status", "--help").stdout
