"""What hosts and ssh say, read: the helper's lines among anything else, and ssh's own faults."""

import random
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hosts.ssh.backoff import Backoff
from adapters.hosts.ssh.client import Ran
from adapters.hosts.ssh.faults import Kind, SshFault, classified
from adapters.hosts.ssh.script import Answers, answers
from adapters.hosts.ssh.watching import watched
from pipeline.text import plain

NONCE = "0123456789abcdef"


def by_hand(*more: str) -> str:
    return shlex.join(["ssh", "-F", "/etc/my ssh", *more, "web"])


def said(*lines: bytes) -> Ran:
    return Ran(b"\n".join((*lines, b"")), b"", 0, begun=True)


@given(st.lists(st.binary(max_size=40), max_size=8), st.text(st.characters(codec="ascii", categories=["L", "N"])))
def test_the_helpers_lines_are_found_in_any_noise(noise: list[bytes], revision: str) -> None:
    prefix = f"PITHEAD-{NONCE} ".encode()
    found = answers(said(*noise, prefix + f"revision {revision}".encode(), prefix + b"end state"), NONCE, "state")
    assert isinstance(found, Answers)
    assert found["revision"] == revision


@given(st.binary(max_size=300))
def test_without_the_closing_line_nothing_was_answered(raw: bytes) -> None:
    assert isinstance(answers(Ran(raw, b"", 0, begun=True), NONCE, "state"), SshFault)


@pytest.mark.parametrize("end", [b"end", b"end op-2", b"end op-12", b"ends op-1"])
def test_the_end_of_another_call_is_none(end: bytes) -> None:
    prefix = f"PITHEAD-{NONCE} ".encode()
    assert isinstance(answers(said(prefix + b"outcome done", prefix + end), NONCE, "op-1"), SshFault)


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        (b"ssh: connect to host 10.0.0.1 port 22: Connection refused", Kind.REFUSED),
        (b"ssh: connect to host 10.0.0.1 port 22: Connection timed out", Kind.TIMED_OUT),
        (b"Connection timed out during banner exchange", Kind.TIMED_OUT),
        (b"ssh: connect to host 10.0.0.1 port 22: No route to host", Kind.UNREACHABLE),
        (b"ssh: Could not resolve hostname web: Name or service not known", Kind.NAME),
        (b"Host key verification failed.", Kind.KEY_UNKNOWN),
        (
            b"@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            Kind.KEY_CHANGED,
        ),
        (b"@ WARNING: REVOKED HOST KEY DETECTED! @\nHost key verification failed.", Kind.KEY_CHANGED),
        (b"me@web: Permission denied (publickey).", Kind.DENIED),
        (b"Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures", Kind.DENIED),
        (b"kex_exchange_identification: read: Connection reset by peer", Kind.TOO_MANY),
        (
            b"kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535",
            Kind.UNREACHABLE,
        ),
        (b"channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed", Kind.REFUSED),
        (b"/home/me/.ssh/config: line 1: Bad configuration option: nonsense", Kind.LOCAL),
        (b"something new", Kind.OTHER),
        (b"", Kind.OTHER),
    ],
)
def test_what_ssh_says_is_told_in_one_line(stderr: bytes, kind: Kind) -> None:
    fault = classified(stderr, by_hand)
    assert fault.kind is kind
    assert "\n" not in fault.why
    assert not fault.reached


@given(st.binary(max_size=2_000))
def test_anything_that_ssh_says_is_a_fault_in_one_clean_line(stderr: bytes) -> None:
    fault = classified(stderr, by_hand)
    assert plain(fault.why) == fault.why


@given(st.integers(1, 60), st.integers(0, 2**32))
def test_rests_grow_to_a_limit_and_end(failures: int, seed: int) -> None:
    rests = Backoff(2.0, 30.0, 300.0, random.Random(seed))
    fault = SshFault(Kind.REFUSED, plain("refused"))
    for _ in range(failures):
        rests.failed("web", fault, 0.0)
    most = min(2.0 * 2.0 ** (failures - 1), 30.0)
    assert rests.standing("web", most * 0.49) == fault
    assert rests.standing("web", most) is None
    assert rests.standing("web", 0.0, urgent=True) is None
    rests.reached("web")
    assert rests.standing("web", 0.0) is None


@pytest.mark.parametrize(
    ("stderr", "mend"),
    [
        (b"Host key verification failed.", "check it and accept it once with ssh -F '/etc/my ssh' web"),
        (b"me@web: Permission denied", "see whether ssh -F '/etc/my ssh' -o BatchMode=yes web gets in"),
    ],
)
def test_what_to_type_names_the_options_of_the_configuration(stderr: bytes, mend: str) -> None:
    assert classified(stderr, by_hand).why.endswith(mend)


@pytest.mark.parametrize(
    ("now_s", "left"),
    [(0.0, "5 min"), (61.0, "4 min"), (209.0, "2 min"), (211.0, "90 s"), (295.0, "10 s")],
)
def test_the_time_until_the_next_try_counts_down(now_s: float, left: str) -> None:
    rests = Backoff(2.0, 30.0, 300.0, random.Random(1))
    rests.failed("web", SshFault(Kind.DENIED, plain("login refused " * 50)), 0.0)
    standing = rests.standing("web", now_s, urgent=True)
    assert standing is not None
    assert standing.why.endswith(f"; tried again in {left}")
    assert rests.standing("web", 300.0) is None


@given(st.binary(max_size=500))
def test_whatever_ssh_prints_of_its_configuration_names_files_or_none(said: bytes) -> None:
    assert not watched(("-F", "/etc/my ssh"), said).changed()


def test_the_files_of_a_login_are_those_that_ssh_names_and_its_configuration(tmp_path) -> None:
    key, config = tmp_path / "key", tmp_path / "config"
    printed = f"identityfile {key}\nuserknownhostsfile ~/.ssh/a /b\n".encode()
    files = watched((f"-F{config}",), printed)
    assert [str(path) for path, _ in files.stamps][:2] == [str(config), str(key)]
    assert not files.changed()
    key.touch()
    assert files.changed()
