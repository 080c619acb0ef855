"""One controller a history: a lock that ends with its process, however that ends."""

import fcntl
import os
from pathlib import Path

from pipeline.ports import HistoryError


class WriterLock:
    """An flock on a file of its own, which says who holds it. The file stays: removing it would race."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def take(self) -> None:
        """Raises `HistoryError` naming the holder if another process, or object, has it."""
        if self._fd is not None:
            return
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
            os.close(fd)
            raise HistoryError(
                f"{self.path}: another controller runs on this history (pid {holder or 'unknown'}): "
                "use that one, or stop it first"
            ) from None
        except OSError:
            os.close(fd)
            raise
        self._fd = fd

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
