"""The room on a pseudo-terminal: what is really sent, and what is left behind."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

PROGRAM = """
from tests.tui.pages import company
from tui.app import PitheadApp
PitheadApp(company()).open()
"""
JOB = f"""
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv("/bin/sh", ["sh", "-c", '"$0" -c "$1"; true', sys.executable, {PROGRAM!r}])
_, how = os.waitpid(job, os.WUNTRACED)
os.tcsetpgrp(0, os.getpgrp())
print("STOPPED" if os.WIFSTOPPED(how) else "ENDED", flush=True)
sys.stdin.readline()
os.tcsetpgrp(0, job)
os.killpg(job, signal.SIGCONT)
os.waitpid(job, 0)
"""
"""A shell with job control that runs a script, which runs the room."""
DEADLINE_S = 20.0
RESTORED = b"\x1b[?1049l"
COLOUR = re.compile(rb"\x1b\[(?:[0-9]+;)*(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])(?:;[0-9]+)*m")


class Terminal:
    def __init__(self, pid: int, fd: int) -> None:
        self.pid = pid
        self.fd = fd
        self.seen = b""

    def read(self) -> bool:
        """Whether there is more to come."""
        ready, _, _ = select.select([self.fd], [], [], 0.2)
        if not ready:
            return True
        try:
            part = os.read(self.fd, 65_536)
        except OSError:
            return False
        self.seen += part
        return bool(part)

    def until(self, text: bytes) -> None:
        end = time.monotonic() + DEADLINE_S
        while text not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen[-500:]!r}"
            assert self.read(), f"ended without {text!r}: {self.seen[-500:]!r}"

    def hang_up(self) -> None:
        """Close the terminal's other end; another descriptor takes its number."""
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, self.fd)
        os.close(null)

    def gone(self) -> None:
        """Returns once the process has ended, reading nothing of what it sends."""
        end = time.monotonic() + DEADLINE_S
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            assert time.monotonic() < end, "it does not leave"
            time.sleep(0.05)

    def exit_code(self) -> int:
        end = time.monotonic() + DEADLINE_S
        while self.read():
            assert time.monotonic() < end, "it does not leave"
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def stall(*terminals: Terminal) -> None:
    """Stop reading, and ask for more pages than the terminal and the toolkit's queue hold."""
    for _ in range(40):
        for key in (b"G", b"g"):
            for terminal in terminals:
                os.write(terminal.fd, key)
            time.sleep(0.03)


@contextmanager
def room(program: str = PROGRAM, **environment: str) -> Iterator[Terminal]:
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        settings = {**kept, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": ".", **environment}
        os.execve(sys.executable, [sys.executable, "-c", program], settings)
    terminal = Terminal(pid, fd)
    try:
        yield terminal
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(fd)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_the_terminal_back(number: signal.Signals) -> None:
    with room(COLORTERM="truecolor") as terminal:
        terminal.until(b"courier")
        os.kill(terminal.pid, number)
        assert terminal.exit_code() == 0
        assert RESTORED in terminal.seen


def test_ctrl_z_stops_the_whole_job_and_fg_brings_the_page_back() -> None:
    with room(JOB, COLORTERM="truecolor") as terminal:
        terminal.until(b"courier")
        os.write(terminal.fd, b"\x1a")
        terminal.until(b"STOPPED")
        assert RESTORED in terminal.seen
        terminal.seen = b""
        os.write(terminal.fd, b"\n")
        terminal.until(b"courier")
        os.write(terminal.fd, b"q")
        assert terminal.exit_code() == 0
        assert RESTORED in terminal.seen


def test_ctrl_z_stops_nothing_where_no_shell_could_bring_it_back() -> None:
    with room(COLORTERM="truecolor") as terminal:
        terminal.until(b"courier")
        os.write(terminal.fd, b"\x1a")
        terminal.until(RESTORED)
        terminal.seen = terminal.seen.partition(RESTORED)[2]
        terminal.until(b"courier")
        os.write(terminal.fd, b"q")
        assert terminal.exit_code() == 0


def test_a_terminal_that_stopped_reading_does_not_keep_the_room_alive() -> None:
    with room(COLORTERM="truecolor") as hung_up, room(COLORTERM="truecolor") as told:
        for terminal in (hung_up, told):
            terminal.until(b"courier")
        stall(hung_up, told)
        hung_up.hang_up()
        os.kill(told.pid, signal.SIGTERM)
        for terminal in (hung_up, told):
            terminal.gone()


def test_the_first_page_is_sent_once() -> None:
    with room(COLORTERM="truecolor") as terminal:
        terminal.until(b"courier")
        os.write(terminal.fd, b"q")
        assert terminal.exit_code() == 0
        assert terminal.seen.count(b"courier") == 1
        assert len(terminal.seen) < 50_000


def test_under_no_color_not_one_colour_is_sent() -> None:
    with room(COLORTERM="truecolor", NO_COLOR="1") as terminal:
        terminal.until(b"courier")
        os.write(terminal.fd, b"jR")
        terminal.until(b"Cancel")
        os.write(terminal.fd, b"\x03\x03")
        assert terminal.exit_code() == 0
        assert COLOUR.findall(terminal.seen) == []


def test_a_locale_that_is_not_utf8_gets_ascii() -> None:
    with room(LANG="C", LC_ALL="POSIX", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0") as terminal:
        terminal.until(b"courier")
        os.write(terminal.fd, b"GP")
        terminal.until(b"P promote is off")
        os.write(terminal.fd, b"q")
        assert terminal.exit_code() == 0
        assert terminal.seen.isascii()
        assert b"\\u" not in terminal.seen
