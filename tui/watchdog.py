"""Leaves a terminal that is gone or has stopped, when the event loop no longer can.

The toolkit's output queue blocks the loop once a terminal stops reading, and for ever if it then goes away (the
SIGCONT that comes with a hang-up starts a second writer, besides); a signal handler of the loop's would wait with it.
So a thread of its own looks at the terminal, and hears signals.
"""

import contextlib
import os
import select
import signal
import termios
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

LOOK_S = 1.0
GRACE_S = 3.0
"""For leaving in order; then the process ends as it is. It holds nothing that could be lost."""
GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
SIGNALS = (signal.SIGTERM, signal.SIGHUP)
RESTORE = b"\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
"""Mouse, paste and focus reports off, the usual screen, the cursor."""


class Watchdog:
    """While entered, SIGTERM, SIGHUP and a terminal that hangs up call `leave`, and end the process if that fails."""

    def __init__(self, terminal: int) -> None:
        """`terminal`: the file descriptor that is read."""
        self.leave: Callable[[], object] | None = None
        """Asks for an end in order; called from another thread."""
        self._terminal = terminal
        self._asked = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        self._before = {number: signal.signal(number, self._hear) for number in SIGNALS if _heard(number)}
        self._mode: list[int | list[bytes | int]] | None = None
        with contextlib.suppress(termios.error):
            self._mode = termios.tcgetattr(self._terminal)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._asked.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._thread.join()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self._asked.set()

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._terminal, 0)
        while not self._asked.wait(LOOK_S):
            if any(events & GONE for _, events in poll.poll(0)):
                break
        if self._over.is_set():
            return
        if self.leave is not None:
            self.leave()
        if not self._over.wait(GRACE_S):
            self._give_up()

    def _give_up(self) -> None:
        with contextlib.suppress(OSError, termios.error):
            os.set_blocking(self._terminal, False)
            os.write(self._terminal, RESTORE)
        with contextlib.suppress(OSError, termios.error):
            os.set_blocking(self._terminal, True)
            if self._mode is not None:
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._mode)
        os._exit(1)


def _heard(number: signal.Signals) -> bool:
    """A signal that whoever started us ignores (nohup) stays ignored."""
    return signal.getsignal(number) is not signal.SIG_IGN
