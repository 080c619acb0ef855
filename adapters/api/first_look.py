"""A first answer of the controller's with the standard library alone.

A front end asks before it imports its toolkit and reads afterwards: by then the answer has long come,
and the first paint shows the real fleet. Loads neither httpx nor aiohttp.
"""

import contextlib
import socket
import time
from pathlib import Path

from pipeline.ports import ControllerLost
from pipeline.view import FleetView

CONNECT_S = 0.5
PIECE_BYTES = 256 * 1024
LONGEST_BYTES = 32 * 2**20


class Asked:
    """A request that is under way."""

    def __init__(self, line: socket.socket, path: Path) -> None:
        self._line = line
        self._path = path

    def result(self, timeout_s: float) -> bytes:
        """The answer's body. Raises `ControllerLost`; the line is closed either way."""
        try:
            reply = self._read(time.monotonic() + timeout_s)
        except OSError as exc:
            raise ControllerLost(f"{self._path}: no answer ({exc})") from exc
        finally:
            self._line.close()
        head, found, body = reply.partition(b"\r\n\r\n")
        if not found or head.split(b" ", 2)[1:2] != [b"200"]:
            raise ControllerLost(f"{self._path}: not the answer of a controller")
        if f"content-length: {len(body)}".encode() not in head.lower().split(b"\r\n"):
            raise ControllerLost(f"{self._path}: the answer was cut off")
        return body

    def fleet(self, timeout_s: float) -> FleetView:
        """The answer of `/v1/fleet`. Raises `ControllerLost`."""
        body = self.result(timeout_s)
        # The codec costs milliseconds that a caller may spend while the answer is on its way.
        import msgspec

        from adapters.api.codec import fleet_view

        try:
            return fleet_view(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
            raise ControllerLost(f"{self._path}: not understood, is it another version? ({exc})") from exc

    def close(self) -> None:
        self._line.close()

    def _read(self, until: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._line.settimeout(left)
            piece = self._line.recv(PIECE_BYTES)
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST_BYTES:
                raise OSError("it has no end")


def ask(path: Path, page: str = "/v1/fleet") -> Asked:
    """Ask for `page` at the socket `path` and come back at once. Raises `ControllerLost` where nobody listens."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.ExitStack() as failing:
        failing.callback(line.close)
        line.settimeout(CONNECT_S)
        try:
            line.connect(str(path))
            # 1.0: the answer is one piece, and ends with the line.
            line.sendall(f"GET {page} HTTP/1.0\r\nHost: pithead\r\n\r\n".encode("ascii"))
        except OSError as exc:
            raise ControllerLost(f"{path}: no controller answers ({exc})") from exc
        failing.pop_all()
    return Asked(line, path)
