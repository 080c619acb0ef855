"""One question under way in a worker thread, and how the event loop ends it.

A timeout of `requests` is one of silence: a server that sends a byte a second holds a thread for ever. So
the loop keeps a second handle of the socket and shuts it down when the question's time is over, whatever the
thread is reading at that moment.
"""

import socket
from contextlib import suppress
from threading import Lock


class Call:
    """Made in the event loop, used by one worker thread."""

    def __init__(self, connect_s: float, read_s: float) -> None:
        self.timeout = (connect_s, read_s)
        self.ended = False
        """Nobody waits for the answer any more."""
        self._lock = Lock()
        self._line: socket.socket | None = None

    def hold(self, line: socket.socket) -> None:
        """From the worker: this is the connection's second handle."""
        with self._lock:
            self._line = line
            if self.ended:
                _cut(line)

    def release(self) -> None:
        """From the worker: the connection may serve the next question now."""
        with self._lock:
            self._line = None

    def end(self) -> None:
        """From the loop; does nothing to a question that was answered."""
        with self._lock:
            self.ended = True
            if self._line is not None:
                _cut(self._line)


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
