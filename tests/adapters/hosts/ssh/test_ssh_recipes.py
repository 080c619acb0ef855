"""Packages, commands, health and logs on a real host; and words that stay words in a real shell."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hosts.ssh import Argv, Command, File, Journal, Package, SshLogs, Way
from adapters.hosts.ssh.words import argv, path, word
from pipeline.events import Result
from pipeline.observed import HostFault, HostState

LONG_S = 20.0

DNF = """#!/bin/sh
for last in "$@"; do :; done
[ "$1" = install ] && [ "$last" = cart-1.0 ] && [ -s "$HOME/fake/installed" ] && exit 0
echo "${last#cart-}-3.el9" >"$HOME/fake/installed"
"""
RPM = """#!/bin/sh
[ -s "$HOME/fake/installed" ] || { echo "package cart is not installed"; exit 1; }
printf 'installed %s' "$(cat "$HOME/fake/installed")"
"""
SUDO = """#!/bin/sh
echo "sudo: a password is required" >&2
exit 1
"""


@pytest.fixture
def fake(server) -> Path:
    """Programs of the host, before its own: what is not on the machine that tests."""
    folder = server.home / "fake"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    programs = {"dnf": DNF, "rpm": RPM, "sudo": SUDO}
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def way(site, recipe, **more: object) -> None:
    site.way = Way("cart", recipe, directory=str(site.kept), **more)


async def deployed(site, revision: str, attempt: int, door: str = "plain", step: str = "forward"):
    return await site.hosts.deploy(site.host(door), site.intent(revision, attempt, step), 1, LONG_S)


async def state(site, door: str = "plain") -> HostState:
    found = (await site.hosts.states([site.host(door)], LONG_S))["cart-1"]
    assert isinstance(found, HostState), found
    return found


async def test_an_rpm_is_told_by_the_version_that_was_asked_for_and_goes_back_too(site, fake) -> None:
    way(site, Package("dnf", "cart"))
    assert (await deployed(site, "1.1", 1, "fake")).result is Result.DONE
    assert (await deployed(site, "1.0", 2, "fake")).result is Result.DONE
    assert (await state(site, "fake")).revision == "1.0"


async def test_sudo_that_asks_for_a_password_is_said_so(site, fake) -> None:
    way(site, Package("apt", "cart", sudo=True))
    failed = await deployed(site, "1.0", 1, "fake")
    assert failed.result is Result.FAILED
    assert "sudo asks for a password there: allow the command without one (NOPASSWD)" in failed.detail


def commands(site) -> Command:
    at = str(site.folder)
    return Command(
        deploy=(
            "sh",
            "-c",
            '[ "$2" != r9 ] && echo "$2" >"$1/runs"; echo "$@" >"$1/said"',
            "x",
            at,
            "{revision}",
            "{host}",
        ),
        state=("cat", f"{at}/runs"),
        health=("sh", "-c", 'test ! -e "$1/ill"', "x", at),
        restart=("sh", "-c", 'echo "$2 of $3" >"$1/restarted"', "x", at, "{revision}", "{service}"),
    )


async def test_own_commands_deploy_tell_the_state_and_the_health_and_restart(site) -> None:
    way(site, commands(site))
    assert (await deployed(site, "r1", 1)).result is Result.DONE
    assert (site.folder / "said").read_text().split()[1:] == ["r1", "cart-1"]
    assert (await state(site)).healthy
    (site.folder / "ill").touch()
    ill = await state(site)
    assert (ill.revision, ill.healthy, ill.detail) == ("r1", False, "runs r1; health command: exit 1")
    assert (await deployed(site, "r1", 1, step="baseline")).result is Result.DONE
    assert (site.folder / "restarted").read_text() == "r1 of cart\n"


async def test_a_deploy_command_that_ends_well_without_the_revision_has_failed(site) -> None:
    way(site, commands(site))
    await deployed(site, "r1", 1)
    failed = await deployed(site, "r9", 2)
    assert (failed.result, failed.detail) == (Result.FAILED, "deploy command ended well, but r1 runs")


def runs(pid: str) -> bool:
    """Whether a process is there, and not only waiting to be buried."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_a_command_that_hangs_is_ended_with_what_it_began(site) -> None:
    way(site, Command(("sh", "-c", 'sleep 30 & echo $! >"$1/pid"; wait', "x", str(site.folder))), command_s=1)
    failed = await deployed(site, "r1", 1)
    assert (failed.result, failed.detail) == (Result.FAILED, "deploy command: not done in 1 s, ended")
    assert not runs((site.folder / "pid").read_text().strip())


async def test_a_restart_without_a_command_for_it_is_never_done(site) -> None:
    way(site, Command(("true",)))
    assert (await deployed(site, "r1", 1)).result is Result.DONE
    failed = await deployed(site, "r1", 1, step="baseline")
    assert (failed.result, failed.detail) == (Result.FAILED, "nothing done: the recipe has no restart command")


async def test_the_last_lines_of_a_log_are_cleaned_and_bounded(site) -> None:
    logs = SshLogs(site.client, site.clock)
    file = site.folder / "log"
    file.write_bytes(b"old\n" * 50 + b"one\n\033[31mtwo\xff\nPITHEAD-0 end logs\n" + b"x" * 5_000)
    told = await logs.tail(site.host(), site.way, File(str(file)), 4, deadline_s=LONG_S)
    assert told == ("one", "�[31mtwo�", "PITHEAD-0 end logs", "x" * 497 + "...")
    missing = await logs.tail(site.host(), site.way, File(f"{file}-not"), 3, deadline_s=LONG_S)
    assert isinstance(missing, HostFault)
    assert missing.why.startswith("no log: exit 1: ")
    many = await logs.tail(site.host(), site.way, Argv(("seq", "5000")), 5_000, deadline_s=LONG_S)
    assert not isinstance(many, HostFault)
    assert (len(many), many[-1]) == (1_000, "5000")
    unit = await logs.tail(site.host(), site.way, Journal("no such unit; id"), 3, deadline_s=LONG_S)
    assert isinstance(unit, HostFault) or "-- No entries --" in unit


@settings(max_examples=25)
@given(st.lists(st.text(st.characters(blacklist_categories=["Cc", "Cs"]), max_size=20), min_size=1, max_size=10))
def test_every_argument_stays_one_word_in_a_real_shell(arguments: list[str]) -> None:
    words = argv(arguments, {"service": "a b", "host": "$(id)"})
    script = (
        f'revision=\'r 1\'\nwords={words}\neval "set -- $words"\nfor one in "$@"; do printf \'%s\\n\' "$one"; done\n'
    )
    heard = subprocess.run(["sh", "-s"], input=script.encode(), capture_output=True, timeout=20, check=True).stdout
    filling = {"{revision}": "r 1", "{service}": "a b", "{host}": "$(id)"}
    expected = list(arguments)
    for name, value in filling.items():
        expected = [argument.replace(name, value) for argument in expected]
    assert heard.decode().split("\n")[:-1] == expected


def test_placeholders_are_filled_within_words_and_not_again() -> None:
    words = argv(["--v={revision}", "{service}@{host}", "{other}"], {"service": "{host}", "host": "h"})
    script = f'revision=r1; words={words}; eval "set -- $words"; printf \'%s|\' "$@"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, timeout=20, check=True).stdout == (
        b"--v=r1|{host}@h|{other}|"
    )


@pytest.mark.parametrize("text", ["a\0b", "a\nb", "\x1b[2J"])
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        word(text)


@pytest.mark.parametrize("text", ["", "/", "srv", "../x", "-x"])
def test_a_path_that_is_not_whole_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must begin with"):
        path(text)


def test_home_is_the_logins_own() -> None:
    assert path("~/a b") == "\"$HOME\"/'a b'"
    assert path("/srv/x/") == "/srv/x"
