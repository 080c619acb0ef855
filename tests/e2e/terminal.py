"""A terminal with nobody at it: runs a program, keeps its screen, presses keys."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pyte

PITHEAD = [sys.executable, "-m", "pithead"]


class Terminal:
    """`program` on a pseudo-terminal of its own, which is its controlling one."""

    def __init__(self, program: Sequence[str], folder: Path, columns: int = 120, rows: int = 40, **env: str) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        told = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": str(folder), **env}
        for name in ("NO_COLOR", "SSH_CONNECTION", "PITHEAD_CONFIG", "PITHEAD_RUN_DIR", "XDG_RUNTIME_DIR"):
            if name not in env:
                told.pop(name, None)
        self.process = subprocess.Popen(program, env=told, preexec_fn=lambda: os.login_tty(slave))  # noqa: PLW1509
        os.close(slave)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def wait_for(self, *texts: str, within_s: float = 30.0) -> str:
        """The screen, once all of `texts` are on it."""
        until = time.monotonic() + within_s
        while not all(text in self.text for text in texts):
            assert time.monotonic() < until, f"no {texts} within {within_s} s on\n{self.text}"
            assert self.read(0.2) or self.process.poll() is None, f"it ended before {texts} on\n{self.text}"
        return self.text

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def press_until(self, key: str, text: str, within_s: float = 30.0) -> None:
        """For a dialog that ignores its first moments' keys: press `key` until `text` is there."""
        until = time.monotonic() + within_s
        while text not in self.text:
            assert time.monotonic() < until, f"no {text!r} within {within_s} s on\n{self.text}"
            self.press(key)
            again = time.monotonic() + 2.0
            while text not in self.text and time.monotonic() < again:
                self.read(0.1)

    def wait_end(self, within_s: float = 60.0, key: str = "") -> int:
        """The exit code; what it still says is read meanwhile. `key` is pressed until it is taken."""
        until = time.monotonic() + within_s
        again = 0.0
        while (code := self.process.poll()) is None:
            assert time.monotonic() < until, f"it does not end; on\n{self.text}"
            if key and time.monotonic() >= again and "stopped and removed" not in self.text:
                with suppress(OSError):
                    self.press(key)
                again = time.monotonic() + 5.0
            self.read(0.1)
        while self.read(0.0):
            pass
        return code

    def hang_up(self) -> None:
        """What happens when the window is closed or the SSH session is cut."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        """Hang up, and end what does not go by itself."""
        self.hang_up()
        if self.process.poll() is None:
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def read(self, timeout_s: float) -> bool:
        """Take in what the program has written; False if there was nothing."""
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        if not ready:
            return False
        try:
            raw = os.read(self._master, 65_536)
        except OSError:  # The other end is closed.
            return False
        self._stream.feed(raw)
        return bool(raw)
